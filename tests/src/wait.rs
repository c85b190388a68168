//! Waiting for conditions, with a limit.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Asks `probe` again and again until it gives a value.
///
/// An error of the probe counts as "not yet": what it said last is in the error after `limit`, beside `what`.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        let last = match tokio::time::timeout_at(deadline.into(), probe()).await {
            Ok(Ok(Some(value))) => return Ok(value),
            Ok(Ok(None)) => String::new(),
            Ok(Err(error)) => format!(": {error:#}"),
            Err(_) => ": the last attempt did not return".to_owned(),
        };
        if Instant::now() + POLL > deadline {
            bail!("not within {limit:?}: {what}{last}");
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Often enough that a test loses no time, seldom enough that it costs none.
const POLL: Duration = Duration::from_millis(40);

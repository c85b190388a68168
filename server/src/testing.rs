//! What tests of several parts need.

use std::time::Duration;

use tokio::time::sleep;

/// Waits until `condition` holds.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        sleep(Duration::from_millis(1)).await;
    }
}

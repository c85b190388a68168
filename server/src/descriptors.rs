//! The limit on open files: every connection is one, and the usual default of 1024 is soon reached.

/// Raises the limit, as far as the system lets an ordinary program, until it covers `connections`.
///
/// # Errors
/// [`TooFew`] when it stays lower. The server runs all the same, and turns connections away earlier.
#[cfg(unix)]
pub fn ensure(connections: usize) -> Result<(), TooFew> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|&current| current < wanted) else { return Ok(()) };
    let target = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = target > current
        && setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum }).is_ok();
    let limit = if raised { target } else { current };
    if limit < wanted { Err(TooFew { limit, wanted }) } else { Ok(()) }
}

/// Systems without such a limit have nothing to raise.
#[cfg(not(unix))]
pub fn ensure(_connections: usize) -> Result<(), TooFew> {
    Ok(())
}

/// The limit on open files is too low for the connections that the configuration allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the limit on open files is {limit}, and {wanted} are needed for as many connections as the configuration allows; \
     raise it (`ulimit -n {wanted}`, or LimitNOFILE= in a systemd unit)"
)]
pub struct TooFew {
    limit: u64,
    wanted: u64,
}

/// Files that are open besides connections: listeners, the log, the runtime's own.
#[cfg(unix)]
const OTHERS: u64 = 64;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_said() {
        let error = ensure(usize::MAX >> 8).unwrap_err();
        assert!(error.limit < error.wanted);
        assert_eq!(ensure(1), Ok(()));
    }
}

//! The limit on open files: every connection is one, and the usual default of 1024 is soon reached.

use crate::health::Check;

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
    // Some systems refuse what is over a limit of the kernel's own, whatever the maximum says (macOS): then half of it.
    let mut steps = std::iter::successors(Some(target), |step| Some(step / 2));
    let limit = steps
        .find(|&step| {
            let limit = Rlimit { current: Some(step), maximum };
            step <= current || setrlimit(Resource::Nofile, limit).is_ok()
        })
        .map_or(current, |step| step.max(current));
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

impl TooFew {
    /// Whether it is likely to be felt: thousands of connections fit else.
    pub fn is_low(&self) -> bool {
        self.limit < LOW
    }
}

/// Whether those that are open come near the limit: then the next connection may be turned away.
#[cfg(target_os = "linux")]
pub fn check() -> Check {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match (open(), limit) {
        (Some(open), Some(limit)) => judge(open, limit),
        _ => Check::Ok,
    }
}

/// Other systems do not tell how many are open.
#[cfg(not(target_os = "linux"))]
pub fn check() -> Check {
    Check::Ok
}

/// How many this process has open.
#[cfg(target_os = "linux")]
pub fn open() -> Option<u64> {
    // The directory that is read is one of them.
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count.saturating_sub(1)).ok()
}

/// What `open` of `limit` descriptors means.
#[cfg(target_os = "linux")]
fn judge(open: u64, limit: u64) -> Check {
    let detail = format!("{open} of {limit} files are open: raise the limit (`ulimit -n`)");
    if open.saturating_add(SPARE) >= limit {
        Check::Fail(detail)
    } else if open.saturating_mul(10) >= limit.saturating_mul(9) {
        Check::Warn(detail)
    } else {
        Check::Ok
    }
}

/// With so few left nobody gets in: whoever asks for the health has taken one.
#[cfg(target_os = "linux")]
const SPARE: u64 = 2;

/// A limit below this is worth a warning.
const LOW: u64 = 4096;

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
        assert_eq!(error.is_low(), error.limit < 4096);
        assert_eq!(ensure(1), Ok(()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn few_left_is_a_warning_and_none_left_a_failure() {
        assert!(open().unwrap() >= 3);
        assert_eq!(check(), Check::Ok);
        assert_eq!(judge(899, 1000), Check::Ok);
        assert!(matches!(judge(900, 1000), Check::Warn(_)));
        assert!(matches!(judge(998, 1000), Check::Fail(detail) if detail.contains("998 of 1000")));
    }
}

//! Tells systemd how the server is: `sd_notify(3)`, which is a datagram to the socket that `NOTIFY_SOCKET` names.

use std::ffi::OsString;

/// Whom to tell; nobody, when the server was not started by systemd or the unit has another `Type=` than `notify`.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    #[cfg_attr(not(unix), allow(dead_code))]
    socket: Option<OsString>,
}

impl Notify {
    /// The one that the environment names.
    #[must_use]
    pub fn from_env() -> Notify {
        Notify { socket: std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) }
    }

    /// It serves, with the configuration as it is.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// It reads its configuration again. `Type=notify-reload` waits for [`Notify::ready`] from here.
    pub fn reloading(&self) {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_us()));
    }

    /// One line about how it is.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace(['\n', '\r'], " ")));
    }

    /// It has begun to stop.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    #[cfg(unix)]
    fn send(&self, message: &str) {
        use std::os::unix::net::UnixDatagram;

        let Some(socket) = &self.socket else { return };
        let sent = address(socket).and_then(|address| {
            UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address).map(drop)
        });
        if let Err(error) = sent {
            tracing::debug!(%error, "systemd was not told");
        }
    }

    #[cfg(not(unix))]
    fn send(&self, _message: &str) {}
}

/// A path, or with `@` in front a name that is in no file system.
#[cfg(unix)]
fn address(socket: &std::ffi::OsStr) -> std::io::Result<std::os::unix::net::SocketAddr> {
    use std::os::unix::{ffi::OsStrExt, net::SocketAddr};
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket.as_bytes()))
}

/// The clock that systemd compares reloads by.
#[cfg(unix)]
fn monotonic_us() -> i64 {
    use rustix::time::{ClockId, clock_gettime};
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

#[cfg(not(unix))]
fn monotonic_us() -> i64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    };

    use super::*;

    #[test]
    fn systemd_is_told_what_it_waits_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let name = format!("pushpull-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).unwrap();
        for (systemd, socket) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&abstract_name).unwrap(), format!("@{name}").into()),
        ] {
            let received = || {
                let mut message = [0; 200];
                let len = systemd.recv(&mut message).unwrap();
                String::from_utf8_lossy(&message[..len]).into_owned()
            };
            let notify = Notify { socket: Some(socket) };
            notify.ready();
            assert_eq!(received(), "READY=1");
            let before = monotonic_us();
            notify.reloading();
            let message = received();
            let time = message.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!((before..=monotonic_us()).contains(&time.parse().unwrap()), "{message}");
            notify.status("refused:\nline 1");
            assert_eq!(received(), "STATUS=refused: line 1");
            notify.stopping();
            assert_eq!(received(), "STOPPING=1");
        }
    }

    #[test]
    fn nobody_to_tell_is_no_failure() {
        Notify::default().ready();
        Notify { socket: Some("/nowhere/notify".into()) }.ready();
        Notify { socket: Some("x".repeat(300).into()) }.ready();
    }
}

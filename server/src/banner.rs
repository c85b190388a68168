//! What is printed on stdout at the start: where the server listens, where to push, where to watch.

use std::fmt::{self, Display};

use crate::endpoints::Endpoints;

/// Displays as the lines to print. The lines `rtmp listening on ADDR`, and the same of `http`, `https` and `rtmps`, are for
/// programs, the rest for people.
#[derive(Debug)]
pub struct Banner<'a>(pub &'a Endpoints);

impl Display for Banner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Banner(endpoints) = self;
        writeln!(f, "pushpull {}", env!("CARGO_PKG_VERSION"))?;
        writeln!(f, "rtmp listening on {}", endpoints.rtmp)?;
        for address in &endpoints.http {
            writeln!(f, "http listening on {address}")?;
        }
        for address in &endpoints.secured.https {
            writeln!(f, "https listening on {address}")?;
        }
        for address in &endpoints.secured.rtmps {
            writeln!(f, "rtmps listening on {address}")?;
        }
        writeln!(f)?;
        let servers = endpoints.push_servers();
        for server in &servers {
            writeln!(f, "push   {server}/{{stream}}")?;
        }
        if let Some(server) = servers.first() {
            writeln!(f, "OBS    server: {server}   stream key: stream1")?;
        }
        let pages = endpoints.pages();
        for page in &pages {
            writeln!(f, "watch  {page}")?;
        }
        if let Some((fingerprint, file)) = &endpoints.secured.made {
            writeln!(f, "TLS    made here, kept in {file}")?;
            writeln!(f, "       SHA-256 {fingerprint}")?;
        }
        if let (Some(name), Some(page)) = (endpoints.demo(), pages.first()) {
            let stream = name.strip_prefix("live/").unwrap_or(name);
            writeln!(f, "demo   {page}?stream={stream}&autostart=1")?;
        }
        writeln!(f, "\nCtrl-C stops the server.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::Secured;

    #[test]
    fn says_where_to_push_and_where_to_watch() {
        let endpoints = Endpoints {
            rtmp: "192.168.1.5:1935".parse().unwrap(),
            http: vec!["127.0.0.1:8082".parse().unwrap(), "192.168.1.5:8000".parse().unwrap()],
            secured: Secured {
                https: vec!["127.0.0.1:8443".parse().unwrap()],
                rtmps: vec!["192.168.1.5:1936".parse().unwrap()],
                made: Some(("AB:CD".to_owned(), "/state/x.pem".to_owned())),
            },
            demo: true.into(),
        };
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            Banner(&endpoints).to_string(),
            format!(
                "pushpull {version}\n\
                 rtmp listening on 192.168.1.5:1935\n\
                 http listening on 127.0.0.1:8082\n\
                 http listening on 192.168.1.5:8000\n\
                 https listening on 127.0.0.1:8443\n\
                 rtmps listening on 192.168.1.5:1936\n\
                 \n\
                 push   rtmp://192.168.1.5/live/{{stream}}\n\
                 push   rtmps://192.168.1.5:1936/live/{{stream}}\n\
                 OBS    server: rtmp://192.168.1.5/live   stream key: stream1\n\
                 watch  http://localhost:8082/\n\
                 watch  http://192.168.1.5:8000/\n\
                 watch  https://localhost:8443/\n\
                 TLS    made here, kept in /state/x.pem\n\
                 \x20      SHA-256 AB:CD\n\
                 demo   http://localhost:8082/?stream=demo&autostart=1\n\
                 \n\
                 Ctrl-C stops the server.\n"
            )
        );
    }
}

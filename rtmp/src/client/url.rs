use crate::Error;

/// Where to publish, or what to play: `rtmp://host[:port]/app/key`. The app may have several levels; the key is the last,
/// with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishUrl {
    /// Host name or address, IPv6 without brackets.
    pub host: String,
    /// TCP port, 1935 if not given.
    pub port: u16,
    /// The app.
    pub app: String,
    /// The stream name with its parameters.
    pub key: String,
}

impl PublishUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// [`Error::Url`] if it is not of the form above.
    pub fn parse(url: &str) -> Result<Self, Error> {
        Self::split(url).ok_or_else(|| Error::Url { url: url.into() })
    }

    /// The URL without the key, as `connect` sends it.
    #[must_use]
    pub fn tc_url(&self) -> String {
        let Self { host, port, app, .. } = self;
        if host.contains(':') {
            format!("rtmp://[{host}]:{port}/{app}")
        } else {
            format!("rtmp://{host}:{port}/{app}")
        }
    }

    fn split(url: &str) -> Option<Self> {
        let (authority, path) = url.strip_prefix("rtmp://")?.split_once('/')?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':'))
            }
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
        let query = path.find('?').unwrap_or(path.len());
        let (levels, query) = path.split_at_checked(query)?;
        let (app, stream) = levels.rsplit_once('/')?;
        (!host.is_empty() && !app.is_empty()).then(|| Self {
            host: host.into(),
            port,
            app: app.into(),
            key: format!("{stream}{query}"),
        })
    }
}

const DEFAULT_PORT: u16 = 1935;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, tc_url, host, app, key) in [
            ("rtmp://h/live/s", "rtmp://h:1935/live", "h", "live", "s"),
            ("rtmp://h:19/a/b/s?k=1/2", "rtmp://h:19/a/b", "h", "a/b", "s?k=1/2"),
            ("rtmp://[::1]:19/live/s", "rtmp://[::1]:19/live", "::1", "live", "s"),
            ("rtmp://h/live/", "rtmp://h:1935/live", "h", "live", ""),
        ] {
            let parsed = PublishUrl::parse(url).unwrap();
            assert_eq!(parsed.tc_url(), tc_url);
            assert_eq!((&*parsed.host, &*parsed.app, &*parsed.key), (host, app, key));
        }
        for url in ["", "http://h/live/s", "rtmp://h", "rtmp://h/s", "rtmp://h:x/live/s"] {
            assert!(PublishUrl::parse(url).is_err(), "{url}");
        }
    }
}

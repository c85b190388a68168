//! The limits that a peer can run into, and how often it happened. `docs/relay.md` has the table of them, and what each is
//! set by.

use std::{
    error::Error as _,
    io,
    sync::atomic::{AtomicU64, Ordering},
};

/// A limit that is counted when somebody runs into it. Its label in the metrics is the key that sets it, as a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// RTMP connections in all.
    RtmpConnections,
    /// RTMP connections of one address.
    RtmpPerAddress,
    /// Streams played over RTMP.
    RtmpPlayers,
    /// HTTP connections in all.
    HttpConnections,
    /// HTTP connections of one address.
    HttpPerAddress,
    /// Files the process may have open.
    OpenFiles,
    /// Time for the RTMP handshake.
    RtmpHandshake,
    /// Time for a TLS handshake.
    TlsHandshake,
    /// Time until an RTMP peer publishes or plays.
    RtmpSetup,
    /// Silence of an RTMP peer.
    RtmpIdle,
    /// Time for an RTMP peer to take what it is sent.
    RtmpWrite,
    /// Size of an RTMP message.
    RtmpMessage,
    /// Unfinished RTMP messages of a connection together.
    RtmpPartial,
    /// RTMP chunk streams of a connection.
    RtmpChunkStreams,
    /// Time for the head of an HTTP request.
    HttpHeadTime,
    /// Size of the head of an HTTP request.
    HttpHeadSize,
    /// Time for an HTTP peer to take some of what it is sent.
    HttpStall,
    /// Time until a publisher's first media.
    FirstMedia,
    /// Time without media.
    MediaIdle,
    /// Names in use.
    Streams,
    /// Names banned.
    Bans,
    /// Viewers of one stream.
    Viewers,
    /// Viewers of all streams.
    AllViewers,
    /// Media of all streams together.
    MediaBytes,
}

impl Limit {
    /// All of them.
    pub const ALL: [Limit; 24] = [
        Limit::RtmpConnections,
        Limit::RtmpPerAddress,
        Limit::RtmpPlayers,
        Limit::HttpConnections,
        Limit::HttpPerAddress,
        Limit::OpenFiles,
        Limit::RtmpHandshake,
        Limit::TlsHandshake,
        Limit::RtmpSetup,
        Limit::RtmpIdle,
        Limit::RtmpWrite,
        Limit::RtmpMessage,
        Limit::RtmpPartial,
        Limit::RtmpChunkStreams,
        Limit::HttpHeadTime,
        Limit::HttpHeadSize,
        Limit::HttpStall,
        Limit::FirstMedia,
        Limit::MediaIdle,
        Limit::Streams,
        Limit::Bans,
        Limit::Viewers,
        Limit::AllViewers,
        Limit::MediaBytes,
    ];

    /// Its name in the metrics.
    pub fn label(self) -> &'static str {
        match self {
            Limit::RtmpConnections => "rtmp_max_connections",
            Limit::RtmpPerAddress => "rtmp_max_connections_per_ip",
            Limit::RtmpPlayers => "rtmp_max_players",
            Limit::HttpConnections => "http_max_connections",
            Limit::HttpPerAddress => "http_max_connections_per_ip",
            Limit::OpenFiles => "open_files",
            Limit::RtmpHandshake => "rtmp_handshake_timeout",
            Limit::TlsHandshake => "tls_handshake_timeout",
            Limit::RtmpSetup => "rtmp_setup_timeout",
            Limit::RtmpIdle => "rtmp_idle_timeout",
            Limit::RtmpWrite => "rtmp_write_timeout",
            Limit::RtmpMessage => "rtmp_max_message",
            Limit::RtmpPartial => "rtmp_partial",
            Limit::RtmpChunkStreams => "rtmp_max_chunk_streams",
            Limit::HttpHeadTime => "http_head_timeout",
            Limit::HttpHeadSize => "http_head_size",
            Limit::HttpStall => "http_stall",
            Limit::FirstMedia => "first_media",
            Limit::MediaIdle => "media_idle",
            Limit::Streams => "max_streams",
            Limit::Bans => "max_bans",
            Limit::Viewers => "max_viewers",
            Limit::AllViewers => "max_viewers_total",
            Limit::MediaBytes => "media_bytes",
        }
    }

    /// The limit that an HTTP connection ended by, if it was one.
    pub fn of_http(error: &hyper::Error) -> Option<Limit> {
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        if error.is_parse_too_large() {
            Some(Limit::HttpHeadSize)
        } else if error.is_timeout() {
            Some(Limit::HttpHeadTime)
        } else if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut) {
            Some(Limit::HttpStall)
        } else {
            None
        }
    }

    /// The limit that an RTMP connection ended by, if it was one.
    pub fn of_rtmp(error: &pushpull_rtmp::Error) -> Option<Limit> {
        use pushpull_rtmp::Error;
        match error {
            Error::MessageTooLarge { .. } => Some(Limit::RtmpMessage),
            Error::PartialTooLarge { .. } => Some(Limit::RtmpPartial),
            Error::TooManyChunkStreams { .. } => Some(Limit::RtmpChunkStreams),
            Error::HandshakeTimeout { .. } => Some(Limit::RtmpHandshake),
            Error::SetupTimeout { .. } => Some(Limit::RtmpSetup),
            Error::IdleTimeout { .. } => Some(Limit::RtmpIdle),
            _ => None,
        }
    }
}

/// How often each limit was run into.
#[derive(Debug, Default)]
pub struct Hits([AtomicU64; Limit::ALL.len()]);

impl Hits {
    /// Counts a limit that was run into.
    pub fn hit(&self, limit: Limit) {
        if let Some(count) = self.0.get(limit as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it was.
    pub fn of(&self, limit: Limit) -> u64 {
        self.0.get(limit as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_count_and_a_label_of_its_own() {
        let hits = Hits::default();
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, place);
            hits.hit(limit);
            assert_eq!(hits.of(limit), 1);
            let same = Limit::ALL.into_iter().filter(|other| other.label() == limit.label());
            assert_eq!(same.count(), 1, "{limit:?}");
        }
    }
}

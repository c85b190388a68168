use std::time::Duration;

use crate::chunk;

/// How a [`super::ServerConnection`] speaks, and what it puts up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The chunk size of what is sent, in bytes. 60000, as other servers have it: an answer fits one chunk.
    pub chunk_size: u32,
    /// What the peer may send without an acknowledgement, in bytes. 2,500,000, Flash Media Server's: acknowledged at every
    /// half, it lets 10 MB/s through at a round trip of 100 ms.
    pub window: u32,
    /// The longest handshake: 10 s, a TCP connection's worst start on a mobile network.
    pub handshake_timeout: Duration,
    /// How long a peer may stay connected without publishing or playing: 30 s. Bytes now and then do not extend it.
    pub setup_timeout: Duration,
    /// After what silence a ping is sent: 5 s.
    pub ping_after: Duration,
    /// After what silence, unanswered pings included, the peer counts as gone: 30 s, so that a phone changing networks
    /// keeps its stream and a dead camera does not.
    pub idle_timeout: Duration,
    /// What may be sent before a publish is accepted.
    pub setup_limits: chunk::Limits,
    /// What an accepted publisher may send.
    pub media_limits: chunk::Limits,
    /// How much may be held back while a connect, publishes and plays wait for their answers, in bytes: 2 MiB, the first keyframe of a
    /// pusher that does not wait.
    pub max_held_len: usize,
    /// Whether the host answers each `connect` ([`super::ServerEvent::Connect`]); otherwise every peer may connect.
    pub ask_connect: bool,
    /// Message streams per connection: 16. Encoders use one; those that publish several bitrates at once, a handful.
    pub max_streams: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            chunk_size: 60_000,
            window: 2_500_000,
            handshake_timeout: Duration::from_secs(10),
            setup_timeout: Duration::from_secs(30),
            ping_after: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            setup_limits: chunk::Limits::SETUP,
            media_limits: chunk::Limits::MEDIA,
            max_held_len: 2 << 20,
            ask_connect: false,
            max_streams: 16,
        }
    }
}

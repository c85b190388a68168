use std::time::Duration;

/// Why a connection cannot go on. What was wrong stays with the peer that sent it: close the socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first byte is not that of RTMP.
    #[error("handshake: {}", version_words(*.version))]
    Version {
        /// The byte.
        version: u8,
    },
    /// The server's S2 does not answer our C1 (client only).
    #[error("handshake: the server's S2 does not answer our C1")]
    Echo,
    /// A message announced more than may be sent at this point.
    #[error(
        "message of type {kind} on chunk stream {chunk_stream} announces {len} bytes, over the limit of {limit}"
    )]
    MessageTooLarge {
        /// The message type.
        kind: u8,
        /// Where it came.
        chunk_stream: u32,
        /// The announced length in bytes.
        len: u32,
        /// The limit in bytes.
        limit: u32,
    },
    /// The unfinished messages of a connection hold too much.
    #[error("unfinished messages hold over {limit} bytes")]
    PartialTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// More chunk streams than a publisher has a use for.
    #[error(
        "more than {limit} chunk streams are in use (chunk stream {chunk_stream} is one too many)"
    )]
    TooManyChunkStreams {
        /// The one too many.
        chunk_stream: u32,
        /// The limit.
        limit: usize,
    },
    /// A Set Chunk Size message without a usable size: what follows could not be read.
    #[error("the peer sets an impossible chunk size ({size:?})")]
    ChunkSize {
        /// The size, if the message held one.
        size: Option<u32>,
    },
    /// A command that needs a connection came before `connect`.
    #[error("command {name:?} came before connect")]
    NotConnected {
        /// The command.
        name: String,
    },
    /// The peer sent too much while its publish or play waited for an answer.
    #[error("more than {limit} bytes were sent before the publish or play was answered")]
    HeldTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The handshake took too long.
    #[error("the handshake did not finish within {limit:?}")]
    HandshakeTimeout {
        /// The limit.
        limit: Duration,
    },
    /// The peer neither published nor played for too long.
    #[error("nothing was published or played within {limit:?}")]
    SetupTimeout {
        /// The limit.
        limit: Duration,
    },
    /// The peer went silent.
    #[error("nothing was received for {limit:?}")]
    IdleTimeout {
        /// The limit.
        limit: Duration,
    },
    /// The URL to publish to or play is not `rtmp://host[:port]/app/stream` (client only).
    #[error("{url:?} is not of the form rtmp://host[:port]/app/stream")]
    Url {
        /// What was given.
        url: String,
    },
    /// Media was to be sent before the publish command, or after its end (client only).
    #[error("there is no message stream to send media on")]
    NotPublishing,
    /// Playing was to be changed before the play command, or after its end (client only).
    #[error("nothing is played")]
    NotPlaying,
    /// A tag's data does not fit a message (client only).
    #[error(transparent)]
    Tag(#[from] pushpull_media::flv::Error),
}

fn version_words(version: u8) -> String {
    match version {
        6 | 8 => format!("version {version} (encrypted RTMPE) is not supported, use rtmp://"),
        0x16 => "this looks like TLS (rtmps://), and this port speaks plain rtmp://".into(),
        byte if byte.is_ascii_uppercase() => {
            "this looks like HTTP, and this port speaks RTMP".into()
        }
        _ => format!("version {version} is not RTMP's (3)"),
    }
}

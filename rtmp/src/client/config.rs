use super::PublishUrl;

/// What a [`super::ClientConnection`] connects for, and how it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// What for.
    pub purpose: Purpose,
    /// Where to.
    pub url: PublishUrl,
    /// What the client calls itself (`flashVer`).
    pub agent: String,
    /// The chunk size of what is sent, in bytes.
    pub chunk_size: u32,
    /// Whether the handshake is signed (the digest form) and the server's signatures are checked.
    pub signed: bool,
}

/// What a client connects for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It sends a stream.
    Publish,
    /// It receives one.
    Play,
}

impl ClientConfig {
    /// Publishes to `url` with chunks of 4096 bytes after a simple handshake.
    #[must_use]
    pub fn new(url: PublishUrl) -> Self {
        Self {
            purpose: Purpose::Publish,
            url,
            agent: "FMLE/3.0 (compatible; pushpull)".into(),
            chunk_size: 4096,
            signed: false,
        }
    }

    /// Plays `url` after a simple handshake.
    #[must_use]
    pub fn play(url: PublishUrl) -> Self {
        Self {
            purpose: Purpose::Play,
            agent: "LNX 9,0,124,2 (compatible; pushpull)".into(),
            ..Self::new(url)
        }
    }
}

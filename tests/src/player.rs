//! A player over RTMP: the client of the `rtmp` crate on a socket.

use std::{collections::VecDeque, net::SocketAddr};

use anyhow::{Context, Result, bail, ensure};
use pushpull_media::flv::Tag;
use pushpull_rtmp::{
    ClientConnection,
    client::{ClientConfig, ClientEvent, PublishUrl},
    handshake::RANDOM_LEN,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Someone who plays a stream over RTMP.
pub struct Player {
    socket: TcpStream,
    rtmp: ClientConnection,
    statuses: VecDeque<String>,
    room: Vec<u8>,
}

impl Player {
    /// Asks `server` for a stream, such as `live/stream1?start=live`, and waits for nothing.
    pub async fn ask(server: SocketAddr, stream: &str) -> Result<Player> {
        let url = PublishUrl::parse(&format!("rtmp://{server}/{stream}"))?;
        let socket = TcpStream::connect(server).await?;
        socket.set_nodelay(true)?;
        let rtmp = ClientConnection::new(ClientConfig::play(url), [0x21; RANDOM_LEN]);
        Ok(Player { socket, rtmp, statuses: VecDeque::new(), room: vec![0; READ_LEN] })
    }

    /// Plays a stream. The server must give it.
    pub async fn start(server: SocketAddr, stream: &str) -> Result<Player> {
        let mut player = Player::ask(server, stream).await?;
        loop {
            match player.event().await?.context("the server hung up")? {
                ClientEvent::Playing => return Ok(player),
                ClientEvent::Refused { code, description } => {
                    bail!("{stream}: {code}: {description}")
                }
                _ => {}
            }
        }
    }

    /// The next event; `None` when the server has closed the connection.
    pub async fn event(&mut self) -> Result<Option<ClientEvent>> {
        loop {
            if let Some(event) = self.rtmp.next_event() {
                return Ok(Some(event));
            }
            self.flush().await?;
            let len = self.socket.read(&mut self.room).await?;
            if len == 0 {
                return Ok(None);
            }
            self.rtmp.receive(&self.room[..len])?;
        }
    }

    /// The next tag. `None` when the stream ended as it should: with `NetStream.Play.UnpublishNotify` and Stream EOF.
    pub async fn next(&mut self) -> Result<Option<Tag>> {
        loop {
            match self.event().await?.context("the server hung up without a goodbye")? {
                ClientEvent::Media { kind, timestamp, buffer } => {
                    return Ok(Some(buffer.finish(kind, i64::from(timestamp))));
                }
                ClientEvent::Status { code } => self.statuses.push_back(code),
                ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
                ClientEvent::Eof => {
                    let ended = self.statuses.iter().any(|code| code == UNPUBLISHED);
                    if ended {
                        return Ok(None);
                    }
                    // A pause ends in the same way, for the time being.
                    ensure!(
                        self.statuses.iter().any(|code| code == PAUSED),
                        "Stream EOF without a word; before it came {:?}",
                        self.statuses
                    );
                }
                _ => {}
            }
        }
    }

    /// Status codes that came since they were last asked for, between the tags.
    pub fn statuses(&mut self) -> Vec<String> {
        self.statuses.drain(..).collect()
    }

    /// Pauses or goes on.
    pub async fn pause(&mut self, pause: bool) -> Result<()> {
        self.rtmp.pause(pause, 0)?;
        self.flush().await
    }

    /// Asks for the sound, or for none.
    pub async fn receive_audio(&mut self, receive: bool) -> Result<()> {
        self.rtmp.receive_audio(receive)?;
        self.flush().await
    }

    /// Asks for the pictures, or for none.
    pub async fn receive_video(&mut self, receive: bool) -> Result<()> {
        self.rtmp.receive_video(receive)?;
        self.flush().await
    }

    async fn flush(&mut self) -> Result<()> {
        while let Some(bytes) = self.rtmp.take_output() {
            self.socket.write_all(&bytes).await?;
        }
        Ok(())
    }
}

/// One read: a player takes pictures of some 10 kB.
const READ_LEN: usize = 16 << 10;

const UNPUBLISHED: &str = "NetStream.Play.UnpublishNotify";
const PAUSED: &str = "NetStream.Pause.Notify";

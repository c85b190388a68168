//! A player over RTMP: the client of the `rtmp` crate on a socket.

use std::{collections::VecDeque, net::SocketAddr};

use anyhow::{Context, Result, bail};
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
    /// What a Stream EOF means at present.
    eof: Option<Eof>,
    room: Vec<u8>,
}

impl Player {
    /// Connects to `server`, to ask for a stream such as `live/stream1?start=live`. It shakes hands and asks once its
    /// answer is waited for.
    pub async fn ask(server: SocketAddr, stream: &str) -> Result<Player> {
        Player::over(TcpStream::connect(server).await?, stream)
    }

    /// The same over a connection of the caller's making.
    pub fn over(socket: TcpStream, stream: &str) -> Result<Player> {
        let url = PublishUrl::parse(&format!("rtmp://{}/{stream}", socket.peer_addr()?))?;
        socket.set_nodelay(true)?;
        let rtmp = ClientConnection::new(ClientConfig::play(url), [0x21; RANDOM_LEN]);
        Ok(Player { socket, rtmp, statuses: VecDeque::new(), eof: None, room: vec![0; READ_LEN] })
    }

    /// Plays a stream. The server must give it.
    pub async fn start(server: SocketAddr, stream: &str) -> Result<Player> {
        let mut player = Player::ask(server, stream).await?;
        player.accepted().await?;
        Ok(player)
    }

    /// Waits for the answer, which must not be a refusal.
    pub async fn accepted(&mut self) -> Result<()> {
        match self.refused().await? {
            None => Ok(()),
            Some(code) => bail!("refused: {code}"),
        }
    }

    /// Waits for the answer: the status code of a refusal, or none.
    pub async fn refused(&mut self) -> Result<Option<String>> {
        loop {
            match self.event().await?.context("the server hung up")? {
                ClientEvent::Playing => return Ok(None),
                ClientEvent::Refused { code, .. } => return Ok(Some(code)),
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
                ClientEvent::Status { code } => self.note(code),
                ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
                ClientEvent::Eof => match self.eof {
                    Some(Eof::End) => return Ok(None),
                    Some(Eof::Pause) => {}
                    None => bail!("Stream EOF without a word; before came {:?}", self.statuses),
                },
                _ => {}
            }
        }
    }

    /// Waits for one event, and keeps it only if it is a status.
    pub async fn listen(&mut self) -> Result<()> {
        match self.event().await?.context("the server hung up")? {
            ClientEvent::Status { code } => self.note(code),
            ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
            _ => {}
        }
        Ok(())
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

    fn note(&mut self, code: String) {
        match code.as_str() {
            "NetStream.Play.UnpublishNotify" => self.eof = Some(Eof::End),
            "NetStream.Pause.Notify" => self.eof = Some(Eof::Pause),
            _ => {}
        }
        self.statuses.push_back(code);
    }

    async fn flush(&mut self) -> Result<()> {
        while let Some(bytes) = self.rtmp.take_output() {
            self.socket.write_all(&bytes).await?;
        }
        Ok(())
    }
}

/// Why a Stream EOF comes.
enum Eof {
    /// The stream is over.
    End,
    /// It is paused.
    Pause,
}

/// One read: a player takes pictures of some 10 kB.
const READ_LEN: usize = 16 << 10;

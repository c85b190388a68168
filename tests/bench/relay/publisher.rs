//! Publishes the stream at its own pace.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pushpull_rtmp::client::{ClientConfig, ClientConnection, ClientEvent, PublishUrl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stream::Published;

/// A connection that has been accepted and has sent the headers.
pub struct Publisher {
    socket: TcpStream,
    connection: ClientConnection,
}

impl Publisher {
    /// Connects to `server` and publishes `live/<name>`.
    pub async fn start(server: SocketAddr, name: &str, published: &Published) -> Result<Self> {
        let url = PublishUrl::parse(&format!("rtmp://{server}/live/{name}"))?;
        let socket = TcpStream::connect(server).await?;
        socket.set_nodelay(true)?;
        let connection = ClientConnection::new(ClientConfig::new(url), [0x5A; 1528]);
        let mut publisher = Self { socket, connection };
        publisher.until_published().await?;
        for tag in &published.headers {
            publisher.connection.send(tag.kind(), 0, tag.data())?;
        }
        publisher.flush().await?;
        Ok(publisher)
    }

    /// Sends every tag at its time, then says goodbye.
    ///
    /// Sound is sent when its picture is: as from a camera, nothing comes early.
    pub async fn play(mut self, published: &Published) -> Result<()> {
        let start = Instant::now();
        let mut room = vec![0; 4096];
        for (index, tag) in published.tags().iter().enumerate() {
            let due = start + Duration::from_millis(u64::try_from(tag.time())?);
            tokio::time::sleep_until(due.into()).await;
            published.mark_sent(index);
            let timestamp = u32::try_from(tag.time())?;
            self.connection.send(tag.kind(), timestamp, tag.data())?;
            self.flush().await?;
            // Acknowledgements and pings; nothing is waited for.
            if let Ok(len) = self.socket.try_read(&mut room) {
                self.connection.receive(&room[..len])?;
            }
        }
        self.connection.unpublish();
        self.flush().await?;
        // The server closes when it has taken the goodbye.
        while self.socket.read(&mut room).await? > 0 {}
        Ok(())
    }

    async fn until_published(&mut self) -> Result<()> {
        let mut room = vec![0; 4096];
        loop {
            self.flush().await?;
            while let Some(event) = self.connection.next_event() {
                match event {
                    ClientEvent::Published => return Ok(()),
                    ClientEvent::Refused { code, description } => bail!("{code}: {description}"),
                    _ => {}
                }
            }
            let len = self.socket.read(&mut room).await?;
            let bytes = room.get(..len).filter(|bytes| !bytes.is_empty());
            self.connection.receive(bytes.context("the server closed the connection")?)?;
        }
    }

    async fn flush(&mut self) -> Result<()> {
        while let Some(bytes) = self.connection.take_output() {
            self.socket.write_all(&bytes).await?;
        }
        Ok(())
    }
}

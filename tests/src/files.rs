//! A web server that knows nothing but files: pages of another origin than the server under test.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Serves the files of a folder to whoever asks.
pub async fn serve(folder: PathBuf) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A browser that goes away is no concern of the folder.
            tokio::spawn({
                let folder = folder.clone();
                async move { drop(answer(socket, &folder).await) }
            });
        }
    });
    Ok(address)
}

async fn answer(mut socket: TcpStream, folder: &Path) -> Result<()> {
    let mut head = vec![0; 8192];
    let len = socket.read(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..len]).into_owned();
    let path = head.split([' ', '?']).nth(1).context("a request")?.trim_start_matches('/');
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    let (status, body) = match std::fs::read(folder.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(&body).await?;
    Ok(())
}

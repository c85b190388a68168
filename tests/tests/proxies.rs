//! The recipes of `docs/proxies.md`, as they stand there, in the real proxies, in front of the real server.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use pushpull_media::flv::TagKind;
use pushpull_tests::{
    Browser, Clip, Publisher, Server, Stage, Viewer, encoder::Encoder, http, process::Process,
    server::PATIENCE, stage, tls::Certificate, until, usage,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

const DOCUMENT: &str = include_str!("../../docs/proxies.md");

#[test]
fn nginx_passes_everything_on_at_once() {
    stage(async |stage| everything_comes_at_once(stage, Kind::Nginx).await);
}

#[test]
fn caddy_passes_everything_on_at_once() {
    stage(async |stage| everything_comes_at_once(stage, Kind::Caddy).await);
}

/// An encoder sends a keyframe and falls silent: what a proxy would keep to itself until there is more never comes.
async fn everything_comes_at_once(stage: &Stage, kind: Kind) -> Result<()> {
    let server = Server::start(stage, &[]).await?;
    let front = Front::start(stage, kind, &server).await?;
    let mut events = http::get(front.http, "/api/v1/events").await?;
    next_event(&mut events, |data| data.contains(r#""streams":[]"#)).await?;

    let mut encoder = Encoder::start(server.rtmp, "live/still").await?;
    encoder.headers(1).await?;
    encoder.keyframe(0, 7, 200).await?;
    next_event(&mut events, |data| data.contains("live/still")).await?;

    for mut viewer in [
        Viewer::http_at(front.http, "/live/still.flv").await?,
        Viewer::websocket_at(front.http, "/live/still.flv").await?,
    ] {
        let next = viewer.keyframe();
        tokio::time::timeout(PATIENCE, next).await.context("the keyframe comes by itself")??;
    }

    for path in ["/", "/player/index.js", "/js/app.js"] {
        let direct = http::get(server.http, path).await?.bytes().await?;
        let mut passed = http::get(front.http, path).await?;
        ensure!(passed.status == 200 && passed.bytes().await? == direct, "{path}");
    }
    let missing = http::get(front.http, "/live/none.flv").await?;
    ensure!(missing.status == 404, "a refusal is passed on: {}", missing.status);
    Ok(())
}

/// Reads events until one `is_it`.
async fn next_event(events: &mut http::Response, is_it: impl Fn(&str) -> bool) -> Result<()> {
    let search = async {
        let mut text = String::new();
        loop {
            let piece = events.piece().await?.context("the events go on")?;
            text.push_str(std::str::from_utf8(&piece)?);
            if text.contains("\n\n") && is_it(&text) {
                return Ok(());
            }
        }
    };
    tokio::time::timeout(PATIENCE, search).await.context("the event comes by itself")?
}

#[test]
fn nginx_keeps_nothing_for_a_slow_viewer() {
    stage(async |stage| {
        let front = a_slow_viewer_is_slow_at_the_server(stage, Kind::Nginx).await?;
        // A file that is open is not always to be seen in its folder.
        for file in usage::files(front.process.pid())? {
            ensure!(!file.starts_with(stage.folder().join("proxy_temp")), "{}", file.display());
        }
        let kept = std::fs::read_dir(stage.folder().join("proxy_temp"))?.count();
        ensure!(kept == 0, "{kept} files");
        Ok(())
    });
}

#[test]
fn caddy_keeps_nothing_for_a_slow_viewer() {
    stage(async |stage| a_slow_viewer_is_slow_at_the_server(stage, Kind::Caddy).await.map(drop));
}

/// What the viewer does not take shows as its lag; when it has left, so has its viewer at the server.
async fn a_slow_viewer_is_slow_at_the_server(stage: &Stage, kind: Kind) -> Result<Front> {
    let server = Server::start(stage, &[]).await?;
    let front = Front::start(stage, kind, &server).await?;
    let mut encoder = Encoder::start(server.rtmp, "live/heavy").await?;
    encoder.headers(1).await?;
    encoder.keyframe(0, 0, 1 << 20).await?;
    server.live("live/heavy").await?;

    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let mut slow = socket.connect(front.http).await?;
    // Caddy answers for the host that it is told of, and for others with nothing.
    let request = format!("GET /live/heavy.flv HTTP/1.1\r\nHost: {}\r\n\r\n", front.http);
    slow.write_all(request.as_bytes()).await?;
    slow.read_exact(&mut [0; 64]).await?;

    let mut sent = 0;
    until("the server sees the lag", PATIENCE * 2, async || {
        // Some megabytes are in the kernel, on both sides of the proxy; a hundred would be elsewhere.
        sent += 1;
        ensure!(sent < 100, "the proxy has taken it all");
        encoder.keyframe(sent * 40, sent, 1 << 20).await?;
        let stream = server.stream("live/heavy").await?.context("it is live")?;
        let lag = stream["lag_bytes"].as_u64().context("a number")?;
        ensure!(stream["viewers"] == 1, "{stream}");
        Ok((lag > 3 << 20).then_some(()))
    })
    .await?;
    drop(slow);
    nobody_watches(&server, "live/heavy").await?;
    Ok(front)
}

async fn nobody_watches(server: &Server, stream: &str) -> Result<()> {
    until("the viewers have left", PATIENCE, async || {
        let stream = server.stream(stream).await?.context("it is live")?;
        Ok((stream["viewers"] == 0).then_some(()))
    })
    .await
}

#[test]
fn who_leaves_nginx_leaves_the_server() {
    stage(async |stage| who_leaves_has_left(stage, Kind::Nginx).await);
}

#[test]
fn who_leaves_caddy_leaves_the_server() {
    stage(async |stage| who_leaves_has_left(stage, Kind::Caddy).await);
}

async fn who_leaves_has_left(stage: &Stage, kind: Kind) -> Result<()> {
    let server = Server::start(stage, &[]).await?;
    let front = Front::start(stage, kind, &server).await?;
    let _publisher = Publisher::looped(stage, &server, Clip::Plain, "come").await?;
    server.live("live/come").await?;
    for mut viewer in [
        Viewer::http_at(front.http, "/live/come.flv").await?,
        Viewer::websocket_at(front.http, "/live/come.flv").await?,
    ] {
        viewer.next_of(TagKind::Video).await?;
        let stream = server.stream("live/come").await?.context("it is live")?;
        ensure!(stream["viewers"] != 0, "{stream}");
    }
    nobody_watches(&server, "live/come").await
}

#[test]
fn the_client_of_nginx_is_known() {
    stage(async |stage| the_client_is_known(stage, Kind::Nginx).await);
}

#[test]
fn the_client_of_caddy_is_known() {
    stage(async |stage| the_client_is_known(stage, Kind::Caddy).await);
}

/// With the document's own settings: one connection for each client, whatever it says of itself, and no orders.
async fn the_client_is_known(stage: &Stage, kind: Kind) -> Result<()> {
    let file = stage.folder().join("pushpull.toml");
    let settings = block("toml")?.replace("127.0.0.1:8082", "127.0.0.1:0");
    std::fs::write(&file, settings)?;
    let file = file.to_str().context("a path")?;
    let server =
        Server::start(stage, &["--config", file, "--http-max-connections-per-ip", "1"]).await?;
    let front = Front::start(stage, kind, &server).await?;
    let _publisher = Publisher::looped(stage, &server, Clip::Plain, "own").await?;
    server.live("live/own").await?;

    let said = "X-Forwarded-For: 198.51.100.1\r\n";
    let first = watch_from([127, 0, 0, 2], front.http, "").await?;
    ensure!(first.status == 200, "{}", first.status);
    for fields in ["", said] {
        let again = watch_from([127, 0, 0, 2], front.http, fields).await?;
        ensure!(again.status == 429, "the client has one already: {}", again.status);
    }
    let other = watch_from([127, 0, 0, 3], front.http, said).await?;
    ensure!(other.status == 200, "another client: {}", other.status);

    // The server is asked by itself: the document's settings trust the proxy alone.
    let mut sessions = http::get(server.http, "/api/v1/sessions?stream=live/own").await?;
    let sessions: Value = serde_json::from_str(&sessions.text().await?)?;
    let sessions = sessions["sessions"].as_array().context("a list")?.iter();
    let mut viewers: Vec<_> = sessions
        .filter(|session| session["purpose"] == "play")
        .filter_map(|session| session["peer"].as_str()?.parse::<SocketAddr>().ok())
        .map(|peer| peer.ip().to_string())
        .collect();
    viewers.sort();
    ensure!(viewers == ["127.0.0.2", "127.0.0.3"], "{viewers:?}");

    let kick = http::request(front.http, "DELETE", "/api/v1/streams/live/own", &[]).await?;
    ensure!(kick.status == 403, "a proxy is not this machine: {}", kick.status);
    Ok(())
}

/// Asks for `live/own` from an address of this machine, with further `fields`.
async fn watch_from(client: [u8; 4], front: SocketAddr, fields: &str) -> Result<http::Response> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((client, 0)))?;
    let mut socket = socket.connect(front).await?;
    let request = format!("GET /live/own.flv HTTP/1.1\r\nHost: {front}\r\n{fields}\r\n");
    socket.write_all(request.as_bytes()).await?;
    http::Response::read(socket, "GET").await
}

#[test]
fn the_page_plays_over_nginx() {
    stage(async |stage| the_page_plays(stage, Kind::Nginx).await);
}

#[test]
fn the_page_plays_over_caddy() {
    stage(async |stage| the_page_plays(stage, Kind::Caddy).await);
}

async fn the_page_plays(stage: &Stage, kind: Kind) -> Result<()> {
    let server = Server::start(stage, &[]).await?;
    let front = Front::start(stage, kind, &server).await?;
    let _publisher = Publisher::looped(stage, &server, Clip::Plain, "page").await?;
    server.live("live/page").await?;
    let browser = Browser::start(stage).await?;
    browser.open(&format!("http://{}/?stream=page&autostart=1", front.http)).await?;
    browser.plays().await?;
    Ok(())
}

/// The certificate is made for the test; the rest is the document's.
#[test]
fn nginx_speaks_https_and_http2() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let front = Front::start(stage, Kind::Nginx, &server).await?;
        let mut encoder = Encoder::start(server.rtmp, "live/still").await?;
        encoder.headers(1).await?;
        encoder.keyframe(0, 7, 200).await?;
        server.live("live/still").await?;

        let file = stage.folder().join("stream.flv");
        let mut curl = Command::new("curl");
        curl.args(["--insecure", "--http2", "--silent", "--show-error", "--no-buffer"])
            .args(["--write-out", "%{http_version}", "--output"])
            .arg(&file)
            .arg(format!("https://{}/live/still.flv", front.https.context("nginx has it")?));
        let curl = Process::start("curl", curl)?;
        stage.watch(&curl);
        until("the keyframe comes by itself", PATIENCE, async || {
            let got = std::fs::read(&file).unwrap_or_default();
            Ok((got.starts_with(b"FLV") && got.len() > 200).then_some(()))
        })
        .await?;
        encoder.stop().await?;
        ensure!(curl.exit(PATIENCE).await? == Some(0), "a proper end");
        ensure!(curl.log().text().trim() == "2", "HTTP/{}", curl.log().text());
        Ok(())
    });
}

#[test]
fn nginx_passes_rtmp_on() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let front = Front::start(stage, Kind::Nginx, &server).await?;
        let rtmp = front.rtmp.context("nginx has it")?;
        let mut encoder = Encoder::start(rtmp, "live/far").await?;
        encoder.headers(1).await?;
        encoder.keyframe(0, 7, 200).await?;
        server.live("live/far").await?;
        let mut viewer = Viewer::rtmp_at(rtmp, "live/far").await?;
        viewer.keyframe().await?;
        Ok(())
    });
}

/// Whose recipe.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Nginx,
    Caddy,
}

/// A proxy in front of a server.
struct Front {
    process: Process,
    http: SocketAddr,
    https: Option<SocketAddr>,
    rtmp: Option<SocketAddr>,
}

impl Front {
    async fn start(stage: &Stage, kind: Kind, server: &Server) -> Result<Front> {
        // Neither of them can be asked to find a port by itself, and somebody else may have taken it since.
        for _ in 0..5 {
            let [http, https, rtmp] = free_ports()?;
            let (command, https, rtmp) = match kind {
                Kind::Nginx => {
                    (nginx(stage.folder(), server, [http, https, rtmp])?, Some(https), Some(rtmp))
                }
                Kind::Caddy => (caddy(stage.folder(), server, http)?, None, None),
            };
            let process = Process::start("proxy", command)?;
            stage.watch(&process);
            let listens = until("the proxy listens", PATIENCE, async || {
                if !process.is_running().await? {
                    return Ok(Some(false));
                }
                Ok(TcpStream::connect(http).await.is_ok().then_some(true))
            });
            if listens.await? {
                return Ok(Front { process, http, https, rtmp });
            }
        }
        bail!("the proxy does not start; what it said is above")
    }
}

fn nginx(folder: &Path, server: &Server, listens: [SocketAddr; 3]) -> Result<Command> {
    let [http, https, rtmp] = listens;
    let [certificate, key] = Certificate::new()?.write(folder)?;
    let site = replaced(
        &block_with("nginx", "location /")?,
        &[
            ("listen 80;", &format!("listen {http};")),
            ("listen 443 ssl", &format!("listen {https} ssl")),
            ("/etc/ssl/live.example.org.crt", &certificate),
            ("/etc/ssl/live.example.org.key", &key),
            ("127.0.0.1:8082", &server.http.to_string()),
        ],
    )?;
    let stream = replaced(
        &block_with("nginx", "stream {")?,
        &[
            ("listen 192.0.2.10:1935;", &format!("listen {rtmp};")),
            ("127.0.0.1:1935", &server.rtmp.to_string()),
        ],
    )?;
    // Debian has it in a file; elsewhere it is built in.
    let module = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
    let load = match module.is_file() {
        true => format!("load_module {};", module.display()),
        false => String::new(),
    };
    let config = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr warn; {load}\n\
         events {{ worker_connections 1000; }}\n\
         http {{\naccess_log off;\n\
         client_body_temp_path body_temp; proxy_temp_path proxy_temp; fastcgi_temp_path fastcgi_temp;\n\
         uwsgi_temp_path uwsgi_temp; scgi_temp_path scgi_temp;\n{site}\n}}\n{stream}\n"
    );
    let path = folder.join("nginx.conf");
    std::fs::write(&path, config)?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(path);
    Ok(command)
}

fn caddy(folder: &Path, server: &Server, http: SocketAddr) -> Result<Command> {
    let site = replaced(
        &block("caddyfile")?,
        &[
            ("live.example.org {", &format!("http://{http} {{")),
            ("127.0.0.1:8082", &server.http.to_string()),
        ],
    )?;
    let path = folder.join("Caddyfile");
    std::fs::write(&path, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}"))?;
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(path);
    // It keeps certificates and its last configuration at home.
    command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    Ok(command)
}

/// The document's text with the machine's own values; each must be there, or the test would be about something else.
fn replaced(text: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut text = text.to_owned();
    for (written, value) in values {
        ensure!(text.contains(written), "the recipe has no {written:?}");
        text = text.replace(written, value);
    }
    Ok(text)
}

/// The first block of the document in a language.
fn block(language: &str) -> Result<String> {
    block_with(language, "")
}

/// The first block in a language that says `words`.
fn block_with(language: &str, words: &str) -> Result<String> {
    let begin = format!("```{language}\n");
    let mut blocks =
        DOCUMENT.split(&begin).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    let found = blocks.find(|block| block.contains(words));
    Ok(found.with_context(|| format!("no {language} with {words:?}"))?.to_owned())
}

/// Ports that are free at the moment, all at once, so that they differ.
fn free_ports() -> Result<[SocketAddr; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let sockets = [bind()?, bind()?, bind()?];
    let [first, second, third] = &sockets;
    Ok([first.local_addr()?, second.local_addr()?, third.local_addr()?])
}

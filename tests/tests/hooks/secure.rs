//! Hooks over https, with a hook server that is none of ours.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Server, Stage, phone::Phone, rtmp, rtmp::Peer, server::PATIENCE, stage, until,
};

use super::serve_python;

/// Lets everybody in, and prints its port and what it is asked.
const HOOKS: &str = r#"
import json, ssl, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Hooks(BaseHTTPRequestHandler):
    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print("asked", event["action"], event["stream"], flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"0")

server = ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("port", server.server_port, flush=True)
server.serve_forever()
"#;

/// Makes a certificate as `docs/hooks.md` says, and its key: their files.
fn certificate(stage: &Stage, name: &str) -> Result<[String; 2]> {
    let files = ["crt", "key"].map(|end| stage.folder().join(format!("{name}.{end}")));
    let [certificate, key] = files.map(|file| file.display().to_string());
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    command.args(["-nodes", "-days", "2", "-subj", "/CN=hooks"]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
    let made = command.args(["-out", &certificate, "-keyout", &key]).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Ok([certificate, key])
}

#[test]
fn a_hook_server_over_https_is_asked_once_its_authority_is_known() {
    stage(async |stage| {
        let [certificate_of_hooks, key] = certificate(stage, "hooks")?;
        let [authority, _] = certificate(stage, "stranger")?;
        let (hooks, port) = serve_python(stage, HOOKS, &[&certificate_of_hooks, &key]).await?;
        let url = format!("https://127.0.0.1:{port}/");
        let flags = ["--on-publish", &url, "--on-unpublish", &url, "--hook-ca", &authority];
        let server = Server::start(stage, &flags).await?;
        let log = || server.process().log().text();

        let mut peer = Peer::connected(server.rtmp).await?;
        peer.send(&rtmp::publish("early")).await?;
        peer.answered(b"NetStream.Publish.Failed").await?;
        until("it is said why", PATIENCE, async || {
            let log = log();
            let line = log.lines().find(|line| line.contains("a hook server failed"));
            Ok(line.map(str::to_owned))
        })
        .await
        .and_then(|line| {
            let says = line.contains(&url) && line.contains("nobody vouches for its certificate");
            ensure!(says && line.contains("stranger.crt (hook_ca)"), "{line}");
            Ok(())
        })?;

        std::fs::copy(&certificate_of_hooks, &authority).context("the authority is put there")?;
        server.process().signal("HUP")?;
        until("it is read again", PATIENCE, async || {
            Ok(log().contains("changed=\"hook_ca\"").then_some(()))
        })
        .await?;
        let mut phone = Phone::start(&server, "cam", "hello").await?;
        phone.shoot().await?;
        drop(phone);
        for line in ["asked on_publish cam", "asked on_unpublish cam"] {
            until(&format!("it prints: {line}"), PATIENCE, async || {
                Ok(hooks.log().text().contains(line).then_some(()))
            })
            .await?;
        }
        ensure!(!hooks.log().text().contains("early"), "it has heard of what it was not asked");
        Ok(())
    });
}

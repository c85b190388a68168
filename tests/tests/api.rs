//! The API of the real server: as it describes itself, and with real publishers and viewers.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use pushpull_tests::{Server, http, server::PATIENCE, stage, stage::stage_for, until};
use serde_json::Value;

/// Every answer is as the OpenAPI document says, whatever is asked, and none is an error of the server. The events are left
/// out: they do not end.
#[test]
fn the_api_is_as_it_is_described() {
    let Some(program) = std::env::var_os("SCHEMATHESIS") else {
        println!("skipped: SCHEMATHESIS names no program (`just test` and `just fuzz-api` do)");
        return;
    };
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or("10".to_owned());
    stage_for(LIMIT, async |stage| {
        let secret = ["--demo", "--play-secrets", "0123456789abcdef0123"];
        let server = Server::start(stage, &secret).await?;
        server.live("live/demo").await?;
        let directory = tempfile::tempdir()?;
        let mut command = tokio::process::Command::new(&program);
        command
            .args(["run", &server.url("/api/v1/openapi.json"), "--exclude-operation-id", "events"])
            .args(["--checks", CHECKS, "--max-examples", &examples, "--seed", "1"])
            .args(["--suppress-health-check", "all", "--no-color"])
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command.output().await.context("schemathesis starts")?;
        let told = String::from_utf8_lossy(&output.stdout);
        println!("{told}");
        ensure!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    });
}

/// A stranger with a token sees a publisher and a viewer come, and ends them; without one nobody from elsewhere does.
#[test]
fn sessions_are_seen_and_ended() {
    stage(async |stage| {
        let token = "a token of sixteen bytes or more";
        let arguments = ["--demo", "--api-read", "token", "--api-tokens", token];
        let server = Server::start(stage, &arguments).await?;
        let bearer = format!("Bearer {token}");
        let with_token = [("Authorization", bearer.as_str())];
        let ask = async |path: &str| -> Result<Value> {
            let mut answer = http::request(server.http, "GET", path, &with_token).await?;
            ensure!(answer.status == 200, "{path}: {}", answer.status);
            Ok(serde_json::from_str(&answer.text().await?)?)
        };
        until("the demo is live", PATIENCE, async || {
            let streams = ask("/api/v1/streams").await?;
            Ok((streams["streams"][0]["state"] == "live").then_some(()))
        })
        .await?;
        let mut viewer = http::get(server.http, "/live/demo.flv").await?;
        viewer.piece().await?.context("the viewer gets media")?;
        let list = ask("/api/v1/sessions?stream=live/demo").await?;
        let session = list["sessions"]
            .as_array()
            .and_then(|all| all.iter().find(|session| session["purpose"] == "play"))
            .with_context(|| format!("a viewer in {list}"))?;
        ensure!(session["protocol"] == "http-flv", "{session}");
        let path = format!("/api/v1/sessions/{}", session["id"].as_str().context("an id")?);

        let refused = http::request(server.http, "DELETE", &path, &[]).await?;
        ensure!(refused.status == 401, "without a token: {}", refused.status);
        let ended = http::request(server.http, "DELETE", &path, &with_token).await?;
        ensure!(ended.status == 204, "with a token: {}", ended.status);
        // To its proper end, or cut: over it is.
        while let Ok(Some(_)) = viewer.piece().await {}
        until("the session is gone", PATIENCE, async || {
            let answer = http::request(server.http, "GET", &path, &with_token).await?;
            Ok((answer.status == 404).then_some(()))
        })
        .await
    });
}

/// A server that stops says so to who still has a connection, or takes none: it never says that all is well.
#[test]
fn health_tells_what_is_wrong() {
    stage(async |stage| {
        let server = Server::with_ulimit(stage, "-n 40", &[]).await?;
        let mut connections = Vec::new();
        until("descriptors run low", PATIENCE, async || {
            connections.push(tokio::net::TcpStream::connect(server.http).await?);
            let mut health = http::get(server.http, "/health").await?;
            let report: Value = serde_json::from_str(&health.text().await?)?;
            ensure!(health.status == 200, "{report}");
            let is_told = report["problems"][0]["check"] == "descriptors";
            Ok((report["status"] == "warn" && is_told).then_some(()))
        })
        .await
    });
}

/// Half a minute on a machine with nothing else to do; as many examples as one says take their time.
const LIMIT: Duration = Duration::from_secs(1800);

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,\
                      negative_data_rejection,unsupported_method,allow_header_conformance";

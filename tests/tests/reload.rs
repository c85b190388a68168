//! The configuration changes while the server runs, and nobody is dropped.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};
use pushpull_tests::{Server, Stage, Viewer, http, server::PATIENCE, stage, steady::Steady, until};

#[test]
fn fifty_changes_drop_nobody() {
    stage(async |stage| {
        let file = Settings::new(stage)?;
        // Only by signal: a machine that is slow to send it would have the file read twice.
        let server = file.serve(stage, &["--config-watch=false"]).await?;
        let mut steady = Steady::default();
        steady.publish(server.rtmp, "live/steady").await?;
        server.live("live/steady").await?;
        for number in 0..3 {
            let http = Viewer::http(&server, "/live/steady.flv").await?;
            steady.watch(http, format!("{number} over HTTP"));
            let websocket = Viewer::websocket(&server, "/live/steady.flv").await?;
            steady.watch(websocket, format!("{number} over WebSocket"));
            let rtmp = Viewer::rtmp(&server, "live/steady").await?;
            steady.watch(rtmp, format!("{number} over RTMP"));
        }
        let (mut applied, mut refused) = (0, 0);
        for number in 0..50 {
            if number % 5 == 3 {
                file.write(BROKEN[number / 5 % BROKEN.len()])?;
                refused += 1;
            } else {
                // Everything that may change at once, and what connections begin with.
                file.write(&format!(
                    "lag = \"{}s\"\nlag_bytes = \"{n}MiB\"\ngop = \"{n}s\"\ngop_bytes = \"{n}MiB\"\n\
                     grace = \"{n}s\"\ntakeover = \"replace\"\nmax_viewers = {m}\n\
                     max_viewers_total = {m}\nmax_streams = {n}\nmedia_bytes = \"{m}MiB\"\n\
                     batch = \"{n}ms\"\nhttp_max_connections = {m}\nrtmp_max_connections = {m}\n\
                     rtmp_max_players = {m}\nhttp_head_timeout = \"{n}s\"\nhttp_stall = \"{n}s\"\n\
                     rtmp_idle_timeout = \"{n}s\"\nrtmp_chunk_size = {c}\ndemo = {}\n",
                    20 + number,
                    number % 2 == 0,
                    n = 10 + number,
                    m = 100 + number,
                    c = 4096 + number,
                ))?;
                applied += 1;
            }
            server.process().signal("HUP")?;
            reloads(&server, "applied", applied).await?;
            reloads(&server, "refused", refused).await?;
            steady.check().await?;
        }
        // What came of the last one is in force for those who come now.
        let newcomer = Viewer::rtmp(&server, "live/steady").await?;
        steady.watch(newcomer, "who came last");
        let seen = steady.pictures();
        until("everybody sees more", PATIENCE, async || {
            Ok((steady.pictures() > seen + 100).then_some(()))
        })
        .await?;
        // One publisher, nine viewers, one more.
        ensure!(steady.end().await? == 11);
        Ok(())
    });
}

#[test]
fn a_changed_file_is_read_and_its_limits_are_in_force() {
    stage(async |stage| {
        let file = Settings::new(stage)?;
        let server = file.serve(stage, &["--demo"]).await?;
        server.live("live/demo").await?;
        let _first = Viewer::http(&server, "/live/demo.flv").await?;
        let _second = Viewer::http(&server, "/live/demo.flv").await?;

        // By another file in its place, as editors save, and no signal.
        file.replace("max_viewers = 2\n")?;
        reloads(&server, "applied", 1).await?;
        let answer = http::get(server.http, "/live/demo.flv").await?;
        ensure!(answer.status == 503, "a third viewer is answered {}", answer.status);

        // Half of a file is not read as a whole one.
        file.write("max_viewers = 2\ngrace = \"")?;
        reloads(&server, "refused", 1).await?;
        ensure!(server.metric("pushpull_config_last_reload_successful").await? == 0);
        file.write("max_viewers = 3\ngrace = \"1s\"\n")?;
        reloads(&server, "applied", 2).await?;
        ensure!(server.metric("pushpull_config_last_reload_successful").await? == 1);
        let _third = Viewer::http(&server, "/live/demo.flv").await?;

        // A link that leads elsewhere from now on, as Kubernetes mounts one.
        file.relink("max_viewers = 1\n")?;
        reloads(&server, "applied", 3).await?;
        let answer = http::get(server.http, "/live/demo.flv").await?;
        ensure!(answer.status == 503, "a fourth viewer is answered {}", answer.status);

        // A file that is gone for a moment changes nothing.
        fs::remove_file(&file.path)?;
        reloads(&server, "refused", 2).await?;
        file.write("max_viewers = 4\n")?;
        reloads(&server, "applied", 4).await?;
        Viewer::http(&server, "/live/demo.flv").await?;
        Ok(())
    });
}

#[test]
fn what_needs_a_restart_is_named_and_flags_stay_over_the_file() {
    stage(async |stage| {
        let file = Settings::new(stage)?;
        let server = file.serve(stage, &["--max-streams", "5", "--config-watch=false"]).await?;
        file.write("rtmp = \"127.0.0.1:1\"\nlog = \"json\"\nmax_streams = 1\nlag = \"7s\"\n")?;
        server.process().signal("HUP")?;
        reloads(&server, "applied", 1).await?;
        let log = server.process().log().text();
        for expected in [
            "configuration reloaded why=\"SIGHUP\" changed=\"lag\"",
            // `rtmp` is said by a flag here, as every test's server is told its ports.
            "change only when the server is started again keys=\"log\"",
        ] {
            ensure!(log.contains(expected), "{expected} is missing");
        }
        let mut steady = Steady::default();
        for stream in ["live/one", "live/two"] {
            steady.publish(server.rtmp, stream).await?;
        }
        steady.end().await?;
        Ok(())
    });
}

#[test]
fn secrets_in_files_are_read_again_and_never_shown() {
    stage(async |stage| {
        let file = Settings::new(stage)?;
        let tokens = stage.folder().join("tokens");
        fs::write(&tokens, "first-token-of-all\n")?;
        let settings = format!("demo = true\nplay_tokens = \"file:{}\"\n", tokens.display());
        file.write(&settings)?;
        let server = file.serve(stage, &[]).await?;
        server.live("live/demo").await?;
        let asks = async |token: &str| -> Result<u16> {
            let path = format!("/live/demo.flv?token={token}");
            Ok(http::get(server.http, &path).await?.status)
        };
        ensure!(asks("first-token-of-all").await? == 200);
        ensure!(asks("second-token-of-all").await? == 403);

        // Rotation: both for a while.
        fs::write(&tokens, "second-token-of-all\nfirst-token-of-all\n")?;
        reloads(&server, "applied", 1).await?;
        ensure!(asks("first-token-of-all").await? == 200);
        ensure!(asks("second-token-of-all").await? == 200);
        fs::write(&tokens, "second-token-of-all\n")?;
        reloads(&server, "applied", 2).await?;
        ensure!(asks("first-token-of-all").await? == 403);
        ensure!(asks("second-token-of-all").await? == 200);

        // A secret that is gone locks nobody in or out.
        fs::write(&tokens, "\n")?;
        reloads(&server, "refused", 1).await?;
        ensure!(asks("second-token-of-all").await? == 200);

        let log = server.process().log().text();
        ensure!(log.contains("there is no secret in"), "what was wrong is told");
        ensure!(!log.contains("-token-of-all"), "a secret is in the log");
        for path in ["/api/v1/server", "/api/v1/streams", "/metrics"] {
            let answer = http::get(server.http, path).await?.text().await?;
            ensure!(!answer.contains("-token-of-all"), "a secret is in {path}");
        }
        Ok(())
    });
}

#[test]
fn what_is_odd_is_said_when_it_has_come_by_a_reload() {
    stage(async |stage| {
        let file = Settings::new(stage)?;
        let (open, closed) = ("", "play_secrets = [\"one\"]\n");
        file.write(closed)?;
        let arguments = ["--http", "0.0.0.0:0", "--config-watch=false"];
        let server = file.serve(stage, &arguments).await?;
        let reload = async |text: &str, applied: u64| -> Result<String> {
            file.write(text)?;
            server.process().signal("HUP")?;
            reloads(&server, "applied", applied).await?;
            Ok(server.process().log().text())
        };
        let is_open = "whoever reaches this server may play";
        let is_locked = "sign_maker is `token` and there are no api_tokens";
        let log = server.process().log().text();
        ensure!(!log.contains(is_open) && !log.contains(is_locked), "{log}");
        let log = reload(open, 1).await?;
        ensure!(log.matches(is_open).count() == 1, "{log}");
        let log = reload("sign_maker = \"token\"\n", 2).await?;
        ensure!(log.matches(is_open).count() == 1, "it was said: {log}");
        ensure!(log.matches(is_locked).count() == 1, "{log}");
        reload(closed, 3).await?;
        let log = reload(open, 4).await?;
        ensure!(log.matches(is_open).count() == 2, "it is news again: {log}");
        ensure!(log.matches(is_locked).count() == 1, "{log}");
        Ok(())
    });
}

/// Waits until so many reloads had this outcome.
async fn reloads(server: &Server, outcome: &str, count: u64) -> Result<()> {
    let name = format!("pushpull_config_reloads_total{{outcome=\"{outcome}\"}}");
    until(&format!("{count} reloads {outcome}"), PATIENCE, async || {
        Ok((server.metric(&name).await? == count).then_some(()))
    })
    .await
}

/// A server's configuration file.
struct Settings {
    path: PathBuf,
}

impl Settings {
    fn new(stage: &Stage) -> Result<Settings> {
        let path = stage.folder().join("pushpull.toml");
        fs::write(&path, "")?;
        Ok(Settings { path })
    }

    async fn serve(&self, stage: &Stage, arguments: &[&str]) -> Result<Server> {
        let path = self.path.to_string_lossy();
        Server::start(stage, &[&["--config", &path], arguments].concat()).await
    }

    /// Into the file that is there, in two halves.
    fn write(&self, text: &str) -> Result<()> {
        let (first, _) = text.split_at(text.len() / 2);
        fs::write(&self.path, first)?;
        std::thread::sleep(Duration::from_millis(2));
        Ok(fs::write(&self.path, text)?)
    }

    /// By another file in its place.
    fn replace(&self, text: &str) -> Result<()> {
        let other = self.path.with_extension("new");
        fs::write(&other, text)?;
        Ok(fs::rename(other, &self.path)?)
    }

    /// By a link in its place.
    fn relink(&self, text: &str) -> Result<()> {
        let (other, link) = (self.path.with_extension("linked"), self.path.with_extension("link"));
        fs::write(&other, text)?;
        std::os::unix::fs::symlink(Path::new(&other), &link)?;
        Ok(fs::rename(link, &self.path)?)
    }
}

/// Files that are refused, each for another reason.
const BROKEN: [&str; 5] = [
    "lag = ",
    "lagg = \"1s\"\n",
    "lag = \"soon\"\nmax_viewers = 1\n",
    "max_viewers = 0\n",
    "max_viewers = 1\n\"\"\"",
];

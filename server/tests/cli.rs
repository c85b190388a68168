//! The built program as a user meets it: what it prints, what it refuses, how it stops.

#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

/// A stop is promised within this.
const STOP_LIMIT: Duration = Duration::from_secs(5);

#[test]
fn prints_where_it_listens_and_stops_cleanly() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&[]);
        assert_eq!(server.lines("http listening on ").len(), 1);
        assert!(server.banner.contains("/live/{stream}\n"), "{}", server.banner);
        assert!(server.banner.contains("stream key: stream1"), "{}", server.banner);
        let port = server.http().port();
        assert_ne!(port, 0);
        assert!(
            server.banner.contains(&format!("watch  http://localhost:{port}/\n")),
            "{}",
            server.banner
        );
        assert!(server.get("/health").ends_with(r#"{"status":"ok","problems":[]}"#));

        let (status, _) = server.stop(signal);
        assert_eq!(status.code(), Some(0), "after SIG{signal}");
    }
}

#[test]
fn several_http_listeners_serve_the_same() {
    let server = Server::start(&["--http", "127.0.0.1:0"]);
    let lines = server.lines("http listening on ");
    assert_eq!(lines.len(), 2);
    for address in lines {
        assert!(get(address.parse().unwrap(), "/health").starts_with("HTTP/1.1 200 "));
    }
}

#[test]
fn the_demo_is_there_and_an_open_page_does_not_delay_the_stop() {
    let server = Server::start(&["--demo"]);
    let page = format!("http://localhost:{}/?stream=demo&autostart=1\n", server.http().port());
    assert!(server.banner.contains(&format!("demo   {page}")), "{}", server.banner);
    let open = ["/live/demo.flv", "/api/v1/events"].map(|path| {
        let mut open = server.request(path);
        expect(&mut open, "HTTP/1.1 200 ");
        open
    });
    let (status, log) = server.stop("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("dropped"), "{log}");
    drop(open);
}

#[test]
fn stalled_viewers_do_not_keep_it_from_stopping() {
    let server = Server::start(&["--demo", "--http-send-buffer", "4KiB", "--http-unsent", "4KiB"]);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let viewers = [("", "HTTP/1.1 200 "), (upgrade, "HTTP/1.1 101 ")].map(|(headers, expected)| {
        // With little room, so that it is soon full; and nothing is taken out of it.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&server.http().into()).unwrap();
        let mut viewer = TcpStream::from(socket);
        write!(viewer, "GET /live/demo.flv HTTP/1.1\r\nHost: x\r\n{headers}\r\n").unwrap();
        expect(&mut viewer, expected);
        viewer
    });
    // Stalled: media keeps coming in, and none of it goes out.
    let figures = || {
        let metrics = server.get("/metrics");
        (
            value(&metrics, "pushpull_received_bytes_total"),
            value(&metrics, "pushpull_sent_bytes_total"),
        )
    };
    let (mut received, mut sent) = figures();
    loop {
        let now = figures();
        if now.1 != sent {
            (received, sent) = now;
        } else if now.0 > received + 65536.0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let (status, log) = server.stop("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("dropped what did not end in time connections="), "{log}");
    drop(viewers);
}

#[test]
fn a_viewer_gets_the_stream_to_its_end() {
    let server = Server::start(&["--demo"]);
    let mut viewer = BufReader::new(server.request("/live/demo.flv"));
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert_ne!(viewer.read_line(&mut line).unwrap(), 0);
    }
    let (status, log) = server.stop("TERM");
    assert_eq!(status.code(), Some(0), "{log}");
    let mut body = Vec::new();
    viewer.read_to_end(&mut body).unwrap();
    // The last chunk of a chunked body: an answer that was finished, not cut.
    assert!(body.ends_with(b"\r\n0\r\n\r\n"), "{} bytes", body.len());
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for (flag, protocol) in [("--rtmp", "RTMP"), ("--http", "HTTP")] {
        let other = if flag == "--rtmp" { "--http" } else { "--rtmp" };
        let output = run(&[flag, &format!("127.0.0.1:{port}"), other, "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(1));
        let said = stderr(&output);
        let begin = format!(
            "pushpull: cannot listen on 127.0.0.1:{port} for {protocol}: port {port} is in use."
        );
        assert!(said.starts_with(&begin), "{said}");
        assert!(said.contains(&format!("{flag} 127.0.0.1:")), "says what to do: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(output.stdout.is_empty(), "nothing listens, so nothing is announced");
    }
}

#[test]
fn bad_usage_is_exit_code_2() {
    let cases: &[(&[&str], &str)] = &[
        (&["--rmtp", "127.0.0.1:0"], "--rmtp"),
        (&["serve"], "serve"),
        (&["--rtmp"], "--rtmp"),
        (&["--rtmp", "1935"], "--rtmp: \"1935\" is not a listening address"),
        (&["--grace", "10"], "--grace: \"10\" is not a time"),
        (&["--web-dir", "/nowhere"], "--web-dir: \"/nowhere\" is not a directory"),
        (&["--config", "/nowhere.toml"], "/nowhere.toml: cannot read the configuration"),
    ];
    for (args, expected) in cases {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = stderr(&output);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pushpull.toml");
    let path = file.to_str().unwrap();
    for (text, expected) in [
        ("demo = true\n\ngracee = \"1s\"\n", "line 3: unknown key `gracee`"),
        ("demo = true\ngrace = \"soon\"\n", "line 2: `grace`: \"soon\" is not a time"),
        ("demo = true\ngrace = \n", "line 2: "),
    ] {
        fs::write(&file, text).unwrap();
        let output = run(&["--config", path]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains(&format!("pushpull: {path}, {expected}")), "{said}");
    }
}

#[test]
fn a_configuration_is_checked_without_serving() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pushpull.toml");
    let path = file.to_str().unwrap();
    fs::write(&file, "grace = \"7s\"\n\nlag = \"9s\"\n").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = taken.local_addr().unwrap().to_string();
    let output = run(&["--check-config", "--config", path, "--http", &http]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    for (setting, origin) in [
        ("grace = \"7s\"", format!("{path}, line 1")),
        ("lag = \"9s\"", format!("{path}, line 3")),
        ("demo = false", "default".to_owned()),
        (&format!("http = [\"{http}\"]"), "--http".to_owned()),
    ] {
        let found = said.lines().find(|line| line.starts_with(&format!("{setting} ")));
        assert!(found.is_some_and(|line| line.ends_with(&format!(" # {origin}"))), "{said}");
    }

    fs::write(&file, "gracee = \"7s\"\n\nlag = \"9 bananas\"\n").unwrap();
    let output = run(&["--check-config", "--config", path, "--rtmp", "here"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = stderr(&output);
    for mistake in [
        format!("pushpull: {path}, line 1: unknown key `gracee`; did you mean `grace`?"),
        format!("pushpull: {path}, line 3: `lag`: \"9 bananas\" is not a time"),
        "pushpull: --rtmp: \"here\" is not a listening address".to_owned(),
    ] {
        assert!(said.contains(&mistake), "{said}");
    }
}

#[test]
fn a_check_says_what_is_odd_and_shows_no_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pushpull.toml");
    let text = "on_publish = [\"http://127.0.0.1:1/a?key=hunter2\", \"http://127.0.0.1:1/b\"]\n\
                on_play = \"http://127.0.0.1:1/c\"\nhook_secret = \"hunter2\"\napi_read = \"token\"\n";
    fs::write(&file, text).unwrap();
    let arguments = ["--check-config", "--config", file.to_str().unwrap()];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("pushpull: warning: api_read is `token` and there are no api_tokens"),
        "{said}"
    );
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "# on_publish = [\"http://127.0.0.1:1/a?…\", \"http://127.0.0.1:1/b\"]",
        "on_play = [\"http://127.0.0.1:1/c\"]",
        "# hook_secret = (set)",
    ] {
        let begins = |printed: &str| printed.starts_with(&format!("{line} "));
        assert!(printed.lines().any(begins), "{line}: {printed}");
    }
    assert!(!printed.contains("hunter2") && !said.contains("hunter2"), "{printed}{said}");

    let open = run(&["--check-config", "--http", "0.0.0.0:0"]);
    let said = stderr(&open);
    assert!(
        said.contains("pushpull: note: whoever reaches this server may publish and play"),
        "{said}"
    );
}

#[test]
fn a_comma_in_a_query_is_told_without_what_stands_behind_it() {
    for url in ["http://h/a?key=x,hunter2", "http://h/a,http://h/b?x,y,hunter2&z"] {
        let output = run(&["--check-config", "--on-play", url]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains("--on-play: a comma ends a URL"), "{url}: {said}");
        assert!(!said.contains("hunter2"), "{url}: {said}");
    }
}

#[test]
fn a_flag_of_another_server_is_answered_with_what_there_is_here() {
    for (flag, hint) in [
        ("--gop-cache=1", "`gop_bytes`"),
        ("--http-hooks", "`on_publish`"),
        ("--ssl_cert", "`tls_cert`"),
    ] {
        let output = run(&[flag]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains("tip: ") && said.contains(hint), "{flag}: {said}");
        assert!(!said.contains("similar"), "{flag}: {said}");
    }
}

#[test]
fn the_environment_is_read() {
    let output = command(&[]).env("PUSHPULL_STOP_TIMEOUT", "1h").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("PUSHPULL_STOP_TIMEOUT: \"1h\" is out of range"));
    let output = command(&[]).env("RUST_LOG", "pushpull=loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("RUST_LOG: "));
}

#[test]
fn help_and_version_are_no_failures() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    for flag in [
        "--rtmp",
        "--http",
        "--config",
        "--web-dir",
        "--demo",
        "--log",
        "--missing-wait",
        "--grace",
        "--takeover",
    ] {
        assert!(text.contains(flag), "{flag}");
    }
    let version = run(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(version.stdout, format!("pushpull {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
}

#[test]
fn the_log_is_one_json_object_per_line() {
    let server = Server::start(&["--log", "json", "--demo"]);
    let (status, log) = server.stop("TERM");
    assert_eq!(status.code(), Some(0));
    assert!(log.lines().count() >= 2, "{log}");
    for line in log.lines() {
        let event: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string() && event["message"].is_string(), "{line}");
    }
}

#[test]
fn a_page_on_disk_is_served_in_place_of_the_built_in_one() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("index.html"), "mine").unwrap();
    let server = Server::start(&["--web-dir", directory.path().to_str().unwrap()]);
    let page = server.get("/");
    assert!(page.ends_with("mine"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'; "), "{page}");
    fs::write(directory.path().join("index.html"), "edited").unwrap();
    assert!(server.get("/").ends_with("edited"), "no restart needed");
}

#[test]
fn metrics_count_what_happens() {
    let server = Server::start(&["--demo"]);
    let mut viewer = server.request("/live/demo.flv");
    let mut some = [0; 512];
    viewer.read_exact(&mut some).unwrap();
    let metrics = server.get("/metrics");
    assert!(
        metrics.contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
        "{metrics}"
    );
    for line in [
        "pushpull_streams 1\n",
        "pushpull_viewers 1\n",
        "pushpull_publishes_total 1\n",
        "pushpull_viewer_jumps_total 0\n",
        "pushpull_stream_viewers{stream=\"live/demo\"} 1\n",
        "pushpull_http_connections_open 2\n",
        "pushpull_http_connections_refused_total 0\n",
        "pushpull_rtmp_connections_open 0\n",
        "pushpull_rtmp_errors_total 0\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let sent = value(&metrics, "pushpull_sent_bytes_total");
    assert!(sent > 0.0 && value(&metrics, "pushpull_received_bytes_total") > 0.0, "{metrics}");
    assert!(!metrics.contains("# EOF"), "{metrics}");
}

/// A running server; killed when dropped.
struct Server {
    child: Child,
    banner: String,
}

impl Server {
    /// On ports of its own; returns once it has printed everything.
    fn start(args: &[&str]) -> Server {
        let mut all = vec!["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        all.extend(args);
        let mut child = command(&all).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Ctrl-C") {
            assert_ne!(stdout.read_line(&mut banner).unwrap(), 0, "it ended: {banner}");
        }
        Server { child, banner }
    }

    /// What follows `start` on the lines of the banner that begin with it.
    fn lines(&self, start: &str) -> Vec<&str> {
        self.banner.lines().filter_map(|line| line.strip_prefix(start)).collect()
    }

    fn http(&self) -> SocketAddr {
        self.lines("http listening on ")[0].parse().unwrap()
    }

    fn request(&self, path: &str) -> TcpStream {
        request(self.http(), path)
    }

    fn get(&self, path: &str) -> String {
        get(self.http(), path)
    }

    /// Sends a signal and waits for the end; returns the log too.
    fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let deadline = Instant::now() + STOP_LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "still running {STOP_LIMIT:?} after SIG{signal}");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pushpull"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("RUST_LOG");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PUSHPULL_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn request(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    stream
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut answer = String::new();
    request(address, path).read_to_string(&mut answer).unwrap();
    answer
}

/// Reads the beginning of an answer.
fn expect(stream: &mut TcpStream, begin: &str) {
    let mut head = vec![0; begin.len()];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(String::from_utf8_lossy(&head), begin);
}

/// The value of a metric without labels.
fn value(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
}

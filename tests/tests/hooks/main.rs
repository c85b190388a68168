//! Hooks from outside: what hook servers are asked and told, what comes of their answers, and that those who do harm do it to
//! nobody else.

mod ends;
mod harm;
mod secure;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Answer, Clip, HookServer, Publisher, Server, Stage, Viewer,
    ffmpeg::run,
    http,
    phone::{Phone, headers, picture},
    process::Process,
    rtmp::{self, COMMAND, Peer, object, string},
    server::PATIENCE,
    stage, until,
};

/// All there are.
const EVENTS: [&str; 6] =
    ["on_connect", "on_close", "on_publish", "on_unpublish", "on_play", "on_stop"];

/// A server with hooks: those of `flags`, and what is in `more`.
async fn start(stage: &Stage, flags: Vec<String>, more: &[&str]) -> Result<Server> {
    let mut arguments: Vec<&str> = flags.iter().map(String::as_str).collect();
    arguments.extend(more);
    Server::start(stage, &arguments).await
}

/// The Python of `docs/hooks.md`, block `number` of it.
fn python(number: usize) -> Result<String> {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hooks.md");
    let document = std::fs::read_to_string(document)?;
    let block = document.split("```python\n").nth(number + 1).context("the document has Python")?;
    Ok(block.split_once("```").context("the Python ends")?.0.to_owned())
}

/// A hook server of this code: its process, and the port, which it has to print.
async fn serve_python(stage: &Stage, code: &str, arguments: &[&str]) -> Result<(Process, String)> {
    let mut command = std::process::Command::new("python3");
    command.args(["-c", code]).args(arguments);
    let hooks = Process::start("python3, the hook server,", command)?;
    stage.watch(&hooks);
    let port = until("the hook server listens", PATIENCE, async || {
        let log = hooks.log().text();
        let line = log.lines().find_map(|line| line.split_once("port "));
        Ok(line.map(|(_, port)| port.trim().to_owned()))
    })
    .await?;
    Ok((hooks, port))
}

#[test]
fn the_hook_server_of_the_document_decides() {
    stage(async |stage| {
        let code = python(0)?;
        ensure!(code.lines().count() <= 14, "ten lines and two imports: {code}");
        // On a port of its own, which it tells.
        let serve = "ThreadingHTTPServer((\"127.0.0.1\", 8085), Hooks).serve_forever()";
        ensure!(code.contains(serve), "{code}");
        let code = code.replace(
            serve,
            "s = ThreadingHTTPServer((\"127.0.0.1\", 0), Hooks)\nprint(\"port\", s.server_port, flush=True)\ns.serve_forever()",
        );
        let (hooks, port) = serve_python(stage, &code, &[]).await?;
        let url = format!("http://127.0.0.1:{port}/");
        let flags = ["--on-publish", "--on-unpublish", "--on-play", "--on-stop"];
        let flags = flags.into_iter().flat_map(|flag| [flag, &url]).collect::<Vec<_>>();
        let server = Server::start(stage, &flags).await?;

        let refused = Publisher::once(stage, &server, Clip::Plain, "cam").await?;
        ensure!(refused.process().exit(PATIENCE).await? != Some(0), "ffmpeg is refused");
        let said = refused.process().log().text();
        ensure!(said.contains("does not allow it: wrong token"), "ffmpeg shows why: {said}");
        ensure!(server.stream("live/cam").await?.is_none());

        let publisher = Publisher::looped(stage, &server, Clip::Plain, "cam?token=hunter2").await?;
        server.live("live/cam").await?;
        Viewer::http(&server, "/live/cam.flv").await?.keyframe().await?;
        publisher.stop().await?;
        for line in ["on_publish", "on_play", "on_stop", "on_unpublish"] {
            until(&format!("it prints {line}"), PATIENCE, async || {
                let log = hooks.log().text();
                Ok(log
                    .lines()
                    .any(|said| said.contains(line) && said.ends_with("/live/cam"))
                    .then_some(()))
            })
            .await?;
        }
        let log = server.process().log().text();
        ensure!(!log.contains("hunter2"), "the log shows a token: {log}");
        Ok(())
    });
}

#[test]
fn all_that_happens_to_an_encoder_and_to_viewers_is_told_with_all_that_is_known() {
    stage(async |stage| {
        let hooks = HookServer::start(|_| Answer::Says("{\"code\": 0}")).await?;
        let server = start(stage, hooks.flags(&EVENTS), &[]).await?;
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "cam?token=hunter2").await?;
        server.live("live/cam").await?;
        let mut viewers = vec![
            Viewer::http(&server, "/live/cam.flv?who=http").await?,
            Viewer::websocket(&server, "/live/cam.flv?who=ws").await?,
            Viewer::rtmp(&server, "live/cam?who=rtmp").await?,
        ];
        for viewer in &mut viewers {
            viewer.keyframe().await?;
        }
        drop(viewers);
        publisher.stop().await?;
        let closed = |param: &str| {
            let of = hooks.events().into_iter().find(|event| event["param"] == param)?;
            Some(of["client_id"].clone())
        };
        for (param, protocol, expected) in [
            (
                "?token=hunter2",
                "rtmp",
                &["on_connect", "on_publish", "on_unpublish", "on_close"][..],
            ),
            ("?who=rtmp", "rtmp", &["on_connect", "on_play", "on_stop", "on_close"]),
            ("?who=http", "http-flv", &["on_play", "on_stop"]),
            ("?who=ws", "ws-flv", &["on_play", "on_stop"]),
        ] {
            let client = closed(param).context("it was told of")?;
            let end = expected.last().copied().unwrap_or_default();
            let ended =
                |event: &serde_json::Value| event["client_id"] == client && event["action"] == end;
            let last = hooks.event(&format!("{end} of {param}"), ended).await?;
            let events: Vec<_> =
                hooks.events().into_iter().filter(|event| event["client_id"] == client).collect();
            let actions: Vec<_> =
                events.iter().filter_map(|event| event["action"].as_str()).collect();
            ensure!(actions == expected, "{param}: {actions:?}");
            for event in &events {
                ensure!(event["ip"] == "127.0.0.1" && event["protocol"] == protocol, "{event}");
                ensure!(event["app"] == "live" && event["vhost"] == "__defaultVhost__", "{event}");
                ensure!(event["server_id"].as_str().is_some_and(|id| id.starts_with("vid-")));
            }
            let of_stream = events.iter().filter(|event| event.get("stream").is_some());
            for event in of_stream {
                ensure!(event["stream"] == "cam" && event["stream_url"] == "/live/cam", "{event}");
                ensure!(event["param"] == param, "{event}");
            }
            let key = if param.contains("token") { "recv_bytes" } else { "send_bytes" };
            ensure!(last[key].as_u64() > Some(1000), "{last}");
            if protocol == "rtmp" {
                let connect = &events[0];
                ensure!(connect["tcUrl"] == format!("rtmp://{}/live", server.rtmp), "{connect}");
                ensure!(connect["flashVer"].as_str().is_some_and(|agent| !agent.is_empty()));
            }
        }
        ensure!(server.metric("pushpull_hooks_waiting").await? == 0);
        ensure!(server.metric("pushpull_hooks_asked_total{event=\"on_play\"}").await? == 3);
        ensure!(server.metric("pushpull_hooks_told_total{event=\"on_stop\"}").await? == 3);
        Ok(())
    });
}

#[test]
fn a_no_is_told_in_the_words_of_each_protocol_and_nothing_of_it_gets_through() {
    stage(async |stage| {
        let says_no = |request: &pushpull_tests::hook::Request| {
            if request.text("param").contains("let-me-in") {
                Answer::Says("0")
            } else {
                Answer::Says("{\"code\": 7, \"msg\": \"not on my list\"}")
            }
        };
        let hooks = HookServer::start(says_no).await?;
        let server = start(stage, hooks.flags(&["on_publish", "on_play"]), &[]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.throw(&[rtmp::publish("x"), headers(), picture("not to be seen", 0)].concat()).await;
        let said = String::from_utf8_lossy(&peer.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.Denied"), "{said:?}");
        ensure!(said.contains("not on my list") && !said.contains("Publish.Start"), "{said:?}");

        let mut phone = Phone::start(&server, "x?let-me-in", "seen").await?;
        let others = async {
            server.live("live/x").await?;
            let mut answer = http::get(server.http, "/live/x.flv").await?;
            ensure!(answer.status == 403, "{}", answer.status);
            let problem: serde_json::Value = serde_json::from_str(&answer.text().await?)?;
            ensure!(problem.to_string().contains("hook_denied"), "{problem}");
            ensure!(problem.to_string().contains("not on my list"), "{problem}");
            let refused = Viewer::websocket(&server, "/live/x.flv").await.err();
            ensure!(refused.is_some_and(|error| error.to_string().contains("403")));
            let mut player = Peer::connected(server.rtmp).await?;
            player.send(&rtmp::play("x")).await?;
            player.answered(b"NetStream.Play.Failed").await?;
            player.answered(b"not on my list").await?;
            Viewer::http(&server, "/live/x.flv?let-me-in").await?.keyframe().await?;
            Ok(())
        };
        phone.shooting(others).await?;
        ensure!(server.metric("pushpull_hooks_denied_total{event=\"on_play\"}").await? == 3);
        Ok(())
    });
}

#[test]
fn a_head_is_answered_from_what_is_known() {
    stage(async |stage| {
        let hooks = HookServer::start(|request| match request.text("param").as_str() {
            "?bad" => Answer::Says("{\"code\": 7, \"msg\": \"not on my list\"}"),
            _ => Answer::Says("0"),
        })
        .await?;
        let server = start(stage, hooks.flags(&["on_play", "on_stop"]), &[]).await?;
        let mut phone = Phone::start(&server, "x", "seen").await?;
        let others = async {
            server.live("live/x").await?;
            let head = async |path| http::request(server.http, "HEAD", path, &[]).await;
            until("it can be viewed", PATIENCE, async || {
                Ok((head("/live/x.flv").await?.status == 200).then_some(()))
            })
            .await?;
            ensure!(head("/live/x.flv?bad").await?.status == 200, "nobody has said no so far");
            ensure!(head("/live/none.flv").await?.status == 404);
            ensure!(hooks.requests().is_empty(), "nobody was asked or told");
            // As a page does that wants to know why its WebSocket was refused.
            let refused = Viewer::websocket(&server, "/live/x.flv?bad").await.err();
            ensure!(refused.is_some_and(|error| error.to_string().contains("403")));
            let why = head("/live/x.flv?bad").await?;
            let said = why.header("x-problem-detail").unwrap_or_default();
            ensure!(why.status == 403 && said.contains("not on my list"), "{said}");
            ensure!(head("/live/x.flv?good").await?.status == 200, "others are not concerned");
            ensure!(hooks.requests().len() == 1, "asked once");
            Ok(())
        };
        phone.shooting(others).await
    });
}

#[test]
fn a_connection_that_is_refused_has_said_nothing_to_anybody() {
    stage(async |stage| {
        let hooks = HookServer::start(|request| {
            let no = request.text("tcUrl").contains("stranger");
            if no {
                Answer::Says("{\"code\":1,\"msg\":\"who are you\"}")
            } else {
                Answer::Says("0")
            }
        })
        .await?;
        let server = start(stage, hooks.flags(&EVENTS), &[]).await?;
        let mut stranger = Peer::greet(server.rtmp).await?;
        let words = [("app", string("live")), ("tcUrl", string("rtmp://stranger/live"))];
        // All at once, as some do.
        let all = [
            rtmp::set_chunk_size(65_536),
            rtmp::connect(&object(&words)),
            rtmp::publish("x"),
            headers(),
            picture("not to be seen", 0),
        ];
        stranger.throw(&all.concat()).await;
        let said = stranger.message(COMMAND).await?;
        let said = String::from_utf8_lossy(&said).into_owned();
        stranger.hung_up().await?;
        ensure!(said.contains("NetConnection.Connect.Rejected"), "{said:?}");
        ensure!(said.contains("who are you") && !said.contains("Connect.Success"), "{said:?}");

        // Who is let in may have said everything at once as well.
        let mut friend = Peer::greet(server.rtmp).await?;
        let words = [("app", string("live")), ("tcUrl", string("rtmp://friend/live"))];
        let all = [
            rtmp::set_chunk_size(65_536),
            rtmp::connect(&object(&words)),
            rtmp::publish("x"),
            headers(),
            picture("seen", 0),
        ];
        friend.send(&all.concat()).await?;
        friend.answered(b"NetStream.Publish.Start").await?;
        server.live("live/x").await?;
        drop(friend);
        hooks.event("on_close", |event| event["action"] == "on_close").await?;
        let actions: Vec<_> =
            hooks.requests().iter().map(|request| request.text("action")).collect();
        let of_friend = ["on_connect", "on_publish", "on_unpublish", "on_close"];
        ensure!(actions[0] == "on_connect" && actions[1..] == of_friend, "{actions:?}");
        Ok(())
    });
}

#[test]
fn signatures_are_those_that_the_python_of_the_document_makes() {
    stage(async |stage| {
        let hooks = HookServer::start(|_| Answer::Says("0")).await?;
        let more = ["--hook-secret", "hunter2"];
        let server = start(stage, hooks.flags(&["on_play"]), &more).await?;
        http::get(server.http, "/live/x.flv?k=%22quoted%22").await?;
        let request = hooks.requests().first().context("it was asked")?.clone();
        let field = |name: &str| request.header(name).unwrap_or_default().to_owned();
        let headers = serde_json::json!({
            "X-Pushpull-Timestamp": field("x-pushpull-timestamp"),
            "X-Pushpull-Signature": field("x-pushpull-signature"),
        });
        let check = format!(
            "{}\nimport json, sys\nheaders, body = json.loads(sys.argv[1]), sys.argv[2].encode()\n\
             print(is_genuine(headers, body, b'hunter2'), is_genuine(headers, body + b' ', b'hunter2'),\n\
             is_genuine(headers, body, b'hunter3'), is_genuine({{**headers, 'X-Pushpull-Timestamp': '1'}}, body, b'hunter2'))",
            python(1)?
        );
        let arguments = ["-c".to_owned(), check, headers.to_string(), request.body.clone()];
        let said = run("python3", &arguments).await?;
        ensure!(said.trim() == "True False False False", "{said}");
        ensure!(!server.process().log().text().contains("hunter2"));
        Ok(())
    });
}

#[test]
fn forms_and_statuses_are_spoken_with_hook_servers_of_nginx_rtmp() {
    stage(async |stage| {
        let hooks = HookServer::start(|request| match () {
            () if request.body.contains("name=moved") => {
                Answer::Raw("HTTP/1.1 302 Found\r\nLocation: other\r\nContent-Length: 0\r\n\r\n")
            }
            () if request.body.contains("key=right") => Answer::Status(204),
            () => Answer::Status(401),
        })
        .await?;
        let events = ["on_publish", "on_unpublish"];
        let server = start(stage, hooks.flags(&events), &["--hook-style", "nginx"]).await?;
        for (key, words) in [("x?key=wrong", "does not allow it"), ("moved?key=right", "redirect")]
        {
            let mut peer = Peer::connected(server.rtmp).await?;
            peer.send(&rtmp::publish(key)).await?;
            peer.answered(b"NetStream.Publish.Denied").await?;
            peer.answered(words.as_bytes()).await?;
        }
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "x?key=right").await?;
        server.live("live/x").await?;
        publisher.stop().await?;
        let done = until("the end is told", PATIENCE, async || {
            let requests = hooks.requests();
            Ok(requests.into_iter().find(|request| request.body.contains("call=publish_done")))
        })
        .await?;
        ensure!(done.header("content-type") == Some("application/x-www-form-urlencoded"));
        for part in ["app=live&", "&addr=127.0.0.1&", "&name=x&", "&key=right", "&bytes_in="] {
            ensure!(done.body.contains(part), "{}", done.body);
        }
        Ok(())
    });
}

#[test]
fn node_media_server_s_events_are_asked_about_before_media_passes() {
    stage(async |stage| {
        let hooks = HookServer::start(|request| {
            if request.text("name") == "good" { Answer::Status(200) } else { Answer::Status(401) }
        })
        .await?;
        let events = ["on_publish", "on_unpublish"];
        let server = start(stage, hooks.flags(&events), &["--hook-style", "nms"]).await?;
        let mut peer = Peer::connected(server.rtmp).await?;
        peer.send(&rtmp::publish("bad")).await?;
        peer.answered(b"NetStream.Publish.Denied").await?;
        let publisher = Publisher::looped(stage, &server, Clip::Plain, "good?a=b").await?;
        server.live("live/good").await?;
        publisher.stop().await?;
        hooks.event("its end", |event| event["action"] == "donePublish").await?;
        let events = hooks.events();
        let of_good: Vec<_> = events.iter().filter(|event| event["name"] == "good").collect();
        let actions: Vec<_> = of_good.iter().filter_map(|event| event["action"].as_str()).collect();
        ensure!(actions == ["prePublish", "postPublish", "donePublish"], "{actions:?}");
        ensure!(of_good.iter().all(|event| event["query"]["a"] == "b"), "{of_good:?}");
        ensure!(of_good[2]["inbytes"].as_u64() > Some(1000), "{}", of_good[2]);
        Ok(())
    });
}

#[test]
fn a_reload_changes_who_is_asked_from_then_on() {
    stage(async |stage| {
        let first = HookServer::start(|_| Answer::Says("0")).await?;
        let second = HookServer::start(|_| Answer::Says("1")).await?;
        let file = stage.folder().join("hooks.toml");
        let write = |hooks: &HookServer| {
            let url = hooks.url();
            std::fs::write(&file, format!("on_publish = \"{url}\"\non_unpublish = \"{url}\"\n"))
        };
        write(&first)?;
        let config = file.to_str().context("a path in UTF-8")?;
        let server = Server::start(stage, &["--config", config, "--config-watch=false"]).await?;
        let mut phone = Phone::start(&server, "x", "still there").await?;
        write(&second)?;
        let reload = async {
            server.process().signal("HUP")?;
            until("it is reloaded", PATIENCE, async || {
                let log = server.process().log().text();
                Ok(log.contains("configuration reloaded").then_some(()))
            })
            .await?;
            let mut peer = Peer::connected(server.rtmp).await?;
            peer.send(&rtmp::publish("y")).await?;
            peer.answered(b"NetStream.Publish.Denied").await
        };
        phone.shooting(reload).await?;
        // Who is in, stays, and its end is told to those who are there now.
        phone.shoot().await?;
        drop(phone);
        second.action("on_unpublish", "x").await?;
        ensure!(first.events().len() == 1, "{:?}", first.events());
        Ok(())
    });
}

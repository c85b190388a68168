//! Sessions, pages of lists, and single happenings.

use axum::extract::ConnectInfo;

use super::*;
use crate::sessions::{self, Purpose};

fn viewer(api: &Api, name: &str) -> sessions::Session {
    api.parts.access.sessions().open(request_to_play(name))
}

fn request_to_play(name: &str) -> sessions::Request {
    sessions::Request {
        purpose: Purpose::Play,
        protocol: "http-flv",
        peer: SocketAddr::from(([192, 0, 2, 7], 4711)),
        name: StreamName::parse(name).unwrap(),
        query: "token=hunter2".to_owned(),
        agent: "player/1".to_owned(),
        referer: String::new(),
        tc_url: String::new(),
        client: None,
    }
}

async fn status(api: &Api, path: &str) -> StatusCode {
    send(api, request("GET", path)).await.status()
}

#[tokio::test]
async fn sessions_have_the_shape_that_is_promised() {
    let api = api();
    let _other = viewer(&api, "live/other");
    let session = viewer(&api, "live/x");
    let id = session.id().to_string();
    let mut one = get_json(&api, &format!("/sessions/{id}")).await;
    assert!(one["since_ms"].take().is_u64());
    let expected = json!({
        "id": id, "purpose": "play", "protocol": "http-flv", "stream": "live/x", "peer": "192.0.2.7:4711",
        "agent": "player/1", "since_ms": null, "bytes": 0, "jumps": 0, "lag_bytes": 0, "lag_ms": 0,
    });
    assert_eq!(one, expected);

    let all = get_json(&api, "/sessions").await;
    assert_eq!((&all["total"], all["sessions"].as_array().unwrap().len()), (&json!(2), 2));
    assert!(!all.to_string().contains("hunter2"), "{all}");
    for path in ["/sessions?stream=live/x", "/clients?stream=live%2Fx"] {
        let of_stream = get_json(&api, path).await;
        assert_eq!((&of_stream["total"], &of_stream["sessions"][0]["id"]), (&json!(1), &json!(id)));
    }
    assert_eq!(status(&api, "/sessions?stream=../x").await, StatusCode::BAD_REQUEST);
    drop(session);
    assert_eq!(status(&api, &format!("/sessions/{id}")).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn publishers_and_viewers_are_listed_apart() {
    let api = api();
    let _viewers = [viewer(&api, "live/x"), viewer(&api, "live/x"), viewer(&api, "live/y")];
    let publisher = sessions::Request { purpose: Purpose::Publish, ..request_to_play("live/x") };
    let publisher = api.parts.access.sessions().open(publisher);
    for (query, total) in [
        ("?purpose=publish", 1),
        ("?purpose=play", 3),
        ("?purpose=play&stream=live/x", 2),
        ("?purpose=publish&stream=live/y", 0),
        ("?stream=live/x", 3),
    ] {
        let list = get_json(&api, &format!("/sessions{query}")).await;
        assert_eq!(list["total"], total, "{query}");
        assert_eq!(list["sessions"].as_array().unwrap().len(), total, "{query}");
    }
    let page = get_json(&api, "/sessions?purpose=publish&limit=1").await;
    assert_eq!(page["sessions"][0]["id"], publisher.id().to_string(), "the last to come");
    for wrong in ["purpose=", "purpose=both", "purpose=Play"] {
        let path = format!("/sessions?{wrong}");
        assert_eq!(status(&api, &path).await, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let api = api();
    let sessions: Vec<_> = (0..1005).map(|n| viewer(&api, &format!("live/{n}"))).collect();
    let page = async |query: &str| {
        let page = get_json(&api, &format!("/sessions{query}")).await;
        assert_eq!(page["total"], 1005);
        let names = page["sessions"].as_array().unwrap().iter();
        names.map(|session| session["stream"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(page("").await.len(), 1000);
    assert_eq!(page("?limit=2").await, ["live/0", "live/1"]);
    assert_eq!(page("?limit=2&offset=1000").await, ["live/1000", "live/1001"]);
    assert_eq!(page("?offset=1003").await, ["live/1003", "live/1004"]);
    assert!(page("?offset=2000").await.is_empty());
    for query in ["limit=0", "limit=1001", "limit=x", "limit=-1", "offset=-1", "offset=2000000000"]
    {
        for list in ["sessions", "streams", "bans"] {
            let path = format!("/{list}?{query}");
            assert_eq!(status(&api, &path).await, StatusCode::BAD_REQUEST, "{path}");
        }
    }
    drop(sessions);
}

#[tokio::test]
async fn one_stream_is_told_and_a_missing_one_is_missed() {
    let api = api();
    let _publisher = publish(&api.parts.hub, "live/room/x");
    let one = get_json(&api, "/streams/live/room/x").await;
    assert_eq!((&one["name"], &one["app"]), (&json!("live/room/x"), &json!("live/room")));
    let missing = send(&api, request("GET", "/streams/live/y")).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let problem: Value = serde_json::from_str(&text(missing).await).unwrap();
    assert_eq!(
        (&problem["code"], &problem["stream"]),
        (&json!("stream_not_found"), &json!("live/y"))
    );
    assert_eq!(status(&api, "/streams/live/%2e%2e").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_session_is_ended_and_everybody_is_told() {
    let api = api();
    let hub = &api.parts.hub;
    let mut publisher = publish(hub, "live/x");
    let mut events = send(&api, request("GET", "/events")).await.into_body().into_data_stream();
    next_event(&mut events).await;
    let mut session = viewer(&api, "live/x");
    session.watch(publisher.probe());
    let id = session.id().to_string();
    let told = happening(&mut events).await;
    assert_eq!((&told["kind"], &told["stream"]), (&json!("playing"), &json!("live/x")));
    assert_eq!((&told["session"], &told["peer"]), (&json!(id), &json!("192.0.2.7:4711")));

    let path = format!("{PREFIX}/sessions/{id}");
    let request = Request::builder().method("DELETE").uri(path).header("host", "localhost");
    let request = request.extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 5000))));
    let answer = send(&api, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let stop = std::future::poll_fn(|context| session.poll_stopped(context)).await;
    assert_eq!(stop, sessions::Stop::Kicked);
    drop(session);
    for kind in ["kicked", "stopped"] {
        let told = happening(&mut events).await;
        assert_eq!((&told["kind"], &told["session"]), (&json!(kind), &json!(id)));
    }
    publisher.flush();
}

#[tokio::test]
async fn who_listens_slowly_is_told_what_was_missed() {
    let api = api();
    let mut events = send(&api, request("GET", "/events")).await.into_body().into_data_stream();
    next_event(&mut events).await;
    for _ in 0..crate::happenings::KEPT + 7 {
        api.happenings()
            .tell(|| crate::happenings::Happening::new(crate::happenings::Kind::Reloaded));
    }
    loop {
        let text = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
        if let Some(rest) = text.strip_prefix("event: lagged\ndata: ") {
            assert_eq!(serde_json::from_str::<Value>(rest).unwrap(), json!({"missed": 7}));
            return;
        }
        assert!(text.starts_with("event: streams"), "the first happening comes after it: {text}");
    }
}

#[tokio::test]
async fn who_is_refused_is_told_at_once_and_remembered() {
    let mut config = config::Config::default();
    config.access.play.tokens = vec![config::Secret::new("the right token")];
    let api = api_with(config);
    let mut events = send(&api, request("GET", "/events")).await.into_body().into_data_stream();
    assert_eq!(next_event(&mut events).await, json!({"streams": [], "refusals": []}));
    let refusal = api.parts.access.admit(request_to_play("live/x")).await.unwrap_err();
    assert_eq!(refusal.code, "token_wrong");
    // In either order.
    let mut told = [next_of_any(&mut events).await, next_of_any(&mut events).await];
    told.sort_by_key(|told| told.get("refusals").is_some());
    let [happening, list] = told;
    assert_eq!(
        (&happening["kind"], &happening["code"]),
        (&json!("refused"), &json!("token_wrong"))
    );
    assert!(!happening.to_string().contains("hunter2"), "{happening}");
    assert_eq!(list["refusals"][0]["code"], "token_wrong");

    for query in ["", "?stream=live/x", "?limit=1"] {
        let mut list = get_json(&api, &format!("/refusals{query}")).await;
        assert!(list["refusals"][0]["ago_ms"].take().is_u64());
        assert!(list["refusals"][0]["detail"].take().is_string());
        let refusal = json!({
            "ago_ms": null, "purpose": "play", "stream": "live/x", "code": "token_wrong", "detail": null,
            "peer": "192.0.2.7:4711", "times": 1,
        });
        assert_eq!(list, json!({"refusals": [refusal], "total": 1}));
    }
    let others = get_json(&api, "/refusals?stream=live/y").await;
    assert_eq!(others, json!({"refusals": [], "total": 0}));
}

/// The next single happening.
async fn happening(events: &mut BodyDataStream) -> Value {
    loop {
        let told = next_of_any(events).await;
        if told.get("kind").is_some() {
            return told;
        }
    }
}

/// The data of the next event of any type.
async fn next_of_any(events: &mut BodyDataStream) -> Value {
    let text = String::from_utf8(events.next().await.unwrap().unwrap().to_vec()).unwrap();
    let (_, data) = text.split_once("\ndata: ").unwrap();
    serde_json::from_str(data.trim_end()).unwrap()
}

#[tokio::test]
async fn node_media_server_s_shape_is_there_for_its_dashboards() {
    let api = api();
    let mut publisher = publish(&api.parts.hub, "live/room/x");
    let session = api.parts.access.sessions().open(sessions::Request {
        purpose: Purpose::Publish,
        protocol: "rtmp",
        ..request_to_play("live/room/x")
    });
    session.watch(publisher.probe());
    let _viewer = viewer(&api, "live/room/x");
    let ask = async |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let answer = send(&api, request).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        serde_json::from_str::<Value>(&text(answer).await).unwrap()
    };
    let all = ask("/api/streams").await;
    let stream = &all["live/room"]["x"];
    assert_eq!(stream["publisher"]["ip"], "192.0.2.7", "{all}");
    assert_eq!(stream["publisher"]["clientId"], json!(session.id()));
    assert_eq!(stream["publisher"]["video"]["codec"], "H264");
    let audio = json!({"codec": "AAC", "profile": "LC", "samplerate": 48_000, "channels": 2});
    assert_eq!(stream["publisher"]["audio"], audio);
    let viewer = &stream["subscribers"][0];
    assert_eq!((&viewer["protocol"], &viewer["app"]), (&json!("http"), &json!("live/room")));
    assert!(viewer["connectCreated"].as_str().unwrap().ends_with('Z'));

    let one = ask("/api/streams/live/room/x").await;
    assert_eq!((&one["isLive"], &one["arguments"]), (&json!(true), &json!({})));
    let none = ask("/api/streams/live/none").await;
    let expected = json!({
        "isLive": false, "viewers": 0, "duration": 0, "bitrate": 0, "startTime": null, "arguments": {},
    });
    assert_eq!(none, expected);
    let server = ask("/api/server").await;
    assert_eq!((&server["clients"]["rtmp"], &server["clients"]["http"]), (&json!(1), &json!(1)));
    for key in ["os", "cpu", "mem", "net", "nodejs", "clients", "version"] {
        assert!(server.get(key).is_some(), "{key}");
    }
    publisher.flush();
}

use std::net::SocketAddr;

use pushpull_rtmp::StreamName;
use pushpull_rtmp::server::Connect;
use serde_json::{Value, json};

use super::*;

fn facts() -> Facts {
    let connect = Connect {
        app: "live?token=x".into(),
        tc_url: "rtmp://h/live?token=x".into(),
        page_url: "http://page/".into(),
        swf_url: "http://swf/".into(),
        flash_ver: "FMLE/3.0".into(),
    };
    let peer: SocketAddr = "[::ffff:192.0.2.7]:5000".parse().unwrap();
    Facts { id: "c-1".into(), protocol: "rtmp", peer, connect, since_ms: 5 }
}

fn stream() -> Stream {
    let name = StreamName::parse("a/b/cam-1 é").unwrap();
    Stream { name, query: "sign=1-x&name=evil&k=%26%20v".into(), session: "s-1".into() }
}

/// The bodies of an event.
fn bodies(style: Style, event: Event) -> Vec<Body> {
    let subject = match event {
        Event::OnConnect | Event::OnClose => Subject::Connection,
        Event::OnPublish | Event::OnUnpublish => Subject::Publish(stream()),
        Event::OnPlay | Event::OnStop => Subject::Play(stream()),
    };
    let service = Service { server_id: "vid-1".into(), service_id: "r".into() };
    let bytes = Bytes { received: 7, sent: 8 };
    let client = facts();
    style.write(&Letter { event, client: &client, subject: &subject, bytes, service: &service })
}

fn json(style: Style, event: Event) -> Value {
    let body = bodies(style, event).remove(0);
    assert_eq!(body.content_type, "application/json");
    serde_json::from_str(&body.text).unwrap()
}

#[test]
fn srs_gets_its_fields() {
    assert_eq!(
        json(Style::Srs, Event::OnConnect),
        json!({
            "server_id": "vid-1", "service_id": "r", "action": "on_connect", "client_id": "c-1", "ip": "192.0.2.7",
            "vhost": "__defaultVhost__", "app": "live", "tcUrl": "rtmp://h/live?token=x", "param": "?token=x",
            "pageUrl": "http://page/", "swfUrl": "http://swf/", "flashVer": "FMLE/3.0",
            "protocol": "rtmp", "user_agent": "FMLE/3.0",
        })
    );
    let publish = json(Style::Srs, Event::OnPublish);
    for (key, value) in [
        ("action", "on_publish"),
        ("app", "a/b"),
        ("stream", "cam-1 é"),
        ("param", "?sign=1-x&name=evil&k=%26%20v"),
        ("stream_url", "/a/b/cam-1 é"),
        ("session_id", "s-1"),
    ] {
        assert_eq!(publish[key], value, "{key}");
    }
    assert_eq!(publish["stream_id"], json(Style::Srs, Event::OnStop)["stream_id"]);
    assert_eq!(publish.get("send_bytes"), None);
    for end in [Event::OnClose, Event::OnUnpublish, Event::OnStop] {
        let end = json(Style::Srs, end);
        assert_eq!((&end["recv_bytes"], &end["send_bytes"]), (&json!(7), &json!(8)));
    }
    assert_eq!(json(Style::Srs, Event::OnPlay)["pageUrl"], "http://page/");
}

#[test]
fn srs_lets_in_with_code_0_and_with_nothing_else() {
    let read = |status: u16, body: &str| {
        Style::Srs.read(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    };
    for body in ["0", " 0\n", r#"{"code":0}"#, r#"{"code": 0, "data": "x"}"#] {
        assert_eq!(read(200, body), Verdict::Allowed, "{body}");
    }
    let denied = |words: &str| Verdict::Denied(words.to_owned());
    assert_eq!(read(200, "1"), denied("code 1"));
    assert_eq!(read(200, r#"{"code":403}"#), denied("code 403"));
    assert_eq!(read(200, r#"{"code":1,"msg":"not\nyou\u202e"}"#), denied("notyou"));
    assert_eq!(read(403, "0"), denied(""));
    let long = format!(r#"{{"code":1,"msg":"{}"}}"#, "x".repeat(3000));
    assert_eq!(read(200, &long), denied(&"x".repeat(MAX_WORDS)));
    for (status, body) in [
        (200, ""),
        (200, "ok"),
        (200, "{}"),
        (200, "null"),
        (200, r#"{"code":"0"}"#),
        (200, r#"{"code":0.5}"#),
        (200, "\"0\""),
        (200, "[0]"),
        (200, "0 0"),
        (204, ""),
        (302, "0"),
        (500, "0"),
    ] {
        assert!(matches!(read(status, body), Verdict::Senseless(_)), "{status} {body}");
    }
}

#[test]
fn nginx_gets_a_form_in_which_peers_cannot_lie() {
    let body = bodies(Style::Nginx, Event::OnPublish).remove(0);
    assert_eq!(body.content_type, "application/x-www-form-urlencoded");
    let fields: Vec<_> = form_urlencoded::parse(body.text.as_bytes()).into_owned().collect();
    let expected = [
        ("app", "a/b"),
        ("flashver", "FMLE/3.0"),
        ("swfurl", "http://swf/"),
        ("tcurl", "rtmp://h/live?token=x"),
        ("pageurl", "http://page/"),
        ("addr", "192.0.2.7"),
        ("clientid", "c-1"),
        ("call", "publish"),
        ("name", "cam-1 é"),
        ("type", "live"),
        ("sign", "1-x"),
        ("k", "& v"),
    ];
    assert_eq!(fields, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    for (event, call) in [
        (Event::OnConnect, "call=connect&token=x"),
        (Event::OnClose, "call=disconnect&bytes_in=7&bytes_out=8&token=x"),
        (Event::OnUnpublish, "call=publish_done&name="),
        (Event::OnPlay, "call=play&name="),
        (Event::OnStop, "call=play_done&name="),
    ] {
        let text = bodies(Style::Nginx, event).remove(0).text;
        assert!(text.contains(call), "{text}");
    }
}

#[test]
fn nginx_answers_with_its_status() {
    let read = |status| Style::Nginx.read(StatusCode::from_u16(status).unwrap(), b"");
    assert_eq!((read(200), read(204)), (Verdict::Allowed, Verdict::Allowed));
    assert!(matches!(read(302), Verdict::Denied(words) if words.contains("redirect")));
    assert!(matches!(read(403), Verdict::Denied(_)));
    assert!(matches!(read(500), Verdict::Senseless(_)));
}

#[test]
fn nms_is_asked_before_and_told_after() {
    let actions = |event| {
        let bodies = bodies(Style::Nms, event).into_iter();
        bodies
            .map(|body| serde_json::from_str::<Value>(&body.text).unwrap()["action"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(actions(Event::OnPublish), ["prePublish", "postPublish"]);
    assert_eq!(actions(Event::OnUnpublish), ["donePublish"]);
    assert_eq!(actions(Event::OnPlay), ["prePlay", "postPlay"]);
    assert_eq!(actions(Event::OnStop), ["donePlay"]);
    let publish = json(Style::Nms, Event::OnPublish);
    let query = json!({"sign": "1-x", "name": "evil", "k": "& v"});
    for (key, value) in [
        ("id", json!("c-1")),
        ("ip", json!("192.0.2.7:5000")),
        ("app", json!("a/b")),
        ("name", json!("cam-1 é")),
        ("query", query),
        ("protocol", json!("rtmp")),
        ("createtime", json!(5)),
        ("endtime", json!(0)),
        ("inbytes", json!(7)),
        ("outbytes", json!(8)),
    ] {
        assert_eq!(publish[key], value, "{key}");
    }
    assert!(json(Style::Nms, Event::OnStop)["endtime"].as_u64() > Some(5));
    let read = |status| Style::Nms.read(StatusCode::from_u16(status).unwrap(), b"");
    assert_eq!(read(200), Verdict::Allowed);
    assert!(matches!(read(204), Verdict::Denied(_)) && matches!(read(401), Verdict::Denied(_)));
    assert!(matches!(read(503), Verdict::Senseless(_)));
}

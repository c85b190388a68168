use std::net::SocketAddr;

use super::*;
use crate::{
    net::Networks,
    sessions::{Purpose, tests::player},
};

const NOW: u64 = 1_503_458_000;

/// Node-Media-Server's own example, for `live/stream`.
const SIGN: &str = "sign=1503458721-80c1d1ad2e0c2ab63eebb50eed64201a";

fn request(purpose: Purpose, query: &str) -> Request {
    Request { purpose, query: query.to_owned(), protocol: "rtmp", ..player("live/stream") }
}

fn config() -> Config {
    let mut config = Config::default();
    config.publish.secrets = vec![Secret::new("nodemedia2017privatekey")];
    config.play.tokens = vec![Secret::new("ticket")];
    config
}

fn code(config: &Config, request: &Request, now: u64) -> &'static str {
    judge(config, request, now).err().map_or("admitted", |refusal| refusal.code)
}

#[test]
fn each_purpose_has_its_own_secrets() {
    let config = config();
    for (purpose, query, expected) in [
        (Purpose::Publish, SIGN, "admitted"),
        (Purpose::Play, SIGN, "signature_missing"),
        (Purpose::Play, "token=ticket", "admitted"),
        (Purpose::Publish, "token=ticket", "signature_missing"),
        (Purpose::Publish, "token=nodemedia2017privatekey", "signature_missing"),
        (Purpose::Play, "token=nodemedia2017privatekey", "token_wrong"),
    ] {
        assert_eq!(code(&config, &request(purpose, query), NOW), expected, "{purpose:?} {query}");
    }
    for purpose in [Purpose::Publish, Purpose::Play] {
        assert_eq!(code(&Config::default(), &request(purpose, ""), NOW), "admitted", "a desk");
    }
}

#[test]
fn addresses_come_before_signatures_and_denial_before_allowance() {
    let mut config = config();
    let request = |peer: &str| {
        let peer: SocketAddr = peer.parse().unwrap();
        Request { peer, ..request(Purpose::Publish, SIGN) }
    };
    let networks = |text| Networks::parse(text).unwrap();
    config.publish.deny = networks("192.0.2.0/24");
    assert_eq!(code(&config, &request("192.0.2.7:1"), NOW), "address_denied");
    assert_eq!(code(&config, &request("[::ffff:192.0.2.7]:1"), NOW), "address_denied");
    assert_eq!(code(&config, &request("[2001:db8::1]:1"), NOW), "admitted");
    config.publish.allow = networks("192.0.0.0/16");
    assert_eq!(code(&config, &request("192.0.2.7:1"), NOW), "address_denied", "denied and allowed");
    assert_eq!(code(&config, &request("192.0.3.7:1"), NOW), "admitted");
    assert_eq!(code(&config, &request("[2001:db8::1]:1"), NOW), "address_denied", "a closed list");
    let refusal = judge(&config, &request("[::ffff:192.0.2.7]:1"), NOW).unwrap_err();
    let text = "the address 192.0.2.7 may not publish (allow_publish, deny_publish)";
    assert_eq!(refusal.text, text);
}

#[test]
fn the_path_that_nginx_s_form_signs_is_that_of_the_protocol() {
    assert_eq!(uri("rtmp", "live/x"), "/live/x");
    assert_eq!(uri("rtmps", "live/x"), "/live/x");
    assert_eq!(uri("http-flv", "live/x"), "/live/x.flv");
    assert_eq!(uri("ws-flv", "live/x"), "/live/x.flv");
}

#[test]
fn refusals_have_the_statuses_of_their_kind() {
    let config = config();
    let refused =
        |query| judge(&config, &request(Purpose::Publish, query), NOW + 1000).unwrap_err();
    for (query, status) in [("", 401), (SIGN, 410), ("sign=1-", 403)] {
        let problem = refused(query).problem("live/stream");
        assert_eq!(problem.status().as_u16(), status, "{query}");
    }
    assert_eq!(
        refused(SIGN).text,
        "signature expired 4 min ago (server time Wed, 23 Aug 2017 03:30:00 GMT)"
    );
}

#[tokio::test]
async fn who_is_refused_is_counted_and_remembered_and_no_session() {
    let access = Access::new(Sessions::default(), Live::new(config()), Counted::default());
    for _ in 0..3 {
        let refused = access.admit(request(Purpose::Publish, SIGN)).await.unwrap_err();
        assert_eq!(refused.code, "signature_expired");
    }
    let refused = access.admit(request(Purpose::Play, "token=wrong")).await.unwrap_err();
    assert_eq!(refused.code, "token_wrong");
    assert!(access.sessions().list().is_empty());
    let told: Vec<_> = access.refusals().iter().map(|it| (it.purpose, it.code, it.times)).collect();
    assert_eq!(
        told,
        [(Purpose::Play, "token_wrong", 1), (Purpose::Publish, "signature_expired", 3)]
    );
    let label = Label { purpose: "publish", code: "signature_expired" };
    assert_eq!(access.counted.get_or_create(&label).get(), 3);
    let shown = format!("{access:?}{:?}", access.config());
    assert!(!shown.contains("privatekey") && !shown.contains("ticket"), "{shown}");
}

#[tokio::test]
async fn a_new_configuration_is_for_those_who_come_after_it() {
    let config = Live::new(Config::default());
    let access = Access::new(Sessions::default(), config.clone(), Counted::default());
    let _session = access.admit(request(Purpose::Play, "")).await.unwrap();
    let mut closed = Config::default();
    closed.play.tokens = vec![Secret::new("new")];
    config.set(closed);
    assert!(access.admit(request(Purpose::Play, "")).await.is_err());
    assert!(access.admit(request(Purpose::Play, "token=new")).await.is_ok());
    assert_eq!(access.sessions().list().len(), 1, "who is in stays");
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_signature_if_that_is_wanted() {
    for ends in [false, true] {
        let mut config = config();
        config.sign_ends_sessions = ends;
        let expires = unix_now().as_secs() + 3600;
        let asked = request(Purpose::Publish, "");
        let subject = sign::Subject { name: &asked.name, uri: "", address: asked.peer.ip() };
        let secret = "nodemedia2017privatekey";
        let query = sign::sign(sign::Form::Nms, &subject, expires, secret, &config.secure_link);
        let access = Access::new(Sessions::default(), Live::new(config), Counted::default());
        let mut session = access.admit(Request { query, ..asked }).await.unwrap();
        let start = Instant::now();
        let stopped = std::future::poll_fn(|context| session.poll_stopped(context));
        let stopped = tokio::time::timeout(Duration::from_secs(7200), stopped).await;
        assert_eq!(stopped.is_ok(), ends);
        if ends {
            let after = start.elapsed().as_secs();
            assert!((3600..=3611).contains(&after), "with the skew: {after}");
        }
    }
}

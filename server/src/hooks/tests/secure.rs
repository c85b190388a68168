//! Hooks over https: who is believed, and what is said of those who are not.

use std::path::PathBuf;

use axum::{body::Body, http::Request as HttpRequest};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring::default_provider, pki_types::PrivateKeyDer};
use tempfile::TempDir;

use super::*;
use crate::hooks::{
    post::{Failure, Reply},
    trust::Trust,
};

/// An authority, and where its certificate is.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        Self::named("Ours")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn authorities(&self) -> Option<Authorities> {
        Some(Authorities::read(&self.file()).unwrap())
    }

    /// A server with a certificate for `name` that is valid in these years.
    fn acceptor(&self, name: &str, years: [i32; 2]) -> TlsAcceptor {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        // It would rather speak HTTP/2, which hooks do not.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// One that hooks should believe.
    async fn server(&self, mood: Mood) -> Server {
        Server::start(mood, Some(self.acceptor("127.0.0.1", VALID))).await
    }

    /// What hooks say that believe this authority only.
    async fn says_of(&self, url: &Url, limit: Duration) -> Result<Reply, Failure> {
        let (authorities, system) = (self.authorities(), System::default());
        let trust = Trust::new(authorities.as_ref(), &system);
        let request = HttpRequest::post("/").header("host", "h").body(Body::from("{}")).unwrap();
        Hosts::default().of(url).exchange(request, trust, Instant::now() + limit).await
    }

    /// Why they do not talk to it.
    async fn refuses(&self, url: &Url, limit: Duration) -> String {
        match self.says_of(url, limit).await {
            Err(Failure::Unreached(reason)) => reason,
            other => panic!("{url}: {other:?}"),
        }
    }
}

const VALID: [i32; 2] = [2020, 2090];

/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_server_that_the_authority_vouches_for_is_asked_and_told() {
    let authority = Authority::new();
    let server = authority.server(Mood::Says("0")).await;
    let hooks = hooks(Config { authorities: authority.authorities(), ..config(&server) });
    let started = ask(&hooks, Purpose::Publish, None).await.unwrap();
    drop(started);
    assert_eq!(server.until_actions(2).await, ["on_publish", "on_unpublish"]);
    let stats = hooks.stats();
    until(|| stats.waiting() == 0).await;
    assert_eq!(stats.of(Event::OnUnpublish, Outcome::Told), 1);
    assert!(server.requests()[0].starts_with("POST /hook?a=b HTTP/1.1\r\n"));
}

#[tokio::test]
async fn names_are_compared_as_well_as_addresses() {
    let authority = Authority::new();
    let tls = authority.acceptor("localhost", VALID);
    let server = Server::start(Mood::Says("0"), Some(tls)).await;
    let url = Url::parse(&format!("https://localhost:{}/", server.address.port())).unwrap();
    assert!(authority.says_of(&url, LONG).await.is_ok());
    let reason = authority.refuses(&server.url(), LONG).await;
    assert!(reason.contains("not for 127.0.0.1, but for"), "{reason}");
    assert!(reason.contains("localhost"), "{reason}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn who_is_not_to_be_believed_hears_nothing_and_the_reason_is_told() {
    let (ours, other, namesake) = (Authority::new(), Authority::named("Other"), Authority::new());
    let long_name = format!("{}.example", ["a"; 60].join(".").repeat(2).replace("aa", "a.a"));
    for (tls, expected) in [
        (other.acceptor("127.0.0.1", VALID), "nobody vouches for its certificate"),
        (namesake.acceptor("127.0.0.1", VALID), "there is one of that name"),
        (ours.acceptor("127.0.0.1", [2020, 2021]), "has expired (2021-01-01 00:00 UTC)"),
        (ours.acceptor("127.0.0.1", [2089, 2090]), "not valid before 2089-01-01"),
        (ours.acceptor("127.0.0.2", VALID), "not for 127.0.0.1, but for"),
        (ours.acceptor(&long_name, VALID), "not for 127.0.0.1, but for"),
    ] {
        let server = Server::start(Mood::Says("0"), Some(tls)).await;
        let reason = ours.refuses(&server.url(), LONG).await;
        assert!(reason.contains(expected), "{reason}");
        assert!(reason.chars().count() <= 401, "{reason}");
        let hooks = hooks(Config { authorities: ours.authorities(), ..config(&server) });
        let denied = ask(&hooks, Purpose::Play, None).await.unwrap_err();
        assert!(
            denied.reason == Reason::Unanswered && !denied.text.contains("certificate"),
            "{denied}"
        );
        assert_eq!(server.requests(), [""; 0]);
        assert_eq!(hooks.stats().waiting(), 0, "nothing has begun, and nothing ends");
    }
}

#[tokio::test]
async fn the_system_does_not_vouch_for_an_authority_of_ones_own() {
    let authority = Authority::new();
    let server = authority.server(Mood::Says("0")).await;
    let hooks = hooks(config(&server));
    assert!(ask(&hooks, Purpose::Play, None).await.unwrap_err().reason == Reason::Unanswered);
    assert_eq!(server.requests(), [""; 0]);
}

#[tokio::test]
async fn an_authority_that_poses_as_a_server_is_told_from_others() {
    let authority = Authority::new();
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(authority.file(), certificate.pem()).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let server = Server::start(Mood::Says("0"), Some(Arc::new(config).into())).await;
    let reason = authority.refuses(&server.url(), LONG).await;
    assert!(reason.contains("CA:FALSE"), "{reason}");
}

#[tokio::test]
async fn who_speaks_no_tls_or_stalls_or_floods_instead_is_bounded() {
    let authority = Authority::new();
    let url = |address: SocketAddr| Url::parse(&format!("https://{address}/")).unwrap();
    // It waits for a request that has an end.
    let silent = Server::new(Mood::Silent).await;
    let reason = authority.refuses(&url(silent.address), Duration::from_millis(100)).await;
    assert_eq!(reason, "no TLS with it in time");
    for (bytes, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not speak TLS"),
        (b"", "has closed the connection"),
        // Records that are allowed at any time and mean nothing.
        (&[[20, 3, 3, 0, 1, 1]; 20_000].concat(), "no TLS with it"),
        // A message that says it is longer than anybody waits for.
        (&[&[22, 3, 3, 64, 0, 2, 255, 255, 255][..], &[0; 70_000]].concat(), "TLS"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = bytes.to_vec();
        let task = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
            // Until the other side has had enough.
            while socket.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
        });
        let reason = authority.refuses(&url(address), LONG).await;
        assert!(reason.contains(expected), "{reason}");
        task.await.unwrap();
    }
}

#[tokio::test]
async fn nonsense_under_tls_is_bounded_like_any_other() {
    let authority = Authority::new();
    for mood in NONSENSE {
        let server = authority.server(mood).await;
        let hooks = hooks(Config { authorities: authority.authorities(), ..hasty(&server) });
        let denied = ask(&hooks, Purpose::Play, None).await.unwrap_err();
        assert!(denied.reason == Reason::Unanswered, "{mood:?}");
        assert_eq!(server.until_actions(2).await, ["on_play", "on_stop"], "{mood:?}");
    }
}

#[tokio::test]
async fn a_reload_takes_another_authority() {
    let (old, new) = (Authority::new(), Authority::new());
    let server = new.server(Mood::Says("0")).await;
    let with =
        |authority: &Authority| Config { authorities: authority.authorities(), ..config(&server) };
    let live = Live::new(with(&old));
    let hooks = Hooks::new(live.clone(), Shutdown::new());
    assert!(ask(&hooks, Purpose::Play, None).await.is_err());
    live.set(with(&new));
    assert!(ask(&hooks, Purpose::Play, None).await.is_ok());
}

//! What is said about files that are of no use, and what happens when they change.

use std::{fs, io::Write, net::TcpStream as Std, path::Path};

use tokio::net::{TcpListener, TcpStream};

use super::{testing::*, *};

fn load(cert: &str, key: &str) -> Result<Tls, Error> {
    let directory = tempfile::tempdir().unwrap();
    let (cert_file, key_file) =
        (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    fs::write(&cert_file, cert).unwrap();
    fs::write(&key_file, key).unwrap();
    Tls::load(Config { cert: Some(cert_file), key: Some(key_file), ..Config::default() })
}

fn complaint(cert: &str, key: &str) -> String {
    load(cert, key).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_said_with_the_file() {
    let (cert, key) = made(2090);
    let (other, _) = made(2090);
    for (certs, keys, file, words) in [
        ("", &key[..], "cert.pem: ", "there is no certificate in it"),
        (&key, &key, "cert.pem: ", "it seems to be the key"),
        ("0\u{2}", &key, "cert.pem: ", "there is no certificate in it"),
        (&cert, "", "key.pem: ", "it is empty"),
        (&cert, &cert, "key.pem: ", "it seems to be the certificate"),
        (&other, &key, "key.pem: ", "does not belong to the first certificate in"),
        (&format!("{other}{cert}"), &key, "key.pem: ", "it belongs to a later one"),
        (&cert.replace("MII", "M!I"), &key, "cert.pem: ", "no valid PEM"),
        (
            &cert,
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "key.pem: ",
            "the key is encrypted",
        ),
        (
            &cert,
            "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
            "key.pem: ",
            "the key cannot be used",
        ),
    ] {
        let said = complaint(certs, keys);
        assert!(said.contains(file) && said.contains(words), "{said:?} should say {words:?}");
    }
    let nowhere = Config { cert: Some("/nowhere/c.pem".into()), ..Config::default() };
    let said = Tls::load(nowhere).unwrap_err().to_string();
    assert!(said.starts_with("/nowhere/c.pem: cannot read it: "), "{said}");
    let endless = Config { cert: Some("/dev/zero".into()), ..Config::default() };
    assert!(matches!(Tls::load(endless), Err(Error::TooLarge { .. })));
    assert!(matches!(Tls::load(Config::default()), Err(Error::NoSource)));
    let both = Config { cert: Some("c.pem".into()), self_signed: true, ..Config::default() };
    assert!(matches!(Tls::load(both), Err(Error::TwoSources)));
}

#[test]
fn one_file_may_hold_both_and_an_expired_one_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("both.pem");
    let (cert, key) = made(2021);
    fs::write(&file, format!("{key}{cert}")).unwrap();
    let tls = Tls::load(Config { cert: Some(file), ..Config::default() }).unwrap();
    assert_eq!(tls.expires().unwrap().to_string(), "2021-01-01 00:00 UTC");
}

fn put(directory: &Path, (cert, key): (&str, &str)) {
    fs::write(directory.join("cert.pem"), cert).unwrap();
    fs::write(directory.join("key.pem"), key).unwrap();
}

#[test]
fn a_new_pair_is_used_and_a_broken_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let tls = Tls::load(renew(directory.path())).unwrap();
    let first = tls.fingerprint();
    tls.refresh();
    assert_eq!(tls.fingerprint(), first);

    let (cert, key) = made(2091);
    put(directory.path(), (&cert, "half of it"));
    for _ in 0..3 {
        tls.refresh();
        assert_eq!(tls.fingerprint(), first);
    }
    put(directory.path(), (&cert, &key));
    tls.refresh();
    assert_ne!(tls.fingerprint(), first);
    assert_eq!(tls.expires().unwrap().to_string(), "2091-01-01 00:00 UTC");

    let mut registry = prometheus_client::registry::Registry::default();
    registry.register_collector(Box::new(tls.clone()));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "tls_certificate_reloads_total{outcome=\"ok\"} 1\n",
        "tls_certificate_reloads_total{outcome=\"failed\"} 1\n",
        "tls_certificate_expiry_timestamp_seconds 3818448000\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn a_reload_may_name_other_files() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tls = Tls::load(renew(one.path())).unwrap();
    let first = tls.fingerprint();
    tls.set(renew(other.path()));
    tls.refresh();
    assert_ne!(tls.fingerprint(), first);
}

/// TLS with a certificate of its own, whose handshakes may take a tenth of a second.
fn hasty() -> Tls {
    let directory = tempfile::tempdir().unwrap();
    let handshake_timeout = Duration::from_millis(100);
    Tls::load(Config { handshake_timeout, handshakes: 1, ..renew(directory.path()) }).unwrap()
}

/// Both ends of a connection on which the far one has said something.
async fn pair(words: &[u8]) -> (TcpStream, Std) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut far = Std::connect(listener.local_addr().unwrap()).unwrap();
    far.write_all(words).unwrap();
    (listener.accept().await.unwrap().0, far)
}

#[tokio::test]
async fn a_handshake_that_goes_nowhere_is_cut() {
    let tls = hasty();
    // Silence, the beginning of a record, and a record that holds the beginning of a message.
    for words in [&b""[..], b"\x16\x03\x01", b"\x16\x03\x01\x00\x05\x01\x00\x10\x00\x03"] {
        let (near, _far) = pair(words).await;
        let outcome = tls.accept(near, Speaks::Http).await;
        assert!(matches!(outcome, Err(Refused::TimedOut)), "{words:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_is_no_tls_is_told_from_a_broken_handshake() {
    let tls = hasty();
    let (near, _far) = pair(b"GET / HTTP/1.1\r\n\r\n").await;
    let Err(Refused::Plain(near)) = tls.accept(near, Speaks::Http).await else { panic!() };
    let mut words = [0; 5];
    assert_eq!(near.try_read(&mut words).unwrap(), 5);
    assert_eq!(&words, b"GET /", "nothing of it was read");
    for words in [&b"\x16\x03\x01\x00\x04a\0\0\0"[..], b"\x16\x03\x01\xFF\xFF"] {
        let (near, mut far) = pair(words).await;
        let outcome = tls.accept(near, Speaks::Http).await;
        assert!(matches!(outcome, Err(Refused::Failed(_))), "{outcome:?}");
        let mut alert = Vec::new();
        std::io::Read::read_to_end(&mut far, &mut alert).unwrap();
        assert_eq!(alert.first(), Some(&0x15), "it is told why: {alert:?}");
    }
    let (near, far) = pair(b"").await;
    drop(far);
    assert!(matches!(tls.accept(near, Speaks::Http).await, Err(Refused::Failed(_))));
}

//! Certificates for tests.

use std::{fs, path::Path};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::Config;

/// A certificate for `localhost` and 127.0.0.1 that expires in this year, and its key, as PEM.
pub(crate) fn made(year: i32) -> (String, String) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Puts a new certificate and its key into `directory`, and says where they are.
pub(crate) fn renew(directory: &Path) -> Config {
    let (cert, key) = made(2090);
    let config = Config {
        cert: Some(directory.join("cert.pem")),
        key: Some(directory.join("key.pem")),
        ..Config::default()
    };
    fs::write(config.cert.as_ref().unwrap(), cert).unwrap();
    fs::write(config.key.as_ref().unwrap(), key).unwrap();
    config
}

//! `sign=<expiry>-<digest>`: Node-Media-Server's form.
//!
//! ```text
//! digest = hex(md5("/" app "/" stream "-" expiry "-" secret))        expiry in Unix seconds
//! ```
//!
//! The same for RTMP and HTTP: what ends in `.flv` over HTTP is signed without it.

use md5::{Digest, Md5};
use subtle::{Choice, ConstantTimeEq};

use super::{Failure, Subject, decimal, only};
use crate::hex::{hex, unhex};

/// What was read.
pub(super) struct Signed<'a> {
    pub(super) expires: u64,
    /// As written.
    expiry: &'a str,
    digest: [u8; 16],
}

/// The form's parameter, if it is there.
pub(super) fn read(query: &str) -> Result<Option<Signed<'_>>, Failure> {
    let Some(value) = only(query, "sign", "sign= is there twice")? else { return Ok(None) };
    let read = || {
        let (expiry, digest) = value.split_once('-')?;
        Some(Signed { expires: decimal(expiry)?, expiry, digest: unhex(digest)? })
    };
    let reason = "sign= is not <expiry in Unix seconds>-<md5 in hex>";
    read().map(Some).ok_or(Failure::Malformed { reason })
}

impl Signed<'_> {
    pub(super) fn digest(&self) -> &[u8] {
        &self.digest
    }

    pub(super) fn fits(&self, subject: &Subject<'_>, secret: &str) -> Choice {
        self.digest.ct_eq(&digest(subject, self.expiry, secret))
    }
}

/// The query that is good until `expires`.
pub(super) fn sign(subject: &Subject<'_>, expires: u64, secret: &str) -> String {
    let digest = digest(subject, &expires.to_string(), secret);
    format!("sign={expires}-{}", hex(&digest))
}

fn digest(subject: &Subject<'_>, expiry: &str, secret: &str) -> [u8; 16] {
    Md5::digest(format!("/{}-{expiry}-{secret}", subject.name)).into()
}

pub(super) const EXPECTED: &str = "sign= was made for (md5 of /app/stream-expiry-secret)";

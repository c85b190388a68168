//! `txSecret=<digest>&txTime=<expiry>`: Tencent Cloud's form, which WeChat's and TRTC's back ends issue.
//!
//! ```text
//! digest = hex(md5(secret stream expiry)) or hex(sha256(secret stream expiry))
//! ```
//!
//! The expiry is in Unix seconds, in hexadecimal, and is signed as it is written. The app is not signed. The digest's length
//! tells which of the two it is.
//!
//! Nothing stands between stream and expiry: were the expiry of any length, `room` with `17…` would have the signature of
//! `room17` with `…`. It has the eight digits of the years 1978 to 2106. Tencent allows decimal, too; ten of those digits
//! would bring the same back.

use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use super::{Failure, Subject, only};
use crate::hex::{hex, unhex};

/// What was read.
pub(super) struct Signed<'a> {
    pub(super) expires: u64,
    /// As written.
    expiry: &'a str,
    given: Given,
}

enum Given {
    Md5([u8; 16]),
    Sha256([u8; 32]),
}

/// The form's parameters, if they are there.
pub(super) fn read(query: &str) -> Result<Option<Signed<'_>>, Failure> {
    let secret = only(query, "txSecret", "txSecret= is there twice")?;
    let time = only(query, "txTime", "txTime= is there twice")?;
    let wrong = |reason| Err(Failure::Malformed { reason });
    let (digest, expiry) = match (secret, time) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return wrong("txTime= is there without txSecret="),
        (Some(_), None) => return wrong("txSecret= is there without txTime="),
        (Some(secret), Some(time)) => (secret, time),
    };
    let md5 = unhex(digest).map(Given::Md5);
    let Some(given) = md5.or_else(|| unhex(digest).map(Given::Sha256)) else {
        return wrong("txSecret= is neither an md5 nor a sha256 in hex");
    };
    let Some(expires) = time_of(expiry) else {
        return wrong("txTime= is not a time in Unix seconds, in eight digits of hex");
    };
    Ok(Some(Signed { expires, expiry, given }))
}

fn time_of(text: &str) -> Option<u64> {
    // `from_str_radix` takes a sign.
    let is_hex = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

impl Signed<'_> {
    pub(super) fn digest(&self) -> &[u8] {
        match &self.given {
            Given::Md5(digest) => digest,
            Given::Sha256(digest) => digest,
        }
    }

    pub(super) fn fits(&self, subject: &Subject<'_>, secret: &str) -> Choice {
        let signed = signed(subject, self.expiry, secret);
        match &self.given {
            Given::Md5(given) => given.ct_eq(&<[u8; 16]>::from(Md5::digest(signed))),
            Given::Sha256(given) => given.ct_eq(&<[u8; 32]>::from(Sha256::digest(signed))),
        }
    }
}

/// The query that is good until `expires`.
pub(super) fn sign(subject: &Subject<'_>, expires: u64, secret: &str) -> String {
    let expiry = format!("{expires:08X}");
    let digest: [u8; 16] = Md5::digest(signed(subject, &expiry, secret)).into();
    format!("txSecret={}&txTime={expiry}", hex(&digest))
}

fn signed(subject: &Subject<'_>, expiry: &str, secret: &str) -> String {
    format!("{secret}{}{expiry}", subject.name.stream())
}

pub(super) const EXPECTED: &str =
    "txSecret= was made for (md5 or sha256 of the secret, the stream without its app, and txTime)";

/// Of every expiry.
const DIGITS: usize = 8;

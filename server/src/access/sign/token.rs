//! `token=<value>`: a word that some know. It does not expire and is good for every stream.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{Failure, fits_any, only, text};

/// Whether the token is one of `tokens`; `false` without any.
///
/// # Errors
/// A token that is none of them.
pub(super) fn check(query: &str, tokens: &[&str]) -> Result<bool, Failure> {
    let Some(given) = only(query, "token", "token= is there twice")? else { return Ok(false) };
    let given = digest(&text::percent_decode(given));
    if fits_any(tokens, |token| fits(&given, token)) { Ok(true) } else { Err(Failure::Token) }
}

/// The query with this token.
pub(super) fn query(token: &str) -> String {
    format!("token={}", text::percent_encode(token, ""))
}

/// Digests are compared: the time it takes tells neither how much of a token is right nor how long it is.
fn fits(given: &[u8; 32], token: &str) -> Choice {
    given.ct_eq(&digest(&Cow::Borrowed(token.as_bytes())))
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

//! Signatures and tokens in the query of an address: the forms that back ends issue already, a file for each.
//!
//! Pure functions: the time is an argument, and nothing is looked up. What is compared with a secret's digest is compared in
//! constant time, with every secret, whichever fits.

mod nginx;
mod nms;
mod tencent;
mod text;
mod token;

#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr};

use pushpull_rtmp::StreamName;
use subtle::Choice;

use text::{Clock, Span};

pub use nginx::Template;
#[cfg(test)]
pub(super) use text::percent_decode;
pub(super) use text::percent_encode;

/// A form of signature, or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[non_exhaustive]
pub enum Form {
    /// `sign=<expiry>-<md5>`, as Node-Media-Server has it.
    Nms,
    /// `txSecret=<md5 or sha256>&txTime=<expiry>`, as Tencent Cloud has it.
    Tencent,
    /// `md5=<md5>&expires=<expiry>`, as nginx's `secure_link` has it.
    Nginx,
    /// `token=<one of those configured>`, which never expires.
    Token,
}

/// What is asked for, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The stream.
    pub name: &'a StreamName,
    /// Its path by the protocol it is asked for: `/app/stream` over RTMP, `/app/stream.flv` over HTTP and WebSockets. Only
    /// nginx's form signs it.
    pub uri: &'a str,
    /// The peer. Only nginx's form signs it.
    pub address: IpAddr,
}

/// What credentials are held against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Any of them may have signed. None: no signature is asked for.
    pub secrets: &'a [&'a str],
    /// Any of them will do. None: no token is asked for.
    pub tokens: &'a [&'a str],
    /// What nginx's form signs.
    pub secure_link: &'a Template,
    /// Seconds for which an expired signature is still good: clocks differ.
    pub skew: u64,
    /// The longest life in seconds that a signature may have left; 0 for any.
    pub max_life: u64,
}

/// A signature that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// Until when, in Unix seconds, without the skew.
    pub expires: u64,
    /// The digest, in whichever way it was written: what tells it from others that expire in the same second.
    pub digest: Box<[u8]>,
}

/// What is wrong with the credentials of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// There are none.
    Missing {
        /// Whether a signature would do.
        signature: bool,
        /// Whether a token would do.
        token: bool,
    },
    /// The parameters of a form are not as they should be.
    Malformed {
        /// What is wrong; no part of the query.
        reason: &'static str,
    },
    /// No secret has signed this.
    Wrong {
        /// The parameter that does not fit, and what it has to be.
        parameter: &'static str,
    },
    /// It was good once.
    Expired {
        /// Until when.
        expires: u64,
        /// The time it is.
        now: u64,
    },
    /// It would be good for longer than is accepted.
    TooLong {
        /// The seconds it has left.
        left: u64,
        /// The seconds it may have.
        max: u64,
    },
    /// It was good, for one.
    Used {
        /// Seconds since it was used.
        ago: u64,
    },
    /// As many are remembered as may be, and this one could not be.
    Full,
    /// The token is none of those configured.
    Token,
}

/// Whether the credentials in `query` (without `?`) are good for `subject` at `now`, in Unix seconds; the signature, if it is
/// one. Of several forms in one query one has to be good.
///
/// # Errors
/// [`Failure`] of the first form that is there.
pub fn check(
    subject: &Subject<'_>,
    query: &str,
    rules: &Rules<'_>,
    now: u64,
) -> Result<Option<Good>, Failure> {
    let (signature, token) = (!rules.secrets.is_empty(), !rules.tokens.is_empty());
    if !signature && !token {
        return Ok(None);
    }
    let mut failure = None;
    if signature {
        let forms = [
            nms::read(query).map(|read| read.map(Signed::Nms)),
            tencent::read(query).map(|read| read.map(Signed::Tencent)),
            nginx::read(query).map(|read| read.map(Signed::Nginx)),
        ];
        for form in forms {
            let outcome = match form {
                Ok(None) => continue,
                Ok(Some(signed)) => signed.check(subject, rules, now),
                Err(failure) => Err(failure),
            };
            match outcome {
                Ok(good) => return Ok(Some(good)),
                Err(other) => failure = failure.or(Some(other)),
            }
        }
    }
    if token {
        match token::check(query, rules.tokens) {
            Ok(true) => return Ok(None),
            Ok(false) => {}
            Err(other) => failure = failure.or(Some(other)),
        }
    }
    Err(failure.unwrap_or(Failure::Missing { signature, token }))
}

/// The query that [`check`] takes for `subject` until `expires`. For a token, `secret` is the token.
pub fn sign(
    form: Form,
    subject: &Subject<'_>,
    expires: u64,
    secret: &str,
    secure_link: &Template,
) -> String {
    match form {
        Form::Nms => nms::sign(subject, expires, secret),
        Form::Tencent => tencent::sign(subject, expires, secret),
        Form::Nginx => nginx::sign(subject, expires, secret, secure_link),
        Form::Token => token::query(secret),
    }
}

/// A signature of any form, as it was read.
enum Signed<'a> {
    Nms(nms::Signed<'a>),
    Tencent(tencent::Signed<'a>),
    Nginx(nginx::Signed<'a>),
}

impl Signed<'_> {
    /// Who has not signed is not told anything about the time.
    fn check(&self, subject: &Subject<'_>, rules: &Rules<'_>, now: u64) -> Result<Good, Failure> {
        let fits = |secret: &str| match self {
            Self::Nms(signed) => signed.fits(subject, secret),
            Self::Tencent(signed) => signed.fits(subject, secret),
            Self::Nginx(signed) => signed.fits(subject, secret, rules.secure_link),
        };
        if !fits_any(rules.secrets, fits) {
            let parameter = match self {
                Self::Nms(_) => nms::EXPECTED,
                Self::Tencent(_) => tencent::EXPECTED,
                Self::Nginx(_) => nginx::EXPECTED,
            };
            return Err(Failure::Wrong { parameter });
        }
        let (expires, digest) = match self {
            Self::Nms(signed) => (signed.expires, signed.digest()),
            Self::Tencent(signed) => (signed.expires, signed.digest()),
            Self::Nginx(signed) => (signed.expires, signed.digest()),
        };
        if now > expires.saturating_add(rules.skew) {
            return Err(Failure::Expired { expires, now });
        }
        let left = expires.saturating_sub(now);
        if rules.max_life > 0 && left > rules.max_life.saturating_add(rules.skew) {
            return Err(Failure::TooLong { left, max: rules.max_life });
        }
        Ok(Good { expires, digest: digest.into() })
    }
}

/// Whether one of the secrets fits. All are tried: how long it takes does not tell which.
fn fits_any(secrets: &[&str], fits: impl Fn(&str) -> Choice) -> bool {
    secrets.iter().fold(Choice::from(0), |found, secret| found | fits(secret)).into()
}

/// The value of a parameter as it is written.
///
/// # Errors
/// When it is there twice: which of the two is meant is a matter of taste, and other programs on the way may have another.
fn only<'a>(query: &'a str, key: &str, twice: &'static str) -> Result<Option<&'a str>, Failure> {
    let mut values = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key).then_some(value)
    });
    let value = values.next();
    match values.next() {
        Some(_) => Err(Failure::Malformed { reason: twice }),
        None => Ok(value),
    }
}

/// Unix seconds in decimal, as they are written: no sign, no zeros in front.
fn decimal(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    (is_plain && text.len() <= MAX_DIGITS).then(|| text.parse().ok()).flatten()
}

/// More digits than any time that is meant: 30000 years.
const MAX_DIGITS: usize = 12;

impl Failure {
    /// Its name in the API, the metrics and the log.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "signature_missing",
            Self::Malformed { .. } | Self::Wrong { .. } => "signature_wrong",
            Self::Expired { .. } => "signature_expired",
            Self::TooLong { .. } => "signature_too_long",
            Self::Used { .. } => "signature_used",
            Self::Full => "signatures_full",
            Self::Token => "token_wrong",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Missing { signature: true, token: true } => {
                f.write_str("a signature or a token is needed: sign=, txSecret= and txTime=, md5= and expires=, or token=")
            }
            Self::Missing { signature: true, token: false } => {
                f.write_str("a signature is needed: sign=, txSecret= and txTime=, or md5= and expires=")
            }
            Self::Missing { .. } => f.write_str("a token is needed: token="),
            Self::Malformed { reason } => f.write_str(reason),
            Self::Wrong { parameter } => {
                write!(f, "wrong signature: another secret, name or expiry than {parameter}")
            }
            Self::Expired { expires, now } => {
                let ago = Span(now.saturating_sub(expires));
                write!(f, "signature expired {ago} ago (server time {})", Clock(now))
            }
            Self::TooLong { left, max } => write!(
                f,
                "signature is good for {} more, over the {} that are accepted (sign_max_life)",
                Span(left),
                Span(max)
            ),
            Self::Used { ago } => {
                write!(f, "signature was used {} ago, and is good for one only (sign_once)", Span(ago))
            }
            Self::Full => f.write_str(
                "too many signatures are remembered to know that this one was not used (max_signatures)",
            ),
            Self::Token => f.write_str("wrong token"),
        }
    }
}

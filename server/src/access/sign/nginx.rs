//! `md5=<digest>&expires=<expiry>`: the form of nginx's `secure_link` module.
//!
//! ```text
//! digest = base64url(md5(expression))        without padding, not in hex; expiry in Unix seconds
//! ```
//!
//! The expression is a [`Template`]. With the peer's address in it, an address is good for one peer only.

use md5::{Digest, Md5};
use subtle::{Choice, ConstantTimeEq};

use super::{Failure, Subject, decimal, only, text};

/// What is signed: text with `{expires}`, `{uri}`, `{address}` and `{secret}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Expires,
    Uri,
    Address,
    Secret,
}

impl Template {
    /// As in nginx's documentation.
    pub const DEFAULT: &'static str = "{expires}{uri}{address} {secret}";

    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it. One that leaves out the expiry, the path or the secret would let anybody change them.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match name {
                "expires" => Part::Expires,
                "uri" => Part::Uri,
                "address" => Part::Address,
                "secret" => Part::Secret,
                _ => {
                    return Err(
                        "only {expires}, {uri}, {address} and {secret} may stand in braces"
                            .to_owned(),
                    );
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        for (part, name) in
            [(Part::Expires, "{expires}"), (Part::Uri, "{uri}"), (Part::Secret, "{secret}")]
        {
            if !parts.contains(&part) {
                return Err(format!(
                    "{name} is missing: write what nginx signs with {{expires}} for $secure_link_expires, {{uri}} for \
                     $uri, {{address}} for $remote_addr and {{secret}} for the secret, such as {:?}",
                    Template::DEFAULT
                ));
            }
        }
        Ok(Template(parts))
    }

    /// Whether the peer's address is signed.
    pub fn has_address(&self) -> bool {
        self.0.contains(&Part::Address)
    }

    pub(super) fn fill(&self, subject: &Subject<'_>, expires: &str, secret: &str) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Expires => filled.push_str(expires),
                Part::Uri => filled.push_str(subject.uri),
                Part::Address => filled.push_str(&subject.address.to_canonical().to_string()),
                Part::Secret => filled.push_str(secret),
            }
        }
        filled
    }
}

impl Default for Template {
    fn default() -> Template {
        Template::parse(Template::DEFAULT).expect("the default is a template, which a test reads")
    }
}

/// What was read.
pub(super) struct Signed<'a> {
    pub(super) expires: u64,
    /// As written.
    expiry: &'a str,
    digest: &'a str,
}

/// The form's parameters, if they are there. `expires` alone may be anybody's.
pub(super) fn read(query: &str) -> Result<Option<Signed<'_>>, Failure> {
    let Some(digest) = only(query, "md5", "md5= is there twice")? else { return Ok(None) };
    let wrong = |reason| Err(Failure::Malformed { reason });
    let Some(expiry) = only(query, "expires", "expires= is there twice")? else {
        return wrong("md5= is there without expires=");
    };
    let Some(expires) = decimal(expiry) else {
        return wrong("expires= is not a time in Unix seconds");
    };
    // Padded or not: makers differ.
    let padding = ["==", "%3D%3D"];
    let digest = padding.iter().find_map(|end| digest.strip_suffix(end)).unwrap_or(digest);
    if digest.len() != text::BASE64_MD5_LEN {
        return wrong("md5= is not an md5 in base64url (22 letters; it is not in hex)");
    }
    Ok(Some(Signed { expires, expiry, digest }))
}

impl Signed<'_> {
    pub(super) fn digest(&self) -> &[u8] {
        self.digest.as_bytes()
    }

    pub(super) fn fits(&self, subject: &Subject<'_>, secret: &str, template: &Template) -> Choice {
        let digest = digest(subject, self.expiry, secret, template);
        self.digest.as_bytes().ct_eq(digest.as_bytes())
    }
}

/// The query that is good until `expires`.
pub(super) fn sign(
    subject: &Subject<'_>,
    expires: u64,
    secret: &str,
    template: &Template,
) -> String {
    let expiry = expires.to_string();
    format!("md5={}&expires={expiry}", digest(subject, &expiry, secret, template))
}

fn digest(subject: &Subject<'_>, expires: &str, secret: &str, template: &Template) -> String {
    let digest: [u8; 16] = Md5::digest(template.fill(subject, expires, secret)).into();
    text::base64url(&digest)
}

pub(super) const EXPECTED: &str =
    "md5= was made for, or another address of the peer (what is signed is the key secure_link)";

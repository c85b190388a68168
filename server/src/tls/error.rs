//! What can be wrong with a certificate and its key.

use std::{io, path::PathBuf};

/// Why a certificate cannot be used: each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is a listener for TLS and nothing to show to those who come.
    #[error("there is no certificate: set tls_cert and tls_key, or tls_self_signed")]
    NoSource,
    /// Two certificates are asked for.
    #[error("tls_cert and tls_self_signed are both set: which of them is meant?")]
    TwoSources,
    /// A file cannot be read.
    #[error("{}: cannot read it: {cause}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is larger than any of its kind.
    #[error("{}: it is too large to be a certificate or a key", file.display())]
    TooLarge {
        /// Which.
        file: PathBuf,
    },
    /// There is no certificate in the file.
    #[error("{}: there is no certificate in it: a PEM file has lines that say BEGIN CERTIFICATE{hint}", file.display())]
    NoCertificate {
        /// Which.
        file: PathBuf,
        /// What it seems to be.
        hint: &'static str,
    },
    /// There is no key in the file.
    #[error("{}: there is no key in it: a PEM file has a line that says BEGIN PRIVATE KEY{hint}", file.display())]
    NoKey {
        /// Which.
        file: PathBuf,
        /// What it seems to be.
        hint: &'static str,
    },
    /// The key is locked.
    #[error("{}: the key is encrypted, and there is nobody to type its password: `openssl pkey` writes it without", file.display())]
    Encrypted {
        /// Which.
        file: PathBuf,
    },
    /// What is between the lines is damaged.
    #[error("{}: it is no valid PEM: {reason}", file.display())]
    BadPem {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key cannot be used.
    #[error("{}: the key cannot be used: {reason}", file.display())]
    BadKey {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The certificate cannot be used.
    #[error("{}: the certificate cannot be used: {reason}", file.display())]
    BadCertificate {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The key is another's.
    #[error("{}: this key does not belong to the first certificate in {}{hint}", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's.
        key: PathBuf,
        /// What may have happened.
        hint: &'static str,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {reason}")]
    NotMade {
        /// Why.
        reason: String,
    },
}

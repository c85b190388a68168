//! A certificate and its key, read from files.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::ring::{Ticketer, default_provider},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::NoServerSessionStorage,
    sign::{CertifiedKey, SingleCertAndKey},
};
use sha2::{Digest, Sha256};
use tracing::warn;

use super::{
    Error, Source,
    der::{Validity, validity},
    self_signed,
};
use crate::time::Moment;

/// A certificate with its key, which belong together.
pub struct Pair {
    certified: Arc<CertifiedKey>,
    /// The certificate's file, for messages.
    file: PathBuf,
    /// When it is valid, if that was understood.
    pub validity: Option<Validity>,
    /// Of everything in the files.
    digest: [u8; 32],
}

impl Pair {
    /// Reads what `source` has; makes it, if that is what it says.
    ///
    /// # Errors
    /// [`Error`]
    pub fn load(source: &Source) -> Result<Self, Error> {
        match source {
            Source::Files { cert, key } => Self::parse(cert, &read(cert)?, key, &read(key)?),
            Source::SelfSigned { file } => {
                let text = self_signed::load(file)?;
                Self::parse(file, text.as_bytes(), file, text.as_bytes())
            }
        }
    }

    fn parse(cert: &Path, certs: &[u8], key: &Path, keys: &[u8]) -> Result<Self, Error> {
        let chain = chain(cert, certs)?;
        let provider = default_provider();
        let signing = provider
            .key_provider
            .load_private_key(private_key(key, keys)?)
            .map_err(|error| Error::BadKey { file: key.into(), reason: error.to_string() })?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            // Not to know is no reason to refuse.
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                let hint = hint_of_mismatch(&certified);
                return Err(Error::Mismatch { cert: cert.into(), key: key.into(), hint });
            }
            Err(error) => {
                let reason = error.to_string();
                return Err(Error::BadCertificate { file: cert.into(), reason });
            }
        }
        let validity = certified.cert.first().and_then(|first| validity(first));
        let digest = Sha256::new().chain_update(certs).chain_update(keys).finalize().into();
        Ok(Self { certified: Arc::new(certified), file: cert.into(), validity, digest })
    }

    /// Whether it was read from the same bytes.
    pub fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Says what is wrong with it without being a reason not to use it.
    pub fn warn(&self) {
        let Some(Validity { from, until }) = self.validity else { return };
        let (file, now) = (self.file.display(), Moment::now());
        if until < now {
            warn!("{file}: the certificate has expired ({until}): browsers and encoders refuse it");
        } else if from > now {
            warn!("{file}: the certificate is not valid before {from}: is the clock right?");
        } else if until < now.after(SOON) {
            warn!("{file}: the certificate expires soon ({until})");
        }
    }

    /// SHA-256 of the certificate, in the form in which browsers show it.
    pub fn fingerprint(&self) -> String {
        let der = self.certified.cert.first().map_or(&[][..], |first| first);
        let bytes = Sha256::digest(der);
        bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// What handshakes are made with; `protocols` are offered by ALPN, the first that the peer knows is taken.
    ///
    /// # Errors
    /// No random bytes.
    pub fn server_config(&self, protocols: &[&[u8]]) -> Result<Arc<ServerConfig>, Error> {
        let failed = |error: rustls::Error| Error::BadCertificate {
            file: self.file.clone(),
            reason: error.to_string(),
        };
        let resolver = SingleCertAndKey::from(self.certified.clone());
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        // Who comes back brings what we told it, sealed: nothing is kept here for those who may never come. One ticket is
        // enough: players open one connection, and one more for the page.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().map_err(failed)?;
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }
}

/// The certificates in a PEM file; there is one at least.
///
/// # Errors
/// [`Error`]
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    chain(file, &read(file)?)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|opened| {
        // What is no file at all may never end.
        opened.take(FILE_MAX + 1).read_to_end(&mut bytes)
    });
    opened.map_err(|cause| Error::Unreadable { file: file.into(), cause })?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(Error::TooLarge { file: file.into() });
    }
    Ok(bytes)
}

fn chain(file: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::BadPem { file: file.into(), reason: error.to_string() })?;
    if chain.is_empty() {
        return Err(Error::NoCertificate { file: file.into(), hint: hint(bytes) });
    }
    Ok(chain)
}

fn private_key(file: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    let says = |words: &[u8]| bytes.windows(words.len()).any(|found| found == words);
    if says(b"BEGIN ENCRYPTED PRIVATE KEY") || says(b"Proc-Type: 4,ENCRYPTED") {
        return Err(Error::Encrypted { file: file.into() });
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(bytes);
    match keys.next() {
        Some(Ok(key)) => Ok(key),
        Some(Err(error)) => Err(Error::BadPem { file: file.into(), reason: error.to_string() }),
        None => Err(Error::NoKey { file: file.into(), hint: hint(bytes) }),
    }
}

/// What a file seems to be that is not what it should be.
fn hint(bytes: &[u8]) -> &'static str {
    let says = |words: &[u8]| bytes.windows(words.len()).any(|found| found == words);
    if bytes.starts_with(&[0x30, 0x82]) {
        "; it seems to be DER, which `openssl x509 -inform der` or `openssl pkey -inform der` turns into PEM"
    } else if says(b"PRIVATE KEY-----") {
        "; it seems to be the key"
    } else if says(b"BEGIN CERTIFICATE-----") {
        "; it seems to be the certificate"
    } else if bytes.is_empty() {
        "; it is empty"
    } else {
        ""
    }
}

/// Why a key may not belong to the first certificate of a chain.
fn hint_of_mismatch(certified: &CertifiedKey) -> &'static str {
    let belongs = |cert: &CertificateDer<'static>| {
        CertifiedKey::new(vec![cert.clone()], certified.key.clone()).keys_match().is_ok()
    };
    if certified.cert.iter().skip(1).any(belongs) {
        ": it belongs to a later one. The server's own comes first, then those that vouch for it"
    } else {
        ""
    }
}

/// No certificate is so large, with all that vouch for it.
const FILE_MAX: u64 = 1 << 20;

/// Certificates are renewed a month before they expire.
const SOON: Duration = Duration::from_secs(7 * 86_400);

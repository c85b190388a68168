//! Who vouches for hook servers over https: the authorities that the configuration names, or those that the system trusts.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, crypto::ring::default_provider, pki_types::CertificateDer,
};
use rustls_native_certs::{CertificateResult, load_native_certs};
use tokio::{sync::Mutex, task::spawn_blocking};
use tracing::{debug, warn};

use crate::tls;

/// Authorities out of a file. It is read when the configuration is.
#[derive(Clone)]
pub struct Authorities {
    file: PathBuf,
    certificates: Vec<CertificateDer<'static>>,
    client: Arc<ClientConfig>,
}

impl Authorities {
    /// Reads the certificates in `file`, all of which have to be of use.
    ///
    /// # Errors
    /// It names the file and what is wrong with it.
    pub fn read(file: &Path) -> Result<Self, tls::Error> {
        let certificates = tls::certificates(file)?;
        let unusable = |error: rustls::Error| tls::Error::BadCertificate {
            file: file.into(),
            reason: error.to_string(),
        };
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(unusable)?;
        }
        let client = client(roots).map_err(unusable)?;
        Ok(Self { file: file.into(), certificates, client })
    }
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.certificates == other.certificates
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({}: {})", self.file.display(), self.certificates.len())
    }
}

/// Those that the system trusts. They are not looked for before they are needed, and once only if there are any.
#[derive(Clone, Debug, Default)]
pub(super) struct System(Arc<Mutex<Option<Arc<ClientConfig>>>>);

impl System {
    /// Looks for them, and tells if there are none.
    pub(super) async fn look(self) {
        if let Err(reason) = self.client().await {
            warn!("hooks over https will fail: {reason}");
        }
    }

    /// They may lie on a disk that is slow to answer: one looks for them at a time, for as long as that takes, and nobody
    /// has to wait for it.
    async fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let mut known = self.0.clone().lock_owned().await;
        if let Some(client) = &*known {
            return Ok(client.clone());
        }
        let search = spawn_blocking(move || {
            let client = chosen(load_native_certs())?;
            *known = Some(client.clone());
            Ok(client)
        });
        search.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// Those that count at present.
#[derive(Clone, Copy)]
pub(super) struct Trust<'a> {
    authorities: Option<&'a Authorities>,
    system: &'a System,
}

impl<'a> Trust<'a> {
    pub(super) fn new(authorities: Option<&'a Authorities>, system: &'a System) -> Self {
        Self { authorities, system }
    }

    /// What connections are made with.
    ///
    /// # Errors
    /// A sentence that says why there is nobody to trust.
    pub(super) async fn client(self) -> Result<Arc<ClientConfig>, String> {
        match self.authorities {
            Some(authorities) => Ok(authorities.client.clone()),
            None => self.system.client().await,
        }
    }
}

impl fmt::Display for Trust<'_> {
    /// Where it is from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.authorities {
            Some(authorities) => write!(f, "{} (hook_ca)", authorities.file.display()),
            None => f.write_str("what this system trusts (hook_ca is not set)"),
        }
    }
}

/// What is of use among what was found; systems have some that are not.
fn chosen(found: CertificateResult) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(found.certs);
    debug!(added, ignored, errors = ?found.errors, "looked for the authorities that the system trusts");
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(format!(
            "there are no authorities on this system that could vouch for a hook server{why}: install ca-certificates, or \
             name a file of them with hook_ca"
        ));
    }
    client(roots).map_err(|error| error.to_string())
}

fn client(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(client))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_trusts_nobody_says_what_to_do() {
        let error = chosen(CertificateResult::default()).unwrap_err();
        assert!(error.contains("hook_ca") && error.contains("ca-certificates"), "{error}");
    }

    #[test]
    fn files_that_are_of_no_use_are_told_with_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let read = || Authorities::read(&file).unwrap_err().to_string();
        assert!(read().contains("cannot read it"), "{}", read());
        for (text, expected) in [
            ("", "no certificate in it; it is empty|it is empty"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "no valid PEM"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = read();
            assert!(error.contains("ca.pem"), "{error}");
            assert!(expected.split('|').any(|part| error.contains(part)), "{text}: {error}");
        }
    }

    #[test]
    fn they_are_the_same_as_long_as_the_file_has_the_same_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Authorities::read(&file).unwrap()
        };
        let (first, second) = (tls::testing::made(2090).0, tls::testing::made(2090).0);
        assert!(read(&first) == read(&first) && read(&first) != read(&second));
    }
}

//! TLS from the client's side: certificates to serve with, and tunnels for those who know nothing of it.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::{ring::default_provider, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    },
};

/// A certificate for `localhost` and 127.0.0.1, and its key.
#[derive(Clone)]
pub struct Certificate {
    cert: String,
    key: String,
}

impl Certificate {
    /// One that nobody has seen before.
    pub fn new() -> Result<Certificate> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate()?;
        let cert = CertificateParams::new(names)?.self_signed(&key)?.pem();
        Ok(Certificate { cert, key: key.serialize_pem() })
    }

    /// Puts both into a folder, as `cert.pem` and `key.pem`, and returns these files.
    pub fn write(&self, folder: &Path) -> Result<[String; 2]> {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert, &self.cert)?;
        std::fs::write(&key, &self.key)?;
        Ok([cert, key].map(|path| path.display().to_string()))
    }

    /// The same, and returns the flags that name them.
    pub fn put(&self, folder: &Path) -> Result<[String; 4]> {
        let [cert, key] = self.write(folder)?;
        Ok(["--tls-cert".to_owned(), cert, "--tls-key".to_owned(), key])
    }

    /// Shakes hands with a server that must show this certificate.
    pub async fn connect(&self, server: SocketAddr) -> Result<TlsStream<TcpStream>> {
        connect(server, &self.cert).await
    }

    /// An address at which everything is passed on to `server` under TLS. The server must show this certificate.
    pub async fn tunnel(&self, server: SocketAddr) -> Result<SocketAddr> {
        Trust::only(&self.cert)?.tunnel(server, None).await
    }
}

/// Shakes hands with a server that must show the certificate in `pem`.
pub async fn connect(server: SocketAddr, pem: &str) -> Result<TlsStream<TcpStream>> {
    shake_hands(&Trust::only(pem)?.config(None)?, server).await
}

/// The certificates of which a server must show one, at the moment it does. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Trust(Arc<Mutex<Vec<CertificateDer<'static>>>>);

impl Trust {
    fn only(pem: &str) -> Result<Trust> {
        let trust = Trust::default();
        trust.add(pem)?;
        Ok(trust)
    }

    /// Trusts `certificate`, too, from now on. Of those before it only the newest `kept` stay.
    pub fn turn_to(&self, certificate: &Certificate, kept: usize) -> Result<()> {
        self.add(&certificate.cert)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = all.len().saturating_sub(kept + 1);
        all.drain(..gone);
        Ok(())
    }

    fn add(&self, pem: &str) -> Result<()> {
        let added = CertificateDer::from_pem_slice(pem.as_bytes()).context("a certificate")?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(added);
        Ok(())
    }

    /// An address at which everything is passed on to `server` under TLS, speaking `protocol` (ALPN) if there is one.
    /// Those who come through it resume sessions as a browser does.
    pub async fn tunnel(&self, server: SocketAddr, protocol: Option<&str>) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let config = self.config(protocol)?;
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let config = config.clone();
                tokio::spawn(async move {
                    // Who came in sees only that the connection is closed.
                    match shake_hands(&config, server).await {
                        Ok(mut far) => drop(copy_bidirectional(&mut near, &mut far).await),
                        Err(error) => eprintln!("the tunnel to {server}: {error:#}"),
                    }
                });
            }
        });
        Ok(address)
    }

    fn config(&self, protocol: Option<&str>) -> Result<Arc<ClientConfig>> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.clone()))
            .with_no_client_auth();
        config.alpn_protocols = protocol.map(|name| name.as_bytes().to_vec()).into_iter().collect();
        Ok(Arc::new(config))
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut roots = RootCertStore::empty();
        for trusted in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            roots.add(trusted.clone())?;
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = default_provider().signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

async fn shake_hands(
    config: &Arc<ClientConfig>,
    server: SocketAddr,
) -> Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(server).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    let stream = TlsConnector::from(config.clone()).connect(name, tcp).await?;
    let agreed = stream.get_ref().1.alpn_protocol();
    ensure!(agreed == config.alpn_protocols.first().map(Vec::as_slice), "agreed on {agreed:?}");
    Ok(stream)
}

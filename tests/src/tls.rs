//! TLS from the client's side: certificates to serve with, and tunnels for those who know nothing of it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// A certificate for `localhost` and 127.0.0.1, and its key.
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

    /// Puts both into a folder, as `cert.pem` and `key.pem`, and returns the flags that name them.
    pub fn put(&self, folder: &Path) -> Result<[String; 4]> {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert, &self.cert)?;
        std::fs::write(&key, &self.key)?;
        let text = |path: PathBuf| path.display().to_string();
        Ok(["--tls-cert".to_owned(), text(cert), "--tls-key".to_owned(), text(key)])
    }

    /// Shakes hands with a server that must show this certificate.
    pub async fn connect(&self, server: SocketAddr) -> Result<TlsStream<TcpStream>> {
        connect(server, &self.cert).await
    }

    /// An address at which everything is passed on to `server` under TLS. The server must show this certificate.
    pub async fn tunnel(&self, server: SocketAddr) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let cert = self.cert.clone();
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let cert = cert.clone();
                tokio::spawn(async move {
                    // What goes wrong is seen by who came in: the connection is closed.
                    if let Ok(mut far) = connect(server, &cert).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Ok(address)
    }
}

/// Shakes hands with a server that must show the certificate in `pem`.
pub async fn connect(server: SocketAddr, pem: &str) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).context("a certificate")?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(server).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("localhost")?;
    Ok(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
}

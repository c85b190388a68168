//! TLS with a hook server, and why there is none, in words for those who run both.

use std::{io, time::Duration};

use rustls::{
    CertificateError,
    pki_types::{ServerName, UnixTime},
};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    post::{Bounded, Failure, chain},
    trust::Trust,
};
use crate::time::Moment;

/// Shakes hands with the hook server at the other end of `socket`, which has to have a certificate for `name`.
///
/// Nobody has heard of anything before that is done.
pub(super) async fn secure(
    socket: Bounded,
    name: &ServerName<'static>,
    trust: Trust<'_>,
    deadline: Instant,
) -> Result<TlsStream<Bounded>, Failure> {
    let shake = async {
        let connector = TlsConnector::from(trust.client().await?);
        let shaken = connector.connect(name.clone(), socket).await;
        shaken.map_err(|error| why(&error, name, trust))
    };
    match timeout_at(deadline, shake).await {
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(reason)) => Err(Failure::Unreached(brief(reason))),
        Err(_) => Err(Failure::Unreached("no TLS with it in time".to_owned())),
    }
}

fn why(error: &io::Error, name: &ServerName<'static>, trust: Trust<'_>) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(error)) => why_not(error, name, trust),
        Some(rustls::Error::InvalidMessage(_)) => "it does not speak TLS".to_owned(),
        Some(rustls::Error::AlertReceived(alert)) => format!("it wants no TLS with us: {alert:?}"),
        Some(error) => format!("no TLS with it: {error}"),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it has closed the connection instead of shaking hands (TLS)".to_owned()
        }
        None => format!("no TLS with it: {}", chain(error)),
    }
}

/// What is wrong with a certificate.
fn why_not(error: &CertificateError, name: &ServerName<'static>, trust: Trust<'_>) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("its certificate has expired ({})", moment(*not_after))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("its certificate is not valid before {}: is the clock right?", moment(*not_before))
        }
        CertificateError::UnknownIssuer => {
            format!("nobody vouches for its certificate who is known from {trust}")
        }
        CertificateError::BadSignature => format!(
            "nobody vouches for its certificate who is known from {trust}: there is one of that name, whose signature does not fit"
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = match presented.as_slice() {
                [] => "nobody".to_owned(),
                names => names.join(", "),
            };
            format!("its certificate is not for {}, but for {names}", name.to_str())
        }
        CertificateError::Other(error) if error.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is an authority's, which is not to be shown by a server: make it with CA:FALSE".to_owned()
        }
        error => format!("its certificate is not accepted: {error}"),
    }
}

fn moment(time: UnixTime) -> Moment {
    Moment::of_unix(Duration::from_secs(time.as_secs()))
}

/// As much of it as belongs into a log: some of it may be the hook server's words.
fn brief(mut reason: String) -> String {
    if let Some((end, _)) = reason.char_indices().nth(MAX_REASON) {
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

/// Characters; a certificate may be for a thousand names.
const MAX_REASON: usize = 400;

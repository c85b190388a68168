//! A certificate that nobody vouches for: a phone's browser asks once, and has a secure context from then on.
//!
//! It is kept in a file, key and all, so that what was accepted once is the same tomorrow. Above the PEM stands what it is
//! for; when the machine has an address that is not in it, or its end is near, another is made. Addresses from before stay
//! in it: a laptop that goes to the office and back shows the same at home as before.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    net::{IpAddr, Ipv6Addr},
    path::Path,
    time::Duration,
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use tracing::warn;

use super::Error;
use crate::{lan, time::Moment};

/// The certificate in `file`, or a new one, which is put there.
///
/// # Errors
/// There is something else in the file, which is not overwritten; or it cannot be read or written.
pub fn load(file: &Path) -> Result<String, Error> {
    let names = names();
    let unusable = |cause| Error::Unreadable { file: file.into(), cause };
    let kept = match fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(error)),
    };
    let mut old = BTreeSet::new();
    if let Some(text) = kept {
        let Some(note) = Note::read(&text) else {
            let reason = "it was not made by this server, which leaves it alone".to_owned();
            return Err(Error::BadCertificate { file: file.into(), reason });
        };
        if note.names.is_superset(&names) && note.until > Moment::now().after(RENEW) {
            return Ok(text);
        }
        old = note.names;
    }
    let mut all = names;
    // The newest addresses are the ones that count.
    let room = NAMES_MAX.saturating_sub(all.len());
    let old: Vec<String> = old.difference(&all).take(room).cloned().collect();
    all.extend(old);
    let text = make(all)?;
    write(file, &text).map_err(unusable)?;
    Ok(text)
}

/// What stands above the PEM.
struct Note {
    names: BTreeSet<String>,
    until: Moment,
}

impl Note {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let names = lines.find_map(|line| line.strip_prefix(NAMES))?;
        let until = lines.find_map(|line| line.strip_prefix(UNTIL))?.trim().parse().ok()?;
        let names = names.split_whitespace().map(str::to_owned).collect();
        Some(Self { names, until: Moment(until) })
    }
}

/// A certificate for `names`, its key, and a note about both.
fn make(names: BTreeSet<String>) -> Result<String, Error> {
    let failed = |error: rcgen::Error| Error::NotMade { reason: error.to_string() };
    let mut params =
        CertificateParams::new(names.iter().cloned().collect::<Vec<_>>()).map_err(failed)?;
    let mut subject = DistinguishedName::new();
    let host = host_name().unwrap_or_else(|| "localhost".to_owned());
    subject.push(DnType::CommonName, format!("Pushpull on {host}"));
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = Moment::now();
    // A phone's clock may be behind.
    let (from, until) = (Moment(now.0 - DAY), now.after(LIFE));
    let date = |moment: Moment| {
        let (year, month, day) = moment.date();
        date_time_ymd(year as i32, month as u8, day as u8)
    };
    (params.not_before, params.not_after) = (date(from), date(until));
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    let names = names.into_iter().collect::<Vec<_>>().join(" ");
    Ok(format!(
        "Made by pushpull --tls-self-signed. It holds a private key; remove it to have another made.\n\
         {NAMES}{names}\n{UNTIL}{}\n{}{}",
        until.0,
        certificate.pem(),
        key.serialize_pem()
    ))
}

/// What this machine is called by others, and its addresses.
fn names() -> BTreeSet<String> {
    let mut names: BTreeSet<String> =
        ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().collect();
    if let Some(host) = host_name() {
        if !host.contains('.') {
            // As phones and laptops find each other without a name server (RFC 6762).
            names.insert(format!("{host}.local"));
        }
        names.insert(host);
    }
    let addresses = lan::addresses(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    names.extend(addresses.iter().take(NAMES_MAX / 2).map(IpAddr::to_string));
    names
}

/// What this machine calls itself, if that can stand in an address.
fn host_name() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok()?;
    let name = name.to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 200 && name.split('.').all(is_label)).then_some(name)
}

/// Puts `text` into `file` whole or not at all, for nobody but its owner to read.
fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = file.with_file_name(name);
    let written = create(&new).and_then(|mut opened| {
        opened.write_all(text.as_bytes())?;
        opened.sync_all()
    });
    let outcome = written.and_then(|()| fs::rename(&new, file));
    if outcome.is_err()
        && let Err(error) = fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        warn!(%error, file = %new.display(), "cannot remove what could not be put in place");
    }
    outcome
}

fn create(file: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

const NAMES: &str = "for: ";
const UNTIL: &str = "until: ";

/// Names and addresses in one certificate.
const NAMES_MAX: usize = 32;

/// Apple's systems take none that is valid for longer than 825 days, browsers none of more than 398 from those who vouch
/// for others.
const LIFE: Duration = Duration::from_secs(397 * DAY as u64);

/// Another is made so long before the end.
const RENEW: Duration = Duration::from_secs(30 * DAY as u64);

const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::der::validity;
    use rustls::pki_types::{CertificateDer, pem::PemObject};

    #[test]
    fn it_is_the_same_tomorrow_and_for_nobody_else_to_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a/b/self-signed.pem");
        let first = load(&file).unwrap();
        assert_eq!(load(&file).unwrap(), first);
        assert_eq!(
            fs::read_dir(file.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left over"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let der = CertificateDer::from_pem_slice(first.as_bytes()).unwrap();
        let until = validity(&der).unwrap().until;
        let days = (until.0 - Moment::now().0) / DAY;
        assert!((395..=397).contains(&days), "{days}");
    }

    #[test]
    fn it_is_made_anew_for_a_new_address_or_near_its_end_and_keeps_the_old_addresses() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("self-signed.pem");
        let first = load(&file).unwrap();
        let note = Note::read(&first).unwrap();
        let old = first.replace(" localhost", " 192.0.2.7");
        fs::write(&file, &old).unwrap();
        let second = load(&file).unwrap();
        let now = Note::read(&second).unwrap().names;
        assert!(now.contains("192.0.2.7") && now.is_superset(&note.names), "{now:?}");

        let soon = Moment::now().after(Duration::from_secs(29 * DAY as u64)).0.to_string();
        fs::write(&file, second.replace(&note.until.0.to_string(), &soon)).unwrap();
        assert_ne!(load(&file).unwrap(), second);
    }

    #[test]
    fn what_somebody_else_put_there_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("self-signed.pem");
        fs::write(&file, "my only copy").unwrap();
        let error = load(&file).unwrap_err().to_string();
        assert!(
            error.contains("self-signed.pem: ") && error.contains("leaves it alone"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), "my only copy");
    }
}

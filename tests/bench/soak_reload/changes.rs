//! What changes: the file, the tokens in a file of their own, and the certificate.

use std::{
    fmt, fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use pushpull_tests::{
    Server, Stage, http,
    soak::Luck,
    tls::{Certificate, Trust},
    until,
};

/// A token that counts at present. Clones are the same.
#[derive(Clone)]
pub struct Token(Arc<Mutex<u64>>);

impl Token {
    pub fn get(&self) -> String {
        format!("token-{}", self.number())
    }

    fn number(&self) -> u64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, number: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = number;
    }
}

/// The files, and what was done to them.
pub struct Changes {
    folder: PathBuf,
    luck: Luck,
    token: Token,
    /// The one that is in force.
    certificate: Certificate,
    trust: Trust,
    /// Tells one text of the file from the one before.
    count: u64,
    /// Whether the server looks at the files by itself; else it is told. Both would be one reload too many.
    watches: bool,
    applied: u64,
    refused: u64,
    by_signal: u64,
    rotated: u64,
    certificates: u64,
}

impl Changes {
    pub fn new(stage: &Stage, luck: Luck) -> Result<Self> {
        let changes = Self {
            folder: stage.folder().to_owned(),
            luck,
            token: Token(Arc::new(Mutex::new(1))),
            certificate: Certificate::new()?,
            trust: Trust::default(),
            count: 0,
            watches: true,
            applied: 0,
            refused: 0,
            by_signal: 0,
            rotated: 0,
            certificates: 0,
        };
        changes.install(&changes.certificate)?;
        changes.write_tokens(1)?;
        fs::write(changes.file(), changes.settings())?;
        Ok(changes)
    }

    /// The configuration file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("pushpull.toml")
    }

    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The certificates that may be shown at present.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// How many there were.
    pub fn made(&self) -> u64 {
        self.applied + self.refused
    }

    pub fn certificates(&self) -> u64 {
        self.certificates
    }

    /// Makes one change, and waits until it is in force or refused.
    pub async fn make(&mut self, server: &Server) -> Result<()> {
        match self.luck.below(10) {
            0..=3 => self.change(server).await?,
            4..=6 => self.mistake(server).await?,
            7 | 8 => self.rotate_tokens(server).await?,
            _ => self.swap_certificate(server).await?,
        }
        let pause = self.luck.time(500);
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Other settings, which may say that the server is to look by itself from now on, or not.
    async fn change(&mut self, server: &Server) -> Result<()> {
        self.count += 1;
        let watches = self.luck.below(2) == 0;
        let text = format!("{}config_watch = {watches}\n", self.settings());
        self.save(&text)?;
        self.expect(server, true).await?;
        self.watches = watches;
        Ok(())
    }

    async fn mistake(&mut self, server: &Server) -> Result<()> {
        self.count += 1;
        // Limits under which nobody could stay, if they were ever in force.
        let text = format!("max_viewers_total = 1\nrtmp_max_connections = 1\n{}", self.settings());
        let cut = text.len() / 2;
        let text = match self.luck.below(3) {
            0 => format!("{text}soup = {}\n", self.count),
            1 => format!("{}\ngrace = \"soon\" # {}\n", &text, self.count),
            _ => format!("{} = # {}\n", &text[..cut], self.count),
        };
        self.save(&text)?;
        self.expect(server, false).await?;
        // Or the next change of another file would be refused for this one's sake.
        self.change(server).await
    }

    async fn rotate_tokens(&mut self, server: &Server) -> Result<()> {
        let number = self.token.number() + 1;
        self.write_tokens(number)?;
        self.expect(server, true).await?;
        self.rotated += 1;
        self.token.set(number);
        for (number, status) in [(number, 200), (number.saturating_sub(2), 403)] {
            let path = format!("/{}.flv?token=token-{number}", crate::name(0));
            let answer = http::get(server.http, &path).await?;
            ensure!(answer.status == status, "token {number} is answered {}", answer.status);
        }
        Ok(())
    }

    async fn swap_certificate(&mut self, server: &Server) -> Result<()> {
        self.certificates += 1;
        let new = Certificate::new()?;
        self.install(&new)?;
        if !self.watches {
            self.expect(server, true).await?;
        }
        let (https, rtmps) = (server.listening("https")?, server.listening("rtmps")?);
        until("the new certificate is shown", PATIENCE, async || {
            new.connect(https).await?;
            new.connect(rtmps).await?;
            Ok(Some(()))
        })
        .await?;
        for address in [https, rtmps] {
            let old = self.certificate.connect(address).await;
            ensure!(old.is_err(), "the old certificate is still shown at {address}");
        }
        self.certificate = new;
        Ok(())
    }

    /// Waits until the server has read what there is, by itself or by signal.
    async fn expect(&mut self, server: &Server, is_valid: bool) -> Result<()> {
        if !self.watches {
            server.process().signal("HUP")?;
            self.by_signal += 1;
        }
        if is_valid {
            self.applied += 1;
        } else {
            self.refused += 1;
        }
        let (applied, refused) = (self.applied, self.refused);
        until(&format!("{applied} applied, {refused} refused"), PATIENCE, async || {
            let count = async |outcome: &str| {
                let name = format!("pushpull_config_reloads_total{{outcome=\"{outcome}\"}}");
                server.metric(&name).await
            };
            let now = (count("applied").await?, count("refused").await?);
            Ok((now == (applied, refused)).then_some(()))
        })
        .await
    }

    /// As editors do it, or in halves.
    fn save(&mut self, text: &str) -> Result<()> {
        let (file, other) = (self.file(), self.folder.join("other.toml"));
        if self.luck.below(2) == 0 {
            fs::write(&other, text)?;
            fs::rename(other, file)?;
        } else {
            fs::write(&file, &text[..text.len() / 2])?;
            std::thread::sleep(Duration::from_millis(5));
            fs::write(&file, text)?;
        }
        Ok(())
    }

    fn settings(&self) -> String {
        let Self { folder, count, .. } = self;
        let n = count % 50;
        let path = |name: &str| folder.join(name).display().to_string();
        format!(
            "# {count}\nlag = \"{}s\"\nlag_bytes = \"{}MiB\"\ngop = \"{}s\"\nmax_viewers = {}\nbatch = \"{}ms\"\n\
             http_max_connections = {}\nrtmp_max_players = {}\nhttp_stall = \"{}s\"\nrtmp_idle_timeout = \"{}s\"\n\
             rtmp_chunk_size = {}\nmax_streams = {}\ndemo = {}\nhttp_send_buffer = \"{}KiB\"\n\
             play_tokens = \"file:{}\"\ntls_cert = \"{}\"\ntls_key = \"{}\"\n",
            30 + n,
            16 + n,
            10 + n,
            200 + n,
            n % 3 * 20,
            500 + n,
            300 + n,
            30 + n,
            30 + n,
            4096 + n,
            10 + n,
            count % 2 == 0,
            256 + n,
            path("tokens"),
            path("cert.pem"),
            path("key.pem"),
        )
    }

    /// The newest, and the one before.
    fn write_tokens(&self, number: u64) -> Result<()> {
        let (file, other) = (self.folder.join("tokens"), self.folder.join("tokens.new"));
        fs::write(&other, format!("token-{number}\ntoken-{}\n", number.saturating_sub(1)))?;
        Ok(fs::rename(other, file)?)
    }

    /// One file after the other, as most tools do it.
    fn install(&self, certificate: &Certificate) -> Result<()> {
        // Whoever comes may be shown the new one from now on, and until then the old one.
        self.trust.turn_to(certificate, RETIRED)?;
        let new = self.folder.join("new");
        fs::create_dir_all(&new)?;
        certificate.write(&new)?;
        for part in ["key.pem", "cert.pem"] {
            fs::rename(new.join(part), self.folder.join(part))?;
        }
        Ok(())
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, refused, by_signal, rotated, certificates, .. } = self;
        write!(
            out,
            "the configuration changed {applied} times and was refused {refused} times, {by_signal} of them told by \
             SIGHUP; {rotated} times other tokens, {certificates} times another certificate"
        )
    }
}

/// Certificates of before that are still trusted: a handshake may begin before a change and end behind it, and the next
/// change may follow at once.
const RETIRED: usize = 2;

const PATIENCE: Duration = Duration::from_secs(60);

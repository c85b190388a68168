//! What is measured: our relay, others, and the floor, each a process of its own on the first core.

use std::{
    fmt,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use pushpull_tests::stage::target_dir;
use serde_json::json;

use super::{
    process,
    publisher::Ingest,
    wire::{Address, Protocol},
};

/// A relay by its name in the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relay {
    /// Ours, as it comes.
    Ours,
    /// Ours, with blocks of 100 ms.
    OursBatch100,
    /// Another binary of ours.
    Other(PathBuf),
    /// Node-Media-Server 4.
    Nms,
    /// nginx with Debian's RTMP module.
    NginxRtmp,
    /// A bare loop that writes once per picture.
    Floor,
    /// A bare loop that writes every 100 ms.
    Floor100,
}

impl Relay {
    pub const ALL: [Self; 6] =
        [Self::Floor, Self::Ours, Self::NginxRtmp, Self::Nms, Self::Floor100, Self::OursBatch100];

    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|relay| relay.to_string() == name);
        known.with_context(|| {
            let names: Vec<_> = Self::ALL.iter().map(Self::to_string).collect();
            format!("no relay {name}; there are {}", names.join(", "))
        })
    }

    /// Whether viewers may ask it by this protocol. The floor is watched over HTTP, whatever it stands beside.
    pub fn speaks(&self, protocol: Protocol) -> bool {
        *self != Self::NginxRtmp || protocol == Protocol::Rtmp
    }

    /// Starts it and waits until it listens.
    pub fn start(&self) -> Result<Running> {
        let folder = tempfile::tempdir()?;
        let (command, listens) = match self {
            Self::Ours => ours(pushpull_tests::server::binary()?, &[]),
            Self::OursBatch100 => ours(pushpull_tests::server::binary()?, BATCH_100),
            Self::Other(binary) => ours(binary.clone(), &[]),
            Self::Nms => nms(folder.path())?,
            Self::NginxRtmp => nginx(folder.path())?,
            Self::Floor => floor(&[]),
            Self::Floor100 => floor(&["--hold", "100"]),
        };
        Running::start(&self.to_string(), command, listens, folder)
    }
}

impl fmt::Display for Relay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Ours => "ours",
            Self::OursBatch100 => "ours-batch100",
            Self::Other(_) => "other",
            Self::Nms => "nms",
            Self::NginxRtmp => "nginx-rtmp",
            Self::Floor => "floor",
            Self::Floor100 => "floor-100",
        })
    }
}

/// How it is known where a relay listens.
enum Listens {
    /// It says so, behind these words: publishers' address, then viewers' over HTTP.
    Says([&'static str; 2]),
    /// It was told: RTMP and HTTP.
    At(SocketAddr, Option<SocketAddr>),
}

fn ours(binary: PathBuf, arguments: &[&str]) -> (Command, Listens) {
    let mut command = process::pinned(binary);
    command.args(["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]).args(arguments);
    // The environment is configuration; a developer's own must not reach the measurement.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PUSHPULL_") {
            command.env_remove(name);
        }
    }
    (command, Listens::Says(["rtmp listening on ", "http listening on "]))
}

fn floor(arguments: &[&str]) -> (Command, Listens) {
    // This program again; `main` knows what to do.
    let program = std::env::current_exe().unwrap_or_default();
    let mut command = process::pinned(program);
    command.arg("--floor").args(arguments);
    (command, Listens::Says(["floor takes on ", "floor gives on "]))
}

fn nms(folder: &std::path::Path) -> Result<(Command, Listens)> {
    let package = target_dir()?.join("tools/relays/node_modules/node-media-server");
    let program = package.join("bin/app.js");
    ensure!(
        program.is_file(),
        "Node-Media-Server is missing: `just bench relay` installs it ({} is not there)",
        program.display()
    );
    let (rtmp, http) = (free_port()?, free_port()?);
    let config = json!({
        "bind": "127.0.0.1",
        "store": { "path": "data", "maxHistory": 100 },
        "auth": { "play": false, "publish": false, "secret": "bench" },
        "rtmp": { "port": rtmp.port() },
        "http": { "port": http.port() },
        "webadmin": { "enable": false },
        "record": { "auto": false, "path": "record" },
    });
    let path = folder.join("config.json");
    std::fs::write(&path, config.to_string())?;
    let mut command = process::pinned("node");
    command.arg(program).arg("--config").arg(path);
    Ok((command, Listens::At(rtmp, Some(http))))
}

fn nginx(folder: &std::path::Path) -> Result<(Command, Listens)> {
    let module = NGINX_MODULES.iter().map(PathBuf::from).find(|module| module.is_file());
    let module =
        module.context("nginx's RTMP module is missing: apt-get install libnginx-mod-rtmp")?;
    let rtmp = free_port()?;
    let config = format!(
        "load_module {};\n\
         daemon off;\nmaster_process off;\nworker_processes 1;\nerror_log stderr error;\npid nginx.pid;\n\
         events {{ worker_connections 10000; }}\n\
         rtmp {{ access_log off; server {{ listen {rtmp}; application live {{ live on; }} }} }}\n",
        module.display()
    );
    let path = folder.join("nginx.conf");
    std::fs::write(&path, config)?;
    let mut command = process::pinned("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(path);
    Ok((command, Listens::At(rtmp, None)))
}

/// For relays that cannot be asked to find one by themselves.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A relay that listens.
pub struct Running {
    name: String,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    publish: SocketAddr,
    http: Option<SocketAddr>,
    is_floor: bool,
    _folder: tempfile::TempDir,
}

impl Running {
    fn start(
        name: &str,
        mut command: Command,
        listens: Listens,
        folder: tempfile::TempDir,
    ) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.current_dir(folder.path());
        let mut child = command.spawn().context("taskset (util-linux) is needed")?;
        let said = Arc::new(Mutex::new(Vec::new()));
        follow(child.stdout.take().context("standard output is piped")?, &said);
        follow(child.stderr.take().context("standard error is piped")?, &said);
        let mut running = Self {
            name: name.to_owned(),
            child,
            said,
            publish: (Ipv4Addr::LOCALHOST, 0).into(),
            http: None,
            is_floor: name.starts_with("floor"),
            _folder: folder,
        };
        let deadline = Instant::now() + STARTS_WITHIN;
        while !running.is_ready(&listens) {
            if let Some(status) = running.child.try_wait()? {
                bail!("{name} ended with {status}: {}", running.said());
            }
            ensure!(Instant::now() < deadline, "{name} does not listen: {}", running.said());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    fn is_ready(&mut self, listens: &Listens) -> bool {
        match listens {
            Listens::Says([publish, http]) => {
                let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
                let find = |label: &str| {
                    said.iter().find_map(|line| line.split_once(label)?.1.trim().parse().ok())
                };
                let (Some(publish), Some(http)) = (find(publish), find(http)) else { return false };
                (self.publish, self.http) = (publish, Some(http));
                true
            }
            Listens::At(rtmp, http) => {
                (self.publish, self.http) = (*rtmp, *http);
                [Some(*rtmp), *http].into_iter().flatten().all(|at| TcpStream::connect(at).is_ok())
            }
        }
    }

    /// The process whose use is measured.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn ingest(&self) -> Ingest {
        match self.is_floor {
            true => Ingest::Bare(self.publish),
            false => Ingest::Rtmp(self.publish),
        }
    }

    /// Where and how it is watched.
    pub fn address(&self, protocol: Protocol) -> Result<Address> {
        let http = || self.http.with_context(|| format!("{} speaks no HTTP", self.name));
        Ok(match protocol {
            _ if self.is_floor => Address { protocol: Protocol::Http, socket: http()? },
            Protocol::Rtmp => Address { protocol, socket: self.publish },
            Protocol::Http | Protocol::Ws => Address { protocol, socket: http()? },
        })
    }

    /// The last of what it printed.
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let from = said.len().saturating_sub(10);
        format!("it said: {}", said[from..].join(" | "))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps what is said: the beginning, where addresses are, and the end.
fn follow(output: impl std::io::Read + Send + 'static, said: &Arc<Mutex<Vec<String>>>) {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.len() > 200 {
                said.drain(100..150);
            }
            said.push(line);
        }
    });
}

const STARTS_WITHIN: Duration = Duration::from_secs(15);

/// What makes ours send blocks of 100 ms.
const BATCH_100: &[&str] = &["--batch", "100ms"];

/// Where Debian and its descendants put it.
const NGINX_MODULES: [&str; 2] =
    ["/usr/lib/nginx/modules/ngx_rtmp_module.so", "/usr/lib64/nginx/modules/ngx_rtmp_module.so"];

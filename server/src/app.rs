//! The whole server: binds everything, wires it, runs it, stops it.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinSet,
};
use tracing::{error, info, warn};

use crate::{
    access::Access,
    api::{self, Api},
    config::{Config, Live, Loaded, Sources},
    demo,
    endpoints::{Endpoints, Secured},
    flv::FlvState,
    health::Health,
    hooks::Hooks,
    http,
    listeners::Listeners,
    logs,
    metrics::Metrics,
    problem::Problem,
    reload::{InForce, Notify, Reloader},
    remarks::Remarks,
    rtmp,
    sessions::Sessions,
    shutdown::Shutdown,
    signals::{Signal, Signals},
    tls::{self, Tls},
    web,
};

/// A server that is bound and not yet serving: peers may connect already, and wait.
#[derive(Debug)]
pub struct App {
    sources: Sources,
    loaded: Loaded,
    in_force: InForce,
    endpoints: Arc<Endpoints>,
    rtmp: Listeners,
    http: Listeners,
    site: web::Site,
}

/// Why the server cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} for {protocol}: {}", advice(cause, *address, key))]
    Listen {
        /// `RTMP`, `HTTP`, or one of them under TLS.
        protocol: &'static str,
        /// The flag that says the address.
        key: &'static str,
        /// As configured.
        address: SocketAddr,
        /// What the system said; part of the message.
        cause: io::Error,
    },
    /// The page cannot be served.
    #[error(transparent)]
    Page(#[from] web::Error),
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// A listener ended though nobody asked it to.
    #[error("a listener stopped by itself; the log tells why")]
    ListenerStopped,
}

impl App {
    /// Takes every port of the configuration that was `loaded` from `sources`, so that what cannot work fails here. Must be
    /// called in a runtime.
    ///
    /// # Errors
    /// [`Error`]: nothing was started then.
    pub fn bind(sources: Sources, loaded: Loaded) -> Result<App, Error> {
        let config = &loaded.config;
        let site = web::Site::new(config.web_dir.as_deref())?;
        let (https, rtmps) = secured(config);
        let tls = (!https.is_empty() || !rtmps.is_empty())
            .then(|| Tls::load(config.tls.clone()))
            .transpose()?;
        let (mut rtmp, mut http) = (Listeners::default(), Listeners::default());
        let rtmp_address = rtmp.listen(config.rtmp, None, "RTMP", "--rtmp")?;
        let http_addresses = http.listen_on(&config.http, None, "HTTP", "--http")?;
        let secured = Secured {
            https: http.listen_on(&https, tls.as_ref(), "HTTPS", "--https")?,
            rtmps: rtmp.listen_on(&rtmps, tls.as_ref(), "RTMPS", "--rtmps")?,
            made: tls.as_ref().and_then(|tls| Some((tls.fingerprint(), tls.made_in()?))),
        };
        let in_force = InForce::new(config, tls);
        let endpoints = Arc::new(Endpoints {
            rtmp: rtmp_address,
            http: http_addresses,
            secured,
            demo: in_force.demo.clone(),
        });
        Ok(App { sources, loaded, in_force, endpoints, rtmp, http, site })
    }

    /// Finds what [`App::bind`] would find wrong with the files that `config` names. Nothing is taken, made or started.
    ///
    /// # Errors
    /// [`Error`]
    pub fn check(config: &Config) -> Result<(), Error> {
        web::Site::new(config.web_dir.as_deref())?;
        let (https, rtmps) = secured(config);
        if https.is_empty() && rtmps.is_empty() {
            return Ok(());
        }
        match config.tls.source()? {
            tls::Source::SelfSigned { .. } => {}
            tls::Source::Files { .. } => drop(Tls::load(config.tls.clone())?),
        }
        Ok(())
    }

    /// What is to be logged.
    pub fn log_level(&self) -> Live<logs::Levels> {
        self.in_force.log_level.clone()
    }

    /// Where it listens, with the real ports.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Serves until one of `signals` says to stop, then stops everything within [`Config::stop_timeout`] and a moment. A
    /// second such signal ends the wait. When one says so, or a file has changed, the configuration is read again.
    ///
    /// [`Config::stop_timeout`]: crate::config::Config::stop_timeout
    ///
    /// # Errors
    /// [`Error::ListenerStopped`]; everything else was stopped then too.
    pub async fn run(self, signals: &mut Signals) -> Result<(), Error> {
        let shutdown = Shutdown::new();
        let (in_force, hub) = (self.in_force.clone(), self.in_force.hub.clone());
        let (notify, reload) = (Notify::from_env(), Arc::new(tokio::sync::Notify::new()));
        let mut listeners = self.start(&notify, &reload, &shutdown);
        info!(version = env!("CARGO_PKG_VERSION"), "serving");
        notify.ready();

        let outcome = loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::Reload => reload.notify_one(),
                    Signal::Stop(signal) => {
                        info!(signal, "stopping");
                        break Ok(());
                    }
                },
                _ = listeners.join_next() => break Err(Error::ListenerStopped),
            }
        };
        notify.stopping();
        // Viewers first: they end at a tag's boundary, and with them their connections.
        hub.close();
        tokio::select! {
            dropped = shutdown.finish(*in_force.stop_timeout.get()) => {
                if dropped > 0 {
                    warn!(connections = dropped, "dropped what did not end in time");
                }
            }
            signal = signals.stop() => {
                info!(signal, "stopping at once");
                shutdown.force();
            }
        }
        info!("stopped");
        outcome
    }

    /// Starts everything; what is returned are the tasks that must not end before the shutdown.
    fn start(
        self,
        notify: &Notify,
        reload: &Arc<tokio::sync::Notify>,
        shutdown: &Shutdown,
    ) -> JoinSet<()> {
        let App { sources, loaded, in_force, .. } = self;
        let hub = in_force.hub.clone();
        let hooks = Hooks::new(in_force.hooks.clone(), shutdown.clone());
        let mut metrics = Metrics::new(hub.clone());
        metrics.add(hooks.collector());
        let sessions = Sessions::default();
        metrics.add_streams(hub.clone(), sessions.clone(), in_force.api.clone());
        let until_stop = |task: Pin<Box<dyn Future<Output = ()> + Send>>| {
            let requested = shutdown.requested().clone();
            shutdown.spawn(async move {
                requested.run_until_cancelled(task).await;
            });
        };
        if let Some(tls) = &in_force.tls {
            metrics.add_tls(tls.clone());
            until_stop(Box::pin(tls.clone().watch()));
        }
        let metrics = Arc::new(metrics);
        until_stop(Box::pin(demo::run(hub.clone(), in_force.demo.clone())));
        let mut remarks = Remarks::at(self.endpoints.clone());
        remarks.tell(&loaded.config);
        let reloader = Reloader::new(
            sources,
            loaded,
            in_force.clone(),
            metrics.reloads.clone(),
            notify.clone(),
            remarks,
        )
        .telling(sessions.happenings().clone());
        until_stop(Box::pin(reloader.run(reload.clone())));
        let access = Access::new(sessions, in_force.access.clone(), metrics.access_refused.clone())
            .with_hooks(hooks.clone());
        let api = Api::new(api::Parts {
            hub: hub.clone(),
            access: access.clone(),
            endpoints: self.endpoints.clone(),
            metrics: metrics.clone(),
            health: Health::of(&in_force, hooks, &metrics.reloads, shutdown),
            in_force: in_force.clone(),
            shutdown: shutdown.clone(),
        });
        let router = router(api, self.site);
        let flv = FlvState::new(hub.clone(), access.clone(), shutdown.clone());
        let rtmp = rtmp::serve(
            self.rtmp,
            hub.clone(),
            access,
            in_force.rtmp,
            metrics.clone(),
            shutdown.requested().clone(),
        );
        let server = http::Server::new(router, flv, in_force.http, metrics, shutdown.clone());
        let mut listeners = JoinSet::new();
        let hold = shutdown.hold();
        listeners.spawn(async move {
            // Held until its connections have said goodbye.
            let _hold = hold;
            if let Err(error) = rtmp.await {
                error!(%error, "the RTMP listener failed");
            }
        });
        listeners.spawn(server.serve(self.http));
        listeners
    }
}

/// Everything that is served over HTTP but the streams.
fn router(api: Api, site: web::Site) -> Router {
    Router::new().fallback(file).with_state(site).merge(api.router())
}

/// What answers where no route does.
async fn file(State(site): State<web::Site>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return Problem::not_found(path).into_response();
    }
    site.respond(request.method(), path, request.headers()).await
}

/// Where TLS is listened for: with a certificate and no address, where both protocols are looked for.
pub(crate) fn secured(config: &Config) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
    if config.tls.is_on() && config.https.is_empty() && config.rtmps.is_empty() {
        let usual = |port| vec![SocketAddr::from(([0, 0, 0, 0], port))];
        return (usual(HTTPS_PORT), usual(RTMPS_PORT));
    }
    (config.https.clone(), config.rtmps.clone())
}

impl Listeners {
    fn listen_on(
        &mut self,
        addresses: &[SocketAddr],
        tls: Option<&Tls>,
        protocol: &'static str,
        key: &'static str,
    ) -> Result<Vec<SocketAddr>, Error> {
        addresses.iter().map(|&address| self.listen(address, tls, protocol, key)).collect()
    }

    /// Takes a port; returns the real one.
    fn listen(
        &mut self,
        address: SocketAddr,
        tls: Option<&Tls>,
        protocol: &'static str,
        key: &'static str,
    ) -> Result<SocketAddr, Error> {
        let (listener, bound) = listen(address, protocol, key)?;
        self.push(listener, tls.cloned());
        Ok(bound)
    }
}

fn listen(
    address: SocketAddr,
    protocol: &'static str,
    key: &'static str,
) -> Result<(TcpListener, SocketAddr), Error> {
    let bind = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart must not wait for the connections of the run before to be forgotten. (Elsewhere than on Unix the
        // option means that two programs may have one port.)
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bind().map_err(|cause| Error::Listen { protocol, key, address, cause })
}

/// What went wrong and what to do about it.
fn advice(error: &io::Error, address: SocketAddr, key: &str) -> String {
    let (ip, port) = (address.ip(), address.port());
    let other = SocketAddr::new(ip, if port < 1024 { 8082 } else { port.saturating_add(1) });
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is in use. Stop the program that has it (`ss -ltnp sport = :{port}` shows it on Linux, \
             `lsof -iTCP:{port} -sTCP:LISTEN` on macOS), or choose another port, such as {key} {other}"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not take port {port}. Choose one from 1024 on, such as {key} {other}"
        ),
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine has no address {ip}. {key} 0.0.0.0:{port} listens on all it has")
        }
        _ => error.to_string(),
    }
}

/// The usual port for HTTPS where one may not take 443.
const HTTPS_PORT: u16 = 8443;

/// The one beside RTMP's, which has none under TLS.
const RTMPS_PORT: u16 = 1936;

/// Connections that wait to be accepted: a wall of players connects at once.
const BACKLOG: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_says_which_and_what_to_do() {
        let error = Error::Listen {
            protocol: "RTMP",
            key: "--rtmp",
            address: "0.0.0.0:1935".parse().unwrap(),
            cause: io::ErrorKind::AddrInUse.into(),
        };
        assert_eq!(
            error.to_string(),
            "cannot listen on 0.0.0.0:1935 for RTMP: port 1935 is in use. Stop the program that has it \
             (`ss -ltnp sport = :1935` shows it on Linux, `lsof -iTCP:1935 -sTCP:LISTEN` on macOS), or choose another \
             port, such as --rtmp 0.0.0.0:1936"
        );
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_said_to_be_one() {
        // 192.0.2.0/24 is for documentation: nobody has it.
        let error = listen("192.0.2.1:1935".parse().unwrap(), "RTMP", "--rtmp").unwrap_err();
        assert!(error.to_string().contains("this machine has no address 192.0.2.1"), "{error}");
    }
}

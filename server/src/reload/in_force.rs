//! What of the configuration is in force, for everybody who asks for it while the server runs.

use std::time::Duration;

use tracing::{debug, warn};

use crate::{
    access, api,
    config::{Config, Live},
    descriptors, hooks, http,
    hub::Hub,
    logs, rtmp,
    tls::Tls,
};

/// The parts of a configuration that may change while the server runs. Clones share them.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Holds its own.
    pub hub: Hub,
    /// Who may publish and view.
    pub access: Live<access::Config>,
    /// Who may ask the API for what.
    pub api: Live<api::Config>,
    /// Whom to ask and tell.
    pub hooks: Live<hooks::Config>,
    /// The certificate; none where nothing listens for TLS.
    pub tls: Option<Tls>,
    /// What HTTP peers are held to.
    pub http: Live<http::Limits>,
    /// What RTMP peers are held to.
    pub rtmp: Live<rtmp::Config>,
    /// Whether the built-in clip is published.
    pub demo: Live<bool>,
    /// What is logged.
    pub log_level: Live<logs::Levels>,
    /// How long connections may take to end when the server stops.
    pub stop_timeout: Live<Duration>,
    /// Whether the files are looked at for changes.
    pub watch: Live<bool>,
}

impl InForce {
    /// What `config` says, with the certificate that was read, until it is replaced.
    #[must_use]
    pub fn new(config: &Config, tls: Option<Tls>) -> InForce {
        raise_open_files(config);
        InForce {
            hub: Hub::new(config.hub.clone()),
            tls,
            access: Live::new(config.access.clone()),
            api: Live::new(config.api.clone()),
            hooks: Live::new(config.hooks.clone()),
            http: Live::new(config.http_limits.clone()),
            rtmp: Live::new(config.rtmp_limits.clone()),
            demo: Live::new(config.demo),
            log_level: Live::new(config.log_level.clone()),
            stop_timeout: Live::new(config.stop_timeout),
            watch: Live::new(config.config_watch),
        }
    }

    /// What `config` says counts from now on. What it says of other things, such as where to listen, is left aside.
    pub fn replace(&self, config: &Config) {
        raise_open_files(config);
        self.hub.configure(config.hub.clone());
        if let Some(tls) = &self.tls {
            // Its files are looked at, too.
            tls.set(config.tls.clone());
        }
        self.access.set(config.access.clone());
        self.api.set(config.api.clone());
        self.hooks.set(config.hooks.clone());
        self.http.set(config.http_limits.clone());
        let mut rtmp = config.rtmp_limits.clone();
        // Players of all ages share the bytes of what they are sent, chunk heads included.
        rtmp.protocol.chunk_size = self.rtmp.get().protocol.chunk_size;
        self.rtmp.set(rtmp);
        self.demo.set(config.demo);
        self.log_level.set(config.log_level.clone());
        self.stop_timeout.set(config.stop_timeout);
        self.watch.set(config.config_watch);
    }
}

fn raise_open_files(config: &Config) {
    let connections =
        config.http_limits.max_connections.saturating_add(config.rtmp_limits.max_connections);
    match descriptors::ensure(connections) {
        Err(too_few) if too_few.is_low() => warn!("{too_few}"),
        Err(too_few) => debug!("{too_few}"),
        Ok(()) => {}
    }
}

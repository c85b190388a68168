//! What is odd about a configuration without being wrong: said at the start, at every reload, and by `--check-config`.

use std::{fmt, net::SocketAddr, sync::Arc};

use tracing::{info, warn};

use crate::{
    access::{Gate, Maker},
    api::Readers,
    config::Config,
    endpoints::Endpoints,
    hooks::Event,
    sessions::Purpose,
};

/// One thing that is odd, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Hardly anybody means it so.
    Warning(String),
    /// It may well be meant so, and had better be known.
    Note(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Warning(text) => write!(f, "warning: {text}"),
            Remark::Note(text) => write!(f, "note: {text}"),
        }
    }
}

/// Says in the log what is odd about what is in force.
#[derive(Debug)]
pub struct Remarks {
    endpoints: Arc<Endpoints>,
    /// What was odd when it was looked at last.
    last: Vec<Remark>,
}

impl Remarks {
    /// For a server that listens at `endpoints`, whatever a later configuration says.
    #[must_use]
    pub fn at(endpoints: Arc<Endpoints>) -> Remarks {
        Remarks { endpoints, last: Vec::new() }
    }

    /// Says what is odd about `config`: warnings whenever it is read, and notes once.
    pub fn tell(&mut self, config: &Config) {
        let remarks = on(config, &self.endpoints);
        for remark in &remarks {
            match remark {
                Remark::Warning(text) => warn!("{text}"),
                Remark::Note(text) if !self.last.contains(remark) => info!("{text}"),
                Remark::Note(_) => {}
            }
        }
        self.last = remarks;
    }
}

/// What is odd about `config` for a server that listens at `endpoints`.
#[must_use]
pub fn on(config: &Config, endpoints: &Endpoints) -> Vec<Remark> {
    let warnings =
        [without_tokens(config), withheld(config), one_for_both(config), unused(config)].concat();
    let unheard = unheard(config, endpoints);
    let warnings = warnings.into_iter().chain(unheard).map(|text| Remark::Warning(text.to_owned()));
    warnings.chain(open(config, endpoints).map(Remark::Note)).collect()
}

/// What is for those who have a token, where nobody has one.
fn without_tokens(config: &Config) -> Vec<&'static str> {
    let mut found = Vec::new();
    if !config.api.tokens.is_empty() {
        return found;
    }
    if config.api.read == Readers::Token {
        found.push(
            "api_read is `token` and there are no api_tokens: nobody may read the API and /metrics, and nobody may kick",
        );
    }
    if config.access.maker == Maker::Token {
        found.push(
            "sign_maker is `token` and there are no api_tokens: nobody may have addresses signed by the page and the API",
        );
    }
    found
}

/// What lets viewers do more than view.
fn one_for_both(config: &Config) -> Vec<&'static str> {
    let (publish, play) = (&config.access.publish, &config.access.play);
    let mut found = Vec::new();
    if publish.secrets.iter().any(|secret| play.secrets.contains(secret)) {
        found.push(
            "publish_secrets and play_secrets have a secret in common: whoever has an address to play from may publish with its signature",
        );
    }
    if publish.tokens.iter().any(|token| play.tokens.contains(token)) {
        found.push(
            "publish_tokens and play_tokens have a token in common: whoever may play may publish",
        );
    }
    let tokens = || [publish, play].into_iter().flat_map(|gate| &gate.tokens);
    let is_secret = |token| [publish, play].iter().any(|gate| gate.secrets.contains(token));
    if tokens().any(is_secret) {
        found.push(
            "a token is one of the secrets, too: whoever reads it in an address can sign any other",
        );
    }
    if tokens().any(|token| config.api.tokens.contains(token)) {
        found.push(
            "a token for publishers or viewers is one of api_tokens, too: whoever reads it in an address may change anything",
        );
    }
    found
}

/// What strangers are promised and not given.
fn withheld(config: &Config) -> Vec<&'static str> {
    let has_tokens_only = |gate: &Gate| !gate.tokens.is_empty() && gate.secrets.is_empty();
    let mut found = Vec::new();
    if config.access.maker != Maker::Anybody {
        return found;
    }
    if has_tokens_only(&config.access.publish) {
        found.push(
            "sign_maker is `anybody`, and strangers are not given publish_tokens, which are good for every stream and for ever: publish_secrets can sign for them",
        );
    }
    if has_tokens_only(&config.access.play) {
        found.push(
            "sign_maker is `anybody`, and strangers are not given play_tokens, which are good for every stream and for ever: play_secrets can sign for them",
        );
    }
    found
}

/// What is said and does nothing.
fn unused(config: &Config) -> Vec<&'static str> {
    let hooks = &config.hooks;
    let mut urls = Event::ALL.into_iter().flat_map(|event| hooks.urls(event)).peekable();
    let has_hooks = urls.peek().is_some();
    let mut found = Vec::new();
    if hooks.authorities.is_some() && !urls.any(|url| url.is_secure()) {
        found.push("hook_ca is not used: no hook's URL begins with https://");
    }
    if hooks.secret.is_some() && !has_hooks {
        found.push("hook_secret is not used: there is no hook");
    }
    let mut once = [Purpose::Publish, Purpose::Play]
        .into_iter()
        .filter(|&purpose| config.access.sign_once.covers(purpose))
        .peekable();
    let is_meant = once.peek().is_some();
    if is_meant && once.all(|purpose| config.access.gate(purpose).secrets.is_empty()) {
        found.push(
            "sign_once is not used: those whose signatures it is about need none, for there are no secrets (a token may be used again and again)",
        );
    }
    found
}

/// TLS that nobody speaks, in a server that runs, or that would keep it from starting again.
fn unheard(config: &Config, endpoints: &Endpoints) -> Option<&'static str> {
    let is_heard = !endpoints.secured.https.is_empty() || !endpoints.secured.rtmps.is_empty();
    let is_said = !config.https.is_empty() || !config.rtmps.is_empty();
    match config.tls.is_on() {
        true if !is_heard => Some(
            "there is a certificate, and nothing listens for TLS before the server is started again",
        ),
        false if is_said => Some(
            "https and rtmps need a certificate: the server would not start again without tls_cert, or tls_self_signed",
        ),
        _ => None,
    }
}

/// What others than this machine may do without showing anything and without anybody being asked.
fn open(config: &Config, endpoints: &Endpoints) -> Option<String> {
    let reaches_out = |addresses: &[SocketAddr]| addresses.iter().any(|it| !it.ip().is_loopback());
    let rtmp = reaches_out(&[endpoints.rtmp]) || reaches_out(&endpoints.secured.rtmps);
    let http = reaches_out(&endpoints.http) || reaches_out(&endpoints.secured.https);
    let is_open = |gate: &Gate| gate.is_open() && gate.allow.is_empty();
    let open: Vec<&str> =
        [(Purpose::Publish, Event::OnPublish, rtmp), (Purpose::Play, Event::OnPlay, rtmp || http)]
            .into_iter()
            .filter(|&(purpose, question, is_reached)| {
                let is_unasked = config.hooks.urls(question).is_empty();
                is_reached && is_unasked && is_open(config.access.gate(purpose))
            })
            .map(|(purpose, ..)| purpose.as_str())
            .collect();
    (!open.is_empty()).then(|| {
        let may = open.join(" and ");
        format!(
            "whoever reaches this server may {may}: docs/access.md tells how to ask for a signature or a token"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::Once, config::Secret, endpoints::Secured, hooks, net::Networks, tls::testing::renew,
    };

    #[test]
    fn what_others_may_do_unasked_is_known() {
        let mut endpoints = Endpoints {
            rtmp: "127.0.0.1:1935".parse().unwrap(),
            http: vec!["127.0.0.1:8082".parse().unwrap(), "0.0.0.0:8000".parse().unwrap()],
            secured: Secured::default(),
            demo: false.into(),
        };
        let mut config = Config::default();
        assert_eq!(may(&config, &endpoints), "play");
        endpoints.secured.rtmps = vec!["[::]:1936".parse().unwrap()];
        assert_eq!(may(&config, &endpoints), "publish and play");
        config.access.publish.allow = Networks::parse("192.0.2.0/24").unwrap();
        assert_eq!(may(&config, &endpoints), "play");
        config.access.play.tokens = vec![Secret::new("ticket")];
        assert_eq!(may(&config, &endpoints), "");
        config = Config::default();
        config.hooks.set_urls(Event::OnPlay, vec![url("http://127.0.0.1/hook")]);
        assert_eq!(may(&config, &endpoints), "publish", "hooks are asked");
    }

    #[test]
    fn nothing_is_odd_about_a_desk() {
        assert_eq!(warnings(&desk()), [] as [&str; 0]);
    }

    #[test]
    fn what_is_for_tokens_needs_tokens() {
        let mut config = desk();
        config.api.read = Readers::Token;
        config.access.maker = Maker::Token;
        assert_eq!(keys_of(&config), ["api_read", "sign_maker"]);
        config.api.tokens = vec![Secret::new("0123456789abcdef")];
        assert_eq!(keys_of(&config), [] as [&str; 0]);
    }

    #[test]
    fn anybody_has_no_tokens() {
        let mut config = desk();
        config.access.maker = Maker::Anybody;
        config.access.publish.tokens = vec![Secret::new("one")];
        config.access.play.tokens = vec![Secret::new("two")];
        assert_eq!(keys_of(&config), ["sign_maker", "sign_maker"]);
        config.access.publish.secrets = vec![Secret::new("three")];
        assert_eq!(keys_of(&config), ["sign_maker"]);
        config.access.maker = Maker::Local;
        assert_eq!(keys_of(&config), [] as [&str; 0]);
    }

    #[test]
    fn secrets_of_viewers_are_their_own() {
        let mut config = desk();
        let (publish, play) = (&mut config.access.publish, &mut config.access.play);
        publish.secrets = vec![Secret::new("one"), Secret::new("two")];
        play.secrets = vec![Secret::new("three"), Secret::new("two")];
        publish.tokens = vec![Secret::new("four")];
        play.tokens = vec![Secret::new("four"), Secret::new("one"), Secret::new("five")];
        config.api.tokens = vec![Secret::new("five")];
        assert_eq!(
            keys_of(&config),
            ["publish_secrets", "publish_tokens", "a", "a"],
            "{:?}",
            warnings(&config)
        );
        config.access.play.secrets.pop();
        config.access.play.tokens = vec![Secret::new("six")];
        assert_eq!(keys_of(&config), [] as [&str; 0]);
    }

    #[test]
    fn what_is_said_about_hooks_is_used() {
        let mut config = desk();
        let folder = tempfile::tempdir().unwrap();
        let file = renew(folder.path()).cert.unwrap();
        config.hooks.authorities = Some(hooks::Authorities::read(&file).unwrap());
        config.hooks.secret = Some(Secret::new("one"));
        assert_eq!(keys_of(&config), ["hook_ca", "hook_secret"]);
        config.hooks.set_urls(Event::OnStop, vec![url("http://127.0.0.1/hook")]);
        assert_eq!(keys_of(&config), ["hook_ca"]);
        config.hooks.set_urls(Event::OnClose, vec![url("https://127.0.0.1/hook")]);
        assert_eq!(keys_of(&config), [] as [&str; 0]);
    }

    #[test]
    fn what_is_good_once_is_a_signature() {
        let mut config = desk();
        config.access.play.tokens = vec![Secret::new("one")];
        for (once, used) in [(Once::Nobody, true), (Once::Viewers, false), (Once::Everybody, false)]
        {
            config.access.sign_once = once;
            assert_eq!(keys_of(&config).is_empty(), used, "{:?}", warnings(&config));
        }
        config.access.publish.secrets = vec![Secret::new("two")];
        for (once, used) in
            [(Once::Publishers, true), (Once::Viewers, false), (Once::Everybody, true)]
        {
            config.access.sign_once = once;
            assert_eq!(keys_of(&config).is_empty(), used, "{:?}", warnings(&config));
        }
    }

    #[test]
    fn tls_that_comes_after_the_start_waits_for_the_next() {
        let started = Endpoints::of(&desk());
        let mut config = desk();
        config.tls.self_signed = true;
        let odd = on(&config, &started);
        assert!(odd[0].to_string().contains("started again"), "{odd:?}");
        let at_start = on(&config, &Endpoints::of(&config));
        assert!(at_start.iter().all(|odd| matches!(odd, Remark::Note(_))), "{at_start:?}");
        config.https = vec!["127.0.0.1:8443".parse().unwrap()];
        config.tls.self_signed = false;
        let odd = on(&config, &started);
        assert!(odd[0].to_string().contains("need a certificate"), "{odd:?}");
    }

    fn desk() -> Config {
        let own = "127.0.0.1:0".parse().unwrap();
        Config { rtmp: own, http: vec![own], ..Config::default() }
    }

    fn url(text: &str) -> hooks::Url {
        hooks::Url::parse(text).unwrap()
    }

    fn warnings(config: &Config) -> Vec<String> {
        on(config, &Endpoints::of(config)).iter().map(ToString::to_string).collect()
    }

    /// The words that they begin with, which are keys as a rule.
    fn keys_of(config: &Config) -> Vec<String> {
        let word = |text: &String| text.split(' ').nth(1).unwrap_or_default().to_owned();
        warnings(config).iter().map(word).collect()
    }

    fn may(config: &Config, endpoints: &Endpoints) -> String {
        let said = open(config, endpoints).unwrap_or_default();
        let may = said.trim_start_matches("whoever reaches this server may ");
        may.split(':').next().unwrap_or_default().to_owned()
    }
}

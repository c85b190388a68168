//! Addresses to push to and to play from, signed and ready to paste, as the consoles of clouds give them.

use std::{net::IpAddr, time::Duration};

use axum::http::StatusCode;
use pushpull_rtmp::StreamName;
use serde::{Deserialize, Serialize};

use super::{
    Config, Gate, Maker,
    sign::{self, Form, Subject, percent_encode},
    uri,
};
use crate::{
    config::{Secret, units},
    endpoints::Endpoints,
    problem::Problem,
    sessions::Purpose,
    time::unix_now,
};

/// What somebody wants addresses for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = SignRequest))]
pub struct Wanted {
    /// The stream: `live/x`.
    pub stream: String,
    /// To push it or to play it.
    pub purpose: Purpose,
    /// How it is signed; `nms` if there is a secret, else `token` if there is a token, else it is not.
    #[serde(default)]
    pub form: Option<Form>,
    /// For how long it is good, such as `24h`, which it is if nothing is said; not for longer than `sign_max_life`.
    #[serde(default)]
    pub expires_in: Option<String>,
    /// The address of the one that will use it, for a form that signs it.
    #[serde(default)]
    #[cfg_attr(test, schema(value_type = Option<String>))]
    pub address: Option<IpAddr>,
}

/// Addresses, ready to paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = SignedAddresses))]
pub struct Made {
    /// What stands behind the `?`: over RTMP for pushing, over HTTP for playing. Empty where nothing is needed.
    pub query: String,
    /// Every way there is.
    pub urls: Vec<MadeUrl>,
    /// When they expire, in Unix seconds; `null` if they do not.
    pub expires_at: Option<u64>,
}

/// One way to push or to play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = SignedAddress))]
pub struct MadeUrl {
    /// `rtmp`, `rtmps`, `http-flv`, `ws-flv`, or `page` for a page that plays.
    pub protocol: &'static str,
    /// The whole address.
    pub url: String,
    /// What goes into an encoder's field for the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What goes into its field for the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Makes the addresses of this server's `endpoints` for `whom`. Whether that one [may](Maker) is for others to say.
///
/// # Errors
/// What is wrong with what is wanted.
pub fn make(
    config: &Config,
    endpoints: &Endpoints,
    wanted: &Wanted,
    whom: Whom,
) -> Result<Made, Problem> {
    let signer = Signer::new(config, wanted, unix_now().as_secs())?;
    if !whom.may_see_tokens() && matches!(signer.credential, Some(Credential::Token(_))) {
        let detail = "a token is good for every stream and does not expire, so strangers are not given it (sign_maker)";
        return Err(Problem::new(StatusCode::FORBIDDEN, "token_withheld", "Not given", detail));
    }
    let urls = match wanted.purpose {
        Purpose::Publish => signer.push(endpoints),
        Purpose::Play => signer.play(endpoints),
    };
    let query = signer.query(match wanted.purpose {
        Purpose::Publish => "rtmp",
        Purpose::Play => "http-flv",
    });
    let expires_at = signer.credential.as_ref().and_then(Credential::expires);
    Ok(Made { query, urls, expires_at })
}

/// The forms in which whatever publishers and viewers need can be made; none where they need nothing.
#[must_use]
pub fn forms(config: &Config, whom: Whom) -> Vec<Form> {
    let gates: Vec<&Gate> =
        [&config.publish, &config.play].into_iter().filter(|gate| !gate.is_open()).collect();
    if gates.is_empty() {
        return Vec::new();
    }
    let is_possible = |form: &Form| {
        gates.iter().all(|gate| match form {
            Form::Token => whom.may_see_tokens() && !gate.tokens.is_empty(),
            Form::Nms | Form::Tencent | Form::Nginx => !gate.secrets.is_empty(),
        })
    };
    [Form::Nms, Form::Tencent, Form::Nginx, Form::Token].into_iter().filter(is_possible).collect()
}

impl Maker {
    /// Whether somebody may have addresses signed who is on this machine, or has a token of the API, or is a stranger.
    #[must_use]
    pub fn serves(self, is_local: bool, has_token: bool) -> bool {
        match self {
            Self::Local => is_local || has_token,
            Self::Token => has_token,
            Self::Anybody => true,
            Self::Nobody => false,
        }
    }
}

/// For whom addresses are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// One that is on this machine or has a token of the API: it could read the configuration as well.
    Ours,
    /// One that may have them since anybody may. What is signed is good for one stream and a while.
    Stranger,
}

impl Whom {
    fn may_see_tokens(self) -> bool {
        self == Self::Ours
    }
}

/// Signs the addresses of one stream.
struct Signer<'a> {
    config: &'a Config,
    name: StreamName,
    address: IpAddr,
    credential: Option<Credential<'a>>,
}

/// What lets somebody in.
enum Credential<'a> {
    Signature { form: Form, secret: &'a str, expires: u64 },
    Token(&'a str),
}

impl Credential<'_> {
    fn expires(&self) -> Option<u64> {
        match self {
            Self::Signature { expires, .. } => Some(*expires),
            Self::Token(_) => None,
        }
    }
}

impl<'a> Signer<'a> {
    fn new(config: &'a Config, wanted: &Wanted, now: u64) -> Result<Self, Problem> {
        let name = StreamName::parse(&wanted.stream)
            .map_err(|error| Problem::bad_stream_name(error.to_string()))?;
        let gate = config.gate(wanted.purpose);
        let (secret, token) = (gate.secrets.first(), gate.tokens.first());
        let form = wanted.form.or(match (secret, token) {
            (Some(_), _) => Some(Form::Nms),
            (None, Some(_)) => Some(Form::Token),
            (None, None) => None,
        });
        let missing = |what| {
            let detail = format!("there is no {}_{what} to make it with", wanted.purpose.as_str());
            Problem::new(StatusCode::CONFLICT, "no_secret", "No secret", detail)
        };
        let credential = match form {
            None => None,
            Some(Form::Token) => {
                let token = token.ok_or_else(|| missing("tokens"))?;
                Some(Credential::Token(token.reveal()))
            }
            Some(form) => {
                let secret = secret.map(Secret::reveal).ok_or_else(|| missing("secrets"))?;
                let expires = now.saturating_add(life(config, wanted.expires_in.as_deref())?);
                Some(Credential::Signature { form, secret, expires })
            }
        };
        let address = match (form, wanted.address) {
            (Some(Form::Nginx), None) if config.secure_link.has_address() => {
                return Err(Problem::bad_parameter(
                    "address: the key secure_link signs the address of whoever uses the link, so it has to be said",
                ));
            }
            (_, address) => address.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into()),
        };
        Ok(Self { config, name, address, credential })
    }

    /// What stands behind the `?` over a protocol.
    fn query(&self, protocol: &str) -> String {
        let uri = uri(protocol, self.name.as_str());
        let subject = Subject { name: &self.name, uri: &uri, address: self.address };
        let secure_link = &self.config.secure_link;
        match self.credential {
            None => String::new(),
            Some(Credential::Token(token)) => {
                sign::sign(Form::Token, &subject, 0, token, secure_link)
            }
            Some(Credential::Signature { form, secret, expires }) => {
                sign::sign(form, &subject, expires, secret, secure_link)
            }
        }
    }

    fn push(&self, endpoints: &Endpoints) -> Vec<MadeUrl> {
        let app = percent_encode(self.name.app(), "/");
        let key = with_query(percent_encode(self.name.stream(), ""), &self.query("rtmp"));
        let url = |base: &str| {
            let server = format!("{base}/{app}");
            let (url, key) = (format!("{server}/{key}"), key.clone());
            MadeUrl { protocol: scheme(base), url, server: Some(server), key: Some(key) }
        };
        rtmp_bases(endpoints).iter().map(|base| url(base)).collect()
    }

    fn play(&self, endpoints: &Endpoints) -> Vec<MadeUrl> {
        let path = percent_encode(self.name.as_str(), "/");
        let plain = |protocol, url| MadeUrl { protocol, url, server: None, key: None };
        let query = self.query("http-flv");
        let flv = with_query(format!("{path}.flv"), &query);
        // The page takes the parameters behind the name, as people paste them.
        let typed = percent_encode(&with_query(self.name.to_string(), &query), "/");
        let mut urls = Vec::new();
        for page in endpoints.pages() {
            // `http://…/` becomes `ws://…/`, and `https` `wss`.
            let socket = page.replacen("http", "ws", 1);
            urls.push(plain("http-flv", format!("{page}{flv}")));
            urls.push(plain("ws-flv", format!("{socket}{flv}")));
            urls.push(plain("page", format!("{page}?stream={typed}")));
        }
        let rtmp = with_query(path, &self.query("rtmp"));
        let bases = rtmp_bases(endpoints);
        urls.extend(bases.iter().map(|base| plain(scheme(base), format!("{base}/{rtmp}"))));
        urls
    }
}

/// `rtmp://host` of every listener and address.
fn rtmp_bases(endpoints: &Endpoints) -> Vec<String> {
    let without_app = |server: String| server.rsplit_once('/').map(|(base, _)| base.to_owned());
    endpoints.push_servers().into_iter().filter_map(without_app).collect()
}

fn scheme(base: &str) -> &'static str {
    if base.starts_with("rtmps:") { "rtmps" } else { "rtmp" }
}

fn with_query(path: String, query: &str) -> String {
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// The seconds that an address is to be good for.
fn life(config: &Config, wanted: Option<&str>) -> Result<u64, Problem> {
    let wanted = match wanted {
        None => DEFAULT_LIFE,
        Some(text) => units::time(text, Duration::from_secs(1)..=MAX_LIFE)
            .map_err(|reason| Problem::bad_parameter(format!("expires_in: {reason}")))?,
    };
    let most = if config.sign_max_life.is_zero() { MAX_LIFE } else { config.sign_max_life };
    Ok(wanted.min(most).as_secs())
}

/// A phone that loses its network in the course of a day comes back with the same address.
const DEFAULT_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Ten years.
const MAX_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::judge,
        sessions::{Request, tests::player},
    };

    fn endpoints() -> Endpoints {
        Endpoints {
            rtmp: "192.168.1.5:1935".parse().unwrap(),
            http: vec!["192.168.1.5:8082".parse().unwrap()],
            secured: Default::default(),
            demo: false.into(),
        }
    }

    fn config() -> Config {
        let mut config = Config::default();
        for gate in [&mut config.publish, &mut config.play] {
            gate.secrets = ["new", "old"].map(Secret::new).to_vec();
            gate.tokens = vec![Secret::new("a token/&")];
        }
        config
    }

    fn wanted(stream: &str, purpose: Purpose, form: Option<Form>) -> Wanted {
        let address = Some("192.0.2.2".parse().unwrap());
        Wanted { stream: stream.to_owned(), purpose, form, expires_in: None, address }
    }

    fn shown(made: &Made) -> Vec<String> {
        made.urls.iter().map(|made| format!("{} {}", made.protocol, made.url)).collect()
    }

    #[test]
    fn a_desk_without_secrets_gets_plain_addresses() {
        let config = Config::default();
        let push = make(&config, &endpoints(), &wanted("x y", Purpose::Publish, None), Whom::Ours)
            .unwrap();
        assert_eq!((push.query.as_str(), push.expires_at), ("", None));
        assert_eq!(shown(&push), ["rtmp rtmp://192.168.1.5/live/x%20y"]);
        assert_eq!(push.urls[0].server.as_deref(), Some("rtmp://192.168.1.5/live"));
        assert_eq!(push.urls[0].key.as_deref(), Some("x%20y"));
        let play = make(&config, &endpoints(), &wanted("room/x", Purpose::Play, None), Whom::Ours)
            .unwrap();
        assert_eq!(
            shown(&play),
            [
                "http-flv http://192.168.1.5:8082/room/x.flv",
                "ws-flv ws://192.168.1.5:8082/room/x.flv",
                "page http://192.168.1.5:8082/?stream=room/x",
                "rtmp rtmp://192.168.1.5/room/x",
            ]
        );
    }

    #[test]
    fn every_address_that_is_made_lets_its_user_in() {
        let config = config();
        for purpose in [Purpose::Publish, Purpose::Play] {
            for form in
                [None, Some(Form::Nms), Some(Form::Tencent), Some(Form::Nginx), Some(Form::Token)]
            {
                for stream in ["live/x", "演示/a b/c&d+e"] {
                    let made =
                        make(&config, &endpoints(), &wanted(stream, purpose, form), Whom::Ours)
                            .unwrap();
                    assert_eq!(made.expires_at.is_none(), form == Some(Form::Token));
                    for url in made.urls {
                        let query = url.url.split_once('?').unwrap().1;
                        let query = match url.protocol {
                            "page" => decoded(query).split_once('?').unwrap().1.to_owned(),
                            _ => query.to_owned(),
                        };
                        let protocol = if url.protocol == "page" { "ws-flv" } else { url.protocol };
                        let request = Request { purpose, protocol, query, ..player(stream) };
                        let judged = judge(&config, &request, unix_now().as_secs());
                        assert!(judged.is_ok(), "{form:?} {}: {judged:?}", url.url);
                    }
                }
            }
        }
    }

    fn decoded(text: &str) -> String {
        String::from_utf8(sign::percent_decode(text).into_owned()).unwrap()
    }

    #[test]
    fn the_key_of_an_encoder_has_the_signature() {
        let made =
            make(&config(), &endpoints(), &wanted("a/b/x", Purpose::Publish, None), Whom::Ours)
                .unwrap();
        let url = &made.urls[0];
        assert_eq!(url.server.as_deref(), Some("rtmp://192.168.1.5/a/b"));
        assert_eq!(url.key.clone().unwrap(), format!("x?{}", made.query));
        assert_eq!(url.url, format!("rtmp://192.168.1.5/a/b/x?{}", made.query));
    }

    #[test]
    fn a_life_is_as_long_as_is_wanted_and_accepted() {
        let mut config = config();
        let life = |config: &Config, wanted| life(config, wanted).ok();
        assert_eq!(life(&config, None), Some(86_400));
        assert_eq!(life(&config, Some("90s")), Some(90));
        assert_eq!((life(&config, Some("0s")), life(&config, Some("soon"))), (None, None));
        config.sign_max_life = Duration::from_secs(3600);
        assert_eq!((life(&config, None), life(&config, Some("2h"))), (Some(3600), Some(3600)));
        assert_eq!(life(&config, Some("90s")), Some(90));
    }

    #[test]
    fn what_cannot_be_made_is_told() {
        let mut config = config();
        let status = |config: &Config, wanted: Wanted| {
            make(config, &endpoints(), &wanted, Whom::Ours)
                .map_err(|problem| problem.status().as_u16())
        };
        let play = |form| wanted("live/x", Purpose::Play, Some(form));
        assert_eq!(
            status(&config, Wanted { stream: "..".to_owned(), ..play(Form::Nms) }),
            Err(400)
        );
        assert_eq!(status(&config, Wanted { address: None, ..play(Form::Nginx) }), Err(400));
        assert!(status(&config, Wanted { address: None, ..play(Form::Nms) }).is_ok());
        config.play.tokens.clear();
        assert_eq!(status(&config, play(Form::Token)), Err(409));
        config.play.secrets.clear();
        assert_eq!(status(&config, play(Form::Nms)), Err(409));
    }

    #[test]
    fn the_forms_are_those_that_all_who_need_one_can_have() {
        let signed = [Form::Nms, Form::Tencent, Form::Nginx];
        let (mut secrets, mut tokens) = (Config::default(), Config::default());
        assert_eq!(forms(&secrets, Whom::Ours), [], "a desk");
        secrets.play.secrets = vec![Secret::new("one")];
        assert_eq!(forms(&secrets, Whom::Ours), signed, "publishers need nothing");
        tokens.publish.tokens = vec![Secret::new("two")];
        assert_eq!(forms(&tokens, Whom::Ours), [Form::Token]);
        tokens.play.secrets = vec![Secret::new("one")];
        assert_eq!(forms(&tokens, Whom::Ours), [], "each has its own");
        tokens.play.tokens = vec![Secret::new("three")];
        assert_eq!(forms(&tokens, Whom::Ours), [Form::Token]);
        assert_eq!(forms(&config(), Whom::Ours)[..3], signed);
    }

    #[test]
    fn strangers_get_what_is_signed_and_no_token() {
        let mut config = config();
        let made = |config: &Config, form| {
            let wanted = wanted("live/x", Purpose::Play, form);
            make(config, &endpoints(), &wanted, Whom::Stranger).map_err(|it| it.status().as_u16())
        };
        assert!(made(&config, None).unwrap().query.starts_with("sign="));
        assert_eq!(made(&config, Some(Form::Token)), Err(403));
        assert!(!forms(&config, Whom::Stranger).contains(&Form::Token));
        config.play.secrets.clear();
        assert_eq!(made(&config, None), Err(403), "there are tokens only");
        config.play.tokens.clear();
        assert_eq!(made(&config, None).unwrap().query, "", "nothing is needed");
    }

    #[test]
    fn who_may_is_a_setting() {
        let serves = |maker: Maker| {
            [(false, false), (true, false), (false, true)]
                .map(|(local, token)| maker.serves(local, token))
        };
        assert_eq!(serves(Maker::Local), [false, true, true]);
        assert_eq!(serves(Maker::Token), [false, false, true]);
        assert_eq!(serves(Maker::Anybody), [true; 3]);
        assert_eq!(serves(Maker::Nobody), [false; 3]);
    }
}

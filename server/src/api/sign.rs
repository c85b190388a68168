//! `POST /api/v1/sign`: addresses to push to and to play from, signed and ready to paste.

use axum::{
    Json,
    extract::{FromRequest, Request, State, rejection::JsonRejection},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;

use super::{Api, Authority, authority, fresh_json};
use crate::{
    access::{
        Config, Maker,
        maker::{self, Wanted, Whom},
        sign::Form,
    },
    problem::Problem,
};

/// Addresses to push to or to play from, signed and ready to paste.
///
/// Who may have them is `sign_maker`: programs on the server's own machine and those with a token, as a rule.
#[cfg_attr(test, utoipa::path(
    post, path = "/api/v1/sign", tag = "access", operation_id = "sign",
    request_body = Wanted, security(("token" = []), ()),
    responses(
        (status = 200, body = maker::Made), super::openapi::NotChanged, super::openapi::NotAllowed,
        super::openapi::BadRequest, super::openapi::NotPossible, super::openapi::TooSlow,
        super::openapi::TooLarge,
        super::openapi::NotJson, super::openapi::NotUnderstood,
    ),
))]
pub async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let config = api.parts.access.config();
    let who = authority(&request);
    if !config.maker.serves(who == Authority::Local, who == Authority::Token) {
        return Err(refusal(&api, config.maker, &request));
    }
    let wanted = Json::<Wanted>::from_request(request, &()).await;
    let Json(wanted) = wanted.map_err(|error| bad_body(&error))?;
    Ok(fresh_json(maker::make(&config, &api.parts.endpoints, &wanted, whom(who))?))
}

/// What is asked of publishers and viewers, and whether it can be had here.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Sign))]
pub struct Needs {
    /// Whether publishers need a signature or a token.
    publish: bool,
    /// Whether viewers need one.
    play: bool,
    /// Who may have addresses signed: `sign_maker`.
    maker: Maker,
    /// Whether the one who asks may.
    may: bool,
    /// In which forms all that is needed can be made; the first is taken where none is said.
    forms: Vec<Form>,
    /// Whether nginx's form signs the address of whoever will use it, which has to be said then.
    signs_address: bool,
}

impl Needs {
    /// As `config` has it, for `who`.
    pub fn new(config: &Config, who: Authority) -> Needs {
        Needs {
            publish: !config.publish.is_open(),
            play: !config.play.is_open(),
            maker: config.maker,
            may: config.maker.serves(who == Authority::Local, who == Authority::Token),
            forms: maker::forms(config, whom(who)),
            signs_address: config.secure_link.has_address(),
        }
    }
}

/// Who may not have them is a stranger, too.
fn whom(who: Authority) -> Whom {
    match who {
        Authority::Local | Authority::Token => Whom::Ours,
        Authority::Nobody => Whom::Stranger,
    }
}

fn refusal(api: &Api, maker: Maker, request: &Request) -> Problem {
    if maker == Maker::Nobody {
        let detail = "this server signs no addresses (sign_maker)";
        return Problem::new(StatusCode::FORBIDDEN, "not_made", "Not made", detail);
    }
    let is_local_enough = maker == Maker::Local;
    let config = api.parts.in_force.api.get();
    authority::refuse(request.headers(), &config, is_local_enough, "have addresses signed")
}

/// What is wrong with a body that should be JSON.
fn bad_body(error: &JsonRejection) -> Problem {
    let (code, title) = match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "Body too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("not_json", "Not JSON"),
        _ => ("bad_body", "Bad body"),
    };
    Problem::new(error.status(), code, title, error.body_text())
}

/// The most that is read of a body: a name and some words.
pub const MAX_BODY: usize = 16 << 10;

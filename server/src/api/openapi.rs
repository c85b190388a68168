//! `GET /api/v1/openapi.json`: the description of the API for programs.
//!
//! The file beside this one is what is served. It is made from the handlers and their types: `UPDATE=1 cargo test openapi`
//! writes it anew, and without `UPDATE` the same test says when it is not what they say.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// This description.
#[cfg_attr(test, utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "server", operation_id = "openapi",
    responses((status = 200, description = "An OpenAPI document", body = Object)),
))]
pub async fn get() -> Response {
    let kind = (header::CONTENT_TYPE, "application/json");
    ([kind, (header::CACHE_CONTROL, "no-cache")], DOCUMENT).into_response()
}

const DOCUMENT: &str = include_str!("openapi.json");

#[cfg(test)]
pub use of_types::{
    BadRequest, NotAllowed, NotChanged, NotFound, NotJson, NotPossible, NotRead, NotUnderstood,
    StreamPath, TooLarge, TooSlow,
};

#[cfg(test)]
mod of_types {
    use std::{fs, path::Path};

    use utoipa::{
        IntoParams, IntoResponses, Modify, OpenApi,
        openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    };

    use crate::{happenings::Happening, health, problem::Body};

    /// The stream, in the path.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Path)]
    #[allow(dead_code)]
    pub struct StreamPath {
        /// The application; it may have levels, with `/` between them.
        #[param(example = "live")]
        app: String,
        /// The stream in it.
        #[param(example = "x")]
        stream: String,
    }

    macro_rules! problems {
        ($($(#[$what:meta])* $name:ident = $status:literal, $description:literal;)*) => {$(
            #[derive(IntoResponses)]
            #[response(status = $status, description = $description, content_type = "application/problem+json")]
            #[allow(dead_code)]
            pub struct $name(Body<'static>);
        )*};
    }

    problems! {
        NotRead = 401, "A token is needed to read (`api_read`)";
        NotChanged = 401, "A token is needed to change anything from elsewhere";
        BadRequest = 400, "Something in the path or the query makes no sense";
        NotFound = 404, "There is no such thing";
        NotAllowed = 403, "Programs elsewhere may not, with or without a token";
        NotPossible = 409, "It cannot be done as the server is configured";
        TooSlow = 408, "The body did not come in time";
        TooLarge = 413, "The body is too large";
        NotJson = 415, "The body is not said to be JSON";
        NotUnderstood = 422, "The body is JSON, and not what is asked for";
    }

    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Pushpull",
            description = "Streams, sessions, and what goes on. Errors are problems (RFC 9457). docs/api.md has the words to it.",
        ),
        paths(
            super::super::server::get,
            super::super::streams::list,
            super::super::streams::get,
            super::super::streams::delete,
            super::super::sessions::list,
            super::super::sessions::get,
            super::super::sessions::delete,
            super::super::refusals::list,
            super::super::sign::post,
            super::super::bans::list,
            super::super::bans::delete,
            super::super::events::get,
            super::super::qr::get,
            super::get,
            super::super::health,
        ),
        components(schemas(Happening, super::super::events::Snapshot, super::super::events::Lagged, health::Report)),
        modifiers(&Token),
    )]
    struct Document;

    struct Token;

    impl Modify for Token {
        fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
            let scheme = scheme.description(Some("One of `api_tokens`")).build();
            let components = document.components.get_or_insert_default();
            components.add_security_scheme("token", SecurityScheme::Http(scheme));
        }
    }

    #[test]
    fn openapi_document_is_what_the_types_say() {
        let document = Document::openapi().to_pretty_json().unwrap();
        // In JSON it has another name.
        let document = document.replace("`None`", "`null`") + "\n";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/openapi.json");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&file, &document).unwrap();
        }
        let is_same = fs::read_to_string(&file).unwrap_or_default() == document;
        assert!(is_same, "openapi.json is out of date: UPDATE=1 cargo test -p pushpull openapi");
    }
}

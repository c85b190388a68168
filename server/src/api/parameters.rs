//! What requests say in their path and query, with a problem for what makes no sense.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use pushpull_rtmp::StreamName;
use serde::{Deserialize, de::DeserializeOwned};

use crate::problem::Problem;

/// The parameters after `?`.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

/// The stream that the path names: everything after the route's own part.
#[derive(Debug)]
pub struct Named(pub StreamName);

/// The stream whose part of a list is asked for, if it is that of one ([`OfStream`]).
#[derive(Debug)]
pub struct Only(pub Option<StreamName>);

/// Which part of a list is asked for: as a handler gets it, it is within its bounds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub struct Page {
    /// The most that are listed.
    #[serde(default = "Page::all")]
    #[cfg_attr(test, param(minimum = 1, maximum = 1000, default = 1000))]
    pub limit: usize,
    /// How many of the first are left out.
    #[serde(default)]
    #[cfg_attr(test, param(minimum = 0, maximum = 1_000_000_000, default = 0))]
    pub offset: usize,
}

/// Whose part of a list is asked for: everybody's, or as a handler gets it in [`Only`], that of one stream.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub struct OfStream {
    /// What is of this stream only: `app/stream`.
    #[cfg_attr(test, param(example = "live/x"))]
    stream: Option<String>,
}

impl Page {
    fn checked(self) -> Result<Page, Problem> {
        if !(1..=MAX_LIMIT).contains(&self.limit) {
            return Err(Problem::bad_parameter(format!(
                "limit: {} is not within 1 and {MAX_LIMIT}",
                self.limit
            )));
        }
        if self.offset > MAX_OFFSET {
            return Err(Problem::bad_parameter(format!(
                "offset: {} is more than {MAX_OFFSET}",
                self.offset
            )));
        }
        Ok(self)
    }

    /// That part of `all`, and how many there are in all.
    pub fn of<T>(self, all: Vec<T>) -> (Vec<T>, usize) {
        let total = all.len();
        (all.into_iter().skip(self.offset).take(self.limit).collect(), total)
    }

    fn all() -> usize {
        MAX_LIMIT
    }
}

/// A stream's name in a path or a parameter.
///
/// # Errors
/// A problem that says what is wrong with it.
fn stream_name(text: &str) -> Result<StreamName, Problem> {
    StreamName::parse(text).map_err(|error| Problem::bad_stream_name(error.to_string()))
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Parameters(value))
            .map_err(|error| Problem::bad_parameter(error.body_text()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Parameters(page) = Parameters::<Page>::from_request_parts(parts, state).await?;
        page.checked()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Only {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Parameters(of) = Parameters::<OfStream>::from_request_parts(parts, state).await?;
        of.stream.as_deref().map(stream_name).transpose().map(Only)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // It is decoded once already.
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(name) = path.map_err(|error| Problem::bad_stream_name(error.body_text()))?;
        Ok(Named(stream_name(&name)?))
    }
}

/// The most of a list in one answer: some hundred kilobytes.
pub const MAX_LIMIT: usize = 1000;

/// Beyond any list.
const MAX_OFFSET: usize = 1_000_000_000;

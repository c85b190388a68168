//! The page at `/` and the player package at `/player/`.
//!
//! Both are built into a release binary and read from the source tree by a debug binary; `--web-dir` reads the page from
//! a directory of the user's.

use std::{
    borrow::Cow,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::RustEmbed;

use crate::problem::Problem;

/// Answers for everything that is a file.
#[derive(Debug, Clone)]
pub struct Site {
    page: Arc<Source>,
}

impl Site {
    /// The built-in page, or the one in `directory`.
    ///
    /// # Errors
    /// [`Error`] when `directory` is not one, or has no `index.html`.
    pub fn new(directory: Option<&Path>) -> Result<Site, Error> {
        let page = match directory {
            None => Source::Page,
            Some(directory) => {
                let error = |source| Error { directory: directory.to_owned(), source };
                let root = directory.canonicalize().map_err(error)?;
                fs::metadata(root.join(INDEX)).map_err(error)?;
                Source::Directory(root)
            }
        };
        Ok(Site { page: Arc::new(page) })
    }

    /// The answer to a request for `path`: the file, 304 if `headers` say the peer has it, 404 or 405.
    pub async fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return Problem::method_not_allowed("GET, HEAD").into_response();
        }
        let (source, name) = match path.strip_prefix(PLAYER_PREFIX) {
            Some(name) => (Arc::new(Source::Player), name),
            None => (self.page.clone(), path.trim_start_matches('/')),
        };
        let is_player = matches!(*source, Source::Player);
        let name = if name.is_empty() || name.ends_with('/') {
            format!("{name}{INDEX}")
        } else {
            name.to_owned()
        };
        let found = match is_safe(&name) {
            // Reading may touch the disk.
            true => tokio::task::spawn_blocking(move || source.find(name)).await.ok().flatten(),
            false => None,
        };
        match found {
            Some((name, bytes)) => file(&name, bytes, is_player, headers),
            None if is_player && Source::Player.read(PLAYER_ENTRY).is_none() => player_missing(),
            None => text(StatusCode::NOT_FOUND, format!("there is nothing at {path}\n")),
        }
    }
}

/// The directory to serve the page from cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot serve the page from {}: {source} (it must be a directory with an {INDEX})", directory.display())]
pub struct Error {
    directory: PathBuf,
    source: io::Error,
}

/// Where files come from.
#[derive(Debug)]
enum Source {
    Page,
    Player,
    Directory(PathBuf),
}

impl Source {
    /// The file `name`, or the page that is called so without its ending: `/stat` is `stat.html`. The name must have
    /// passed [`is_safe`].
    fn find(&self, name: String) -> Option<(String, Bytes)> {
        if let Some(bytes) = self.read(&name) {
            return Some((name, bytes));
        }
        let page = format!("{name}{PAGE_ENDING}");
        let bytes = self.read(&page)?;
        Some((page, bytes))
    }

    /// The file `name`, which must have passed [`is_safe`].
    fn read(&self, name: &str) -> Option<Bytes> {
        match self {
            Source::Page => Page::get(name).map(|file| shared(file.data)),
            Source::Player => Player::get(name).map(|file| shared(file.data)),
            Source::Directory(root) => {
                // A link may lead out of the directory: what it leads to decides.
                let path = root.join(name).canonicalize().ok()?;
                let inside = path.starts_with(root) && path.is_file();
                inside.then(|| fs::read(path).ok())?.map(Bytes::from)
            }
        }
    }
}

#[derive(RustEmbed)]
#[folder = "../web"]
struct Page;

#[derive(RustEmbed)]
#[folder = "../player-wasm/pkg"]
#[allow_missing = true]
struct Player;

fn shared(data: Cow<'static, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

/// Whether `name` can only be a file below the root: plain segments, none hidden, none that climbs.
///
/// Nothing we ship needs an escape, so a `%` is never decoded and never matches.
fn is_safe(name: &str) -> bool {
    name.split('/').all(|segment| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@+~".contains(&byte))
    })
}

fn file(name: &str, bytes: Bytes, is_player: bool, request: &HeaderMap) -> Response {
    let etag = etag(&bytes);
    let mut response = if has(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let length = HeaderValue::from(bytes.len());
        let mut response = Response::new(Body::from(bytes));
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
        response
    };
    let content_type = content_type(name);
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if content_type.starts_with("text/html") {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    }
    if is_player {
        // A page elsewhere may load the player from here; there is nothing secret in it.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    guard(headers);
    response
}

fn player_missing() -> Response {
    text(StatusCode::NOT_FOUND, "player not built: run `just player`\n".to_owned())
}

fn text(status: StatusCode, body: String) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    guard(headers);
    response
}

fn guard(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// A strong validator (RFC 9110 §8.8.3): it changes with the content.
fn etag(bytes: &Bytes) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len())
}

/// Whether `If-None-Match` names `etag` (RFC 9110 §13.1.2: compared weakly).
fn has(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

/// By the end of the name. Browsers refuse modules and WASM under any other type than these.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt" | "md" | "ts") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const INDEX: &str = "index.html";
const PAGE_ENDING: &str = ".html";
const PLAYER_PREFIX: &str = "/player/";
const PLAYER_ENTRY: &str = "index.js";

/// Nothing inline, nothing from third parties; WASM may compile; media and connections anywhere, since the page plays
/// streams of other servers too.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob: data:; connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_comes_with_its_type_and_its_guards() {
        let (site, _directory) =
            site(&[("index.html", b"<!doctype html>"), ("a/b.js", b"1"), ("c.wasm", b"\0asm")]);

        let page = get(&site, "/").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "content-security-policy"), CSP);
        assert_eq!(header(&page, "cache-control"), "no-cache");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        assert_eq!(header(&page, "referrer-policy"), "no-referrer");
        assert_eq!(header(&page, "content-length"), "15");

        let script = get(&site, "/a/b.js").await;
        assert_eq!(header(&script, "content-type"), "text/javascript; charset=utf-8");
        assert!(
            script.headers().get("content-security-policy").is_none(),
            "a policy of the page, not of scripts"
        );
        assert_eq!(header(&get(&site, "/c.wasm").await, "content-type"), "application/wasm");
    }

    #[tokio::test]
    async fn what_the_browser_has_is_not_sent_again() {
        let (site, directory) = site(&[("index.html", b"one")]);
        let etag = header(&get(&site, "/").await, "etag").to_owned();

        for known in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let response = site.respond(&Method::GET, "/", &if_none_match(&known)).await;
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(header(&response, "etag"), etag);
            assert!(body(response).await.is_empty());
        }
        fs::write(directory.path().join("index.html"), "two").unwrap();
        let response = site.respond(&Method::GET, "/", &if_none_match(&etag)).await;
        assert_eq!(response.status(), StatusCode::OK, "it changed");
        assert_eq!(body(response).await, "two");
    }

    #[tokio::test]
    async fn nothing_outside_the_directory_is_reached() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let (site, directory) = site(&[("index.html", b"x"), (".hidden", b"x"), ("a/b", b"x")]);
        #[cfg(unix)]
        std::os::unix::fs::symlink(outside.path().join("secret"), directory.path().join("link"))
            .unwrap();

        let up = format!("/../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
        let absolute = format!("/{}", outside.path().join("secret").display());
        for path in [
            up.as_str(),
            &absolute,
            "/link",
            "/.hidden",
            "/a/../index.html",
            "/a/./b",
            "/a//b",
            "/..%2fsecret",
            "/%2e%2e/secret",
            "/a\\b",
            "/a",
            "/a/",
            "//etc/passwd",
            "/player/../index.html",
            "/player//etc/passwd",
        ] {
            assert_eq!(get(&site, path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(get(&site, "/a/b").await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_page_needs_no_ending() {
        let (site, _directory) = site(&[("index.html", b"x"), ("a.html", b"a"), ("b", b"b")]);
        for path in ["/a", "/a.html"] {
            let page = get(&site, path).await;
            assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8", "{path}");
            assert_eq!(header(&page, "content-security-policy"), CSP, "{path}");
            assert_eq!(body(page).await, "a", "{path}");
        }
        assert_eq!(header(&get(&site, "/b").await, "content-type"), "application/octet-stream");
        for path in ["/a.htm", "/a/", "/.html", "/c"] {
            assert_eq!(get(&site, path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn the_stat_page_is_served() {
        let site = Site::new(None).unwrap();
        let page = get(&site, "/stat").await;
        assert_eq!(header(&page, "content-security-policy"), CSP);
        assert!(body(page).await.starts_with(b"<!doctype html>"));
    }

    #[tokio::test]
    async fn only_get_and_head() {
        let (site, _directory) = site(&[("index.html", b"x")]);
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::TRACE] {
            let response = site.respond(&method, "/", &HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
            assert_eq!(header(&response, "allow"), "GET, HEAD");
        }
        let response = site.respond(&Method::HEAD, "/", &HeaderMap::new()).await;
        assert_eq!(header(&response, "content-length"), "1");
    }

    #[tokio::test]
    async fn the_page_of_the_source_tree_is_served() {
        let site = Site::new(None).unwrap();
        let page = get(&site, "/").await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(body(page).await.starts_with(b"<!doctype html>"));
    }

    #[tokio::test]
    async fn the_player_is_served_or_said_to_be_missing() {
        let site = Site::new(None).unwrap();
        let entry = get(&site, "/player/index.js").await;
        if Source::Player.read(PLAYER_ENTRY).is_some() {
            assert_eq!(header(&entry, "content-type"), "text/javascript; charset=utf-8");
            assert_eq!(header(&entry, "access-control-allow-origin"), "*");
        } else {
            assert_eq!(entry.status(), StatusCode::NOT_FOUND);
            assert_eq!(body(entry).await, "player not built: run `just player`\n");
        }
    }

    #[test]
    fn a_directory_without_a_page_is_refused() {
        let empty = tempfile::tempdir().unwrap();
        let error = Site::new(Some(empty.path())).unwrap_err().to_string();
        assert!(error.contains(&format!("from {}: ", empty.path().display())), "{error}");
        assert!(Site::new(Some(Path::new("/nowhere"))).is_err());
    }

    fn site(files: &[(&str, &[u8])]) -> (Site, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        (Site::new(Some(directory.path())).unwrap(), directory)
    }

    async fn get(site: &Site, path: &str) -> Response {
        site.respond(&Method::GET, path, &HeaderMap::new()).await
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    fn if_none_match(etag: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_NONE_MATCH, etag.parse().unwrap())])
    }

    async fn body(response: Response) -> Bytes {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap()
    }
}

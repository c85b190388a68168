//! Names, units and labels; and that the document and the dashboard speak of what there is.

use std::{collections::BTreeSet, fs, path::PathBuf};

use futures_util::FutureExt;

use super::*;
use crate::{
    access::Access,
    config::Secret,
    hooks::Hooks,
    hub::{Config, tests},
    shutdown::Shutdown,
};

/// The metrics of a server with `streams` streams, of which `shown` have figures.
fn scrape(streams: usize, shown: usize) -> String {
    let hub = Hub::new(Config::default());
    let mut publishers: Vec<_> =
        (0..streams).map(|n| tests::publish(&hub, &format!("live/{n:03}"))).collect();
    for publisher in &mut publishers {
        publisher.open(0);
        publisher.keyframe(40);
        publisher.sound(40);
    }
    let sessions = Sessions::default();
    let _viewer = sessions.open(crate::sessions::tests::player("live/x"));
    let config = api::Config { metrics_streams: shown, ..api::Config::default() };
    let mut metrics = Metrics::new(hub.clone());
    metrics.add_streams(hub, sessions.clone(), Live::new(config));
    metrics.add(Hooks::new(Live::default(), Shutdown::new()).collector());
    let closed = access::Gate { tokens: vec![Secret::new("a token")], ..access::Gate::default() };
    let closed = access::Config { play: closed, ..access::Config::default() };
    let access = Access::new(sessions, Live::new(closed), metrics.access_refused.clone());
    let refused = access.admit(crate::sessions::tests::player("live/x")).now_or_never().unwrap();
    assert!(refused.is_err());
    metrics.publisher_refused("busy");
    metrics.player_refused("missing");
    metrics.rtmp_ignored("unknown", 1);
    metrics.encode().unwrap()
}

/// Name, type and help of every family.
fn families(text: &str) -> Vec<(String, String, String)> {
    let mut families = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        let (name, help) = line.split_once(' ').unwrap();
        let of = format!("# TYPE {name} ");
        let kind = text.lines().find_map(|line| line.strip_prefix(&of)).unwrap();
        families.push((name.to_owned(), kind.to_owned(), help.to_owned()));
    }
    families
}

/// The names that are scraped, with `_total` where it is.
fn names(text: &str) -> BTreeSet<String> {
    let name = |(name, kind, _): (String, String, _)| match kind.as_str() {
        "counter" => format!("{name}_total"),
        _ => name,
    };
    families(text).into_iter().map(name).collect()
}

#[tokio::test]
async fn names_follow_the_conventions() {
    let text = scrape(2, 100);
    let families = families(&text);
    assert!(families.len() > 30, "{} families", families.len());
    let mut seen = BTreeSet::new();
    for (name, kind, help) in &families {
        assert!(seen.insert(name), "{name} is there twice");
        assert!(name.starts_with("pushpull_") || name.starts_with("process_"), "{name}");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte)),
            "{name}"
        );
        assert!(["counter", "gauge"].contains(&kind.as_str()), "{name}: {kind}");
        assert!(help.len() > 10, "{name}: {help}");
        for wrong in
            ["_ms", "_milliseconds", "_kbps", "_bits", "_kilobytes", "_minutes", "_percent"]
        {
            assert!(!name.contains(wrong), "{name}: not a base unit");
        }
        // The library adds `_total` to counters.
        assert!(!name.ends_with("_total") && !name.ends_with("_count"), "{name}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let is_known = families.iter().any(|(family, kind, _)| match kind.as_str() {
            "counter" => name.strip_suffix("_total") == Some(family),
            _ => name == family,
        });
        assert!(is_known, "{line}: of no family");
    }
}

#[tokio::test]
async fn the_streams_with_figures_are_bounded() {
    let text = scrape(5, 2);
    let of_streams = |text: &str| -> BTreeSet<String> {
        let labels =
            text.lines().filter_map(|line| line.split_once("{stream=\"")?.1.split_once('"'));
        labels.map(|(name, _)| name.to_owned()).collect()
    };
    assert_eq!(of_streams(&text).into_iter().collect::<Vec<_>>(), ["live/000", "live/001"]);
    assert!(text.contains("\npushpull_streams_without_figures 3\n"), "{text}");
    assert!(text.contains("\npushpull_streams 5\n"), "{text}");
    assert!(of_streams(&scrape(5, 0)).is_empty());
}

#[tokio::test]
async fn the_document_lists_every_metric() {
    let document = fs::read_to_string(repository().join("docs/api.md")).unwrap();
    let mut missing = names(&scrape(1, 100));
    missing.retain(|name| !document.contains(&format!("`{name}`")));
    assert!(missing.is_empty(), "docs/api.md does not tell of {missing:?}");
}

#[tokio::test]
async fn the_dashboard_asks_for_what_there_is() {
    let file = repository().join("docs/grafana/pushpull.json");
    let dashboard: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    queries.extend(
        variables.iter().filter_map(|variable| Some(variable["query"].as_str()?.to_owned())),
    );
    assert!(queries.len() > 10);
    let known = names(&scrape(1, 100));
    let mut asked = 0;
    for query in queries {
        let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        for name in query
            .split(|letter| !is_word(letter))
            .filter(|word| word.starts_with("pushpull_") || word.starts_with("process_"))
        {
            assert!(known.contains(name), "there is no {name}: {query}");
            asked += 1;
        }
    }
    assert!(asked > 10);
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

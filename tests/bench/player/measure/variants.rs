//! The players and their settings.

use serde_json::{Value, json};

use super::Options;

/// One player with one set of settings.
#[derive(Clone, Debug)]
pub struct Variant {
    pub name: String,
    library: &'static str,
    base: String,
    config: Value,
}

impl Variant {
    /// Whether it is a package of this repository.
    pub fn is_ours(&self) -> bool {
        self.library == "pkg"
    }

    /// Whether ours is measured against it.
    pub fn is_peer(&self) -> bool {
        matches!(self.library, "flv" | "mpegts" | "xgplayer")
    }

    /// What the page is told. `hooks` are scripts that run before the player's own.
    pub fn to_page(&self, hooks: &[&str]) -> Value {
        json!({
            "name": self.name,
            "library": self.library,
            "base": self.base,
            "config": self.config,
            "hooks": hooks,
        })
    }
}

/// Every variant; what a measure takes is its own choice.
pub fn all(options: &Options) -> Vec<Variant> {
    let mut all = Vec::new();
    for (package, _) in &options.packages {
        let base = format!("/pkg/{package}/");
        let variant =
            |name: String, config| Variant { name, library: "pkg", base: base.clone(), config };
        all.push(variant(package.clone(), json!({})));
        for mode in &options.modes {
            all.push(variant(format!("{package}@{mode}"), json!({ "mode": mode })));
        }
    }
    let peers = [
        ("flv.js", "flv", json!({})),
        ("flv.js-nostash", "flv", json!({ "enableStashBuffer": false })),
        ("mpegts.js", "mpegts", json!({})),
        ("mpegts.js-sync", "mpegts", json!({ "enableStashBuffer": false, "liveSync": true })),
        (
            "mpegts.js-sync+mseworker",
            "mpegts",
            json!({ "enableStashBuffer": false, "liveSync": true, "enableWorkerForMSE": true }),
        ),
        ("mpegts.js+worker", "mpegts", json!({ "enableWorker": true })),
        ("xgplayer-flv", "xgplayer", json!({})),
        (
            // Whenever it is more than 1.2 s behind it seeks to 0.8 s.
            "xgplayer-flv-1s",
            "xgplayer",
            json!({ "preloadTime": 1, "targetLatency": 0.8, "maxLatency": 1.2, "disconnectTime": 0 }),
        ),
        ("native-mp4", "native", json!({})),
        ("fetch-only", "fetch", json!({})),
    ];
    all.extend(peers.map(|(name, library, config)| Variant {
        name: name.to_owned(),
        library,
        base: String::new(),
        config,
    }));
    all
}

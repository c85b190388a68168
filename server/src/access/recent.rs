//! What hook servers have refused a moment ago, to tell it again to whoever asks why.
//!
//! A browser hides from its page why a WebSocket was refused, so the page asks the same address with HEAD. That is no reason
//! to ask hook servers once more.

use std::{
    collections::{VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    time::Duration,
};

use tokio::time::Instant;

use super::{Kind, Refusal};
use crate::sessions::Request;

/// The newest of them.
#[derive(Debug, Default)]
pub(super) struct Recent {
    refused: VecDeque<Refused>,
    /// Makes marks that nobody can make up: what a request shows may be secret, and is not kept.
    keys: RandomState,
}

#[derive(Debug)]
struct Refused {
    mark: u64,
    at: Instant,
    refusal: Refusal,
}

impl Recent {
    /// Remembers a refusal, if it was not by what is known here anyway.
    pub(super) fn add(&mut self, request: &Request, refusal: &Refusal, now: Instant) {
        let is_asked = refusal.code.starts_with("hook_") || refusal.kind == Kind::Crowded;
        if !is_asked {
            return;
        }
        let mark = self.mark(request);
        self.refused.retain(|known| known.mark != mark && now < known.at + KEPT);
        if self.refused.len() >= MAX {
            self.refused.pop_front();
        }
        self.refused.push_back(Refused { mark, at: now, refusal: refusal.clone() });
    }

    /// What the same request of the same address was refused for.
    pub(super) fn find(&self, request: &Request, now: Instant) -> Option<Refusal> {
        let mark = self.mark(request);
        let is_it = |known: &&Refused| known.mark == mark && now < known.at + KEPT;
        self.refused.iter().rev().find(is_it).map(|known| known.refusal.clone())
    }

    fn mark(&self, request: &Request) -> u64 {
        let Request { purpose, name, peer, query, .. } = request;
        self.keys.hash_one((purpose, name, peer.ip(), query))
    }
}

/// Long enough for the next request of the same page.
const KEPT: Duration = Duration::from_secs(10);

/// Refusals that are kept: whoever asks comes at once.
const MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::tests::player;

    fn refusal(code: &'static str) -> Refusal {
        Refusal { code, text: "no".to_owned(), kind: Kind::Denied }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_request_is_told_the_same_for_a_while() {
        let (mut recent, request) = (Recent::default(), player("live/a"));
        recent.add(&request, &refusal("token_wrong"), Instant::now());
        assert_eq!(recent.find(&request, Instant::now()), None, "known anyway");
        recent.add(&request, &refusal("hook_denied"), Instant::now());
        recent.add(&request, &refusal("hook_failed"), Instant::now());
        assert_eq!(recent.find(&request, Instant::now()).unwrap().code, "hook_failed");
        let others = [
            player("live/b"),
            Request { query: "token=other".to_owned(), ..player("live/a") },
            Request { peer: ([192, 0, 2, 3], 80).into(), ..player("live/a") },
        ];
        for other in others {
            assert_eq!(recent.find(&other, Instant::now()), None, "{other:?}");
        }
        tokio::time::advance(KEPT).await;
        assert_eq!(recent.find(&request, Instant::now()), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut recent = Recent::default();
        for number in 0..2 * MAX {
            let request = player(&format!("live/{number}"));
            recent.add(&request, &refusal("hook_denied"), Instant::now());
        }
        assert_eq!(recent.refused.len(), MAX);
        let newest = player(&format!("live/{}", 2 * MAX - 1));
        assert!(recent.find(&newest, Instant::now()).is_some());
    }
}

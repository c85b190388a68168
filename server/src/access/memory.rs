//! What was refused of late: for the page and the API, which show it beside the stream.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
};

use pushpull_rtmp::StreamName;
use serde::Serialize;
use tokio::time::Instant;

use super::Refusal;
use crate::{
    sessions::{Purpose, Request},
    time::millis,
};

/// A refusal as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[cfg_attr(test, schema(as = Refusal))]
#[non_exhaustive]
pub struct RefusalStatus {
    /// Milliseconds since it was refused last.
    pub ago_ms: u64,
    /// What it wanted.
    pub purpose: Purpose,
    /// The stream.
    pub stream: String,
    /// Why, in a word.
    pub code: &'static str,
    /// Why, for people.
    pub detail: String,
    /// Who asked last.
    #[cfg_attr(test, schema(value_type = String))]
    pub peer: SocketAddr,
    /// How often the same address was refused the same for the same reason.
    pub times: u64,
}

/// A refusal that is remembered.
#[derive(Debug)]
struct Refused {
    at: Instant,
    purpose: Purpose,
    stream: StreamName,
    code: &'static str,
    text: String,
    peer: SocketAddr,
    times: u64,
}

/// The newest refusals: of each stream some, and of all together some more. Whoever tries again and again is one of them.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By the order they came in.
    refusals: BTreeMap<u64, Refused>,
    /// The numbers of each stream's, oldest first.
    by_stream: HashMap<StreamName, VecDeque<u64>>,
    next: u64,
}

impl Memory {
    /// Remembers a refusal, and forgets the oldest of those over `max`.
    pub(super) fn add(&mut self, request: &Request, refusal: &Refusal, now: Instant, max: usize) {
        let end = refusal.text.floor_char_boundary(TEXT_MAX);
        let mut refused = Refused {
            at: now,
            purpose: request.purpose,
            stream: request.name.clone(),
            code: refusal.code,
            text: refusal.text.get(..end).unwrap_or_default().to_owned(),
            peer: request.peer,
            times: 1,
        };
        let known = self.by_stream.get(&refused.stream).into_iter().flatten();
        let same = known.copied().find(|number| {
            self.refusals.get(number).is_some_and(|known| {
                known.purpose == refused.purpose
                    && known.code == refused.code
                    && known.peer.ip() == refused.peer.ip()
            })
        });
        if let Some(before) = same.and_then(|number| self.forget(number)) {
            refused.times = refused.times.saturating_add(before.times);
        }
        let of_stream = self.by_stream.get(&refused.stream);
        let too_many = of_stream.filter(|numbers| numbers.len() >= PER_STREAM);
        if let Some(&oldest) = too_many.and_then(|numbers| numbers.front()) {
            self.forget(oldest);
        }
        self.by_stream.entry(refused.stream.clone()).or_default().push_back(self.next);
        self.refusals.insert(self.next, refused);
        self.next += 1;
        while self.refusals.len() > max {
            let Some((&oldest, _)) = self.refusals.first_key_value() else { return };
            self.forget(oldest);
        }
    }

    /// All of them, the newest first.
    pub(super) fn list(&self) -> Vec<RefusalStatus> {
        self.refusals.values().rev().map(Refused::status).collect()
    }

    fn forget(&mut self, number: u64) -> Option<Refused> {
        let refused = self.refusals.remove(&number)?;
        if let Some(numbers) = self.by_stream.get_mut(&refused.stream) {
            numbers.retain(|&other| other != number);
            if numbers.is_empty() {
                self.by_stream.remove(&refused.stream);
            }
        }
        Some(refused)
    }
}

impl Refused {
    fn status(&self) -> RefusalStatus {
        RefusalStatus {
            ago_ms: millis(self.at.elapsed()),
            purpose: self.purpose,
            stream: self.stream.to_string(),
            code: self.code,
            detail: self.text.clone(),
            peer: self.peer,
            times: self.times,
        }
    }
}

/// Refusals that are remembered of one stream: one who guesses names or signatures does not push out those of others.
const PER_STREAM: usize = 8;

/// Bytes of a reason that are kept: a hook's answer may be of any length.
const TEXT_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::{super::Kind, Purpose::*, *};
    use crate::sessions::tests::player;

    /// A memory of at most `max` refusals.
    struct Test(Memory, usize);

    impl Test {
        fn add(&mut self, purpose: Purpose, stream: &str, code: &'static str, peer: &str) {
            let peer = peer.parse().unwrap();
            let request = Request { purpose, peer, ..player(stream) };
            let refusal = Refusal { code, text: "ü".repeat(1000), kind: Kind::Wrong };
            self.0.add(&request, &refusal, Instant::now(), self.1);
        }

        fn list(&self) -> Vec<String> {
            let line = |status: &RefusalStatus| {
                format!("{} {} {}", status.stream, status.peer, status.times)
            };
            self.0.list().iter().map(line).collect()
        }
    }

    #[test]
    fn who_tries_again_is_counted_and_the_newest_is_first() {
        let mut memory = Test(Memory::default(), 100);
        for peer in ["192.0.2.1:1", "192.0.2.2:1", "192.0.2.1:2"] {
            memory.add(Publish, "live/x", "signature_wrong", peer);
        }
        assert_eq!(memory.list(), ["live/x 192.0.2.1:2 2", "live/x 192.0.2.2:1 1"]);
        memory.add(Publish, "live/x", "signature_expired", "192.0.2.1:3");
        memory.add(Play, "live/x", "signature_expired", "192.0.2.1:3");
        assert_eq!(memory.list().len(), 4, "another reason, another purpose");
        assert_eq!(memory.0.list()[0].detail.len(), 300);
    }

    #[test]
    fn refusals_that_are_remembered_are_bounded() {
        let mut memory = Test(Memory::default(), 20);
        for number in 0..1000 {
            let peer = format!("10.0.{}.{}:1", number / 250, number % 250);
            memory.add(Publish, "live/one", "signature_wrong", &peer);
        }
        memory.add(Publish, "live/two", "signature_wrong", "192.0.2.1:1");
        assert_eq!(memory.list().len(), PER_STREAM + 1, "{:?}", memory.list());
        for number in 0..1000 {
            memory.add(Publish, &format!("live/{number}"), "signature_wrong", "192.0.2.1:1");
        }
        assert_eq!(memory.list().len(), 20);
        assert_eq!(memory.0.by_stream.len(), 20, "names are forgotten with their refusals");
        memory.1 = 0;
        memory.add(Publish, "live/x", "signature_wrong", "192.0.2.1:1");
        assert!(memory.list().is_empty() && memory.0.by_stream.is_empty(), "a new limit");
    }
}

//! Several message streams whose publishes are answered at any time: what gets through is a matter of the order on each
//! stream alone.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What a peer, or the host, does next.
#[derive(Clone, Debug)]
enum Step {
    Publish(u32),
    Media(u32),
    Goodbye(u32, u8),
    /// The host answers the publish that waits on this stream, if one does.
    Answer(u32),
}

/// What each message stream should bring: the numbers of its media.
#[derive(Default)]
struct Model {
    /// Whether the stream publishes, and whether the host lets it.
    active: BTreeMap<u32, bool>,
    attempts: BTreeMap<u32, usize>,
    media: BTreeMap<u32, Vec<u8>>,
}

impl Model {
    fn publish(&mut self, stream_id: u32) {
        // A second publish on a stream that publishes changes nothing.
        if self.active.get(&stream_id) == Some(&true) {
            return;
        }
        let attempt = self.attempts.entry(stream_id).or_default();
        self.active.insert(stream_id, is_accepted(*attempt));
        *attempt += 1;
    }

    fn media(&mut self, stream_id: u32, number: u8) {
        if self.active.get(&stream_id) == Some(&true) {
            self.media.entry(stream_id).or_default().push(number);
        }
    }
}

/// Of each stream's publishes the host refuses every third.
fn is_accepted(attempt: usize) -> bool {
    attempt % 3 != 1
}

/// The server with what its host knows of it.
struct Hosted {
    peer: Peer,
    waiting: BTreeMap<u32, usize>,
    attempts: BTreeMap<u32, usize>,
    media: BTreeMap<u32, Vec<u8>>,
}

impl Hosted {
    fn listen(&mut self) {
        while let Some(event) = self.peer.server.next_event() {
            match event {
                ServerEvent::Publish { stream_id, .. } => {
                    let attempt = self.attempts.entry(stream_id).or_default();
                    assert_eq!(self.waiting.insert(stream_id, *attempt), None);
                    *attempt += 1;
                }
                ServerEvent::Media(media) => {
                    self.media.entry(media.stream_id).or_default().extend(media.buffer.data());
                }
                ServerEvent::Unpublish { stream_id } => {
                    assert!(!self.waiting.contains_key(&stream_id));
                }
                event => panic!("{event:?}"),
            }
        }
    }

    fn answer(&mut self, stream_id: u32) {
        let Some(attempt) = self.waiting.remove(&stream_id) else { return };
        let server = &mut self.peer.server;
        if is_accepted(attempt) {
            server.accept_publish(stream_id).unwrap();
        } else {
            server.reject_publish(stream_id, PublishRefusal::Denied, "no").unwrap();
        }
        self.listen();
    }
}

fn step() -> impl Strategy<Value = Step> {
    let id = 2..5u32;
    prop_oneof![
        2 => id.clone().prop_map(Step::Publish),
        6 => id.clone().prop_map(Step::Media),
        2 => (id.clone(), 0..3u8).prop_map(|(id, way)| Step::Goodbye(id, way)),
        3 => id.prop_map(Step::Answer),
    ]
}

proptest! {
    #[test]
    fn the_time_of_an_answer_decides_nothing(steps in prop::collection::vec(step(), 0..80)) {
        let config = ServerConfig { max_streams: 100, ..ServerConfig::default() };
        // One that publishes all the time, so that no refusal is the end.
        let mut peer = Peer::publishing();
        peer.server.config = config;
        let mut hosted = Hosted {
            peer,
            waiting: BTreeMap::new(),
            attempts: BTreeMap::new(),
            media: BTreeMap::new(),
        };
        let mut model = Model::default();
        for (number, step) in (0..).zip(steps) {
            let peer = &mut hosted.peer;
            match step {
                Step::Publish(id) => {
                    peer.call(id, "publish", 0.0, vec!["s".into()]);
                    model.publish(id);
                }
                Step::Media(id) => {
                    peer.send(9, id, &[number]);
                    model.media(id, number);
                }
                Step::Goodbye(id, way) => {
                    match way {
                        0 => peer.call(id, "closeStream", 0.0, vec![]),
                        1 => peer.call(id, "publish", 0.0, vec![false.into()]),
                        _ => peer.call(0, "deleteStream", 0.0, vec![Value::Number(id.into())]),
                    };
                    model.active.remove(&id);
                }
                Step::Answer(id) => hosted.answer(id),
            }
            hosted.listen();
        }
        while let Some((&id, _)) = hosted.waiting.first_key_value() {
            hosted.answer(id);
        }
        prop_assert_eq!(hosted.media, model.media);
        prop_assert_eq!(hosted.attempts, model.attempts);
        prop_assert_eq!(hosted.peer.server.held_len, 0);
        prop_assert!(!hosted.peer.server.is_over());
    }
}

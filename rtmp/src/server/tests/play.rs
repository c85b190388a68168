//! Playing.

use super::*;
use crate::command::object;

#[test]
fn play_is_asked_and_can_be_refused() {
    for (name, argument) in
        [("play", "s?k=1".into()), ("play2", object([("streamName", "s?k=1".into())]))]
    {
        let mut peer = Peer::connected();
        peer.call(1, name, 5.0, vec![argument]);
        let Some(ServerEvent::Play { stream_id: 1, name, query }) = peer.server.next_event() else {
            panic!();
        };
        assert_eq!((name.as_str(), query.as_str()), ("live/s", "k=1"));
        peer.server.reject_play(1, "not here");
        assert_eq!(status(&peer.said()), "NetStream.Play.StreamNotFound");
        assert_eq!(peer.call(0, "x", 9.0, vec![]), [result(9.0, Value::Undefined)]);
    }
}

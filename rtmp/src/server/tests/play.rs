//! Playing.

use super::*;
use crate::command::object;

impl Peer {
    /// After `play` on stream 1 was asked.
    fn asking() -> Self {
        let mut peer = Self::connected();
        peer.call(0, "createStream", 2.0, vec![]);
        peer.call(1, "play", 0.0, vec!["s".into()]);
        assert!(matches!(peer.server.next_event(), Some(ServerEvent::Play { .. })));
        peer
    }

    /// After it was accepted.
    fn playing() -> Self {
        let mut peer = Self::asking();
        peer.server.accept_play(1);
        peer.said();
        peer
    }

    fn event(&mut self) -> Option<ServerEvent> {
        self.server.next_event()
    }
}

/// What was said, in few words.
fn words(said: &[Said]) -> Vec<&str> {
    let word = |said| match said {
        &Said::Control(Control::StreamBegin(1)) => "begin",
        &Said::Control(Control::StreamEof(1)) => "eof",
        Said::Data(values) => values[0].as_str().unwrap(),
        said => status(std::slice::from_ref(said)),
    };
    said.iter().map(word).collect()
}

#[test]
fn play_is_asked_and_can_be_refused() {
    for (name, argument) in
        [("play", "s?k=1".into()), ("play2", object([("streamName", "s?k=1".into())]))]
    {
        let mut peer = Peer::connected();
        peer.call(1, name, 5.0, vec![argument]);
        let Some(ServerEvent::Play { stream_id: 1, name, query }) = peer.event() else {
            panic!();
        };
        assert_eq!((name.as_str(), query.as_str()), ("live/s", "k=1"));
        for (refusal, code) in [
            (PlayRefusal::NotFound, "NetStream.Play.StreamNotFound"),
            (PlayRefusal::Failed, "NetStream.Play.Failed"),
        ] {
            peer.server.reject_play(1, refusal, "not here");
            assert_eq!(status(&peer.said()), code);
            peer.server.accept_play(1);
            assert_eq!(peer.said(), [], "there is nothing to accept any more");
            // And once more on the same connection.
            peer.call(1, "play", 0.0, vec!["s".into()]);
            assert!(matches!(peer.event(), Some(ServerEvent::Play { .. })));
        }
    }
}

#[test]
fn an_accepted_player_is_told_in_order() {
    let nothing = vec!["s".into()];
    let live_or_recorded = vec!["s".into(), Value::Number(-2000.0)];
    let all = |reset: Value| vec!["s".into(), Value::Number(0.0), Value::Number(-1.0), reset];
    for (arguments, reset) in [
        (nothing, false),
        (live_or_recorded, false),
        (all(true.into()), true),
        (all(false.into()), false),
        (all(Value::Number(1.0)), true),
        (all(Value::Null), false),
    ] {
        let mut peer = Peer::connected();
        assert_eq!(peer.call(1, "play", 0.0, arguments), []);
        peer.server.accept_play(1);
        let said = peer.said();
        let mut expected = vec!["begin", "NetStream.Play.Start", "|RtmpSampleAccess"];
        if reset {
            expected.insert(1, "NetStream.Play.Reset");
        }
        assert_eq!(words(&said), expected);
        let access = Said::Data(vec!["|RtmpSampleAccess".into(), true.into(), true.into()]);
        assert_eq!(said.last(), Some(&access));
    }
}

#[test]
fn the_end_of_a_stream_is_told_and_the_connection_goes_on() {
    let mut peer = Peer::playing();
    peer.server.end_play(1, "over");
    assert_eq!(words(&peer.said()), ["NetStream.Play.UnpublishNotify", "eof"]);
    peer.server.end_play(1, "over");
    assert_eq!(peer.said(), []);
    assert!(peer.event().is_none());
    peer.call(1, "play", 0.0, vec!["other".into()]);
    assert!(matches!(peer.event(), Some(ServerEvent::Play { .. })));
}

#[test]
fn what_is_asked_while_the_host_looks_for_the_stream_is_heard() {
    let mut peer = Peer::asking();
    let said = peer.call(1, "pause", 0.0, vec![true.into(), Value::Number(0.0)]);
    assert_eq!(words(&said), ["NetStream.Pause.Notify", "eof"]);
    assert!(matches!(peer.event(), Some(ServerEvent::Pause { stream_id: 1, paused: true })));
    let said = peer.call(1, "closeStream", 0.0, vec![]);
    assert_eq!(words(&said), ["NetStream.Play.Stop", "eof"]);
    assert!(matches!(peer.event(), Some(ServerEvent::Stop { stream_id: 1 })));
    peer.server.accept_play(1);
    assert_eq!(peer.said(), [], "it is wanted no more");
}

#[test]
fn every_way_to_stop_playing() {
    type Goodbye = fn(&mut Peer) -> Vec<Said>;
    let ways: [(Goodbye, &[&str]); 3] = [
        (|peer| peer.call(1, "closeStream", 0.0, vec![]), &["NetStream.Play.Stop", "eof"]),
        (|peer| peer.call(0, "deleteStream", 0.0, vec![Value::Number(1.0)]), &[]),
        (|peer| peer.call(1, "play", 0.0, vec!["other".into()]), &[]),
    ];
    for (goodbye, told) in ways {
        let mut peer = Peer::playing();
        assert_eq!(words(&goodbye(&mut peer)), told);
        assert!(matches!(peer.event(), Some(ServerEvent::Stop { stream_id: 1 })));
        while peer.event().is_some() {}
        peer.call(1, "closeStream", 0.0, vec![]);
        while peer.event().is_some() {}
        // What follows may be a publish.
        peer.call(1, "publish", 0.0, vec!["mine".into()]);
        assert!(matches!(peer.event(), Some(ServerEvent::Publish { stream_id: 1, .. })));
    }
}

#[test]
fn pausing_is_confirmed_and_asked_once() {
    let mut peer = Peer::playing();
    for name in ["pause", "pauseRaw"] {
        let arguments = |pause: bool| vec![pause.into(), Value::Number(40.0)];
        let said = peer.call(1, name, 0.0, arguments(true));
        assert_eq!(words(&said), ["NetStream.Pause.Notify", "eof"]);
        assert!(matches!(peer.event(), Some(ServerEvent::Pause { paused: true, .. })));
        assert_eq!(peer.call(1, name, 0.0, arguments(true)), []);
        assert!(peer.event().is_none());
        let said = peer.call(1, name, 0.0, arguments(false));
        assert_eq!(words(&said), ["begin", "NetStream.Unpause.Notify"]);
        assert!(matches!(peer.event(), Some(ServerEvent::Pause { paused: false, .. })));
    }
}

#[test]
fn tracks_are_switched_off_in_silence_and_on_with_two_statuses() {
    let mut peer = Peer::playing();
    for name in ["receiveAudio", "receiveVideo"] {
        assert_eq!(peer.call(1, name, 0.0, vec![true.into()]), [], "it was on");
        assert!(peer.event().is_none());
        assert_eq!(peer.call(1, name, 0.0, vec![false.into()]), []);
        assert!(matches!(
            peer.event(),
            Some(
                ServerEvent::ReceiveAudio { on: false, .. }
                    | ServerEvent::ReceiveVideo { on: false, .. }
            )
        ));
        let said = peer.call(1, name, 0.0, vec![true.into()]);
        assert_eq!(words(&said), ["NetStream.Seek.Notify", "NetStream.Play.Start"]);
        assert!(peer.event().is_some());
    }
}

#[test]
fn a_live_stream_cannot_be_searched() {
    let mut peer = Peer::playing();
    let said = peer.call(1, "seek", 0.0, vec![Value::Number(1000.0)]);
    assert_eq!(words(&said), ["NetStream.Seek.Failed"]);
    assert!(peer.event().is_none());
}

#[test]
fn publishing_and_playing_keep_to_streams_of_their_own() {
    let mut peer = Peer::publishing();
    let said = peer.call(1, "play", 0.0, vec!["s".into()]);
    assert_eq!(status(&said), "NetStream.Play.Failed");
    peer.call(2, "play", 0.0, vec!["s".into()]);
    assert!(matches!(peer.event(), Some(ServerEvent::Play { stream_id: 2, .. })));
    let said = peer.call(2, "publish", 0.0, vec!["t".into()]);
    assert_eq!(status(&said), "NetStream.Publish.BadName");
    // While the host looks for the stream, media goes on.
    peer.send(9, 1, b"picture");
    assert_eq!(peer.media().len(), 1);
}

#[test]
fn streams_played_are_bounded() {
    let mut peer = Peer::connected();
    for id in 1..=16 {
        peer.call(id, "play", 0.0, vec!["s".into()]);
        assert!(matches!(peer.event(), Some(ServerEvent::Play { .. })));
    }
    let said = peer.call(17, "play", 0.0, vec!["s".into()]);
    assert_eq!(status(&said), "NetStream.Play.Failed");
}

#[test]
fn a_player_may_be_silent_for_ever_and_is_pinged() {
    let mut peer = Peer::asking();
    for round in 1..100 {
        if round == 3 {
            peer.server.accept_play(1);
            peer.said();
        }
        let now = START + Duration::from_secs(20 * round);
        assert_eq!(peer.server.timeout(), Some(now));
        peer.server.on_timeout(now).unwrap();
        assert!(matches!(peer.said()[..], [Said::Control(Control::PingRequest(_))]));
    }
    // Without a stream it is held to the limits of everybody.
    peer.server.end_play(1, "over");
    let limit = ServerConfig::default().idle_timeout;
    let now = peer.server.clock.now;
    peer.server.on_timeout(now).unwrap();
    assert_eq!(peer.server.on_timeout(now + limit), Err(Error::IdleTimeout { limit }));
}

#[test]
fn who_publishes_too_is_held_to_a_publishers_limits() {
    let mut peer = Peer::publishing();
    peer.call(2, "play", 0.0, vec!["s".into()]);
    peer.server.accept_play(2);
    let limit = ServerConfig::default().idle_timeout;
    assert_eq!(peer.server.on_timeout(START + limit), Err(Error::IdleTimeout { limit }));
}

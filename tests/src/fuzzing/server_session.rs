//! A server's whole connection as a machine of bytes, time and answers: whatever the peer sends and whenever the host
//! answers, the events make sense, and what it holds and sends is in proportion to what it received.

mod host;
pub mod peer;

use std::collections::BTreeMap;
use std::time::Duration;

use super::Script;
use super::script::cut;
use host::Host;
use peer::Peer;

/// Checks without looking at memory.
pub fn check(input: &[u8]) {
    check_with(input, &|| 0);
}

/// Checks; `live` tells how many bytes this process has allocated now.
///
/// The first byte says whether the peer sends the input as it stands, or what a script makes of it.
pub fn check_with(input: &[u8], live: &dyn Fn() -> usize) {
    let mut script = Script::new(input);
    let mode = script.byte();
    let mut host = Host::new(mode, live);
    if mode.is_multiple_of(2) {
        as_it_stands(&mut script, &mut host);
        return;
    }
    let mut peer = Peer::new();
    host.receive(&peer.handshake());
    while !script.is_over() && !host.is_over() {
        match script.byte() % 16 {
            0 => host.pass(Duration::from_millis(script.time().into())),
            1 => host.pass(Duration::from_secs(script.byte().into())),
            2 => host.timeout(),
            3 => host.answer(script.byte()),
            4 => host.set_mind(script.byte()),
            5 => host.stop(script.byte()),
            6..8 => {
                let bytes = peer.take();
                for piece in cut(&bytes, script.byte()) {
                    host.receive(piece);
                }
            }
            _ => peer.act(&mut script),
        }
    }
    host.receive(&peer.take());
    host.finish();
}

/// Any bytes, answered at once. In which pieces they come decides how far the peer gets when it passes a limit, as what
/// came before the answer has stricter ones; it never decides what is made of them.
fn as_it_stands(script: &mut Script<'_>, host: &mut Host<'_>) {
    let seed = script.byte();
    let input = script.rest();
    let run = |host: &mut Host<'_>, seed| {
        for piece in cut(input, seed) {
            host.receive(piece);
        }
        host.finish();
        let seen = std::mem::take(&mut host.seen);
        let is_odd = |event: &String| event.starts_with("play") || event.starts_with("bad");
        let is_simple = !host.is_over() && !seen.iter().any(is_odd);
        (by_stream(seen), is_simple)
    };
    let mut whole = host.fresh();
    let (whole, whole_is_simple) = run(&mut whole, 0);
    let (pieces, pieces_are_simple) = run(host, seed);
    for (stream, whole) in &whole {
        let pieces = pieces.get(stream).map_or(&[][..], Vec::as_slice);
        let both = whole.len().min(pieces.len());
        assert_eq!(whole[..both], pieces[..both]);
    }
    if whole_is_simple && pieces_are_simple {
        assert_eq!(whole, pieces);
    }
}

/// What happened on each message stream. Streams do not wait for each other.
fn by_stream(seen: Vec<String>) -> BTreeMap<String, Vec<String>> {
    let mut streams = BTreeMap::<_, Vec<_>>::new();
    for event in seen {
        if let Some(("publish" | "play" | "media" | "unpublish", id)) = event.split_once(' ') {
            let id = id.split(' ').next().unwrap_or_default().to_owned();
            streams.entry(id).or_default().push(event);
        }
    }
    streams
}

//! The handshake: both sides, with bytes in any pieces, from a peer that keeps to it and from one that does not.

use bytes::BytesMut;
use pushpull_rtmp::Error;
use pushpull_rtmp::handshake::{Client, PACKET_LEN, RANDOM_LEN, Server};

use super::Script;
use super::script::cut;

/// The first byte says which side is tried and how.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let mode = script.byte();
    let seed = script.byte();
    match mode % 4 {
        0 => server(script.rest(), seed),
        1 => client(script.rest(), seed, mode & 4 != 0),
        _ => together(&mut script, seed, mode & 4 != 0),
    }
}

/// The answer does not depend on the pieces, comes when C1 is whole, and what follows C2 is left alone.
fn server(input: &[u8], seed: u8) {
    let run = |pieces: Vec<&[u8]>| {
        let mut server = Server::new([7; RANDOM_LEN]);
        let mut output = BytesMut::new();
        let (mut used, mut done) = (0, false);
        for piece in pieces {
            let mut rest = piece;
            match server.receive(&mut rest, &mut output) {
                Ok(complete) => done = complete,
                Err(error) => return (Err(error), used, output),
            }
            used += piece.len() - rest.len();
            assert!(done || rest.is_empty(), "all is read while something is missing");
        }
        (Ok(done), used, output)
    };
    let whole = run(cut(input, 0));
    assert_eq!(run(cut(input, seed)), whole);
    let (result, used, output) = whole;
    match result {
        Ok(done) => {
            assert_eq!(done, input.len() > 2 * PACKET_LEN);
            assert_eq!(used, input.len().min(1 + 2 * PACKET_LEN));
            let answered = input.len() > PACKET_LEN;
            assert_eq!(output.len(), if answered { 1 + 2 * PACKET_LEN } else { 0 });
        }
        Err(error) => {
            assert_eq!(error, Error::Version { version: input[0] });
            assert_ne!(input[0], 3);
            assert!(output.is_empty());
        }
    }
}

/// A server that sends anything: the client sends C2 once, or nothing.
fn client(input: &[u8], seed: u8, signed: bool) {
    let mut output = BytesMut::new();
    let mut client = start(signed, [seed; RANDOM_LEN], &mut output);
    assert_eq!(output.len(), 1 + PACKET_LEN);
    output.clear();
    for mut piece in cut(input, seed) {
        match client.receive(&mut piece, &mut output) {
            Ok(true) => assert_eq!(output.len(), PACKET_LEN),
            Ok(false) => assert!(output.is_empty() && piece.is_empty()),
            Err(_) => return assert!(output.is_empty()),
        }
    }
}

/// Our two sides understand each other whatever is random in them; a byte changed on the way is noticed by a client that
/// checks, wherever it is checked.
fn together(script: &mut Script<'_>, seed: u8, signed: bool) {
    let change = (script.byte() & 1 == 1).then(|| {
        let at = usize::from(script.byte()) * 12 + usize::from(script.byte()) % 12;
        (at, script.byte())
    });
    let random = |bytes: &[u8], fill| {
        let mut random = [fill; RANDOM_LEN];
        random[..bytes.len()].copy_from_slice(bytes);
        random
    };
    let mut to_server = BytesMut::new();
    let mut to_client = BytesMut::new();
    let mut client = start(signed, random(script.short_bytes(), seed), &mut to_server);
    let mut server = Server::new(random(script.short_bytes(), !seed));
    for mut piece in cut(&to_server.split(), seed) {
        assert!(!server.receive(&mut piece, &mut to_client).expect("the version is right"));
    }
    let mut answer = to_client.split();
    if let Some((at, bits)) = change {
        answer[at] ^= bits;
    }
    for mut piece in cut(&answer, seed) {
        match client.receive(&mut piece, &mut to_server) {
            Ok(done) => assert!(done || to_server.is_empty()),
            Err(error) => {
                // A fuzzer can learn a digest from the comparison with it, and sign what was not to be.
                let is_mistaken = !signed && answer[5..9] != [0; 4];
                let is_changed = change.is_some_and(|(_, bits)| bits != 0);
                return assert!(is_changed || is_mistaken, "{error}");
            }
        }
    }
    // The simple client sees a change of the version and of S2; the signed one of all that is signed, which leaves out
    // nothing, as a changed digest or offset does not fit either.
    if let Some((at, bits)) = change {
        let seen = signed || at == 0 || at > PACKET_LEN;
        assert!(bits == 0 || !seen, "a change at {at} was not noticed");
    }
    let c2 = to_server.split();
    assert_eq!(c2.len(), PACKET_LEN);
    assert!(server.receive(&mut &c2[..], &mut to_client).expect("C2 is not looked at"));
}

fn start(signed: bool, random: [u8; RANDOM_LEN], output: &mut BytesMut) -> Client {
    if signed { Client::signed(random, output) } else { Client::simple(random, output) }
}

use bytes::BytesMut;

use super::digest::{self, PLAYER_NAME, SERVER_KEY, SERVER_NAME};
use super::{PACKET_LEN, RANDOM_LEN, VERSION, fill};
use crate::Error;

/// The server's side of the handshake.
#[derive(Debug)]
pub struct Server {
    random: [u8; RANDOM_LEN],
    /// C1 as it comes.
    received: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Version,
    C1,
    /// So many bytes of it are still to come; it is not looked at, and not kept.
    C2(usize),
    Done,
}

impl Server {
    /// A handshake that will fill S1 (and a signed S2) from `random`.
    #[must_use]
    pub fn new(random: [u8; RANDOM_LEN]) -> Self {
        Self { random, received: Vec::new(), state: State::Version }
    }

    /// Takes the client's bytes off the front of `input` and appends the answer to `output`; whether the handshake is
    /// complete. What follows C2 stays in `input`.
    ///
    /// # Errors
    /// [`Error::Version`] when the first byte is not RTMP's.
    pub fn receive(&mut self, input: &mut &[u8], output: &mut BytesMut) -> Result<bool, Error> {
        loop {
            match self.state {
                State::Version => {
                    let Some((&version, rest)) = input.split_first() else {
                        return Ok(false);
                    };
                    if version != VERSION {
                        return Err(Error::Version { version });
                    }
                    *input = rest;
                    self.state = State::C1;
                }
                State::C1 => {
                    if !fill(&mut self.received, PACKET_LEN, input) {
                        return Ok(false);
                    }
                    if let Some(c1) = self.received.first_chunk() {
                        answer(c1, &self.random, output);
                    }
                    self.received = Vec::new();
                    self.state = State::C2(PACKET_LEN);
                }
                State::C2(0) => self.state = State::Done,
                State::C2(missing) => {
                    let len = missing.min(input.len());
                    if len == 0 {
                        return Ok(false);
                    }
                    *input = input.get(len..).unwrap_or_default();
                    self.state = State::C2(missing.saturating_sub(len));
                }
                State::Done => return Ok(true),
            }
        }
    }
}

/// Writes S0, S1 and S2: the digest form for a client that signed C1, else the simple form.
fn answer(c1: &[u8; PACKET_LEN], random: &[u8; RANDOM_LEN], output: &mut BytesMut) {
    let mut s1 = [0; PACKET_LEN];
    let mut s2 = *c1;
    if let Some(room) = s1.last_chunk_mut() {
        *room = *random;
    }
    if let Some((scheme, client)) = digest::find(c1, PLAYER_NAME) {
        if let Some(room) = s1.get_mut(4..).and_then(<[u8]>::first_chunk_mut) {
            *room = SIGNING_VERSION;
        }
        digest::sign(&mut s1, scheme, SERVER_NAME);
        if let Some(room) = s2.first_chunk_mut() {
            *room = *random;
        }
        digest::sign_answer(&mut s2, SERVER_KEY, &client);
    }
    output.extend_from_slice(&[VERSION]);
    output.extend_from_slice(&s1);
    output.extend_from_slice(&s2);
}

/// The server version in a signed S1; clients check signatures from version 3 on.
const SIGNING_VERSION: [u8; 4] = [4, 5, 0, 1];

#[cfg(test)]
mod tests {
    use super::super::Client;
    use super::super::digest::Scheme;
    use super::*;

    const RANDOM: [u8; RANDOM_LEN] = [0x42; RANDOM_LEN];

    #[test]
    fn the_simple_form_echoes_c1_exactly_in_one_write() {
        let mut input = vec![3];
        input.extend((0..PACKET_LEN).map(|i| (i % 251) as u8));
        let mut output = BytesMut::new();
        let mut server = Server::new(RANDOM);
        for byte in &input[..PACKET_LEN] {
            assert!(!server.receive(&mut [*byte].as_slice(), &mut output).unwrap());
            assert!(output.is_empty(), "nothing is sent before C1 is complete");
        }
        assert!(!server.receive(&mut &input[PACKET_LEN..], &mut output).unwrap());
        assert_eq!(output.len(), 1 + 2 * PACKET_LEN);
        assert_eq!(output[0], 3);
        assert_eq!(output[5..9], [0; 4], "the simple S1 has zeros for a version");
        assert_eq!(output[9..1 + PACKET_LEN], RANDOM);
        assert_eq!(output[1 + PACKET_LEN..], input[1..]);
    }

    #[test]
    fn c2_is_not_verified_and_what_follows_is_left() {
        let mut input = vec![3];
        input.extend([7; PACKET_LEN]);
        input.extend([9; PACKET_LEN]);
        input.extend(b"next");
        let mut rest = input.as_slice();
        assert!(Server::new(RANDOM).receive(&mut rest, &mut BytesMut::new()).unwrap());
        assert_eq!(rest, b"next");
    }

    #[test]
    fn a_cut_at_any_byte_changes_nothing() {
        let mut hello = vec![3];
        hello.extend((0..PACKET_LEN).map(|i| (i % 251) as u8));
        let mut c1 = [0x5A; PACKET_LEN];
        digest::sign(&mut c1, Scheme::One, PLAYER_NAME);
        let signed = [&[3][..], &c1].concat();
        for hello in [hello, signed] {
            let input = [&hello[..], &[9; PACKET_LEN], b"next"].concat();
            let run = |cut: usize| {
                let (mut first, second) = input.split_at(cut);
                let mut server = Server::new(RANDOM);
                let mut output = BytesMut::new();
                let done = server.receive(&mut first, &mut output).unwrap();
                assert_eq!(done, cut > 2 * PACKET_LEN);
                let rest = [first, second].concat();
                let mut rest = rest.as_slice();
                assert!(server.receive(&mut rest, &mut output).unwrap());
                (output, rest.to_vec())
            };
            let whole = run(input.len());
            assert_eq!((whole.0.len(), &whole.1[..]), (1 + 2 * PACKET_LEN, &b"next"[..]));
            for cut in 0..input.len() {
                assert_eq!(run(cut), whole, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_signed_c1_of_either_scheme_is_answered_in_it() {
        for scheme in [Scheme::Zero, Scheme::One] {
            let mut c1 = [0x5A; PACKET_LEN];
            let client = digest::sign(&mut c1, scheme, PLAYER_NAME);
            let mut output = BytesMut::new();
            let hello = [&[3][..], &c1].concat();
            Server::new(RANDOM).receive(&mut hello.as_slice(), &mut output).unwrap();
            let s1 = output[1..].first_chunk().unwrap();
            assert_eq!(digest::find(s1, SERVER_NAME).map(|(found, _)| found), Some(scheme));
            let s2 = &output[1 + PACKET_LEN..];
            assert!(digest::is_answer(s2, SERVER_KEY, &client));
            // One bit off, and it is a simple C1: echoed.
            c1[1000] ^= 1;
            let mut output = BytesMut::new();
            let hello = [&[3][..], &c1].concat();
            Server::new(RANDOM).receive(&mut hello.as_slice(), &mut output).unwrap();
            assert_eq!(output[1 + PACKET_LEN..], c1);
        }
    }

    #[test]
    fn other_versions_are_refused_at_the_first_byte_and_named() {
        for (version, words) in [(6, "encrypted"), (b'G', "HTTP"), (0x16, "TLS"), (0, "version 0")]
        {
            let error = Server::new(RANDOM)
                .receive(&mut [version].as_slice(), &mut BytesMut::new())
                .unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn both_forms_complete_whatever_the_pieces() {
        for (signed, piece) in [(false, 1), (true, 1), (false, 700), (true, 1537), (true, 9999)] {
            let mut to_server = BytesMut::new();
            let mut to_client = BytesMut::new();
            let mut client = if signed {
                Client::signed([3; RANDOM_LEN], &mut to_server)
            } else {
                Client::simple([3; RANDOM_LEN], &mut to_server)
            };
            let mut server = Server::new(RANDOM);
            let (mut client_done, mut server_done) = (false, false);
            while !client_done || !server_done {
                let sent = to_server.split();
                for mut input in sent.chunks(piece) {
                    server_done = server.receive(&mut input, &mut to_client).unwrap();
                }
                let sent = to_client.split();
                for mut input in sent.chunks(piece) {
                    client_done = client.receive(&mut input, &mut to_server).unwrap();
                }
            }
        }
    }
}

use bytes::BytesMut;

use super::digest::{self, DIGEST_LEN, PLAYER_KEY, PLAYER_NAME, SERVER_KEY, SERVER_NAME, Scheme};
use super::{PACKET_LEN, RANDOM_LEN, VERSION, fill};
use crate::Error;

/// The client's side of the handshake.
#[derive(Debug)]
pub struct Client {
    c1: [u8; PACKET_LEN],
    /// The digest in C1, if it is signed.
    digest: Option<[u8; DIGEST_LEN]>,
    received: Vec<u8>,
    done: bool,
}

impl Client {
    /// Starts the simple form: C0 and C1 are appended to `output`.
    #[must_use]
    pub fn simple(random: [u8; RANDOM_LEN], output: &mut BytesMut) -> Self {
        Self::start([0; 4], random, None, output)
    }

    /// Starts the digest form: C0 and C1 are appended to `output`. The server's signatures will be checked.
    #[must_use]
    pub fn signed(random: [u8; RANDOM_LEN], output: &mut BytesMut) -> Self {
        Self::start(SIGNING_VERSION, random, Some(Scheme::One), output)
    }

    /// Takes the server's bytes off the front of `input` and appends C2 to `output`; whether the handshake is complete.
    ///
    /// # Errors
    /// [`Error::Version`] when the first byte is not RTMP's; [`Error::Echo`] when S2 does not answer C1.
    pub fn receive(&mut self, input: &mut &[u8], output: &mut BytesMut) -> Result<bool, Error> {
        if self.done {
            return Ok(true);
        }
        let complete = fill(&mut self.received, ANSWER_LEN, input);
        if let Some(&version) = self.received.first()
            && version != VERSION
        {
            return Err(Error::Version { version });
        }
        if !complete {
            return Ok(false);
        }
        let received = std::mem::take(&mut self.received);
        let (s1, s2) = received
            .get(1..)
            .and_then(|packets| packets.split_first_chunk::<PACKET_LEN>())
            .ok_or(Error::Echo)?;
        let mut c2 = *s1;
        match self.digest {
            None if s2 != self.c1 => return Err(Error::Echo),
            None => {}
            Some(own) => {
                let (_, server) = digest::find(s1, SERVER_NAME).ok_or(Error::Echo)?;
                if !digest::is_answer(s2, SERVER_KEY, &own) {
                    return Err(Error::Echo);
                }
                digest::sign_answer(&mut c2, PLAYER_KEY, &server);
            }
        }
        output.extend_from_slice(&c2);
        self.done = true;
        Ok(true)
    }

    fn start(
        version: [u8; 4],
        random: [u8; RANDOM_LEN],
        scheme: Option<Scheme>,
        output: &mut BytesMut,
    ) -> Self {
        let mut c1 = [0; PACKET_LEN];
        if let Some((head, room)) = c1.split_last_chunk_mut() {
            *room = random;
            if let Some(room) = head.last_chunk_mut() {
                *room = version;
            }
        }
        let digest = scheme.map(|scheme| digest::sign(&mut c1, scheme, PLAYER_NAME));
        output.extend_from_slice(&[VERSION]);
        output.extend_from_slice(&c1);
        Self { c1, digest, received: Vec::new(), done: false }
    }
}

/// S0, S1 and S2.
const ANSWER_LEN: usize = 1 + 2 * PACKET_LEN;

/// The player version in a signed C1.
const SIGNING_VERSION: [u8; 4] = [10, 0, 45, 2];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_an_echo_is_refused() {
        for signed in [false, true] {
            let mut output = BytesMut::new();
            let mut client = if signed {
                Client::signed([1; RANDOM_LEN], &mut output)
            } else {
                Client::simple([1; RANDOM_LEN], &mut output)
            };
            let mut answer = vec![3];
            answer.extend([8; 2 * PACKET_LEN]);
            assert!(matches!(
                client.receive(&mut answer.as_slice(), &mut output),
                Err(Error::Echo)
            ));
        }
    }
}

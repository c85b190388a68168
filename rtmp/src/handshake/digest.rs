//! The digest form of the handshake: Flash Player 9 and Flash Media Server 3 onwards, ffmpeg, some phones.
//!
//! ```text
//! scheme 0:  time (4)  version (4)  key block (764)     digest block (764)
//! scheme 1:  time (4)  version (4)  digest block (764)  key block (764)
//! digest block:  offset (4)  random  digest (32)  random      digest at 4 + (sum of the offset's bytes) mod 728
//! ```

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::PACKET_LEN;

pub(super) const DIGEST_LEN: usize = 32;

/// Key under which a client signs C1: the readable part of [`PLAYER_KEY`].
pub(super) const PLAYER_NAME: &[u8] = b"Genuine Adobe Flash Player 001";

/// Key under which a server signs S1: the readable part of [`SERVER_KEY`].
pub(super) const SERVER_NAME: &[u8] = b"Genuine Adobe Flash Media Server 001";

/// Key from which the key of C2 is made.
pub(super) const PLAYER_KEY: &[u8] = b"Genuine Adobe Flash Player 001\
    \xF0\xEE\xC2\x4A\x80\x68\xBE\xE8\x2E\x00\xD0\xD1\x02\x9E\x7E\x57\
    \x6E\xEC\x5D\x2D\x29\x80\x6F\xAB\x93\xB8\xE6\x36\xCF\xEB\x31\xAE";

/// Key from which the key of S2 is made.
pub(super) const SERVER_KEY: &[u8] = b"Genuine Adobe Flash Media Server 001\
    \xF0\xEE\xC2\x4A\x80\x68\xBE\xE8\x2E\x00\xD0\xD1\x02\x9E\x7E\x57\
    \x6E\xEC\x5D\x2D\x29\x80\x6F\xAB\x93\xB8\xE6\x36\xCF\xEB\x31\xAE";

/// Where the digest block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Behind the key block.
    Zero,
    /// In front of the key block.
    One,
}

/// The scheme and digest of a C1 or S1 signed with `key`; `None` if it is not signed.
pub(super) fn find(packet: &[u8; PACKET_LEN], key: &[u8]) -> Option<(Scheme, [u8; DIGEST_LEN])> {
    [Scheme::Zero, Scheme::One].into_iter().find_map(|scheme| {
        let (head, digest, tail) = split(packet, scheme)?;
        (hmac(key, &[head, tail]) == digest).then_some((scheme, digest))
    })
}

/// Signs a C1 or S1 with `key` and returns the digest.
pub(super) fn sign(packet: &mut [u8; PACKET_LEN], scheme: Scheme, key: &[u8]) -> [u8; DIGEST_LEN] {
    let at = position(packet, scheme);
    let digest =
        split(packet, scheme).map(|(head, _, tail)| hmac(key, &[head, tail])).unwrap_or_default();
    if let Some(room) = packet.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *room = digest;
    }
    digest
}

/// Signs a C2 or S2: its last 32 bytes become the HMAC of those before, under a key made of `key` and the digest in the
/// peer's C1 or S1.
pub(super) fn sign_answer(packet: &mut [u8; PACKET_LEN], key: &[u8], peer: &[u8; DIGEST_LEN]) {
    if let Some((body, room)) = packet.split_last_chunk_mut() {
        *room = hmac(&hmac(key, &[peer]), &[body]);
    }
}

/// Whether a C2 or S2 is signed as [`sign_answer`] does.
pub(super) fn is_answer(packet: &[u8], key: &[u8], own: &[u8; DIGEST_LEN]) -> bool {
    packet
        .split_last_chunk()
        .is_some_and(|(body, digest)| hmac(&hmac(key, &[own]), &[body]) == *digest)
}

fn split(packet: &[u8; PACKET_LEN], scheme: Scheme) -> Option<(&[u8], [u8; DIGEST_LEN], &[u8])> {
    let (head, rest) = packet.split_at_checked(position(packet, scheme))?;
    let (digest, tail) = rest.split_first_chunk()?;
    Some((head, *digest, tail))
}

/// Where the digest is: at most 776 + 727 + 32 = 1535, so always inside the packet.
fn position(packet: &[u8; PACKET_LEN], scheme: Scheme) -> usize {
    let block = match scheme {
        Scheme::Zero => 8usize.saturating_add(BLOCK_LEN),
        Scheme::One => 8,
    };
    let offset: usize = packet.iter().skip(block).take(4).map(|&byte| usize::from(byte)).sum();
    block.saturating_add(4).saturating_add(offset.checked_rem(OFFSETS).unwrap_or(0))
}

fn hmac(key: &[u8], pieces: &[&[u8]]) -> [u8; DIGEST_LEN] {
    // HMAC takes keys of every length, so this does not fail; an all-zero digest would only fail to verify.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; DIGEST_LEN];
    };
    for piece in pieces {
        mac.update(piece);
    }
    mac.finalize().into_bytes().into()
}

const BLOCK_LEN: usize = 764;

/// How many places in a block a digest can have: 764 − 4 − 32.
const OFFSETS: usize = 728;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_finds_at_every_offset_of_both_schemes() {
        for scheme in [Scheme::Zero, Scheme::One] {
            for sum in [0usize, 1, 727, 728, 1020] {
                let mut packet = [0x5A; PACKET_LEN];
                let block = if scheme == Scheme::Zero { 772 } else { 8 };
                let mut left = sum;
                for byte in &mut packet[block..block + 4] {
                    *byte = u8::try_from(left.min(255)).unwrap();
                    left -= usize::from(*byte);
                }
                assert_eq!(find(&packet, PLAYER_NAME), None);
                let digest = sign(&mut packet, scheme, PLAYER_NAME);
                let at = block + 4 + sum % 728;
                assert_eq!(packet[at..at + 32], digest);
                assert_eq!(find(&packet, PLAYER_NAME), Some((scheme, digest)));
                assert_eq!(find(&packet, SERVER_NAME), None);
            }
        }
    }

    #[test]
    fn hmac_matches_rfc_4231_case_2() {
        let expected = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
            0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]), expected);
    }
}

//! Supplemental enhancement information in pictures (H.264, 7.3.2.3; H.265, 7.3.5).

use crate::Bytes;

use super::Event;
use super::event::Events;
use super::picture::Framing;
use crate::codec::nal::{self, Nal};

/// Reports the messages of a picture that is shown at `time_us`.
pub(super) fn report(events: &mut Events, framing: Framing, body: &[u8], time_us: i64) {
    let mut left = MAX_MESSAGES;
    each_message(framing, body, &mut |payload_type, payload| {
        if left > 0 {
            left = left.saturating_sub(1);
            events.push(Event::Sei { payload_type, payload, time_us });
        }
    });
}

/// Shows `tell` the messages of a picture: payload type and payload.
pub(super) fn each_message(framing: Framing, body: &[u8], tell: &mut dyn FnMut(u32, Bytes)) {
    #[cfg_attr(not(feature = "codecs"), allow(irrefutable_let_patterns))]
    let Framing::Nal(codec, length_size) = framing else { return };
    nal::each_unit(body, length_size, &mut |unit| {
        if is_sei(codec, unit) && unit.len() <= MAX_LEN {
            messages(codec, unit, tell);
        }
    });
}

fn is_sei(nal: Nal, unit: &[u8]) -> bool {
    match nal {
        Nal::Avc => nal.unit_type(unit) == Some(6),
        // In front of a picture and behind it.
        #[cfg(feature = "codecs")]
        Nal::Hevc => matches!(nal.unit_type(unit), Some(39 | 40)),
    }
}

/// The messages of one NAL unit; what is cut off is left out.
fn messages(nal: Nal, unit: &[u8], tell: &mut dyn FnMut(u32, Bytes)) {
    let plain = Bytes::from(nal.payload(unit));
    let mut at: usize = 0;
    // A byte of 80 behind the last message ends them.
    while plain.len().saturating_sub(at) > 2 {
        let (Some(payload_type), Some(size)) = (number(&plain, &mut at), number(&plain, &mut at))
        else {
            return;
        };
        let end = at.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        if end > plain.len() {
            return;
        }
        tell(payload_type, plain.slice(at..end));
        at = end;
    }
}

/// A number in bytes of 255 and one below.
fn number(data: &[u8], at: &mut usize) -> Option<u32> {
    let mut value: u32 = 0;
    loop {
        let &byte = data.get(*at)?;
        *at = at.saturating_add(1);
        value = value.saturating_add(byte.into());
        if byte != 255 {
            return Some(value);
        }
    }
}

/// Messages reported of one picture. Encoders send a handful.
const MAX_MESSAGES: u32 = 16;
/// The longest unit looked into, in bytes.
const MAX_LEN: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(unit: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut found = Vec::new();
        messages(Nal::Avc, unit, &mut |kind, payload| found.push((kind, payload.to_vec())));
        found
    }

    #[test]
    fn several_messages_with_long_numbers_and_emulation_prevention() {
        let mut unit = vec![6, 5, 3, 0, 0, 3, 1, 255, 4, 255, 1];
        unit.extend([7; 256]);
        unit.push(0x80);
        assert_eq!(found(&unit), [(5, vec![0, 0, 1]), (259, vec![7; 256])]);
    }

    #[test]
    fn what_is_cut_off_is_left_out() {
        assert_eq!(found(&[6, 5, 9, 1, 2, 0x80]), []);
        assert_eq!(found(&[6]), []);
        assert_eq!(found(&[6, 4, 1, 9, 255, 255, 255]), [(4, vec![9])]);
    }

    proptest! {
        #[test]
        fn any_unit_ends(unit in prop::collection::vec(prop_oneof![Just(255u8), 0u8..4, any::<u8>()], 0..100)) {
            let total: usize = found(&unit).iter().map(|(_, payload)| payload.len()).sum();
            prop_assert!(total <= unit.len());
        }
    }
}

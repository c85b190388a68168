//! Aggregate messages: several messages in one, laid out like FLV tags (RTMP 1.0, section 7.1.6).
//!
//! ```text
//! type (1)  length (3)  timestamp (3 + 1, the high byte last)  stream id (3)  data  back pointer (4)  …
//! ```

use pushpull_media::flv::TagBuffer;

/// A message inside an aggregate.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) kind: u8,
    pub(crate) timestamp: u32,
    pub(crate) payload: TagBuffer,
}

/// The messages in an aggregate sent at `timestamp`; stops at the first that is cut short, and at [`MAX_INNER`].
///
/// Only the distances of the inner timestamps count: the first inner message has the time of the aggregate.
pub(crate) fn split(payload: &[u8], timestamp: u32) -> impl Iterator<Item = Inner> {
    let mut rest = payload;
    let mut first = None;
    let inner = std::iter::from_fn(move || {
        let (&[kind, l2, l1, l0, t2, t1, t0, t3, _, _, _], behind) = rest.split_first_chunk()?;
        let len = usize::try_from(u32::from_be_bytes([0, l2, l1, l0])).ok()?;
        let (data, behind) = behind.split_at_checked(len)?;
        // The back pointer says nothing new, and the last one may be missing.
        rest = behind.get(4..).unwrap_or_default();
        let inner = u32::from_be_bytes([t3, t2, t1, t0]);
        let offset = inner.wrapping_sub(*first.get_or_insert(inner));
        let mut payload = TagBuffer::with_capacity(data.len());
        payload.extend_from_slice(data).ok()?;
        Some(Inner { kind, timestamp: timestamp.wrapping_add(offset), payload })
    });
    inner.take(MAX_INNER)
}

/// More messages than a server of the Flash era would put in one aggregate: keeps many tiny ones from becoming a
/// multiple of their size in memory.
const MAX_INNER: usize = 4096;

#[cfg(test)]
mod tests {
    use pushpull_media::flv::{Tag, TagKind};

    use super::*;

    #[test]
    fn inner_times_are_rebased_to_the_aggregates() {
        let mut payload = Vec::new();
        for (kind, time, data) in [
            (TagKind::Video, 5000, &b"v"[..]),
            (TagKind::Audio, 4990, b"a"),
            (TagKind::Audio, 5040, b""),
        ] {
            payload.extend_from_slice(Tag::new(kind, time, data).unwrap().bytes());
        }
        let read = |payload: &[u8]| -> Vec<_> {
            split(payload, 100).map(|m| (m.kind, m.timestamp, m.payload.data().to_vec())).collect()
        };
        let expected = [(9, 100, b"v".to_vec()), (8, 90, b"a".to_vec()), (8, 140, b"".to_vec())];
        assert_eq!(read(&payload), expected);
        assert_eq!(read(&payload[..payload.len() - 4]), expected, "no last back pointer");
        assert_eq!(read(&payload[..payload.len() - 5]), expected[..2]);
        assert_eq!(read(&[]), []);
    }

    #[test]
    fn messages_in_an_aggregate_are_bounded() {
        let tag = Tag::new(TagKind::Audio, 0, b"").unwrap();
        let payload = tag.bytes().repeat(MAX_INNER + 5);
        assert_eq!(split(&payload, 0).count(), MAX_INNER);
    }
}

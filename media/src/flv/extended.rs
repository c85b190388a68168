//! What the extended audio and video heads share (Enhanced RTMP v2, "ExAudioTagHeader" and
//! "ExVideoTagHeader"): ModEx extensions, multitrack, FourCC.
//!
//! ```text
//! one track                  type|packet(1) FourCC(4) track(1) data
//! many tracks                type|packet(1) FourCC(4) *( track(1) size(3) data )
//! many tracks, many codecs   type|packet(1) *( FourCC(4) track(1) size(3) data )
//! ```

use super::Error;
use super::cursor::Cursor;

/// The part of an extended head behind its first byte.
pub(super) struct Extended {
    /// `AudioPacketType` or `VideoPacketType` after ModEx and Multitrack were taken off.
    pub(super) packet_type: u8,
    /// `TimestampOffsetNano`: 0 to 999 999 ns.
    pub(super) nano_offset: u32,
    /// Absent in a video command, which has no codec.
    pub(super) fourcc: Option<[u8; 4]>,
    /// The first track, in a multitrack message.
    pub(super) part: Option<Part>,
}

/// One track of a multitrack message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The track's id.
    pub(super) track: u8,
    /// How it lies in the message.
    pub(super) layout: Layout,
    /// Where its data ends, within the message.
    pub(super) end: usize,
}

/// What follows a track's data in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Nothing: it is the only one.
    Alone,
    /// More tracks of the same codec.
    SameCodec,
    /// More tracks, each with its codec.
    OwnCodec,
}

/// Reads what stands before the data of one track of a multitrack message. `codec` is the one all
/// tracks share, absent when each names its own.
pub(super) fn part(
    cursor: &mut Cursor<'_>,
    layout: Layout,
    codec: Option<[u8; 4]>,
) -> Result<([u8; 4], Part), Error> {
    let fourcc = match codec {
        Some(fourcc) => fourcc,
        None => cursor.array("FourCC")?,
    };
    let track = cursor.byte("track id")?;
    let end = match layout {
        Layout::Alone => cursor.len(),
        Layout::SameCodec | Layout::OwnCodec => {
            let [s2, s1, s0] = cursor.array("track size")?;
            let size = usize::try_from(u32::from_be_bytes([0, s2, s1, s0])).unwrap_or(usize::MAX);
            cursor.position.saturating_add(size).min(cursor.len())
        }
    };
    Ok((fourcc, Part { track, layout, end }))
}

/// Reads what follows the first byte of an extended head.
///
/// `packet_type` is the low half of that byte, `multitrack` the number that means Multitrack (5 in
/// audio, 6 in video); `is_command` says that the video frame type is "command".
pub(super) fn parse(
    cursor: &mut Cursor<'_>,
    mut packet_type: u8,
    multitrack: u8,
    is_command: bool,
) -> Result<Extended, Error> {
    let mut nano_offset = 0;
    while packet_type == MOD_EX {
        let mut len = usize::from(cursor.byte("ModEx size")?).saturating_add(1);
        if len == 256 {
            len = usize::from(u16::from_be_bytes(cursor.array("ModEx size")?)).saturating_add(1);
        }
        let data = cursor.slice(len, "ModEx data")?;
        let types = cursor.byte("ModEx type")?;
        packet_type = types & 0x0F;
        if types >> 4 == TIMESTAMP_OFFSET_NANO
            && let Some(&[n2, n1, n0]) = data.first_chunk::<3>()
        {
            nano_offset = u32::from_be_bytes([0, n2, n1, n0]).min(MAX_NANO_OFFSET);
        }
    }
    // In a video command UI8 VideoCommand follows instead of a codec, unless it is metadata.
    if is_command && packet_type != VIDEO_METADATA {
        return Ok(Extended { packet_type, nano_offset, fourcc: None, part: None });
    }
    if packet_type != multitrack {
        let fourcc = Some(cursor.array("FourCC")?);
        return Ok(Extended { packet_type, nano_offset, fourcc, part: None });
    }
    let types = cursor.byte("multitrack type")?;
    let (layout, codec) = match types >> 4 {
        ONE_TRACK => (Layout::Alone, Some(cursor.array("FourCC")?)),
        MANY_CODECS => (Layout::OwnCodec, None),
        _ => (Layout::SameCodec, Some(cursor.array("FourCC")?)),
    };
    let (fourcc, part) = part(cursor, layout, codec)?;
    Ok(Extended { packet_type: types & 0x0F, nano_offset, fourcc: Some(fourcc), part: Some(part) })
}

const MOD_EX: u8 = 7;
const TIMESTAMP_OFFSET_NANO: u8 = 0;
const MAX_NANO_OFFSET: u32 = 999_999;
const ONE_TRACK: u8 = 0;
const MANY_CODECS: u8 = 2;
const VIDEO_METADATA: u8 = 4;

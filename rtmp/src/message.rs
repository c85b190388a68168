//! Message types, and the control messages among them (RTMP 1.0, sections 5.4 and 7.1.7).

/// Message type numbers.
pub mod kind {
    /// Set Chunk Size: the sender's new chunk size.
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Abort: the sender gives up an unfinished message.
    pub const ABORT: u8 = 2;
    /// Acknowledgement: bytes received so far.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// User Control: stream begin, ping and others.
    pub const USER_CONTROL: u8 = 4;
    /// Window Acknowledgement Size: how often the sender wants an acknowledgement.
    pub const WINDOW_SIZE: u8 = 5;
    /// Set Peer Bandwidth: how much may be sent without an acknowledgement.
    pub const PEER_BANDWIDTH: u8 = 6;
    /// Audio data.
    pub const AUDIO: u8 = 8;
    /// Video data.
    pub const VIDEO: u8 = 9;
    /// Data message, AMF3.
    pub const DATA_AMF3: u8 = 15;
    /// Command message, AMF3.
    pub const COMMAND_AMF3: u8 = 17;
    /// Data message, AMF0.
    pub const DATA_AMF0: u8 = 18;
    /// Command message, AMF0.
    pub const COMMAND_AMF0: u8 = 20;
    /// Aggregate: several audio, video and data messages in one.
    pub const AGGREGATE: u8 = 22;
}

/// A control message, besides those the chunk layer keeps to itself (Set Chunk Size, Abort).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// Bytes received so far, modulo 2^32.
    Acknowledgement(u32),
    /// After how many bytes the sender wants an acknowledgement.
    WindowSize(u32),
    /// How many bytes may be sent unacknowledged. Always of the dynamic limit type when sent.
    PeerBandwidth(u32),
    /// A message stream is ready.
    StreamBegin(u32),
    /// A message stream has no more data, until it is asked for some.
    StreamEof(u32),
    /// How much of a message stream the player buffers.
    SetBufferLength {
        /// The message stream.
        stream_id: u32,
        /// Milliseconds.
        millis: u32,
    },
    /// "Are you there?", with the sender's time in milliseconds.
    PingRequest(u32),
    /// The answer to a ping, with its time.
    PingResponse(u32),
}

impl Control {
    /// Reads a control message; `None` for one that is of another type, cut short, or of no concern here.
    #[must_use]
    pub fn decode(kind: u8, payload: &[u8]) -> Option<Self> {
        Some(match kind {
            kind::ACKNOWLEDGEMENT => Self::Acknowledgement(number(payload)?),
            kind::WINDOW_SIZE => Self::WindowSize(number(payload)?),
            kind::PEER_BANDWIDTH => Self::PeerBandwidth(number(payload)?),
            kind::USER_CONTROL => {
                let (&event, rest) = payload.split_first_chunk()?;
                match u16::from_be_bytes(event) {
                    event::STREAM_BEGIN => Self::StreamBegin(number(rest)?),
                    event::STREAM_EOF => Self::StreamEof(number(rest)?),
                    event::SET_BUFFER_LENGTH => Self::SetBufferLength {
                        stream_id: number(rest)?,
                        millis: number(rest.get(4..)?)?,
                    },
                    event::PING_REQUEST => Self::PingRequest(number(rest)?),
                    event::PING_RESPONSE => Self::PingResponse(number(rest)?),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// The message type and payload.
    #[must_use]
    pub fn encode(self) -> (u8, Vec<u8>) {
        match self {
            Self::Acknowledgement(bytes) => (kind::ACKNOWLEDGEMENT, bytes.to_be_bytes().to_vec()),
            Self::WindowSize(bytes) => (kind::WINDOW_SIZE, bytes.to_be_bytes().to_vec()),
            Self::PeerBandwidth(bytes) => {
                let mut payload = bytes.to_be_bytes().to_vec();
                payload.push(LIMIT_DYNAMIC);
                (kind::PEER_BANDWIDTH, payload)
            }
            Self::StreamBegin(stream) => user_control(event::STREAM_BEGIN, stream),
            Self::StreamEof(stream) => user_control(event::STREAM_EOF, stream),
            Self::SetBufferLength { stream_id, millis } => {
                let (kind, mut payload) = user_control(event::SET_BUFFER_LENGTH, stream_id);
                payload.extend_from_slice(&millis.to_be_bytes());
                (kind, payload)
            }
            Self::PingRequest(time) => user_control(event::PING_REQUEST, time),
            Self::PingResponse(time) => user_control(event::PING_RESPONSE, time),
        }
    }
}

fn user_control(event: u16, data: u32) -> (u8, Vec<u8>) {
    (kind::USER_CONTROL, [&event.to_be_bytes()[..], &data.to_be_bytes()].concat())
}

fn number(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|&bytes| u32::from_be_bytes(bytes))
}

/// User control event types.
mod event {
    pub(super) const STREAM_BEGIN: u16 = 0;
    pub(super) const STREAM_EOF: u16 = 1;
    pub(super) const SET_BUFFER_LENGTH: u16 = 3;
    pub(super) const PING_REQUEST: u16 = 6;
    pub(super) const PING_RESPONSE: u16 = 7;
}

/// Limit type of Set Peer Bandwidth: a hard limit if the one before was hard, else none.
const LIMIT_DYNAMIC: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages_round_trip_and_short_ones_are_none() {
        for control in [
            Control::Acknowledgement(7),
            Control::WindowSize(0),
            Control::PeerBandwidth(u32::MAX),
            Control::StreamBegin(1),
            Control::StreamEof(1),
            Control::SetBufferLength { stream_id: 1, millis: 3000 },
            Control::PingRequest(1234),
            Control::PingResponse(1234),
        ] {
            let (kind, payload) = control.encode();
            assert_eq!(Control::decode(kind, &payload), Some(control));
            assert_eq!(Control::decode(kind, &payload[..3]), None);
            assert_eq!(Control::decode(kind, &[]), None);
        }
    }

    #[test]
    fn ping_is_laid_out_as_in_section_7_1_7() {
        assert_eq!(Control::PingRequest(0x0102_0304).encode(), (4, vec![0, 6, 1, 2, 3, 4]));
    }
}

//! AMF0, the serialisation of RTMP commands and FLV script tags.
//!
//! Source: *Action Message Format -- AMF 0* (Adobe, 2007). Every value is one marker byte and a body:
//!
//! ```text
//! 00 number       f64                        08 ECMA array    u32 count, properties, 00 00 09
//! 01 boolean      u8                         0A strict array  u32 count, values
//! 02 string       u16 length, UTF-8          0B date          f64 ms since 1970, i16 time zone
//! 03 object       properties, 00 00 09       0C long string   u32 length, UTF-8
//! 05 null                                    0D unsupported
//! 06 undefined                               0F XML document  u32 length, UTF-8
//! 07 reference    u16                        10 typed object  u16 class name, properties, 00 00 09
//! ```
//!
//! A property is a name (u16 length, UTF-8) and a value; numbers are big-endian.
//! AMF3 (marker 11) and the two reserved markers (04, 0E) are refused by name.

mod decode;
mod encode;
mod value;

pub use decode::{Decoder, Error, MAX_DEPTH, MAX_VALUES};
pub use encode::encode;
pub use value::Value;

/// Type markers (AMF 0, section 2.1).
mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0A;
    pub(super) const DATE: u8 = 0x0B;
    pub(super) const LONG_STRING: u8 = 0x0C;
    pub(super) const UNSUPPORTED: u8 = 0x0D;
    pub(super) const XML_DOCUMENT: u8 = 0x0F;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
}

#[cfg(test)]
mod tests;

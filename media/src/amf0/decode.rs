use alloc::string::String;
use alloc::vec::Vec;

use super::{Value, marker};

/// How many objects and arrays may be nested. The commands and metadata in use need three levels; the limit keeps
/// the decoder's recursion, and the drop of what it made, off the end of the stack.
pub const MAX_DEPTH: usize = 16;

/// How many values one decoder reads. A byte of input can become a value of 56 bytes, so this bounds memory at a few
/// megabytes; the keyframe index of a nine-hour FLV file still fits.
pub const MAX_VALUES: usize = 65_536;

/// Why AMF0 data could not be read. Offsets count bytes from the start of the decoder's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input ends inside a value.
    #[error("AMF0 value is cut off at byte {offset}")]
    Truncated {
        /// Where more bytes were needed.
        offset: usize,
    },
    /// A marker that is reserved, unknown, or AMF3.
    #[error("AMF0 type 0x{marker:02x} at byte {offset} is not supported")]
    Marker {
        /// The marker byte.
        marker: u8,
        /// Where it is.
        offset: usize,
    },
    /// More than [`MAX_DEPTH`] levels.
    #[error("AMF0 value at byte {offset} is nested more than {MAX_DEPTH} deep")]
    TooDeep {
        /// Where the first value too deep is.
        offset: usize,
    },
    /// More than [`MAX_VALUES`] values.
    #[error("AMF0 data has more than {MAX_VALUES} values at byte {offset}")]
    TooManyValues {
        /// Where the first value too many is.
        offset: usize,
    },
}

/// Reads AMF0 values one after the other from a slice.
///
/// Declared counts are never believed: memory grows with the bytes that are there. Invalid UTF-8 is replaced by
/// U+FFFD. An object or ECMA array that stops at a property boundary because the input ends is accepted, as some
/// encoders leave out the end marker.
#[derive(Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
    offset: usize,
    values: usize,
}

impl<'a> Decoder<'a> {
    /// A decoder at the start of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Decoder { rest: input, offset: 0, values: 0 }
    }

    /// The next value, or `None` at the end of the input. After an error there is nothing more to read.
    pub fn next_value(&mut self) -> Result<Option<Value>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let value = self.value(0);
        if value.is_err() {
            self.rest = &[];
        }
        value.map(Some)
    }

    /// How many bytes have been read.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        let offset = self.offset;
        if depth >= MAX_DEPTH {
            return Err(Error::TooDeep { offset });
        }
        if self.values >= MAX_VALUES {
            return Err(Error::TooManyValues { offset });
        }
        self.values = self.values.saturating_add(1);
        let below = depth.saturating_add(1);
        Ok(match self.u8()? {
            marker::NUMBER => Value::Number(self.f64()?),
            marker::BOOLEAN => Value::Boolean(self.u8()? != 0),
            marker::STRING => Value::String(self.short_string()?),
            marker::OBJECT => Value::Object(self.properties(below)?),
            marker::NULL => Value::Null,
            marker::UNDEFINED => Value::Undefined,
            marker::REFERENCE => Value::Reference(self.u16()?),
            marker::ECMA_ARRAY => {
                // The count is a hint at best (encoders send 0, or too many); the end marker decides.
                self.u32()?;
                Value::EcmaArray(self.properties(below)?)
            }
            marker::STRICT_ARRAY => {
                let count = self.u32()?;
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.value(below)?);
                }
                Value::StrictArray(values)
            }
            marker::DATE => {
                Value::Date { unix_ms: self.f64()?, tz: i16::from_be_bytes(self.array()?) }
            }
            marker::LONG_STRING => Value::String(self.long_string()?),
            marker::UNSUPPORTED => Value::Unsupported,
            marker::XML_DOCUMENT => Value::Xml(self.long_string()?),
            marker::TYPED_OBJECT => Value::TypedObject {
                class: self.short_string()?,
                properties: self.properties(below)?,
            },
            marker => return Err(Error::Marker { marker, offset }),
        })
    }

    fn properties(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Error> {
        let mut properties = Vec::new();
        while !self.rest.is_empty() {
            let name = self.short_string()?;
            if name.is_empty() && self.rest.first() == Some(&marker::OBJECT_END) {
                self.u8()?;
                break;
            }
            properties.push((name, self.value(depth)?));
        }
        Ok(properties)
    }

    fn short_string(&mut self) -> Result<String, Error> {
        let len = usize::from(self.u16()?);
        self.string(len)
    }

    fn long_string(&mut self) -> Result<String, Error> {
        let len = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        self.string(len)
    }

    fn string(&mut self, len: usize) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(self.bytes(len)?).into_owned())
    }

    fn f64(&mut self) -> Result<f64, Error> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, Error> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn u8(&mut self) -> Result<u8, Error> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) =
            self.rest.split_first_chunk::<N>().ok_or(Error::Truncated { offset: self.offset })?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(N);
        Ok(*array)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) =
            self.rest.split_at_checked(len).ok_or(Error::Truncated { offset: self.offset })?;
        self.rest = rest;
        self.offset = self.offset.saturating_add(len);
        Ok(bytes)
    }
}

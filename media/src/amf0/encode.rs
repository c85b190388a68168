use alloc::string::String;
use alloc::vec::Vec;

use super::{Value, marker};

/// Appends `value` to `out`.
///
/// A string longer than 65,535 bytes becomes a long string. Property and class names have no long form: a longer one
/// is cut at the last character that fits.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(marker::NUMBER);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Boolean(boolean) => out.extend_from_slice(&[marker::BOOLEAN, u8::from(*boolean)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(len) => {
                out.push(marker::STRING);
                out.extend_from_slice(&len.to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Err(_) => {
                out.push(marker::LONG_STRING);
                long_string(text, out);
            }
        },
        Value::Object(members) => {
            out.push(marker::OBJECT);
            properties(members, out);
        }
        Value::Null => out.push(marker::NULL),
        Value::Undefined => out.push(marker::UNDEFINED),
        Value::Reference(index) => {
            out.push(marker::REFERENCE);
            out.extend_from_slice(&index.to_be_bytes());
        }
        Value::EcmaArray(members) => {
            out.push(marker::ECMA_ARRAY);
            count(members.len(), out);
            properties(members, out);
        }
        Value::StrictArray(values) => {
            out.push(marker::STRICT_ARRAY);
            count(values.len(), out);
            for value in values {
                encode(value, out);
            }
        }
        Value::Date { unix_ms, tz } => {
            out.push(marker::DATE);
            out.extend_from_slice(&unix_ms.to_be_bytes());
            out.extend_from_slice(&tz.to_be_bytes());
        }
        Value::Unsupported => out.push(marker::UNSUPPORTED),
        Value::Xml(text) => {
            out.push(marker::XML_DOCUMENT);
            long_string(text, out);
        }
        Value::TypedObject { class, properties: members } => {
            out.push(marker::TYPED_OBJECT);
            name(class, out);
            properties(members, out);
        }
    }
}

fn properties(members: &[(String, Value)], out: &mut Vec<u8>) {
    for (key, value) in members {
        name(key, out);
        encode(value, out);
    }
    out.extend_from_slice(&[0, 0, marker::OBJECT_END]);
}

fn name(text: &str, out: &mut Vec<u8>) {
    let end = text.floor_char_boundary(usize::from(u16::MAX));
    let text = text.get(..end).unwrap_or_default();
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn long_string(text: &str, out: &mut Vec<u8>) {
    count(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn count(count: usize, out: &mut Vec<u8>) {
    // More than 4 GiB would need an RTMP message 256 times its largest size; the field cannot say it.
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

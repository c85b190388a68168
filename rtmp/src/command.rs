//! Commands: AMF0 values in a row (RTMP 1.0, section 7.2).
//!
//! ```text
//! name (string)  transaction id (number)  command object (object or null)  arguments (any number of values)
//! ```

use pushpull_media::amf0::{self, Value};

use crate::message::kind;

/// A command, a call's answer (`_result`, `_error`), or a status (`onStatus`).
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What to do.
    pub name: String,
    /// Ties an answer to its call; 0 asks for no answer.
    pub transaction: f64,
    /// The command object; null for all but `connect` and its answer.
    pub object: Value,
    /// What follows.
    pub arguments: Vec<Value>,
}

impl Command {
    /// A command with a null command object.
    #[must_use]
    pub fn new(name: &str, transaction: f64, arguments: Vec<Value>) -> Self {
        Self { name: name.into(), transaction, object: Value::Null, arguments }
    }

    /// Reads a command from the payload of a message of type `kind` (20, or 17 with its format byte).
    ///
    /// `None` if there is no name. What cannot be decoded behind it is left out, as are arguments past
    /// sixteen.
    #[must_use]
    pub fn decode(kind: u8, payload: &[u8]) -> Option<Self> {
        let mut values = amf0::Decoder::new(skip_format(kind, payload));
        let mut next = || values.next_value().ok().flatten();
        let Some(Value::String(name)) = next() else {
            return None;
        };
        let transaction = next().and_then(|value| value.as_f64()).unwrap_or(0.0);
        let object = next().unwrap_or(Value::Null);
        let arguments = std::iter::from_fn(next).take(MAX_ARGUMENTS).collect();
        Some(Self { name, transaction, object, arguments })
    }

    /// The payload of a command message of type 20.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        amf0::encode(&Value::String(self.name.clone()), &mut out);
        amf0::encode(&Value::Number(self.transaction), &mut out);
        amf0::encode(&self.object, &mut out);
        for argument in &self.arguments {
            amf0::encode(argument, &mut out);
        }
        out
    }
}

/// The AMF0 of a data or command message: without the format byte in front of it in the AMF3 message types (15, 17),
/// which some encoders leave out.
pub(crate) fn skip_format(kind: u8, payload: &[u8]) -> &[u8] {
    match (kind, payload) {
        (kind::COMMAND_AMF3 | kind::DATA_AMF3, [0, rest @ ..]) => rest,
        _ => payload,
    }
}

/// An object from its properties.
pub(crate) fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    Value::Object(properties.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// The commands in use have up to four.
const MAX_ARGUMENTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_amf3_wrapping() {
        let command = Command {
            name: "connect".into(),
            transaction: 1.0,
            object: object([("app", "live".into()), ("fpad", false.into())]),
            arguments: vec![Value::Undefined, "x".into()],
        };
        let payload = command.encode();
        assert_eq!(Command::decode(20, &payload).as_ref(), Some(&command));
        assert_eq!(Command::decode(17, &payload).as_ref(), Some(&command));
        let wrapped = [&[0], &payload[..]].concat();
        assert_eq!(Command::decode(17, &wrapped), Some(command));
    }

    #[test]
    fn arguments_are_bounded() {
        let payload = Command::new("x", 0.0, vec![Value::Null; MAX_ARGUMENTS + 5]).encode();
        let command = Command::decode(20, &payload).unwrap();
        assert_eq!(command.arguments.len(), MAX_ARGUMENTS);
    }

    #[test]
    fn what_is_missing_or_broken_is_left_out() {
        let mut payload = Command::new("publish", 5.0, vec!["key".into()]).encode();
        payload.extend([0x11, 1, 2, 3]);
        let command = Command::decode(20, &payload).unwrap();
        assert_eq!(command.arguments, ["key".into()]);

        let mut payload = Vec::new();
        amf0::encode(&"createStream".into(), &mut payload);
        let command = Command::decode(20, &payload).unwrap();
        assert_eq!((command.transaction, command.object), (0.0, Value::Null));

        assert_eq!(Command::decode(20, &[]), None);
        assert_eq!(Command::decode(20, &[5]), None);
        assert_eq!(Command::decode(20, &[0, 1, 2, 3]), None);
    }

    #[test]
    fn hostile_values_do_not_get_through() {
        // 200 000 levels deep, and an array said to have four billion values.
        let deep: Vec<u8> = [3, 0, 1, b'a'].repeat(200_000);
        let huge = [0x0A, 255, 255, 255, 255];
        for value in [&deep[..], &huge] {
            let mut payload = Command::new("connect", 1.0, vec![]).encode();
            payload.pop();
            payload.extend(value);
            let command = Command::decode(20, &payload).unwrap();
            assert_eq!((command.object, command.arguments.len()), (Value::Null, 0));
        }
    }
}

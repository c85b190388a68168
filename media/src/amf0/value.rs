use alloc::string::String;
use alloc::vec::Vec;

/// One AMF0 value.
///
/// Properties keep the order of the wire, and a name may appear twice; [`Value::get`] finds the first.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double (2.2).
    Number(f64),
    /// A boolean (2.3).
    Boolean(bool),
    /// A string (2.4), or a long string (2.14) when it does not fit in 65,535 bytes.
    String(String),
    /// An anonymous object (2.5).
    Object(Vec<(String, Value)>),
    /// Null (2.7).
    Null,
    /// Undefined (2.8).
    Undefined,
    /// An index into the complex values sent before (2.9); not resolved.
    Reference(u16),
    /// An associative array (2.10); what most encoders send as `onMetaData`.
    EcmaArray(Vec<(String, Value)>),
    /// A dense array (2.12).
    StrictArray(Vec<Value>),
    /// A date (2.13).
    Date {
        /// Milliseconds since 1970-01-01 UTC.
        unix_ms: f64,
        /// Reserved by the specification, normally 0.
        tz: i16,
    },
    /// A value the sender could not express (2.15).
    Unsupported,
    /// An XML document (2.17).
    Xml(String),
    /// An object of a named class (2.18).
    TypedObject {
        /// The class, as the sender registered it.
        class: String,
        /// The members.
        properties: Vec<(String, Value)>,
    },
}

impl Value {
    /// The first property called `key`, if this is an object or an ECMA array that has one.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.properties()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The properties of an object, typed object or ECMA array.
    pub fn properties(&self) -> Option<&[(String, Value)]> {
        match self {
            Value::Object(properties)
            | Value::EcmaArray(properties)
            | Value::TypedObject { properties, .. } => Some(properties),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number; strings are not converted.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean; numbers are not converted.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Value::Boolean(boolean)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

use proptest::prelude::*;

use super::{Decoder, Error, MAX_DEPTH, MAX_VALUES, Value, encode};

fn decode_all(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let mut decoder = Decoder::new(bytes);
    let mut values = Vec::new();
    while let Some(value) = decoder.next_value()? {
        values.push(value);
    }
    assert_eq!(decoder.offset(), bytes.len());
    Ok(values)
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out);
    out
}

/// A `connect` command in the form encoders send it.
#[test]
fn a_connect_command() {
    let bytes = b"\x02\x00\x07connect\x00\x3f\xf0\0\0\0\0\0\0\x03\x00\x03app\x02\x00\x04live\
        \x00\x04type\x02\x00\x0anonprivate\x00\x05tcUrl\x02\x00\x15rtmp://127.0.0.1/live\0\0\x09";
    let values = decode_all(bytes).unwrap();
    assert_eq!(values[0].as_str(), Some("connect"));
    assert_eq!(values[1].as_f64(), Some(1.0));
    assert_eq!(values[2].get("app").and_then(Value::as_str), Some("live"));
    assert_eq!(values[2].get("tcUrl").and_then(Value::as_str), Some("rtmp://127.0.0.1/live"));
    assert_eq!(values[2].get("missing"), None);
    let mut again = Vec::new();
    for value in &values {
        encode(value, &mut again);
    }
    assert_eq!(again, bytes);
}

#[test]
fn an_array_may_lie_about_its_count_and_miss_its_end() {
    let bytes = b"\x08\xff\xff\xff\xff\x00\x05width\x00\x40\x94\0\0\0\0\0\0";
    let values = decode_all(bytes).unwrap();
    assert_eq!(values, [Value::EcmaArray(vec![("width".into(), Value::Number(1280.0))])]);
}

#[test]
fn a_declared_count_allocates_nothing() {
    assert_eq!(decode_all(b"\x0a\xff\xff\xff\xff\x05\x05"), Err(Error::Truncated { offset: 7 }));
    assert_eq!(decode_all(b"\x0c\xff\xff\xff\xffabc"), Err(Error::Truncated { offset: 5 }));
}

#[test]
fn depth_and_count_are_limited() {
    let nested = |levels: usize| b"\x03\x00\x01a".repeat(levels);
    let mut deepest = nested(MAX_DEPTH - 1);
    deepest.push(5);
    assert!(decode_all(&deepest).is_ok());
    assert_eq!(decode_all(&nested(100_000)), Err(Error::TooDeep { offset: 4 * MAX_DEPTH }));

    assert_eq!(decode_all(&vec![5; MAX_VALUES]).unwrap().len(), MAX_VALUES);
    assert_eq!(
        decode_all(&vec![5; MAX_VALUES + 1]),
        Err(Error::TooManyValues { offset: MAX_VALUES })
    );
}

#[test]
fn what_is_not_amf0_is_named() {
    assert_eq!(decode_all(b"\x05\x11\x06"), Err(Error::Marker { marker: 0x11, offset: 1 }));
    assert_eq!(decode_all(b"\x00\x00"), Err(Error::Truncated { offset: 1 }));
    assert_eq!(decode_all(b"\x02\x00\x05ab"), Err(Error::Truncated { offset: 3 }));
}

#[test]
fn after_an_error_nothing_more_comes() {
    let mut decoder = Decoder::new(b"\x04\x05\x05");
    assert!(decoder.next_value().is_err());
    assert_eq!(decoder.next_value(), Ok(None));
}

#[test]
fn invalid_utf8_is_replaced() {
    assert_eq!(decode_all(b"\x02\x00\x02a\xff").unwrap(), [Value::from("a\u{fffd}")]);
}

#[test]
fn long_strings_and_long_names() {
    let text = "x".repeat(65_536);
    let bytes = encoded(&Value::from(text.as_str()));
    assert_eq!(bytes[..5], [0x0c, 0, 1, 0, 0]);
    assert_eq!(decode_all(&bytes).unwrap(), [Value::from(text)]);

    let name = "é".repeat(40_000);
    let bytes = encoded(&Value::Object(vec![(name, Value::Null)]));
    let values = decode_all(&bytes).unwrap();
    assert_eq!(values[0].properties().unwrap()[0].0, "é".repeat(32_767));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::num::f64::ANY
            .prop_filter("NaN is not equal to itself", |n| !n.is_nan())
            .prop_map(Value::Number),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,12}".prop_map(Value::String),
        Just(Value::Null),
        Just(Value::Undefined),
        any::<u16>().prop_map(Value::Reference),
        (-1e15..1e15f64, any::<i16>()).prop_map(|(unix_ms, tz)| Value::Date { unix_ms, tz }),
        Just(Value::Unsupported),
        ".{0,12}".prop_map(Value::Xml),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let properties = prop::collection::vec((".{0,6}", inner.clone()), 0..6);
        prop_oneof![
            properties.clone().prop_map(Value::Object),
            properties.clone().prop_map(Value::EcmaArray),
            prop::collection::vec(inner, 0..6).prop_map(Value::StrictArray),
            (".{0,6}", properties)
                .prop_map(|(class, properties)| Value::TypedObject { class, properties }),
        ]
    })
}

/// Bytes that get past the first marker more often than uniform noise does.
fn plausible_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![3 => 0u8..=0x11, 1 => any::<u8>()], 0..512)
}

proptest! {
    #[test]
    fn round_trip(values in prop::collection::vec(any_value(), 0..4)) {
        let mut bytes = Vec::new();
        for value in &values {
            encode(value, &mut bytes);
        }
        prop_assert_eq!(decode_all(&bytes).unwrap(), values);
    }

    #[test]
    fn arbitrary_bytes_end_in_values_or_an_error(bytes in plausible_bytes()) {
        let mut decoder = Decoder::new(&bytes);
        while let Ok(Some(_)) = decoder.next_value() {}
        prop_assert!(decoder.offset() <= bytes.len());
    }

    #[test]
    fn a_cut_is_noticed_or_harmless(value in any_value(), cut in any::<prop::sample::Index>()) {
        let bytes = encoded(&value);
        let mut decoder = Decoder::new(&bytes[..cut.index(bytes.len())]);
        while let Ok(Some(_)) = decoder.next_value() {}
    }
}

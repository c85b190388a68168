//! Hands the value of a script tag to JavaScript, which builds an object of it.

use pushpull_media::amf0::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// `ScriptBuilder` of `js/script.js`.
    pub type ScriptBuilder;

    #[wasm_bindgen(method)]
    fn begin(this: &ScriptBuilder, key: &str, is_array: bool);
    #[wasm_bindgen(method)]
    fn end(this: &ScriptBuilder);
    #[wasm_bindgen(method)]
    fn date(this: &ScriptBuilder, key: &str, milliseconds: f64);
    #[wasm_bindgen(method)]
    fn put(this: &ScriptBuilder, key: &str, value: JsValue);
}

/// Walks through `value`, which is called `key` where it stands. Values nest 16 deep at most, as the
/// decoder sees to that.
pub fn walk(builder: &ScriptBuilder, key: &str, value: &Value) {
    match value {
        Value::Number(number) => builder.put(key, JsValue::from_f64(*number)),
        Value::Boolean(boolean) => builder.put(key, JsValue::from_bool(*boolean)),
        Value::String(text) | Value::Xml(text) => builder.put(key, JsValue::from_str(text)),
        Value::Date { unix_ms, .. } => builder.date(key, *unix_ms),
        Value::Object(properties)
        | Value::EcmaArray(properties)
        | Value::TypedObject { properties, .. } => {
            builder.begin(key, false);
            for (name, value) in properties {
                walk(builder, name, value);
            }
            builder.end();
        }
        Value::StrictArray(values) => {
            builder.begin(key, true);
            for value in values {
                walk(builder, "", value);
            }
            builder.end();
        }
        Value::Null | Value::Undefined | Value::Reference(_) | Value::Unsupported => {
            builder.put(key, JsValue::NULL);
        }
    }
}

//! The test vectors of RFC 3711, 6188 and 7714, for the unit tests.

use serde_json::Value;

/// The entries under `name` in `tests/data/srtp_rfc3711_6188_7714.json`.
pub(crate) fn vectors(name: &str) -> Vec<Value> {
    let text = include_str!("../tests/data/srtp_rfc3711_6188_7714.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all[name].as_array().unwrap().clone()
}

/// A field written in hexadecimal.
pub(crate) fn bytes(vector: &Value, field: &str) -> Vec<u8> {
    let text = vector[field].as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

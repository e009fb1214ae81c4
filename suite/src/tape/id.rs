use std::fmt;

use serde_json::Value;

/// The id of a request, as it stood on the wire: `1` and `"1"` are different ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// `null`.
    Null,
    /// A number; one with a zero fraction is written as the integer it is.
    Number(String),
    /// A string, escapes resolved.
    Text(String),
    /// What no request may have: a boolean, an object, an array. The JSON text.
    Other(String),
}

impl Id {
    /// Reads an id from its JSON text.
    pub(crate) fn read(json: &[u8]) -> Id {
        let text = || String::from_utf8_lossy(json).into_owned();
        match json.first() {
            Some(b'n') => Id::Null,
            Some(b'"') => serde_json::from_slice(json).map_or_else(|_| Id::Other(text()), Id::Text),
            Some(b'-' | b'0'..=b'9') => Id::Number(integer(&text())),
            _ => Id::Other(text()),
        }
    }

    /// The id of one of our own requests.
    pub(crate) fn of(value: &Value) -> Id {
        Id::read(value.to_string().as_bytes())
    }
}

/// `1.0` and `1e2` are integers to JSON Schema; as ids they are the integers that they equal.
fn integer(number: &str) -> String {
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-');
    match number.parse::<f64>() {
        Ok(value) if !plain && value.fract() == 0.0 && value.abs() < 2f64.powi(53) => {
            format!("{value:.0}")
        }
        _ => number.to_owned(),
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Null => f.write_str("null"),
            Id::Number(text) | Id::Other(text) => f.write_str(text),
            Id::Text(text) => write!(f, "{}", Value::from(text.as_str())),
        }
    }
}

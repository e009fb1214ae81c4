//! Whether what the client sends is JSON at all.

use serde_json::value::RawValue;

/// Whether the bytes hold JSON objects, one to a line, or arrays of them.
pub(super) fn is_readable(bytes: &[u8]) -> bool {
    is_message(bytes) || bytes.split(|byte| *byte == b'\n').all(is_message)
}

/// Whether a text is an object, an array of objects, or blank.
fn is_message(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if text.starts_with(b"[") {
        let elements = serde_json::from_slice::<Vec<&RawValue>>(text);
        return elements.is_ok_and(|all| {
            !all.is_empty() && all.iter().all(|element| element.get().starts_with('{'))
        });
    }
    let is_object = || serde_json::from_slice::<&RawValue>(text).is_ok();
    text.is_empty() || (text.starts_with(b"{") && is_object())
}

#[cfg(test)]
mod tests {
    use super::is_readable;

    #[test]
    fn messages_are_objects_or_arrays_of_objects() {
        for text in ["{}\n", "{}\r\n{}\n", "[{}]\n", "{\n}\n", "\n"] {
            assert!(is_readable(text.as_bytes()), "{text}");
        }
        for text in ["{\n", "no\n", "[]\n", "[1]\n", "1\n", "{}\nx\n", "{}{}\n"] {
            assert!(!is_readable(text.as_bytes()), "{text}");
        }
        assert!(!is_readable(b"{\"a\":\"\xff\"}\n"));
    }
}

use serde_json::Value;

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// Shorter values are no secrets, and would blot out half of a report …
const SHORTEST: usize = 4;
/// … and so are numbers with fewer digits, ports and the like, and the words of JSON.
const DIGITS: usize = 8;

/// The values that never reach a report: those of `--env` and `--header`, and passwords in addresses.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Keeps the values that may be secrets, as written and as escaped in JSON.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Secrets {
        let mut all: Vec<String> = Vec::new();
        for value in values.into_iter().filter(|value| may_be_secret(value)) {
            let quoted = Value::from(value).to_string();
            all.push(value.to_owned());
            all.push(quoted[1..quoted.len() - 1].to_owned());
        }
        // The longest first: one secret may be part of another.
        all.sort_by_key(|value| std::cmp::Reverse(value.len()));
        all.dedup();
        Secrets(all)
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes with each secret replaced, and the beginning of one at their end: a text that was
    /// cut off may end so.
    pub fn redact(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.redact_whole(bytes);
        let begun = self.begun_at_end(&out);
        if begun >= SHORTEST {
            out.truncate(out.len() - begun);
            out.extend_from_slice(REDACTED.as_bytes());
        }
        out
    }

    /// How many bytes at the end may be the beginning of a secret.
    pub(crate) fn begun_at_end(&self, bytes: &[u8]) -> usize {
        let begun = |secret: &String| {
            let longest = secret.len().saturating_sub(1).min(bytes.len());
            (1..=longest)
                .rev()
                .find(|len| bytes.ends_with(&secret.as_bytes()[..*len]))
        };
        self.0.iter().filter_map(begun).max().unwrap_or_default()
    }

    /// Every text in a value with each secret replaced.
    pub(crate) fn redact_value(&self, value: &mut Value) {
        match value {
            Value::String(text) if !self.is_empty() => {
                *text = String::from_utf8_lossy(&self.redact_whole(text.as_bytes())).into_owned();
            }
            Value::Array(all) => all.iter_mut().for_each(|value| self.redact_value(value)),
            Value::Object(all) => all.values_mut().for_each(|value| self.redact_value(value)),
            _ => {}
        }
    }

    /// The bytes with each secret replaced.
    pub(crate) fn redact_whole(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let mut secrets = self.0.iter();
            match secrets.find(|secret| rest.starts_with(secret.as_bytes())) {
                Some(secret) => {
                    out.extend_from_slice(REDACTED.as_bytes());
                    at += secret.len();
                }
                None => {
                    out.push(bytes[at]);
                    at += 1;
                }
            }
        }
        out
    }

    /// The text with each secret replaced.
    pub fn redact_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.redact(text.as_bytes())).into_owned()
    }
}

/// Whether hiding the value hides a secret, and not half of a report or the grammar of JSON.
fn may_be_secret(value: &str) -> bool {
    match serde_json::from_str::<Value>(value) {
        Ok(Value::Number(_)) => value.len() >= DIGITS,
        Ok(Value::Bool(_) | Value::Null) => false,
        _ => value.len() >= SHORTEST,
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn secrets_are_replaced_whole_escaped_and_cut_off() {
        let secrets = Secrets::new(["hunter2-and-more", "pa\"ss", "1"]);
        assert_eq!(
            secrets.redact_text("x hunter2-and-more 1"),
            "x [redacted] 1"
        );
        assert_eq!(
            secrets.redact_text(r#"{"a":"pa\"ss"}"#),
            r#"{"a":"[redacted]"}"#
        );
        assert_eq!(secrets.redact_text("x hunter2"), "x [redacted]");
    }

    #[test]
    fn what_would_break_json_or_blot_out_reports_is_no_secret() {
        let secrets = Secrets::new(["true", "null", "3000", "12345678", "production"]);
        let text = r#"{"a":true,"b":null,"c":3000,"d":"production","e":"12345678"}"#;
        assert_eq!(
            secrets.redact_text(text),
            r#"{"a":true,"b":null,"c":3000,"d":"[redacted]","e":"[redacted]"}"#
        );
    }

    #[test]
    fn the_beginning_of_a_secret_at_the_end_is_seen_whole_or_in_part() {
        let secrets = Secrets::new(["hunter2-and-more"]);
        assert_eq!(secrets.begun_at_end(b"x hunter2"), 7);
        assert_eq!(secrets.begun_at_end(b"x h"), 1);
        assert_eq!(secrets.begun_at_end(b"x"), 0);
        assert_eq!(secrets.begun_at_end(b"hunter2-and-more"), 0);
    }
}

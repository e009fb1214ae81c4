use serde_json::Value;

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// Shorter values are no secrets, and would blot out half of a report.
const SHORTEST: usize = 4;

/// The values that never reach a report: those of `--env`.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Keeps the values that are long enough to be secrets, as written and as escaped in JSON.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Secrets {
        let mut all: Vec<String> = Vec::new();
        for value in values.into_iter().filter(|value| value.len() >= SHORTEST) {
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

    /// The bytes with each secret replaced.
    pub fn redact(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let secret = self.0.iter().find(|secret| {
                // A text that was cut off may end with the beginning of a secret.
                let cut = rest.len() >= SHORTEST && secret.as_bytes().starts_with(rest);
                rest.starts_with(secret.as_bytes()) || cut
            });
            match secret {
                Some(secret) => {
                    out.extend_from_slice(REDACTED.as_bytes());
                    at += secret.len().min(rest.len());
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
}

//! Text that can stand in a page without being taken for markup.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::digest::{SHA256, digest};

use crate::tape::Foreign;

/// Text of whatever origin, as the content of an element or the value of a quoted attribute.
/// What could move a cursor or reorder letters is shown escaped, as on a terminal.
pub(in crate::report) struct Text<'a>(&'a str);

pub(in crate::report) fn text(text: &str) -> Text<'_> {
    Text(text)
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::write(
            &mut Escaping(f),
            format_args!("{}", Foreign(self.0.as_bytes())),
        )
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            match letter {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                letter => fmt::Write::write_char(self.0, letter)?,
            }
        }
        Ok(())
    }
}

/// Sentences in which backticks stand around code.
pub(super) struct Prose<'a>(&'a str);

pub(super) fn prose(text: &str) -> Prose<'_> {
    Prose(text)
}

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, quoted)) = rest.split_once('`')
            && let Some((code, behind)) = quoted.split_once('`')
        {
            write!(f, "{}<code>{}</code>", text(before), text(code))?;
            rest = behind;
        }
        write!(f, "{}", text(rest))
    }
}

/// What a Content-Security-Policy calls a style or script that stands in the page.
pub(super) fn source_hash(content: &str) -> String {
    let hash = digest(&SHA256, content.as_bytes());
    format!("'sha256-{}'", BASE64_STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_said_becomes_markup() {
        assert_eq!(
            text("<b a=\"'\">&\u{202e}\x1b").to_string(),
            r"&lt;b a=&quot;&#39;&quot;&gt;&amp;\u{202e}\x1b"
        );
        assert_eq!(
            prose("`<i>` and `").to_string(),
            "<code>&lt;i&gt;</code> and `"
        );
    }

    #[test]
    fn a_source_is_named_by_its_hash() {
        // As browsers compute it for `<script>alert(1)</script>`.
        assert_eq!(
            source_hash("alert(1)"),
            "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
        );
    }
}

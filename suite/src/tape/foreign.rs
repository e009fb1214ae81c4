use std::fmt::{self, Write};

/// Bytes that somebody else wrote. They print as text in which everything that could move a
/// cursor, reorder letters or end a line is escaped.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'a>(pub &'a [u8]);

impl fmt::Display for Foreign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                escape(letter, f)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn escape(letter: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match letter {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{feff}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{fffe}'..='\u{ffff}'
        | '\u{e0000}'..='\u{e007f}' => {
            write!(f, "\\u{{{:x}}}", letter as u32)
        }
        _ if letter.is_control() => write!(f, "\\x{:02x}", letter as u32),
        _ => f.write_char(letter),
    }
}

/// [`Foreign`] as a string.
pub fn escaped(bytes: impl AsRef<[u8]>) -> String {
    Foreign(bytes.as_ref()).to_string()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_moves_a_cursor_or_reorders_letters_is_escaped() {
        assert_eq!(
            escaped("a\u{1b}[31m\u{202e}\u{9b}\r\n\0"),
            r"a\x1b[31m\u{202e}\x9b\r\n\x00"
        );
        assert_eq!(escaped(b"caf\xe9 \xe2\x82"), r"caf\xe9 \xe2\x82");
        assert_eq!(escaped("zażółć 漢字 😀"), "zażółć 漢字 😀");
    }
}

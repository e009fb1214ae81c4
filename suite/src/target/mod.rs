//! What is judged: the command that launches a server, and care for its processes.

mod process;

use std::{ffi::OsString, fmt, path::PathBuf};

pub use process::LaunchError;
pub(crate) use process::{Ended, Process, adopt_orphans, end_orphans};

/// A value that never prints.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps `value` to itself.
    pub fn new(value: impl Into<String>) -> Secret {
        Secret(value.into())
    }

    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// How a server is launched.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program, looked up in `PATH` unless it holds a separator.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Environment variables besides those of the tool itself.
    pub env: Vec<(String, Secret)>,
    /// The working directory; the tool's own if none.
    pub cwd: Option<PathBuf>,
}

impl Command {
    /// The command as a person would type it in a POSIX shell.
    pub fn shell(&self) -> String {
        std::iter::once(&self.program)
            .chain(&self.args)
            .map(|word| shell_word(&word.to_string_lossy()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Quotes a word for a POSIX shell where it needs quotes.
pub fn shell_word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(shell_word("./a-b_c.js"), "./a-b_c.js");
        assert_eq!(shell_word("two words"), "'two words'");
        assert_eq!(shell_word("it's $1"), r"'it'\''s $1'");
        assert_eq!(shell_word(""), "''");
    }
}

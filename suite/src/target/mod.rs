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

    /// The first word that names a file below the working directory of the tool, as a relative
    /// path with `/` between its parts: most often what the author of the server writes.
    pub fn file(&self) -> Option<String> {
        let here = std::env::current_dir().ok()?.canonicalize().ok()?;
        let from = self.cwd.as_ref().map_or(here.clone(), |cwd| here.join(cwd));
        // A bare program is looked up in PATH, whatever stands in the folder.
        let bare = std::path::Path::new(&self.program).components().count() == 1;
        let program = (!bare).then_some(&self.program);
        program.into_iter().chain(&self.args).find_map(|word| {
            let path = from.join(word).canonicalize().ok()?;
            let relative = path.strip_prefix(&here).ok().filter(|_| path.is_file())?;
            let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
            Some(parts?.join("/"))
        })
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
    use super::{Command, shell_word};

    #[test]
    fn the_file_that_is_launched_is_found_below_the_working_directory() {
        let file = |words: &[&str], cwd: Option<&str>| {
            let command = Command {
                program: words[0].into(),
                args: words[1..].iter().map(Into::into).collect(),
                env: Vec::new(),
                cwd: cwd.map(Into::into),
            };
            command.file()
        };
        // Tests run in the folder of the package.
        assert_eq!(
            file(&["node", "--flag", "src/lib.rs"], None).as_deref(),
            Some("src/lib.rs")
        );
        assert_eq!(
            file(&["./src/../src/main.rs"], None).as_deref(),
            Some("src/main.rs")
        );
        assert_eq!(
            file(&["node", "lib.rs"], Some("src")).as_deref(),
            Some("src/lib.rs")
        );
        for words in [
            ["node", "src"],
            ["Cargo.toml", "x"],
            ["node", "../README.md"],
        ] {
            assert_eq!(file(&words, None), None, "{words:?}");
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(shell_word("./a-b_c.js"), "./a-b_c.js");
        assert_eq!(shell_word("two words"), "'two words'");
        assert_eq!(shell_word("it's $1"), r"'it'\''s $1'");
        assert_eq!(shell_word(""), "''");
    }
}

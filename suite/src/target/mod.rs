//! What is judged: the command that launches a server, and care for its processes.

mod process;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

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

    /// The file that holds the server, where the command names one beyond doubt: the program, if
    /// it is given by a path, else the only file among its arguments (`node build/index.js`).
    pub fn artifact(&self) -> Option<PathBuf> {
        let file = |word: &OsString| {
            let path = self.cwd.as_deref().unwrap_or("".as_ref()).join(word);
            path.is_file().then_some(path)
        };
        if Path::new(&self.program).components().count() > 1 {
            return file(&self.program);
        }
        let mut files = self.args.iter().filter_map(file);
        files.next().filter(|_| files.next().is_none())
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
    use super::*;

    #[test]
    fn the_file_that_holds_the_server_is_known_beyond_doubt_or_not_at_all() {
        let artifact = |program: &str, args: &[&str]| {
            let command = Command {
                program: program.into(),
                args: args.iter().map(Into::into).collect(),
                env: Vec::new(),
                cwd: Some(env!("CARGO_MANIFEST_DIR").into()),
            };
            command.artifact()
        };
        let here = |path: &str| Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
        assert_eq!(
            artifact("./Cargo.toml", &["src/lib.rs"]),
            here("./Cargo.toml")
        );
        assert_eq!(
            artifact("node", &["--flag", "src/lib.rs"]),
            here("src/lib.rs")
        );
        assert_eq!(artifact("node", &["src/lib.rs", "src/main.rs"]), None);
        assert_eq!(artifact("npx", &["-y", "some-server"]), None);
        assert_eq!(artifact("./no-such-file", &["src/lib.rs"]), None);
        // A program of this name in the folder is not the one that is launched.
        assert_eq!(artifact("Cargo.toml", &[]), None);
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(shell_word("./a-b_c.js"), "./a-b_c.js");
        assert_eq!(shell_word("two words"), "'two words'");
        assert_eq!(shell_word("it's $1"), r"'it'\''s $1'");
        assert_eq!(shell_word(""), "''");
    }
}

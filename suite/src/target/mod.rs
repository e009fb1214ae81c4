//! What is judged: the command that launches a server, and care for its processes.

mod endpoint;
mod process;

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::spec::Transport;

pub(crate) use endpoint::is_loopback;
pub use endpoint::{Endpoint, Given};
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

/// What is judged, and how it is reached.
#[derive(Clone, Debug)]
pub enum Target {
    /// A command that serves on its stdin and stdout.
    Stdio(Command),
    /// The endpoint of Streamable HTTP.
    Http(Endpoint),
    /// The event stream of HTTP+SSE.
    Sse(Endpoint),
}

impl Target {
    /// The transport over which it is judged.
    pub fn transport(&self) -> Transport {
        match self {
            Target::Stdio(_) => Transport::Stdio,
            Target::Http(_) => Transport::StreamableHttp,
            Target::Sse(_) => Transport::HttpSse,
        }
    }

    /// The command that is launched, if there is one.
    pub fn command(&self) -> Option<&Command> {
        match self {
            Target::Stdio(command) => Some(command),
            Target::Http(endpoint) | Target::Sse(endpoint) => endpoint.launch.as_ref(),
        }
    }

    /// The endpoint, over HTTP.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        match self {
            Target::Stdio(_) => None,
            Target::Http(endpoint) | Target::Sse(endpoint) => Some(endpoint),
        }
    }

    /// The command line that judges it, without its options.
    pub fn subcommand(&self) -> &'static str {
        match self {
            Target::Stdio(_) => "stdio",
            Target::Http(_) => "http",
            Target::Sse(_) => "sse",
        }
    }

    /// The target in a report: a command, or an address.
    pub fn name(&self) -> String {
        match self {
            Target::Stdio(command) => command.shell(),
            Target::Http(endpoint) | Target::Sse(endpoint) => endpoint.to_string(),
        }
    }

    /// The target as a person would type it behind the options.
    pub fn shell(&self) -> String {
        match self {
            Target::Stdio(command) => format!("-- {}", command.shell()),
            Target::Http(endpoint) | Target::Sse(endpoint) => {
                let url = shell_word(&endpoint.to_string());
                match (&endpoint.given, &endpoint.launch) {
                    (Some(given), _) => format!("{url} -- {}", shell_words(&given.command)),
                    (None, Some(command)) => format!("{url} -- {}", command.shell()),
                    (None, None) => url,
                }
            }
        }
    }
}

/// Which tools may be called without being named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolPolicy {
    /// None.
    None,
    /// Those that say `readOnlyHint: true`.
    #[default]
    ReadOnly,
    /// All.
    All,
}

/// What a run may do with the features of the server.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Which tools may be called (`--tools`).
    pub tools: ToolPolicy,
    /// The tools that were named (`--call`), with the arguments that were given.
    pub calls: Vec<(String, Option<Value>)>,
}

impl Permissions {
    /// Whether a tool, given as `tools/list` shows it, may be called.
    pub fn permits(&self, tool: &Value) -> bool {
        let named = |name: &str| self.calls.iter().any(|(known, _)| known == name);
        let read_only = || tool["annotations"]["readOnlyHint"] == true;
        tool["name"].as_str().is_some_and(named)
            || match self.tools {
                ToolPolicy::None => false,
                ToolPolicy::ReadOnly => read_only(),
                ToolPolicy::All => true,
            }
    }

    /// The arguments that were given for a tool.
    pub fn arguments(&self, name: &str) -> Option<&Value> {
        let (_, arguments) = self.calls.iter().find(|(known, _)| known == name)?;
        arguments.as_ref()
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
        shell_words(std::iter::once(&self.program).chain(&self.args))
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

    /// The first word that names a file below the working directory of the tool, as a relative
    /// path with `/` between its parts: most often what the author of the server writes.
    pub fn file(&self) -> Option<String> {
        let here = std::env::current_dir().ok()?.canonicalize().ok()?;
        let from = self.cwd.as_ref().map_or(here.clone(), |cwd| here.join(cwd));
        // A bare program is looked up in PATH, whatever stands in the folder.
        let bare = Path::new(&self.program).components().count() == 1;
        let program = (!bare).then_some(&self.program);
        program.into_iter().chain(&self.args).find_map(|word| {
            let path = from.join(word).canonicalize().ok()?;
            let relative = path.strip_prefix(&here).ok().filter(|_| path.is_file())?;
            let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
            Some(parts?.join("/"))
        })
    }
}

/// Words as a person would type them in a POSIX shell.
fn shell_words<'a>(words: impl IntoIterator<Item = &'a OsString>) -> String {
    let words = words.into_iter();
    words
        .map(|word| shell_word(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
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

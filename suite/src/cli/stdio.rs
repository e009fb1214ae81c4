use std::{ffi::OsString, path::PathBuf};

use anyhow::anyhow;

use super::{
    Failure,
    config::FileArgs,
    judge::{Common, Prepared},
};
use crate::{
    tape::Secrets,
    target::{Command, Secret, Target, shell_word},
};

/// The options of `stdio`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform stdio -- npx -y @modelcontextprotocol/server-everything\n  \
    mcp-conform stdio --revision 2025-11-25 --report json=report.json -- ./server --flag\n  \
    mcp-conform stdio --case 'stdio/stdout-*' --transcript tape.jsonl -- python server.py")]
pub(super) struct Args {
    /// The command that launches the server, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(super) command: Vec<OsString>,
    #[command(flatten)]
    pub(super) file: FileArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    common: Common,
}

/// How a server is launched.
#[derive(clap::Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerArgs {
    /// Set an environment variable for the server (repeatable); a secret reaches no report
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Launch the server in this folder
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// The free port that the command is told.
    #[arg(skip)]
    port: Option<FreePort>,
}

/// What stands for a free port in the address, in the command and in the values of `--env`.
pub(super) const PORT: &str = "{port}";

/// A free port, and the address that it stands in.
#[derive(Debug)]
struct FreePort {
    number: String,
    url: String,
}

fn variable(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "give NAME=VALUE, as in `API_KEY=secret`".to_owned())
}

impl ServerArgs {
    /// Puts the number where the values hold `{port}`, as this address does.
    pub(super) fn tell_port(&mut self, number: &str, url: &str) {
        self.port = Some(FreePort {
            number: number.to_owned(),
            url: url.to_owned(),
        });
    }

    /// Whether a value tells the command its port.
    pub(super) fn tells_port(&self) -> bool {
        self.env.iter().any(|(_, value)| value.contains(PORT))
    }

    fn value(&self, given: &str) -> String {
        match &self.port {
            Some(port) => given.replace(PORT, &port.number),
            None => given.to_owned(),
        }
    }

    /// Whether a value says only what the address says too: then it is no secret.
    fn is_open(&self, given: &str) -> bool {
        let port = self.port.as_ref();
        given.contains(PORT) && port.is_some_and(|port| port.url.contains(given))
    }

    /// The command, launched as these options say.
    pub(super) fn command(&self, words: Vec<OsString>) -> Result<Command, Failure> {
        let mut words = words.into_iter();
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            return Err(Failure::Usage(anyhow!("the command behind `--` is empty")));
        };
        Ok(Command {
            program,
            args: words.collect(),
            env: self
                .env
                .iter()
                .map(|(name, value)| (name.clone(), Secret::new(self.value(value))))
                .collect(),
            cwd: self.cwd.clone(),
        })
    }

    /// The options as a shell takes them. A value stays out of reports: the shell that reproduces
    /// the verdict has it.
    pub(super) fn shell(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (name, value) in &self.env {
            let word = match self.is_open(value) {
                true => shell_word(&format!("{name}={value}")),
                false => format!("{name}=\"${name}\""),
            };
            words.extend(["--env".to_owned(), word]);
        }
        if let Some(cwd) = &self.cwd {
            words.extend(["--cwd".to_owned(), shell_word(&cwd.to_string_lossy())]);
        }
        words
    }

    /// What must reach no report.
    pub(super) fn secrets(&self) -> Vec<String> {
        let values = self.env.iter().map(|(_, value)| value);
        values
            .filter(|value| !self.is_open(value))
            .map(|value| self.value(value))
            .collect()
    }

    /// Whether any of these options was given.
    pub(super) fn is_given(&self) -> bool {
        !self.env.is_empty() || self.cwd.is_some()
    }
}

/// The server, ready to be judged.
pub(super) fn prepare(args: Args) -> Result<Prepared, Failure> {
    let command = args.server.command(args.command)?;
    Ok(Prepared {
        target: Target::Stdio(command),
        secrets: Secrets::new(args.server.secrets().iter().map(String::as_str)),
        shell: args.server.shell(),
        common: args.common,
    })
}

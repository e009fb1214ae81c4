//! The command line: one file per command, the options by concern.

mod badge;
mod baseline;
mod catalogue;
mod config;
mod demo;
mod diff;
mod generated;
mod github;
pub mod harness;
mod http;
mod init;
mod judge;
mod merge;
mod mock;
mod options;
mod run;
mod stdio;
mod validate;

use std::{ffi::OsString, io::Write, path::Path, process::ExitCode};

use clap::{
    CommandFactory, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Conformance tests for MCP servers: what was on the wire, clause by clause.
#[derive(Parser)]
#[command(
    name = "mcp-conform",
    version,
    about,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit status: 0 it conforms, 1 it does not, 2 the command line or a file is wrong,\n\
                  3 there is no server to judge, 4 the tool itself failed, 130 it was interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Launch a server and test it over stdio
    Stdio(stdio::Args),
    /// Test an endpoint of Streamable HTTP
    Http(http::HttpArgs),
    /// Test an endpoint of HTTP+SSE, the transport of 2024-11-05
    Sse(http::SseArgs),
    /// Test the targets that a file names: mcp-conform.toml, or that of --config
    Run(run::Args),
    /// Write mcp-conform.toml: by asking, or from the options
    Init(init::Args),
    /// Judge recorded traffic: transcripts, or JSON-RPC messages one a line
    Validate(validate::Args),
    /// Test the built-in reference server on every transport: a first look with nothing to set up
    Demo(demo::Args),
    /// List the cases
    List(catalogue::ListArgs),
    /// Show one case in full: clause, link, how it is probed, how to mend a server
    Explain(catalogue::ExplainArgs),
    /// Make a badge of reports
    Badge(badge::Args),
    /// Join the reports of a run that was divided by --shard, by revision or by target
    Merge(merge::Args),
    /// Show what got better and what got worse between two reports
    Diff(diff::Args),
    /// Serve the built-in reference server, whole or with named faults
    Mock(mock::Args),
    /// Print the completions of a shell
    Completions(generated::CompletionsArgs),
    /// Print the manual page, or write those of all commands
    Man(generated::ManArgs),
}

/// What a command comes to: an exit status, or an error that is printed with one.
type Outcome = Result<ExitCode, Failure>;

/// Why a command could not do its work; each kind has its exit status.
enum Failure {
    /// The command line or a file is wrong: 2.
    Usage(anyhow::Error),
    /// There was no server to judge: 3.
    NoServer(anyhow::Error),
    /// The tool itself failed: 4.
    Tool(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Tool(error)
    }
}

impl Failure {
    /// What is said of it, and its exit status.
    fn parts(self) -> (anyhow::Error, u8) {
        match self {
            Failure::Usage(error) => (error, 2),
            Failure::NoServer(error) => (error, 3),
            Failure::Tool(error) => (error, 4),
        }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let mut words: Vec<_> = std::env::args_os().collect();
    if means_run(words.get(1)) && Path::new(config::FILE).is_file() {
        words.insert(1, "run".into());
    }
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let (error, status) = match outcome(cli.command) {
        Ok(status) => return status,
        Err(Failure::Tool(error)) if is_closed_pipe(&error) => return ExitCode::SUCCESS,
        Err(failure) => failure.parts(),
    };
    complain(&error);
    ExitCode::from(status)
}

/// Whether there is no command in front of the options, if there are any: beside its file the name
/// of the tool says which.
fn means_run(first: Option<&OsString>) -> bool {
    let Some(first) = first else {
        return true;
    };
    let first = first.to_string_lossy();
    first.starts_with('-') && !["-h", "--help", "-V", "--version"].contains(&&*first)
}

fn outcome(command: Command) -> Outcome {
    match config::applied(command)? {
        Command::Stdio(args) => stdio::prepare(args)?.judge(),
        Command::Http(args) => http::http(args)?.judge(),
        Command::Sse(args) => http::sse(args)?.judge(),
        Command::Run(args) => run::run(&args),
        Command::Init(args) => init::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Validate(args) => validate::run(args),
        Command::List(args) => catalogue::list(&args),
        Command::Explain(args) => catalogue::explain(&args),
        Command::Badge(args) => badge::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Mock(args) => mock::run(args),
        Command::Completions(args) => generated::completions(&args),
        Command::Man(args) => generated::man(&args),
    }
}

/// Says on stderr what went wrong; the last words of a server may be part of it.
fn complain(error: &anyhow::Error) {
    let mut out = std::io::stderr().lock();
    let write = |out: &mut dyn Write| writeln!(out, "error: {error:#}");
    let written = if github::runner_reads() {
        github::without_commands(&mut out, write)
    } else {
        write(&mut out)
    };
    // Nobody reads what cannot be printed.
    written.ok();
}

/// What clap refuses, with our own words where it does not see the likely slip.
fn refused(error: &clap::Error) -> ExitCode {
    let stdio = std::env::args().nth(1).is_some_and(|word| word == "stdio");
    let bare = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) => !word.starts_with('-'),
        _ => false,
    };
    let missing = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(missing)) => {
            error.kind() == ErrorKind::MissingRequiredArgument
                && missing.iter().any(|name| name.contains("COMMAND"))
        }
        _ => false,
    };
    if stdio && (missing || (error.kind() == ErrorKind::UnknownArgument && bare)) {
        eprintln!(
            "error: there is no command to launch; put it behind `--`:\n\n  \
             mcp-conform stdio -- npx -y @modelcontextprotocol/server-everything\n"
        );
        return ExitCode::from(2);
    }
    // Nobody reads what cannot be printed.
    error.print().ok();
    if error.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

/// Whoever reads our output has seen enough (`mcp-conform list | head`).
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The whole command line, for documents and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

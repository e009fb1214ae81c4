use std::{fs::File, io::Read, process::ExitCode};

use anyhow::Context;
use clap::ValueEnum;

use super::{
    Failure, Outcome,
    options::{FailOnArg, OutputArgs},
};
use crate::{
    run::{From, Offline, Selection, judge_recorded},
    spec::Revision,
};

/// The options of `validate`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform stdio --transcript tape.jsonl -- ./server\n  \
    mcp-conform validate tape.jsonl\n  \
    server-log-to-jsonl | mcp-conform validate --from server -")]
pub(super) struct Args {
    /// Transcripts of ours, or JSON-RPC messages one a line; `-` reads stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Judge by this revision; default: the one that was spoken
    #[arg(long, value_name = "R")]
    revision: Option<Revision>,
    /// Who says bare messages; default: told by the messages themselves
    #[arg(long, value_name = "SIDE")]
    from: Option<FromArg>,
    /// Judge by the cases whose id matches only (repeatable); `*` and `?` as in a shell
    #[arg(long = "case", value_name = "GLOB", help_heading = "Selection")]
    cases: Vec<String>,
    /// Leave the cases whose id matches out (repeatable)
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    skip: Vec<String>,
    /// From which level on a violation makes the exit status 1
    #[arg(long, value_name = "LEVEL", default_value = "must")]
    fail_on: FailOnArg,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum FromArg {
    /// The server
    Server,
    /// The client
    Client,
}

pub(super) fn run(args: Args) -> Outcome {
    let selection =
        Selection::new(args.cases, args.skip).map_err(|error| Failure::Usage(error.into()))?;
    args.output.check()?;
    let mut inputs: Vec<(String, Box<dyn Read>)> = Vec::new();
    for name in args.files {
        let input: Box<dyn Read> = if name == "-" {
            Box::new(std::io::stdin())
        } else {
            let file = File::open(&name)
                .with_context(|| format!("cannot read {name}"))
                .map_err(Failure::Usage)?;
            Box::new(file)
        };
        inputs.push((name, input));
    }
    let mut shell = Vec::new();
    if let Some(from) = args.from {
        shell.push(format!(
            "--from={}",
            match from {
                FromArg::Server => "server",
                FromArg::Client => "client",
            }
        ));
    }
    let options = Offline {
        revision: args.revision,
        selection,
        from: args.from.map(|from| match from {
            FromArg::Server => From::Server,
            FromArg::Client => From::Client,
        }),
        shell,
    };
    let run = judge_recorded(inputs, &options).map_err(|error| Failure::Usage(error.into()))?;
    args.output.write(&run)?;
    Ok(ExitCode::from(u8::from(run.fails(args.fail_on.into()))))
}

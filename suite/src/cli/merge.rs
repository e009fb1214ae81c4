use std::{io::Write, path::PathBuf, process::ExitCode};

use super::{
    Failure, Outcome,
    badge::{load, write},
};
use crate::report::merge;

/// The options of `merge`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform stdio --shard 1/2 --report json=1.json -- ./server\n  \
    mcp-conform stdio --shard 2/2 --report json=2.json -- ./server\n  \
    mcp-conform merge 1.json 2.json --output report.json")]
pub(super) struct Args {
    /// The reports of one run: all of its shards, revisions or targets
    #[arg(required = true, value_name = "REPORT.json")]
    reports: Vec<PathBuf>,
    /// Write the joined report to a file; default: stdout
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let merged =
        merge::merge(load(&args.reports)?).map_err(|error| Failure::Usage(error.into()))?;
    match &args.output {
        Some(path) => write(path, |out| merge::write(&merged, out))?,
        None => {
            let mut out = std::io::stdout().lock();
            merge::write(&merged, &mut out)
                .and_then(|()| out.flush())
                .map_err(anyhow::Error::from)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

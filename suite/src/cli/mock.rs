use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::{Failure, Outcome};
use crate::cases;

/// The options of `mock`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    transport: Served,
}

#[derive(Subcommand)]
enum Served {
    /// Serve it on stdin and stdout
    Stdio {
        /// Break a clause by this fault (repeatable); `mcp-conform list -v` names them
        #[arg(long = "fault", value_name = "NAME")]
        faults: Vec<String>,
    },
}

pub(super) fn run(args: Args) -> Outcome {
    let Served::Stdio { faults } = args.transport;
    let faults: Vec<_> = faults
        .iter()
        .map(|name| {
            mock_servers::fault(name).ok_or_else(|| {
                let known = mock_servers::faults().map(|fault| fault.name);
                let hint = cases::nearest_of(name, known)
                    .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
                Failure::Usage(anyhow!(
                    "there is no fault `{name}`{hint}; `mcp-conform list -v` names the fault of each case"
                ))
            })
        })
        .collect::<Result<_, _>>()?;
    mock_servers::stdio::serve(&faults).context("the reference server failed")?;
    Ok(ExitCode::SUCCESS)
}

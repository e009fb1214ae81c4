use std::{io::Write, process::ExitCode};

use anyhow::anyhow;
use clap::ValueEnum;

use super::{Failure, Outcome, options::ColorArgs};
use crate::{cases, report::catalogue, run::Selection};

/// The options of `list`.
#[derive(clap::Args)]
pub(super) struct ListArgs {
    /// Only the cases whose id matches; `*` and `?` as in a shell
    #[arg(value_name = "GLOB")]
    cases: Vec<String>,
    /// The format on stdout
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ListFormat,
    #[command(flatten)]
    color: ColorArgs,
}

/// The formats of a list.
#[derive(Clone, Copy, ValueEnum)]
enum ListFormat {
    /// For people, on a terminal
    Human,
    /// For programs
    Json,
}

/// The options of `explain`.
#[derive(clap::Args)]
pub(super) struct ExplainArgs {
    /// The id of the case, as in `stdio/stdout-only-messages`
    case: String,
    #[command(flatten)]
    color: ColorArgs,
}

pub(super) fn list(args: &ListArgs) -> Outcome {
    let selection = Selection::new(args.cases.clone(), Vec::new())
        .map_err(|error| Failure::Usage(error.into()))?;
    let selected: Vec<_> = cases::all()
        .filter(|case| selection.selects(case))
        .collect();
    let mut out = std::io::stdout().lock();
    let written = match args.format {
        ListFormat::Human => catalogue::list_human(&selected, args.color.look(), &mut out),
        ListFormat::Json => catalogue::list_json(&selected, &mut out),
    };
    written
        .and_then(|()| out.flush())
        .map_err(anyhow::Error::from)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn explain(args: &ExplainArgs) -> Outcome {
    let Some(case) = cases::find(&args.case) else {
        let hint = cases::nearest(&args.case)
            .map_or_else(String::new, |id| format!(" (did you mean `{id}`?)"));
        return Err(Failure::Usage(anyhow!(
            "there is no case `{}`{hint}; `mcp-conform list` shows them all",
            args.case
        )));
    };
    let mut out = std::io::stdout().lock();
    catalogue::explain(case, args.color.look(), &mut out)
        .and_then(|()| out.flush())
        .map_err(anyhow::Error::from)?;
    Ok(ExitCode::SUCCESS)
}

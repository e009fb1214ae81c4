use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ValueEnum;

use super::{Failure, Outcome, options::LookArgs};
use crate::report::{
    diff::{self, Diff},
    read::{self, Report},
};

/// The options of `diff`.
#[derive(clap::Args)]
#[command(after_help = "Exit status: 0 nothing got worse, 1 something did")]
pub(super) struct Args {
    /// The older report, as `--report json=PATH` writes it
    #[arg(value_name = "OLD.json")]
    old: PathBuf,
    /// The newer report
    #[arg(value_name = "NEW.json")]
    new: PathBuf,
    /// The format on stdout
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: DiffFormat,
    #[command(flatten)]
    look: LookArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum DiffFormat {
    /// For people, on a terminal
    Human,
    /// For the comment of a pull request
    Markdown,
    /// For programs; `schemas/diff.json` describes it
    Json,
}

pub(super) fn run(args: &Args) -> Outcome {
    let load = |path: &Path| read::load(path).map_err(|error| Failure::Usage(error.into()));
    let (old, new) = (load(&args.old)?, load(&args.new)?);
    let diff = Diff::of(&old, &new);
    let mut out = std::io::stdout().lock();
    let written = match args.format {
        DiffFormat::Human => diff::human(&diff, args.look.look(), &mut out),
        DiffFormat::Markdown => diff::markdown(&diff, &mut out),
        DiffFormat::Json => diff::json(&diff, &mut out),
    };
    written
        .and_then(|()| out.flush())
        .map_err(anyhow::Error::from)?;
    Ok(ExitCode::from(u8::from(diff.is_worse())))
}

/// The reports that a run is compared with. They are read while the command line is: the run may
/// write to the very file.
#[derive(Clone, Debug)]
pub(super) struct Since(pub(super) Vec<Report>);

impl Since {
    pub(super) fn parse(path: &str) -> Result<Since, String> {
        read::load(path.as_ref())
            .map(Since)
            .map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }
}

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::anyhow;

use super::{
    Failure, Outcome, complain,
    config::{Config, FILE, FileArgs, Overrides, Target},
    is_closed_pipe,
    judge::{INTERRUPTED, Prepared},
};
use crate::report::{
    FormatName, Verbosity, merge,
    read::Report,
    targets::{Fate, summary},
};

/// The options of `run`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform run\n  \
    mcp-conform run stdio --case 'stdio/*'\n  \
    mcp-conform run --config ci/mcp.toml --report 'junit={target}.xml'\n\n\
    Options that are given here override those of the file. In paths `{target}` stands for the\n\
    name of the target. Several targets end with the gravest of their exit statuses.")]
pub(super) struct Args {
    /// The targets by name; default: all of the file
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    overrides: Overrides,
}

/// A target with its name, ready to be judged.
type Named<'a> = (&'a str, Prepared);

pub(super) fn run(args: &Args) -> Outcome {
    let given = &args.overrides.0;
    let path = given.path.clone().unwrap_or_else(|| FILE.into());
    let config = Config::load(&path)?;
    let chosen = config.chosen(&args.names)?;
    config.every_option_is_taken(&chosen, given)?;
    match chosen.as_slice() {
        [only] => config.prepare(only, given)?.judge(),
        several => judge_all(&config, several, given),
    }
}

/// Judges one target after the other. One that fails keeps no other from its turn.
fn judge_all(config: &Config, chosen: &[&Target], given: &FileArgs) -> Outcome {
    let mut targets: Vec<Named<'_>> = Vec::new();
    for target in chosen {
        targets.push((&target.name, config.prepare(target, given)?));
    }
    let format = common_format(&targets)?;
    each_has_its_files(&targets)?;
    let look = targets[0].1.common.output.look.look();
    let human = format == FormatName::Human;
    let shown = format != FormatName::Json && !(human && look.verbosity == Verbosity::Quiet);
    let (mut fates, mut worst) = (Vec::new(), 0);
    for (target, (_, checked)) in chosen.iter().zip(targets) {
        let name = target.name.clone();
        let transport = checked.target.transport();
        if !checked.common.selects_on(transport)? {
            let reason = format!("no selected case holds over {transport}");
            fates.push((name, Fate::LeftOut(reason)));
            continue;
        }
        if shown && human {
            heading(&name, fates.is_empty())?;
        }
        // Anew: a port that was free before the others had their turn may be no longer.
        let prepared = config.prepare(target, given);
        let (fate, status) = match prepared.and_then(|target| one(target, shown)) {
            Ok(Some(judged)) => judged,
            Ok(None) => return Ok(ExitCode::from(INTERRUPTED)),
            Err(Failure::Tool(error)) if is_closed_pipe(&error) => return Err(error.into()),
            Err(failure) => {
                let (error, status) = failure.parts();
                let reason = format!("{error:#}");
                complain(&error.context(format!("target `{name}`")));
                (Fate::Failed(reason), status)
            }
        };
        worst = worst.max(status);
        fates.push((name, fate));
    }
    if fates
        .iter()
        .all(|(_, fate)| matches!(fate, Fate::LeftOut(_)))
    {
        return Err(Failure::Usage(anyhow!(
            "no selected case holds over the transport of any target; `mcp-conform list` shows them all"
        )));
    }
    let mut out = std::io::stdout().lock();
    let written = match format {
        FormatName::Json => match reports(&fates)?.as_slice() {
            [] => Ok(()),
            reports => merge::write(reports, &mut out),
        },
        FormatName::Human => summary(&fates, look, &mut out),
        _ => Ok(()),
    };
    written
        .and_then(|()| out.flush())
        .map_err(anyhow::Error::from)?;
    Ok(ExitCode::from(worst))
}

/// Judges one target and writes what it asks for; none if it was interrupted.
fn one(target: Prepared, shown: bool) -> Result<Option<(Fate, u8)>, Failure> {
    let (common, run) = target.conduct()?;
    let Some(run) = run else {
        return Ok(None);
    };
    if shown {
        common.output.print(&run)?;
    }
    common.output.write_files(&run)?;
    let status = common.status(&run);
    Ok(Some((Fate::Judged(Box::new(run), status != 0), status)))
}

fn reports(fates: &[(String, Fate)]) -> anyhow::Result<Vec<Report>> {
    let judged = fates.iter().filter_map(|(_, fate)| match fate {
        Fate::Judged(run, _) => Some(run),
        Fate::Failed(_) | Fate::LeftOut(_) => None,
    });
    Ok(judged
        .map(|run| Report::of(run))
        .collect::<Result<_, _>>()?)
}

fn heading(name: &str, first: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let above = if first { "" } else { "\n" };
    writeln!(out, "{above}target {name}")?;
    Ok(())
}

/// What stdout holds: one format for all, of which there can be several.
fn common_format(targets: &[Named<'_>]) -> Result<FormatName, Failure> {
    let format = targets[0].1.common.output.format;
    if let Some((name, _)) = targets
        .iter()
        .find(|(_, target)| target.common.output.format != format)
    {
        return Err(Failure::Usage(anyhow!(
            "the targets `{}` and `{name}` differ in `format`; give one with --format",
            targets[0].0
        )));
    }
    match format {
        FormatName::Json => Ok(format),
        one if one.goes_on() => Ok(format),
        one => Err(Failure::Usage(anyhow!(
            "stdout cannot hold the reports of {} targets as {name}; write files with --report '{name}={{target}}.{name}', or choose one target",
            targets.len(),
            name = one.as_str()
        ))),
    }
}

/// One file cannot hold what several targets write.
fn each_has_its_files(targets: &[Named<'_>]) -> Result<(), Failure> {
    let mut written: Vec<(&str, PathBuf)> = Vec::new();
    for (name, target) in targets {
        for file in target.common.files() {
            // Two paths may name one file.
            let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            let before = written
                .iter()
                .find(|(other, known)| other != name && *known == whole);
            if let Some((other, _)) = before {
                let stem = file.file_name().unwrap_or_default().to_string_lossy();
                return Err(Failure::Usage(anyhow!(
                    "the targets `{other}` and `{name}` both write {}; put `{{target}}`, which stands for the name, into the path, as in `{{target}}-{stem}`",
                    file.display()
                )));
            }
            written.push((name, whole));
        }
    }
    Ok(())
}

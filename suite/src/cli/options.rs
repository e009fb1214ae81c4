use std::{
    fs::File,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{Failure, badge::BadgeFile, diff::Since, github};
use crate::{
    report::{self, FormatName, Look, Verbosity, badge::Badge, diff, diff::Diff, read::Report},
    run::{FailOn, Run, Selection, Shard},
    spec::Revision,
    target::{Permissions, ToolPolicy, shell_word},
};

/// Which cases are run.
#[derive(Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectionArgs {
    /// Test this revision only (repeatable); default: every one that the server speaks
    #[arg(long = "revision", value_name = "R")]
    pub(super) revisions: Vec<Revision>,
    /// Run the cases whose id matches only (repeatable); `*` and `?` as in a shell
    #[arg(long = "case", value_name = "GLOB")]
    pub(super) cases: Vec<String>,
    /// Leave the cases whose id matches out (repeatable)
    #[arg(long, value_name = "GLOB")]
    pub(super) skip: Vec<String>,
    /// Run one share of the cases, as in `1/4`; `mcp-conform merge` joins the reports
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
}

impl SelectionArgs {
    pub(super) fn selection(&self) -> Result<Selection, Failure> {
        if let Some(revision) = self
            .revisions
            .iter()
            .find(|revision| !Revision::WITH_HANDSHAKE.contains(revision))
        {
            return Err(Failure::Usage(anyhow!(
                "revision {revision} cannot be tested yet; this version tests {}",
                Revision::WITH_HANDSHAKE.map(Revision::as_str).join(", ")
            )));
        }
        Selection::new(self.cases.clone(), self.skip.clone())
            .map(|selection| selection.in_shard(self.shard))
            .map_err(|error| Failure::Usage(error.into()))
    }
}

/// What may be done with the server's features.
#[derive(Args)]
#[command(next_help_heading = "Permissions")]
pub(super) struct PermissionArgs {
    /// Which tools may be called
    #[arg(long, value_name = "WHICH", default_value = "read-only")]
    tools: ToolsArg,
    /// Call this tool whatever --tools says (repeatable); arguments that are not given are
    /// derived from its input schema
    #[arg(long = "call", value_name = "NAME[=JSON]", value_parser = call)]
    calls: Vec<(String, Option<Value>)>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ToolsArg {
    /// None
    None,
    /// Those that say `readOnlyHint: true`
    ReadOnly,
    /// All
    All,
}

impl PermissionArgs {
    pub(super) fn permissions(&self) -> Permissions {
        Permissions {
            tools: match self.tools {
                ToolsArg::None => ToolPolicy::None,
                ToolsArg::ReadOnly => ToolPolicy::ReadOnly,
                ToolsArg::All => ToolPolicy::All,
            },
            calls: self.calls.clone(),
        }
    }

    /// The options as a shell takes them, where they are not the default.
    pub(super) fn shell(&self) -> Vec<String> {
        let mut words = Vec::new();
        match self.tools {
            ToolsArg::ReadOnly => {}
            ToolsArg::None => words.push("--tools=none".to_owned()),
            ToolsArg::All => words.push("--tools=all".to_owned()),
        }
        for (name, arguments) in &self.calls {
            words.push("--call".to_owned());
            words.push(shell_word(&match arguments {
                Some(arguments) => format!("{name}={arguments}"),
                None => name.clone(),
            }));
        }
        words
    }
}

fn call(text: &str) -> Result<(String, Option<Value>), String> {
    let (name, arguments) = match text.split_once('=') {
        None => (text, None),
        Some((name, json)) => {
            let arguments: Value = serde_json::from_str(json)
                .map_err(|error| format!("the arguments are not JSON: {error}"))?;
            if !arguments.is_object() {
                return Err(
                    "the arguments are not an object, as in `echo={\"message\": \"hi\"}`"
                        .to_owned(),
                );
            }
            (name, Some(arguments))
        }
    };
    if name.is_empty() {
        return Err("give NAME or NAME=JSON, as in `echo={\"message\": \"hi\"}`".to_owned());
    }
    Ok((name.to_owned(), arguments))
}

/// How a run goes about its work.
#[derive(Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunArgs {
    /// The limit for one answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(super) timeout: Duration,
    /// Wait so long, in seconds, for what servers may take very long to do: to give up on a request
    /// that the client leaves unanswered. Without it such clauses stay unverified
    #[arg(long, value_name = "SECONDS", value_parser = long_wait)]
    pub(super) long_wait: Option<Duration>,
    /// How many processes are talked to at a time; default: twice the processors, at least 8
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// From which level on a violation makes the exit status 1
    #[arg(long, value_name = "LEVEL", default_value = "must")]
    pub(super) fail_on: FailOnArg,
}

impl RunArgs {
    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or_else(
            || std::thread::available_parallelism().map_or(8, |cores| (cores.get() * 2).max(8)),
            usize::from,
        )
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FailOnArg {
    /// A MUST or MUST NOT
    Must,
    /// A SHOULD or SHOULD NOT too
    Should,
    /// None
    Never,
}

impl From<FailOnArg> for FailOn {
    fn from(arg: FailOnArg) -> FailOn {
        match arg {
            FailOnArg::Must => FailOn::Must,
            FailOnArg::Should => FailOn::Should,
            FailOnArg::Never => FailOn::Never,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.1..=3600.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "give a number of seconds from 0.1 to 3600".to_owned())
}

fn long_wait(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| (0.1..=90.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "give a number of seconds from 0.1 to 90".to_owned())
}

/// What is shown, and where it goes.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// The format on stdout
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: FormatName,
    /// Write a report to a file as well (repeatable), as in `--report json=report.json`
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = report_file)]
    pub(super) reports: Vec<(FormatName, PathBuf)>,
    /// Write a badge (repeatable): `.svg` a picture, `.json` the JSON of a shields endpoint
    #[arg(long = "badge", value_name = "PATH", value_parser = BadgeFile::parse)]
    badges: Vec<BadgeFile>,
    /// Show behind the report what got better and what got worse since an older one
    #[arg(long, value_name = "REPORT.json", value_parser = Since::parse)]
    since: Option<Since>,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// How text looks.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct LookArgs {
    #[command(flatten)]
    color: ColorArgs,
    /// Show the last lines only
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Show every case
    #[arg(short, long)]
    verbose: bool,
}

/// Whether text is in colour.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ColorArgs {
    /// Colour: `auto` uses it on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    color: ColorArg,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColorArg {
    /// On a terminal
    Auto,
    /// Even in a file
    Always,
    /// Nowhere
    Never,
}

impl ColorArgs {
    /// The one place that decides on colour.
    pub(super) fn look(&self) -> Look {
        let terminal = std::io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width = if terminal { terminal_width() } else { 100 };
        Look {
            color: match self.color {
                ColorArg::Auto => terminal && !no_color,
                ColorArg::Always => true,
                ColorArg::Never => false,
            },
            verbosity: Verbosity::Normal,
            width,
        }
    }
}

impl LookArgs {
    /// How text looks, and how much of it there is.
    pub(super) fn look(&self) -> Look {
        Look {
            verbosity: match (self.quiet, self.verbose) {
                (true, _) => Verbosity::Quiet,
                (_, true) => Verbosity::Verbose,
                _ => Verbosity::Normal,
            },
            ..self.color.look()
        }
    }

    /// Whether a progress line may be shown.
    pub(super) fn progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

/// Neither so narrow that nothing fits, nor so wide that nobody reads it.
fn terminal_width() -> usize {
    usize::from(indicatif::TermLike::width(&console::Term::stdout())).clamp(60, 120)
}

fn report_file(text: &str) -> Result<(FormatName, PathBuf), String> {
    let (format, path) = text
        .split_once('=')
        .filter(|(_, path)| !path.is_empty())
        .ok_or_else(|| "give FORMAT=PATH, as in `json=report.json`".to_owned())?;
    let format = FormatName::from_str(format, true).map_err(|_| {
        format!(
            "there is no format `{format}`; there are: {}",
            FormatName::names()
        )
    })?;
    Ok((format, path.into()))
}

impl OutputArgs {
    /// Fails early where a file cannot be written: a run must not be lost at its end.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.since.is_some() && self.format != FormatName::Human {
            return Err(Failure::Usage(anyhow!(
                "--since shows its comparison behind the human format; `mcp-conform diff` has others"
            )));
        }
        for (_, path) in &self.reports {
            has_folder(path).map_err(Failure::Usage)?;
            let is_new = !path.exists();
            // Appending nothing shows whether it can be written, and keeps what is there.
            let opened = File::options().create(true).append(true).open(path);
            opened
                .with_context(|| format!("cannot write the report {}", path.display()))
                .map_err(Failure::Usage)?;
            // Without a run there is no report, and an empty file is none that CI could read.
            if is_new {
                std::fs::remove_file(path).ok();
            }
        }
        // Until the run has come to its end, a green badge of the last one would be a lie.
        for badge in &self.badges {
            badge.write(&Badge::unfinished())?;
        }
        Ok(())
    }

    /// Writes the reports and badges.
    pub(super) fn write(&self, run: &Run) -> Result<(), Failure> {
        self.print(run)?;
        self.write_files(run)
    }

    /// Every file that a run would write over: reports and badges.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let reports = self.reports.iter().map(|(_, path)| path.as_path());
        reports.chain(self.badges.iter().map(BadgeFile::path))
    }

    /// Writes the report on stdout.
    pub(super) fn print(&self, run: &Run) -> Result<(), Failure> {
        let look = self.look.look();
        let mut out = std::io::stdout().lock();
        let since = match &self.since {
            Some(Since(old)) => Some((old, [read_back(run)?])),
            None => None,
        };
        let print = |out: &mut dyn Write| {
            report::write(self.format, run, look, out)?;
            let Some((old, new)) = &since else {
                return Ok(());
            };
            // What is other than in the older report, behind a blank line.
            writeln!(out)?;
            diff::human(&Diff::of(old, new), look, out)
        };
        let printed = if self.format == FormatName::Human && github::runner_reads() {
            github::without_commands(&mut out, print).and_then(|()| {
                if look.verbosity == Verbosity::Quiet {
                    return Ok(());
                }
                report::write(FormatName::Github, run, look, &mut out)
            })
        } else {
            print(&mut out)
        };
        printed
            .and_then(|()| out.flush())
            .map_err(anyhow::Error::from)?;
        Ok(())
    }

    /// Writes the reports to files, the badges, and the summary of the step.
    pub(super) fn write_files(&self, run: &Run) -> Result<(), Failure> {
        let plain = Look {
            color: false,
            verbosity: Verbosity::Verbose,
            width: 100,
        };
        for (format, path) in &self.reports {
            let mut file = std::io::BufWriter::new(create(path)?);
            report::write(*format, run, plain, &mut file)
                .and_then(|()| file.flush())
                .with_context(|| format!("cannot write the report {}", path.display()))?;
        }
        if !self.badges.is_empty() {
            let badge = self::badge(run)?;
            for file in &self.badges {
                file.write(&badge)?;
            }
        }
        github::append_summary(run);
        Ok(())
    }
}

fn badge(run: &Run) -> anyhow::Result<Badge> {
    Ok(Badge::of(&[read_back(run)?], None)?)
}

fn read_back(run: &Run) -> anyhow::Result<Report> {
    Report::of(run).context("cannot read back the report")
}

/// The folder has to be there: one that a typo names is not made.
pub(super) fn has_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(anyhow!(
            "cannot write {}: there is no folder {}; create it first",
            path.display(),
            folder.display()
        )),
        _ => Ok(()),
    }
}

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("cannot write the report {}", path.display()))
}

//! What the commands that judge a server have in common.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Failure, Outcome,
    baseline::BaselineArgs,
    options::{OutputArgs, PermissionArgs, RunArgs, SelectionArgs},
};
use crate::{
    cases,
    run::{self, Baseline, FailOn, NoServer, Options, Run, Selection},
    spec::Transport,
    tape::Secrets,
    target::{LaunchError, Target},
};

/// The exit status of what the user, or the system, has stopped.
pub(super) const INTERRUPTED: u8 = 130;

/// The options that every such command has.
#[derive(clap::Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    permissions: PermissionArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Write everything that is said to a file, as JSON Lines
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    transcript: Option<PathBuf>,
}

impl Common {
    /// Whether any of the selected cases holds over this transport.
    pub(super) fn selects_on(&self, transport: Transport) -> Result<bool, Failure> {
        let selection = self.selection.selection()?;
        let mut over = cases::all().filter(|case| case.clause.transports.contains(&transport));
        Ok(over.any(|case| selection.selects(case)))
    }

    /// Fails early where a file is wrong; gives what was read.
    fn check(&self) -> Result<(Selection, Option<Baseline>), Failure> {
        let selection = self.selection.selection()?;
        self.output.check()?;
        Ok((selection, self.baseline.read()?))
    }

    /// The exit status of a run that came to its end.
    pub(super) fn status(&self, run: &Run) -> u8 {
        u8::from(run.fails(self.fail_on()))
    }

    /// From which level on a violation is a failure.
    pub(super) fn fail_on(&self) -> FailOn {
        self.run.fail_on.into()
    }

    /// Every file that a run would write over: reports, badges, the transcript.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.output.files().chain(self.transcript.as_deref())
    }

    /// Whether there is a file that holds one run only.
    pub(super) fn has_files(&self) -> bool {
        self.files().next().is_some() || self.baseline.is_given()
    }
}

/// A server with the options to judge it by.
pub(super) struct Prepared {
    pub(super) common: Common,
    pub(super) target: Target,
    pub(super) secrets: Secrets,
    /// The options of the command itself, as a shell takes them.
    pub(super) shell: Vec<String>,
}

impl Prepared {
    /// Fails early where the options, or the files that they name, are wrong.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.common.check().map(|_| ())
    }

    /// Judges the server; there is no run if it was interrupted.
    pub(super) fn conduct(self) -> Result<(Common, Option<Run>), Failure> {
        let run = conduct(&self.common, self.target, self.secrets, self.shell)?;
        Ok((self.common, run))
    }

    /// Judges the server and writes the reports.
    pub(super) fn judge(self) -> Outcome {
        judge(&self.common, self.target, self.secrets, self.shell)
    }
}

/// Judges a server and writes the reports. `shell` are the options of the command itself, as a
/// shell takes them.
pub(super) fn judge(
    args: &Common,
    target: Target,
    secrets: Secrets,
    shell: Vec<String>,
) -> Outcome {
    let Some(run) = conduct(args, target, secrets, shell)? else {
        return Ok(ExitCode::from(INTERRUPTED));
    };
    args.output.write(&run)?;
    Ok(ExitCode::from(args.status(&run)))
}

/// Judges a server, and gives the run with its baseline; none if it was interrupted.
pub(super) fn conduct(
    args: &Common,
    target: Target,
    secrets: Secrets,
    mut shell: Vec<String>,
) -> Result<Option<Run>, Failure> {
    let (selection, baseline) = args.check()?;
    shell.extend(args.permissions.shell());
    if args.run.timeout.as_secs_f64() != 10.0 {
        shell.extend([
            "--timeout".to_owned(),
            args.run.timeout.as_secs_f64().to_string(),
        ]);
    }
    if let Some(wait) = args.run.long_wait {
        shell.extend(["--long-wait".to_owned(), wait.as_secs_f64().to_string()]);
    }
    let options = Options {
        target: Rc::new(target),
        permissions: Rc::new(args.permissions.permissions()),
        revisions: args.selection.revisions.clone(),
        selection,
        timeout: args.run.timeout,
        long_wait: args.run.long_wait,
        jobs: args.run.jobs(),
        transcript: args.transcript.clone(),
        secrets,
        shell,
    };
    let progress = progress(args.output.look.progress());
    let watch = |done: usize, total: usize| {
        progress.set_message(format!("{done} of {total} probes"));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            run = run::run(&options, &watch) => Some(run),
            () = interrupted() => None,
        }
    });
    // Whatever still runs in it (a process that cannot be waited for) must not hold us up.
    runtime.shutdown_background();
    progress.finish_and_clear();
    let mut run = match outcome {
        None => {
            run::clean_up();
            return Ok(None);
        }
        Some(Ok(run)) => run,
        Some(Err(
            error @ (NoServer::Transcript(_)
            | NoServer::Client(_)
            | NoServer::Launch(LaunchError::Cwd(_))),
        )) => {
            return Err(Failure::Usage(error.into()));
        }
        Some(Err(error)) => return Err(Failure::NoServer(error.into())),
    };
    let fail_on = args.fail_on();
    run.baseline = args.baseline.brought_to(&run, baseline, fail_on)?;
    Ok(Some(run))
}

fn progress(shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    bar.set_message("waiting for the server's first answer");
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}

/// Completes when the user, or the system, wants the run to stop.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut hangup), Ok(mut term)) = (
            signal(SignalKind::hangup()),
            signal(SignalKind::terminate()),
        ) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = hangup.recv() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    // Without a handler the default action ends us.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

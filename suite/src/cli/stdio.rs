use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    Failure, Outcome,
    baseline::BaselineArgs,
    options::{OutputArgs, RunArgs, SelectionArgs},
};
use crate::{
    run::{self, NoServer, Options},
    tape::Secrets,
    target::{Command, LaunchError, Secret, shell_word},
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
    command: Vec<OsString>,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Server")]
struct ServerArgs {
    /// Set an environment variable for the server (repeatable); its value reaches no report
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Launch the server in this folder
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
}

/// The options of `demo`.
#[derive(clap::Args)]
pub(super) struct DemoArgs {
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
struct Common {
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[command(flatten)]
    output: OutputArgs,
}

fn variable(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "give NAME=VALUE, as in `API_KEY=secret`".to_owned())
}

pub(super) fn run(args: Args) -> Outcome {
    let mut words = args.command.into_iter();
    let Some(program) = words.next().filter(|program| !program.is_empty()) else {
        return Err(Failure::Usage(anyhow!("the command behind `--` is empty")));
    };
    let command = Command {
        program,
        args: words.collect(),
        env: args
            .server
            .env
            .iter()
            .map(|(name, value)| (name.clone(), Secret::new(value)))
            .collect(),
        cwd: args.server.cwd.clone(),
    };
    let mut shell = Vec::new();
    for (name, _) in &args.server.env {
        // The value stays out of reports: the shell that reproduces the verdict has it.
        shell.extend(["--env".to_owned(), format!("{name}=\"${name}\"")]);
    }
    if let Some(cwd) = &args.server.cwd {
        shell.extend(["--cwd".to_owned(), shell_word(&cwd.to_string_lossy())]);
    }
    let secrets = Secrets::new(args.server.env.iter().map(|(_, value)| value.as_str()));
    judge(&args.common, command, secrets, shell)
}

pub(super) fn demo(args: DemoArgs) -> Outcome {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let command = Command {
        program: program.into_os_string(),
        args: vec!["mock".into(), "stdio".into()],
        env: Vec::new(),
        cwd: None,
    };
    judge(&args.common, command, Secrets::default(), Vec::new())
}

fn judge(args: &Common, command: Command, secrets: Secrets, mut shell: Vec<String>) -> Outcome {
    let selection = args.selection.selection()?;
    args.output.check()?;
    let baseline = args.baseline.read()?;
    if args.run.timeout.as_secs_f64() != 10.0 {
        shell.extend([
            "--timeout".to_owned(),
            args.run.timeout.as_secs_f64().to_string(),
        ]);
    }
    let options = Options {
        command,
        revisions: args.selection.revisions.clone(),
        selection,
        timeout: args.run.timeout,
        jobs: args.run.jobs(),
        transcript: args.output.transcript.clone(),
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
            return Ok(ExitCode::from(130));
        }
        Some(Ok(run)) => run,
        Some(Err(error @ (NoServer::Transcript(_) | NoServer::Launch(LaunchError::Cwd(_))))) => {
            return Err(Failure::Usage(error.into()));
        }
        Some(Err(error)) => return Err(Failure::NoServer(error.into())),
    };
    let fail_on = args.run.fail_on.into();
    run.baseline = args.baseline.brought_to(&run, baseline, fail_on)?;
    args.output.write(&run)?;
    Ok(ExitCode::from(u8::from(run.fails(fail_on))))
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

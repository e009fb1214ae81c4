//! What the command line says of itself, for shells and for `man`.

use std::{io::Write, path::PathBuf, process::ExitCode};

use anyhow::{Context, anyhow};
use clap::ValueHint;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Failure, Outcome};

/// The options of `completions`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform completions bash > ~/.local/share/bash-completion/completions/mcp-conform\n  \
    mcp-conform completions fish > ~/.config/fish/completions/mcp-conform.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// The options of `man`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform man > mcp-conform.1\n  \
    mcp-conform man --out ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// Write a page for every command to this folder, which has to be there
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    out: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut command = super::command();
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = String::from_utf8(script).context("the completions are not UTF-8")?;
    // The generator for bash calls a command by two names if that of the program has a hyphen.
    print(
        script
            .replace("mcp__subcmd__conform", "mcp__conform")
            .as_bytes(),
    )
}

pub(super) fn man(args: &ManArgs) -> Outcome {
    // A page on `help` would only say what every other page says.
    let mut command = super::command().disable_help_subcommand(true);
    let Some(folder) = &args.out else {
        command.build();
        let mut page = Vec::new();
        Man::new(command)
            .render(&mut page)
            .map_err(anyhow::Error::from)?;
        return print(&page);
    };
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(Failure::Usage(anyhow!(
            "there is no folder {folder}; create it first"
        )));
    }
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("cannot write the pages to {}", folder.display()))
        .map_err(Failure::Usage)?;
    Ok(ExitCode::SUCCESS)
}

fn print(bytes: &[u8]) -> Outcome {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(anyhow::Error::from)?;
    Ok(ExitCode::SUCCESS)
}

//! What a run does by itself in GitHub Actions: annotations, and the summary of the step.

use std::{
    collections::hash_map::RandomState,
    ffi::OsStr,
    fs::File,
    hash::{BuildHasher, Hasher},
    io::{self, Write},
};

use crate::{
    report::{Format, markdown::Markdown},
    run::Run,
};

/// What GitHub takes as the summary of a step; of more it shows nothing.
const SUMMARY_BYTES: usize = 1024 * 1024;

/// Whether a runner of GitHub Actions reads what is printed.
pub(super) fn runner_reads() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Writes what servers have their say in. A runner obeys commands wherever a line begins with one,
/// so it is told to obey none in between, in a word that no server knows beforehand.
pub(super) fn without_commands(
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let word = format!(
        "mcp-conform-{:016x}",
        RandomState::new().build_hasher().finish()
    );
    writeln!(out, "::stop-commands::{word}")?;
    write(out)?;
    writeln!(out, "::{word}::")
}

/// Appends to the summary of the step, if there is one. It is no part of what was asked for, so a
/// file that cannot be written is told and fails nothing.
pub(super) fn append_summary(run: &Run) {
    let path = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let Some(path) = path else { return };
    if let Err(error) = append(&path, run) {
        let path = path.display();
        eprintln!("warning: cannot append to the summary of the step, {path}: {error}");
    }
}

fn append(path: &OsStr, run: &Run) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    let taken = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let markdown = Markdown {
        room: Markdown::default()
            .room
            .min(SUMMARY_BYTES.saturating_sub(taken + 1)),
    };
    let mut text = Vec::new();
    markdown.write(run, &mut text)?;
    // One write, below whatever other tools have left.
    file.write_all(&[b"\n", text.as_slice()].concat())
}

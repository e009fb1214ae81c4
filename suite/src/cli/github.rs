//! What a run does by itself in GitHub Actions: annotations, and the summary of the step.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    io::{self, Write},
};

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

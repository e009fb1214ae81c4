//! The picture in the README is made from a real run. `BLESS=1 cargo test --test picture` writes
//! it; without it drift fails.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use anstyle_svg::{Term, WIN10_CONSOLE};

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/terminal.svg");
/// What is typed.
const TYPED: &str = "mcp-conform stdio --tools all --revision 2025-11-25 -- ./server";

#[test]
fn the_picture_shows_what_a_run_shows() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("picture");
    fs::create_dir_all(&folder).unwrap();
    let server = folder.join("server");
    let script = format!("#!/bin/sh\nexec '{TOOL}' mock stdio --fault stdout-banner\n");
    fs::write(&server, script).unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(TOOL)
        .args(TYPED.split(' ').skip(1).take_while(|word| *word != "--"))
        .args(["--color", "always", "--", "./server"])
        .current_dir(&folder)
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    let term = Term::new().palette(WIN10_CONSOLE);
    let drawn = term.render_svg(&format!("$ {TYPED}\n{shown}"));
    // Faint, and still to be read.
    let drawn = drawn.replace("opacity: 0.4", "opacity: 0.7");
    if std::env::var_os("BLESS").is_some() {
        fs::write(PICTURE, drawn).unwrap();
        return;
    }
    let written = fs::read_to_string(PICTURE).unwrap_or_default();
    assert!(
        lasting(&written) == lasting(&drawn),
        "docs/terminal.svg is not what a run shows; `BLESS=1 cargo test --test picture` draws it\n{}",
        similar::TextDiff::from_lines(lasting(&written), lasting(&drawn))
            .unified_diff()
            .context_radius(1)
    );
}

/// The picture without the time that the run took.
fn lasting(drawn: &str) -> String {
    let seconds = regex::Regex::new(r"[0-9.]+ s,").unwrap();
    seconds.replace_all(drawn, "… s,").into_owned()
}

//! Servers that are right, and odd in how they run: no clause is broken in a whole run.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

/// A folder that a server makes to remember something; it is not there yet.
fn mark(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("odd-servers");
    fs::create_dir_all(&folder).unwrap();
    let mark = folder.join(name);
    fs::remove_dir(&mark).ok();
    mark
}

/// The report of a run against a server that a shell starts; `$0` is this tool, `$1` the mark.
fn run(options: &[&str], script: &str, mark: &Path) -> Value {
    let mut command = Command::new(TOOL);
    command.args(["stdio", "--format", "json"]).args(options);
    command.args(["--", "sh", "-c", script, TOOL]).arg(mark);
    let output = command.stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The verdicts of this kind, each with what it says.
fn verdicts<'a>(report: &'a Value, kind: &str) -> Vec<(&'a str, &'a str)> {
    let results = report["results"].as_array().unwrap();
    let of_kind = results.iter().filter(|result| result["verdict"] == kind);
    let told = |result: &'a Value| {
        let message = result["message"].as_str().unwrap_or_default();
        (result["case"].as_str().unwrap(), message)
    };
    of_kind.map(told).collect()
}

#[test]
fn a_server_that_runs_once_at_a_time_breaks_no_clause_of_the_handshake() {
    let mark = mark("once");
    let script = r#"
        mkdir "$1" 2>/dev/null || { echo "another one is running" >&2; exit 1; }
        trap 'rmdir "$1"' EXIT
        trap 'exit 143' TERM
        "$0" mock stdio
    "#;
    let options = ["--revision", "2025-11-25", "--case", "lifecycle/*"];
    let report = run(&options, script, &mark);
    for kind in ["fail", "warn", "error"] {
        assert_eq!(verdicts(&report, kind), [], "{kind}");
    }
    let unseen = verdicts(&report, "unverified");
    let is_told = |(_, message): &&(_, &str)| message.contains("a plain handshake fails as well");
    assert!(unseen.iter().any(|told| is_told(&told)), "{unseen:?}");
    assert!(!verdicts(&report, "pass").is_empty());
}

#[test]
fn a_revision_that_was_silent_beside_others_is_asked_for_once_more() {
    let mark = mark("starved");
    // The first process that is asked for it comes to nothing.
    let script = r#"
        read -r line
        case "$line" in
            *2025-06-18*) if mkdir "$1" 2>/dev/null; then exec sleep 600; fi ;;
        esac
        { printf '%s\n' "$line"; cat; } | "$0" mock stdio
    "#;
    let options = ["--revision", "2025-11-25", "--revision", "2025-06-18"];
    let options = [&options[..], &["--timeout", "1", "--case", "jsonrpc/id-*"]].concat();
    let report = run(&options, script, &mark);
    assert!(mark.is_dir(), "the first process was silent");
    let revisions = report["revisions"].as_array().unwrap();
    assert!(revisions.iter().all(|revision| revision["spoken"] == true));
}

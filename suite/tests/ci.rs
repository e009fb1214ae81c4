//! What the tool does by itself where CI runs it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Output, Stdio};

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

/// The tool in a step of GitHub Actions, with a server that greets with a workflow command.
fn step(options: &[&str]) -> Output {
    let server = format!("echo '::error::owned'; exec {TOOL} mock stdio");
    Command::new(TOOL)
        .args([
            "stdio",
            "--revision",
            "2025-11-25",
            "--case",
            "stdio/stdout-*",
        ])
        .args(options)
        .args(["--", "sh", "-c", &server])
        .env("GITHUB_ACTIONS", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What the runner obeys: lines that begin with a command, while it is not told to stop.
fn obeyed(text: &str) -> Vec<&str> {
    let mut stopped: Option<&str> = None;
    let mut obeyed = Vec::new();
    for line in text.lines().map(str::trim) {
        match stopped {
            Some(word) if line == format!("::{word}::") => stopped = None,
            None if line.starts_with("::stop-commands::") => {
                stopped = line.strip_prefix("::stop-commands::");
            }
            None if line.starts_with("::") || line.contains("##[") => obeyed.push(line),
            _ => {}
        }
    }
    assert_eq!(stopped, None, "the runner is left deaf: {text}");
    obeyed
}

#[test]
fn annotations_follow_the_report_for_people_and_no_command_of_the_server_is_obeyed() {
    let output = step(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("\n2025-11-25 over stdio: does not conform"));
    let obeyed = obeyed(&text);
    let [annotation] = obeyed.as_slice() else {
        panic!("one annotation is expected: {obeyed:?}");
    };
    assert!(
        annotation.starts_with("::error title=stdio/stdout-no-preamble in 2025-11-25::"),
        "{annotation}"
    );
}

#[test]
fn the_word_that_ends_the_silence_is_another_one_each_time() {
    let word = |output: Output| {
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    assert_ne!(word(step(&["-q"])), word(step(&["-q"])));
}

#[test]
fn other_formats_and_quiet_ones_stay_as_they_are() {
    let json = step(&["--format", "json"]).stdout;
    serde_json::from_slice::<serde_json::Value>(&json).unwrap();
    let quiet = String::from_utf8(step(&["-q"]).stdout).unwrap();
    assert_eq!(obeyed(&quiet), Vec::<&str>::new());
}

#[test]
fn the_last_words_of_a_server_that_does_not_start_are_no_commands() {
    let output = Command::new(TOOL)
        .args([
            "stdio",
            "--",
            "sh",
            "-c",
            "echo '::error::owned' >&2; exit 3",
        ])
        .env("GITHUB_ACTIONS", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("::error::owned"), "{text}");
    assert_eq!(obeyed(&text), Vec::<&str>::new());
}

#[test]
fn the_summary_of_the_step_is_appended_to() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ci");
    std::fs::create_dir_all(&folder).unwrap();
    let summary = folder.join("summary.md");
    std::fs::write(&summary, "what stood there\n").unwrap();
    let with = |path: &std::path::Path| {
        Command::new(TOOL)
            .args([
                "demo",
                "-q",
                "--revision",
                "2025-11-25",
                "--case",
                "stdio/stdout-utf8",
            ])
            .env("GITHUB_STEP_SUMMARY", path)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    assert_eq!(with(&summary).status.code(), Some(0));
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(
        text.starts_with("what stood there\n\n## mcp-conform over stdio\n"),
        "{text}"
    );
    assert!(
        text.contains("| 2025-11-25 | ✅ conforms | 1 of 1 clauses |"),
        "{text}"
    );
    // What was not asked for fails nothing.
    let output = with(&folder.join("missing/summary.md"));
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("warning: cannot append to the summary"),
        "{said}"
    );
}

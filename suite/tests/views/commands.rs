//! The commands over reports, and the options that write them, from the command line.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use crate::sample::file;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

fn tool(args: &[&str]) -> Output {
    Command::new(TOOL).args(args).output().unwrap()
}

/// A run against the reference server with these faults.
fn run(options: &[&str], faults: &[&str]) -> Output {
    let mut command = Command::new(TOOL);
    command
        .args(["stdio", "-q", "--timeout", "3"])
        .args(options);
    command.args(["--", TOOL, "mock", "stdio"]);
    for fault in faults {
        command.args(["--fault", fault]);
    }
    command.output().unwrap()
}

fn written(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Every verdict, without what differs from run to run.
fn verdicts(report: &Value) -> Vec<[String; 4]> {
    let results = report["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| {
            ["case", "revision", "verdict", "reproduce"].map(|member| result[member].to_string())
        })
        .collect()
}

#[test]
fn shards_that_are_merged_come_to_the_verdicts_of_one_run() {
    // A probe, a rule, and a case that is both are broken.
    let faults = ["stdout-banner", "stdout-latin1", "silent-on-parse-error"];
    let whole = file("whole.json");
    let json = |path: &Path| format!("json={}", path.display());
    run(&["--report", &json(&whole)], &faults);
    let mut merge = Command::new(TOOL);
    merge.arg("merge");
    for shard in ["3/3", "1/3", "2/3"] {
        let path = file(&format!("shard-{}.json", &shard[..1]));
        run(&["--shard", shard, "--report", &json(&path)], &faults);
        assert_eq!(written(&path)["shard"]["count"], 3);
        merge.arg(path);
    }
    let merged = file("merged.json");
    let output = merge.arg("--output").arg(&merged).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let (whole, merged) = (written(&whole), written(&merged));
    assert_eq!(verdicts(&merged), verdicts(&whole));
    assert_eq!(merged["revisions"], whole["revisions"]);
    assert!(whole["revisions"][0]["counts"]["fail"].as_u64() > Some(0));
}

#[test]
fn a_shard_without_a_case_has_nothing_to_fail_with() {
    let only = [
        "--case",
        "stdio/exit-on-sigterm",
        "--revision",
        "2025-11-25",
    ];
    let statuses = ["1/2", "2/2"].map(|shard| {
        let output = run(&[&only[..], &["--shard", shard]].concat(), &[]);
        output.status.code()
    });
    assert_eq!(statuses, [Some(0), Some(0)]);
}

#[test]
fn a_badge_at_the_end_of_a_run_is_the_one_made_of_its_report() {
    let (svg, json, report) = (file("b.svg"), file("b.json"), file("r.json"));
    let paths = [&svg, &json, &report].map(|path| path.to_str().unwrap());
    let options = [
        "--badge",
        paths[0],
        "--badge",
        paths[1],
        "--report",
        &format!("json={}", paths[2]),
        "--revision",
        "2025-11-25",
    ];
    assert_eq!(run(&options, &[]).status.code(), Some(0));
    assert_eq!(written(&json)["color"], "brightgreen");
    assert_eq!(tool(&["badge", paths[2]]).stdout, fs::read(&svg).unwrap());
    let made = file("made.json");
    tool(&["badge", paths[2], "--endpoint", made.to_str().unwrap()]);
    assert_eq!(written(&made), written(&json));

    // A run that finds no server leaves no green badge behind.
    let output = tool(&["stdio", "--badge", paths[1], "--", "/nonexistent/server"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(written(&json)["message"], "? not finished");
}

#[test]
fn a_run_shows_what_changed_since_the_last_one_and_keeps_its_status() {
    let report = file("since.json");
    let (path, json) = (
        report.to_str().unwrap(),
        format!("json={}", report.display()),
    );
    let newest = ["--revision", "2025-11-25", "--report", &json];
    run(&newest, &["stdout-banner"]);
    // The file is read before it is written.
    let output = run(
        &[&newest[..], &["--since", path]].concat(),
        &["stdout-banner"],
    );
    assert!(
        said(&output).contains("\n\n0 worse, 0 better"),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(1));
    let output = run(&["--revision", "2025-11-25", "--since", path], &[]);
    assert!(
        said(&output).contains("0 worse, 1 better"),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(0));

    let clean = file("clean.json");
    let json = format!("json={}", clean.display());
    run(&["--revision", "2025-11-25", "--report", &json], &[]);
    let clean = clean.to_str().unwrap();
    let worse = run(
        &["--since", clean, "--fail-on", "never"],
        &["stdout-banner"],
    );
    assert!(said(&worse).contains("1 worse"), "{}", said(&worse));
    assert_eq!(worse.status.code(), Some(0));
    assert_eq!(tool(&["diff", clean, path]).status.code(), Some(1));
    assert_eq!(tool(&["diff", path, clean]).status.code(), Some(0));
}

#[test]
fn bad_use_of_reports_gives_one_clear_sentence() {
    let other = file("other.json");
    fs::write(&other, "{\"a\": 1}").unwrap();
    let other = other.to_str().unwrap();
    let report = file("good.json");
    run(
        &[
            "--revision",
            "2025-11-25",
            "--report",
            &format!("json={}", report.display()),
        ],
        &[],
    );
    let report = report.to_str().unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["badge", other], "no report of mcp-conform"),
        (&["badge", "/nonexistent.json"], "cannot read the report"),
        (&["badge", report, report], "two reports judge 2025-11-25"),
        (
            &["badge", report, "--output", "/nonexistent/x.svg"],
            "cannot write",
        ),
        (&["badge", report, "--output", "badge.png"], ".svg or .json"),
        (&["badge"], "REPORT.json"),
        (&["merge", report, report], "judged twice"),
        (&["diff", report, other], "no report of mcp-conform"),
        (&["stdio", "--shard", "3/2", "--", "x"], "is no shard"),
        (&["stdio", "--badge", "x.png", "--", "x"], ".svg or .json"),
        (
            &["stdio", "--badge", "/nonexistent/x.svg", "--", "x"],
            "cannot write",
        ),
        (
            &["stdio", "--since", other, "--", "x"],
            "no report of mcp-conform",
        ),
        (
            &["stdio", "--since", report, "--format", "json", "--", "x"],
            "behind the human format",
        ),
    ];
    for (args, words) in cases {
        let output = tool(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{args:?}: {}", said(&output));
    }
}

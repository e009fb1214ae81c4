//! The self-proof: the honest reference server passes every case with nothing unverified, and
//! every fault is caught by its own case, and by no other but those that it names with a reason.
//! One trial per fault runs all cases in all revisions against it.

use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use mcp_conform::{
    cases,
    spec::{Level, Revision, Transport},
};
use mock_servers::Fault;
use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

fn main() {
    let args = Arguments::from_args();
    let mut trials = vec![Trial::test(
        "stdio: the honest server passes every case",
        honest,
    )];
    // A fault that the mock knows ahead of its case has nothing to be caught by.
    let shown = |fault: &&Fault| {
        fault.shows_on(mock_servers::Transport::Stdio) && cases::find(fault.violates).is_some()
    };
    trials.extend(mock_servers::faults().filter(shown).map(|fault| {
        let name = format!("stdio: {} is caught by {}", fault.name, fault.violates);
        Trial::test(name, move || caught(fault))
    }));
    libtest_mimic::run(&args, trials).exit();
}

/// One run over all revisions against the reference server.
fn run(faults: &[&str]) -> Result<Vec<Verdict>, Failed> {
    let mut command = Command::new(TOOL);
    command.args([
        "stdio",
        "--format",
        "json",
        "--fail-on",
        "never",
        "--timeout",
        "3",
        "--",
    ]);
    command.args([TOOL, "mock", "stdio"]);
    for fault in faults {
        command.args(["--fault", fault]);
    }
    let output = command.output()?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let results = report["results"]
        .as_array()
        .ok_or("the report has no results")?;
    results.iter().map(Verdict::read).collect()
}

struct Verdict {
    case: String,
    revision: Revision,
    verdict: String,
    message: String,
}

impl Verdict {
    fn read(result: &Value) -> Result<Verdict, Failed> {
        let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
        Ok(Verdict {
            case: text("case"),
            revision: text("revision").parse()?,
            verdict: text("verdict"),
            message: text("message"),
        })
    }
}

/// How many verdicts a whole run has to give: no case may go missing.
fn expected_count() -> usize {
    let applicable = |revision: Revision| {
        cases::all().filter(move |case| {
            case.clause.holds_in(revision) && case.clause.transports.contains(&Transport::Stdio)
        })
    };
    Revision::WITH_HANDSHAKE
        .into_iter()
        .map(|revision| applicable(revision).count())
        .sum()
}

fn honest() -> Result<(), Failed> {
    let verdicts = run(&[])?;
    let bad: Vec<String> = verdicts
        .iter()
        .filter(|verdict| verdict.verdict != "pass")
        .map(|v| format!("{} {}: {} ({})", v.revision, v.case, v.verdict, v.message))
        .collect();
    complain(bad)?;
    if verdicts.len() != expected_count() {
        return Err(format!(
            "{} verdicts instead of {}",
            verdicts.len(),
            expected_count()
        )
        .into());
    }
    Ok(())
}

fn caught(fault: &Fault) -> Result<(), Failed> {
    let verdicts = run(&[fault.name])?;
    let mut bad = Vec::new();
    for v in &verdicts {
        let own = v.case == fault.violates;
        let dragged = fault.drags.iter().any(|(clause, _)| v.case == *clause);
        let broken = matches!(v.verdict.as_str(), "fail" | "warn" | "note" | "error");
        if own && v.verdict != violation(&v.case) {
            bad.push(format!(
                "{} {} is not caught: {} ({})",
                v.revision, v.case, v.verdict, v.message
            ));
        } else if !own && broken && !dragged {
            bad.push(format!(
                "{} {} is hit too: {} ({})",
                v.revision, v.case, v.verdict, v.message
            ));
        }
    }
    if verdicts.len() != expected_count() {
        bad.push(format!(
            "{} verdicts instead of {}",
            verdicts.len(),
            expected_count()
        ));
    }
    complain(bad)
}

fn violation(case: &str) -> &'static str {
    match cases::find(case).map(|case| case.clause.level) {
        Some(Level::Must | Level::MustNot) => "fail",
        Some(Level::Should | Level::ShouldNot) => "warn",
        _ => "note",
    }
}

fn complain(bad: Vec<String>) -> Result<(), Failed> {
    if bad.is_empty() {
        Ok(())
    } else {
        Err(bad.join("\n").into())
    }
}

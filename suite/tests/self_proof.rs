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
    // A fault may be there before its case.
    let provable = |fault: &&Fault| cases::find(fault.violates).is_some();
    trials.extend(mock_servers::faults().filter(provable).map(|fault| {
        let name = format!("stdio: {} is caught by {}", fault.name, fault.violates);
        Trial::test(name, move || caught(fault))
    }));
    libtest_mimic::run(&args, trials).exit();
}

/// One run over all revisions against the reference server.
fn run(faults: &[&str]) -> Result<Ran, Failed> {
    let mut command = Command::new(TOOL);
    command.args([
        "stdio",
        "--format",
        "json",
        "--fail-on",
        "never",
        "--timeout",
        "3",
        "--tools",
        "all",
        "--long-wait",
        "2",
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
    let revisions = report["revisions"]
        .as_array()
        .ok_or("the report has no revisions")?;
    let spoken = revisions
        .iter()
        .filter(|revision| revision["spoken"] == true)
        .map(|revision| Ok(revision["revision"].as_str().unwrap_or_default().parse()?));
    Ok(Ran {
        spoken: spoken.collect::<Result<_, Failed>>()?,
        verdicts: results
            .iter()
            .map(Verdict::read)
            .collect::<Result<_, _>>()?,
    })
}

/// What a run came to.
struct Ran {
    /// The revisions that the server speaks.
    spoken: Vec<Revision>,
    verdicts: Vec<Verdict>,
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
fn expected_count(revisions: &[Revision]) -> usize {
    let applicable = |revision: Revision| {
        cases::all().filter(move |case| {
            case.clause.holds_in(revision) && case.clause.transports.contains(&Transport::Stdio)
        })
    };
    revisions
        .iter()
        .map(|revision| applicable(*revision).count())
        .sum()
}

/// What a server that offers everything cannot show, and why. The fault shows that it is judged.
const UNSEEN: [(&str, &str); 1] = [(
    "lifecycle/undeclared-method-code",
    "no capability is left undeclared",
)];

fn cannot_be_seen(verdict: &Verdict) -> bool {
    let listed = UNSEEN.iter().any(|(case, _)| verdict.case == *case);
    listed && verdict.verdict == "unverified"
}

fn honest() -> Result<(), Failed> {
    let Ran { verdicts, .. } = run(&[])?;
    let bad: Vec<String> = verdicts
        .iter()
        .filter(|verdict| verdict.verdict != "pass" && !cannot_be_seen(verdict))
        .map(|v| format!("{} {}: {} ({})", v.revision, v.case, v.verdict, v.message))
        .collect();
    complain(bad)?;
    if verdicts.len() != expected_count(&Revision::WITH_HANDSHAKE) {
        return Err(format!(
            "{} verdicts instead of {}",
            verdicts.len(),
            expected_count(&Revision::WITH_HANDSHAKE)
        )
        .into());
    }
    Ok(())
}

fn caught(fault: &Fault) -> Result<(), Failed> {
    let Ran { spoken, verdicts } = run(&[fault.name])?;
    let mut bad = Vec::new();
    for v in &verdicts {
        let own = v.case == fault.violates;
        let dragged = fault.drags.iter().any(|(clause, _)| v.case == *clause);
        let broken = matches!(v.verdict.as_str(), "fail" | "warn" | "note" | "error");
        if own && v.verdict != violation(&v.case, v.revision) {
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
    if verdicts.len() != expected_count(&spoken) {
        bad.push(format!(
            "{} verdicts instead of {}",
            verdicts.len(),
            expected_count(&spoken)
        ));
    }
    complain(bad)
}

fn violation(case: &str, revision: Revision) -> &'static str {
    match cases::find(case).map(|case| case.clause.level_in(revision)) {
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

//! The self-proof: the honest reference server passes every case with nothing unverified, and
//! every fault is caught by its own case, and by no other but those that it names with a reason.
//! One trial per fault and transport runs all cases against it. What rules judge is recorded, and
//! has to come to the same when it is read back. What servers are free to do fails no case.

mod reference;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::{Arguments, Failed, Trial};
use mcp_conform::{
    case::{Case, Nature},
    cases,
    spec::{Level, Revision, Transport},
};
use mock_servers::Fault;
use serde_json::Value;

/// A trial mostly waits, so that many go side by side.
const TRIALS: usize = 12;

fn main() {
    let mut args = Arguments::from_args();
    args.test_threads.get_or_insert(TRIALS);
    let mut trials = Vec::new();
    for &transport in Transport::ALL {
        let name = format!("{transport}: the honest server passes every case");
        trials.push(Trial::test(name, move || honest(transport)));
        // A fault may be there before its case.
        for fault in mock_servers::faults() {
            let Some(case) = cases::find(fault.violates) else {
                continue;
            };
            let holds = case.clause.transports.contains(&transport);
            if holds && fault.shows_on(served(transport)) {
                let name = format!(
                    "{transport}: {} is caught by {}",
                    fault.name, fault.violates
                );
                trials.push(Trial::test(name, move || caught(fault, case, transport)));
            }
        }
    }
    for variant in mock_servers::variants() {
        let case = cases::find(variant.violates);
        let case = case.unwrap_or_else(|| panic!("no case for {}", variant.name));
        // One is enough: the fault of the clause shows on the others.
        let transports = case.clause.transports.iter();
        for &transport in transports
            .filter(|one| variant.shows_on(served(**one)))
            .take(1)
        {
            let name = format!("{transport}: {} is caught as well", variant.name);
            trials.push(Trial::test(name, move || caught(variant, case, transport)));
        }
    }
    for freedom in mock_servers::freedoms() {
        let transports = Transport::ALL.iter().copied();
        for transport in transports
            .filter(|one| freedom.shows_on(served(*one)))
            .take(1)
        {
            let name = format!("{transport}: {} is held against nobody", freedom.name);
            trials.push(Trial::test(name, move || free(freedom, transport)));
        }
    }
    libtest_mimic::run(&args, trials).exit();
}

fn served(transport: Transport) -> mock_servers::Transport {
    match transport {
        Transport::Stdio => mock_servers::Transport::Stdio,
        Transport::HttpSse => mock_servers::Transport::HttpSse,
        Transport::StreamableHttp => mock_servers::Transport::StreamableHttp,
    }
}

/// The revisions of a trial: all of them over stdio and for the faultless server; over HTTP,
/// where the messages are the same, the newest one in which the clause holds.
fn revisions(case: Option<&Case>, transport: Transport) -> Vec<Revision> {
    let all = transport.revisions().iter().copied();
    match case {
        Some(case) if transport != Transport::Stdio => all
            .rev()
            .find(|revision| case.clause.holds_in(*revision))
            .into_iter()
            .collect(),
        _ => all.collect(),
    }
}

/// One run against the reference server, over these revisions, recorded in the transcript.
fn run(
    faults: &[&str],
    transport: Transport,
    revisions: &[Revision],
    transcript: Option<&Path>,
) -> Result<Ran, Failed> {
    let transcript = transcript.map(|path| path.to_string_lossy());
    let options = match &transcript {
        Some(path) => vec!["--transcript", path],
        None => Vec::new(),
    };
    let report = reference::report(faults, transport, revisions, &options)?;
    Ran::read(&report)
}

impl Ran {
    fn read(report: &Value) -> Result<Ran, Failed> {
        let list = |name: &str| {
            report[name]
                .as_array()
                .ok_or(format!("no {name} in the report"))
        };
        let spoken = list("revisions")?
            .iter()
            .filter(|revision| revision["spoken"] == true)
            .map(|revision| Ok(revision["revision"].as_str().unwrap_or_default().parse()?));
        Ok(Ran {
            spoken: spoken.collect::<Result<_, Failed>>()?,
            verdicts: list("results")?
                .iter()
                .map(Verdict::read)
                .collect::<Result<_, _>>()?,
        })
    }
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

/// How many verdicts a run has to give: no case may go missing.
fn expected_count(transport: Transport, revisions: &[Revision]) -> usize {
    let applicable = |revision: &Revision| {
        let revision = *revision;
        cases::all()
            .filter(move |case| case.clause.applies_in(revision, transport))
            .count()
    };
    revisions.iter().map(applicable).sum()
}

/// The file of a trial's transcript.
fn transcript(transport: Transport, fault: &str) -> Result<PathBuf, Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("self-proof");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(format!("{transport}-{fault}.jsonl")))
}

/// What `validate` says of a transcript.
fn recorded(transcript: &Path) -> Result<Ran, Failed> {
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-conform"))
        .args(["validate", "--format", "json"])
        .arg(transcript)
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()?;
    Ran::read(&serde_json::from_slice(&output.stdout)?)
}

/// What `validate` says otherwise of a transcript than the run that wrote it, in the cases that
/// are rules alone. The transcript is removed unless there is something to look at.
fn differences(live: &[Verdict], transcript: &Path) -> Result<Vec<String>, Failed> {
    let recorded = recorded(transcript)?;
    let mut bad = Vec::new();
    for v in live {
        let is_rule = |case: &Case| case.nature() == Nature::Rule;
        if !cases::find(&v.case).is_some_and(is_rule) {
            continue;
        }
        let same = |other: &&Verdict| other.case == v.case && other.revision == v.revision;
        let other = recorded.verdicts.iter().find(same);
        let other = other.map_or("missing", |other| &other.verdict);
        if other != v.verdict {
            bad.push(format!(
                "{} {}: {} live ({}), and {other} recorded",
                v.revision, v.case, v.verdict, v.message
            ));
        }
    }
    if bad.is_empty() {
        fs::remove_file(transcript)?;
    }
    Ok(bad)
}

fn honest(transport: Transport) -> Result<(), Failed> {
    let revisions = revisions(None, transport);
    let transcript = transcript(transport, "honest")?;
    let Ran { verdicts, .. } = run(&[], transport, &revisions, Some(&transcript))?;
    complain(differences(&verdicts, &transcript)?)?;
    let bad: Vec<String> = verdicts
        .iter()
        .filter(|verdict| verdict.verdict != "pass" && !is_elsewhere(verdict))
        .map(|v| format!("{} {}: {} ({})", v.revision, v.case, v.verdict, v.message))
        .collect();
    complain(bad)?;
    let expected = expected_count(transport, &revisions);
    if verdicts.len() != expected {
        return Err(format!("{} verdicts instead of {expected}", verdicts.len()).into());
    }
    Ok(())
}

/// Whether a clause is about what the reference server need not do: it declares everything.
fn is_elsewhere(verdict: &Verdict) -> bool {
    const UNDECLARED: [&str; 3] = [
        "lifecycle/undeclared-method-code",
        "utilities/task-capability-declared",
        "utilities/task-undeclared-ignored",
    ];
    let unseen = ["not_applicable", "unverified"].contains(&verdict.verdict.as_str());
    unseen && UNDECLARED.contains(&verdict.case.as_str())
}

fn caught(fault: &Fault, case: &Case, transport: Transport) -> Result<(), Failed> {
    let revisions = revisions(Some(case), transport);
    let transcript = match case.nature() {
        Nature::Rule => Some(transcript(transport, fault.name)?),
        Nature::Probe | Nature::Both => None,
    };
    let Ran { spoken, verdicts } =
        run(&[fault.name], transport, &revisions, transcript.as_deref())?;
    let mut bad = match &transcript {
        Some(transcript) => differences(&verdicts, transcript)?,
        None => Vec::new(),
    };
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
    let expected = expected_count(transport, &spoken);
    if verdicts.len() != expected {
        bad.push(format!("{} verdicts instead of {expected}", verdicts.len()));
    }
    complain(bad)
}

/// What a server may do, in the newest revision.
fn free(freedom: &Fault, transport: Transport) -> Result<(), Failed> {
    let newest = transport.revisions().iter().copied().next_back();
    let revisions: Vec<Revision> = newest.into_iter().collect();
    let Ran { verdicts, .. } = run(&[freedom.name], transport, &revisions, None)?;
    let broken = |v: &&Verdict| matches!(&*v.verdict, "fail" | "warn" | "note" | "error");
    let bad = verdicts.iter().filter(broken);
    complain(
        bad.map(|v| format!("{}: {} ({})", v.case, v.verdict, v.message))
            .collect(),
    )
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

//! The suite as a harness of `cargo test`, for servers that are written in Rust: a trial per case
//! and revision, named as in `2025-11-25::jsonrpc/id-echo`, which `cargo nextest` lists, filters
//! and runs too. The trials of one process share one run, so that the server is launched as seldom
//! as by the command.
//!
//! ```no_run
//! // tests/conformance.rs, with `harness = false` in Cargo.toml
//! fn main() -> std::process::ExitCode {
//!     mcp_conform::harness::main(["stdio", "--tools", "all", "--", "target/debug/my-server"])
//! }
//! ```

use std::{
    collections::HashMap,
    ffi::OsString,
    iter,
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use anyhow::anyhow;
use clap::Parser;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::{Cli, Command, Failure, complain, config, http, judge::Prepared, stdio};
use crate::{
    cases, report,
    run::{FailOn, Judgement, Run, Verdict},
    spec::Revision,
};

/// The trial of what is no case: whether the run came to its end, and the baseline holds. It takes
/// all cases.
const WHOLE: &str = "run";

/// What a trial comes to; why, unless it passed.
#[derive(Clone)]
enum Ending {
    Passed,
    Ignored(String),
    Failed(String),
}

/// What all trials of this process come to; none if there was nothing to judge.
type Endings = Result<Told, String>;

/// What a run tells.
struct Told {
    /// Of the trials, by name.
    trials: HashMap<String, Ending>,
    /// The revisions that the server speaks.
    judged: Vec<Revision>,
}

/// Judges a server as the command line does that consists of these words, one of `stdio`, `http`
/// and `sse` with its options, and tells each verdict as a test. What the options say holds here
/// too: reports and badges are written, a baseline is read, `--fail-on` draws the line. What is
/// `unverified` or `not applicable` is an ignored test, as is a violation below that line.
///
/// The arguments of the process are those of libtest: a filter, `--exact`, `--list` and the rest.
/// Gives the exit status of the process: 0 if no test failed, 2 if the words are wrong, and that of
/// libtest otherwise.
pub fn main<I>(words: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let args = Arguments::from_args();
    let trials = match trials(&args, words) {
        Ok(trials) => trials,
        Err(failure) => {
            let (error, status) = failure.parts();
            complain(&error);
            return ExitCode::from(status);
        }
    };
    libtest_mimic::run(&args, trials).exit_code()
}

fn trials(args: &Arguments, words: Vec<OsString>) -> Result<Vec<Trial>, Failure> {
    let prepared = prepare(&words)?;
    prepared.check()?;
    let names = names(&prepared)?;
    let transport = prepared.target.transport();
    let taken = |name: &str| {
        let trial = Trial::test(name, || Ok(())).with_kind(transport.as_str());
        !args.is_filtered_out(&trial)
    };
    let chosen = names.iter().filter(|(name, _)| taken(name));
    let chosen: Vec<Selected> = chosen.map(|(_, selected)| *selected).collect();
    let chosen = (!taken(WHOLE)).then_some(chosen);
    let endings: Arc<OnceLock<Endings>> = Arc::default();
    let run = Arc::new(move || judge(&words, chosen.as_deref()));
    let trial = |name: String| {
        let (endings, run) = (Arc::clone(&endings), Arc::clone(&run));
        let wanted = name.clone();
        let told = move || told(endings.get_or_init(|| run()), &wanted);
        Trial::ignorable_test(name, told).with_kind(transport.as_str())
    };
    let names = names.into_iter().map(|(name, _)| name);
    let all = iter::once(WHOLE.to_owned()).chain(names);
    Ok(all.map(trial).collect())
}

/// The server and its options, as the command line takes them.
fn prepare(words: &[OsString]) -> Result<Prepared, Failure> {
    let words = iter::once("mcp-conform".into()).chain(words.iter().cloned());
    let cli = Cli::try_parse_from(words).map_err(|error| Failure::Usage(anyhow!("{error}")))?;
    match config::applied(cli.command)? {
        Command::Stdio(args) => stdio::prepare(args),
        Command::Http(args) => http::http(args),
        Command::Sse(args) => http::sse(args),
        _ => Err(Failure::Usage(anyhow!(
            "the harness judges a server: its first word is `stdio`, `http` or `sse`"
        ))),
    }
}

/// A case in a revision.
type Selected = (Revision, &'static str);

/// The trials of the selected cases.
fn names(prepared: &Prepared) -> Result<Vec<(String, Selected)>, Failure> {
    let transport = prepared.target.transport();
    let selection = &prepared.common.selection;
    let (wanted, selects) = (&selection.revisions, selection.selection()?);
    let revisions = transport.revisions().iter().copied().rev();
    let revisions = revisions.filter(|revision| wanted.is_empty() || wanted.contains(revision));
    let mut names = Vec::new();
    for revision in revisions {
        let holds = cases::all()
            .filter(|case| case.clause.applies_in(revision, transport) && selects.selects(case));
        names.extend(holds.map(|case| {
            let id = case.clause.id;
            (name(revision, id), (revision, id))
        }));
    }
    Ok(names)
}

fn name(revision: Revision, case: &str) -> String {
    format!("{revision}::{case}")
}

/// Judges the server, in the chosen cases only if there are any.
fn judge(words: &[OsString], chosen: Option<&[Selected]>) -> Endings {
    let run = || -> Result<_, Failure> {
        let mut prepared = prepare(words)?;
        if let Some(chosen) = chosen {
            let selection = &mut prepared.common.selection;
            selection.revisions = chosen.iter().map(|(revision, _)| *revision).collect();
            selection.revisions.sort();
            selection.revisions.dedup();
            selection.cases = chosen.iter().map(|(_, id)| (*id).to_owned()).collect();
            selection.cases.sort();
            selection.cases.dedup();
        }
        let fail_on = prepared.common.fail_on();
        let (common, run) = prepared.conduct()?;
        let run = run.ok_or_else(|| Failure::Tool(anyhow!("it was interrupted")))?;
        common.output.write_files(&run)?;
        Ok(endings(&run, fail_on))
    };
    run().map_err(|failure| format!("{:#}", failure.parts().0))
}

fn endings(run: &Run, fail_on: FailOn) -> Told {
    let judged = run.judgements.iter().map(|judgement| {
        let id = judgement.case.clause.id;
        (
            name(judgement.revision, id),
            ending(run, judgement, fail_on),
        )
    });
    let flaws: Vec<_> = run.flaws().iter().map(report::flaw).collect();
    let whole = if flaws.is_empty() || fail_on == FailOn::Never {
        Ending::Passed
    } else {
        Ending::Failed(flaws.join("\n"))
    };
    Told {
        trials: judged.chain([(WHOLE.to_owned(), whole)]).collect(),
        judged: run.judged().collect(),
    }
}

fn ending(run: &Run, judgement: &Judgement, fail_on: FailOn) -> Ending {
    let why = || format!("{}: {}", judgement.verdict, report::message(judgement));
    if let Some(known) = run.known(judgement) {
        return Ending::Ignored(format!("known: {}", known.reason));
    }
    let fails = match judgement.verdict {
        Verdict::Fail | Verdict::Error => fail_on != FailOn::Never,
        Verdict::Warn => fail_on == FailOn::Should,
        _ => false,
    };
    match judgement.verdict {
        _ if fails => Ending::Failed(report::details(run, judgement)),
        Verdict::Pass => Ending::Passed,
        _ => Ending::Ignored(why()),
    }
}

/// What the run says of one trial.
fn told(endings: &Endings, name: &str) -> Result<Completion, Failed> {
    match endings {
        Err(reason) => Err(reason.into()),
        Ok(endings) => match endings.trials.get(name) {
            Some(Ending::Passed) => Ok(Completion::Completed),
            Some(Ending::Failed(why)) => Err(why.into()),
            Some(Ending::Ignored(why)) => Ok(Completion::ignored_with(why)),
            None => Ok(Completion::ignored_with(missing(name, &endings.judged))),
        },
    }
}

/// Why a trial has no verdict, among the revisions that were judged.
fn missing(name: &str, judged: &[Revision]) -> &'static str {
    let revision = name.split_once("::").map(|(revision, _)| revision);
    if judged.iter().any(|one| Some(one.as_str()) == revision) {
        "another share of --shard judges it"
    } else {
        "the server does not speak this revision"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_share_judges_is_told_from_what_is_not_spoken() {
        let judged = [Revision::V2025_11_25];
        let said = |name: &str| missing(name, &judged);
        assert!(said("2025-11-25::jsonrpc/id-echo").contains("--shard"));
        assert!(said("2025-06-18::jsonrpc/id-echo").contains("does not speak"));
    }
}

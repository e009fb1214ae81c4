use mcp_conform::{
    report::FormatName,
    run::{Baseline, FailOn, Judgement, Run, Verdict},
};
use serde_json::Value;

use super::{
    MIDDLE, NEW, PLAIN,
    hostile::{hostile_and_known, without_code},
    human, json, judgement, made_up, stable, whole, written,
};

/// Two entries that hold, and one for each way not to.
const ENTRIES: &str = r#"# What we know of.

[[known]]
case = "stdio/stdout-no-ansi"
reason = "the logger colours what it prints"
issue = "https://example.org/issues/7"
expires = 2026-03-01

[[known]]
case = "stdio/crlf-*"
revision = "2025-06-18"
transport = "stdio"
reason = "old clients do not send it"

[[known]]
case = "stdio/large-output"
reason = "was too slow"

[[known]]
case = "stdio/stdout-utf8"
reason = "the terminal of the build is Latin-1"
expires = "2026-02-28"

[[known]]
case = "stdio/stdot-utf8"
reason = "a slip"

[[known]]
case = "stdio/batch-received"
revision = "2025-06-18"
reason = "no case of that revision"
"#;

fn read(text: &str) -> Baseline {
    Baseline::read("conform.toml", text).unwrap()
}

fn with(run: Run, text: &str) -> Run {
    Run {
        baseline: Some(read(text)),
        ..run
    }
}

pub(crate) fn baselined() -> Run {
    with(made_up(), ENTRIES)
}

/// A run of these verdicts.
fn run_of(judgements: &[(&str, mcp_conform::spec::Revision, Verdict)]) -> Run {
    let judgements = judgements
        .iter()
        .map(|(id, revision, verdict)| judgement(id, *revision, *verdict, "made up"));
    let seen = judgement("stdio/stdout-only-messages", NEW, Verdict::Pass, "");
    Run {
        judgements: judgements.chain([seen]).collect(),
        ..whole()
    }
}

fn entry(case: &str) -> String {
    format!("[[known]]\ncase = \"{case}\"\nreason = \"why\"\n")
}

/// What is wrong with the entries: the line and the word for it.
fn flaws(run: &Run) -> Vec<(usize, &'static str)> {
    run.flaws()
        .into_iter()
        .map(|flaw| (flaw.place.map_or(0, |(_, line)| line), flaw.id))
        .collect()
}

#[test]
fn people_read_what_is_known_and_which_entries_do_not_hold() {
    insta::assert_snapshot!("baseline_human", stable(&human(&baselined(), PLAIN)));
    insta::assert_snapshot!(
        "baseline_github",
        written(&baselined(), FormatName::Github, PLAIN)
    );
}

#[test]
fn only_what_is_known_fails_no_run() {
    let broken = [
        ("stdio/crlf-input", NEW, Verdict::Fail),
        ("stdio/stdout-utf8", NEW, Verdict::Error),
        ("stdio/stdout-no-bom", NEW, Verdict::Warn),
    ];
    let run = run_of(&broken);
    let all = entry("stdio/crlf-*") + &entry("stdio/stdout-utf8") + &entry("stdio/stdout-no-bom");
    assert!(run.fails(FailOn::Must));
    assert!(!with(run.clone(), &all).fails(FailOn::Should));
    assert!(with(run.clone(), &entry("stdio/crlf-*")).fails(FailOn::Must));
    let two = entry("stdio/crlf-*") + &entry("stdio/stdout-utf8");
    assert!(!with(run.clone(), &two).fails(FailOn::Must));
    assert!(with(run, &two).fails(FailOn::Should), "the warning is new");
}

#[test]
fn an_entry_speaks_of_its_revision_and_transport_only() {
    let run = run_of(&[("stdio/crlf-input", NEW, Verdict::Fail)]);
    for (words, known) in [
        ("revision = \"2025-11-25\"", true),
        ("revision = \"2025-06-18\"", false),
        ("transport = \"stdio\"", true),
    ] {
        let run = with(run.clone(), &(entry("stdio/crlf-input") + words));
        assert_eq!(run.known(&run.judgements[0]).is_some(), known, "{words}");
        assert_eq!(run.fails(FailOn::Must), !known, "{words}");
        assert_eq!(flaws(&run), [], "{words}");
    }
}

#[test]
fn an_entry_is_stale_once_everything_it_speaks_of_passes() {
    let stale = |judgements: &[_]| {
        let run = with(run_of(judgements), &entry("stdio/crlf-input"));
        match flaws(&run).as_slice() {
            [] => false,
            [(1, "baseline/still-fails")] => run.fails(FailOn::Must),
            other => panic!("{other:?}"),
        }
    };
    let id = "stdio/crlf-input";
    assert!(stale(&[
        (id, NEW, Verdict::Pass),
        (id, MIDDLE, Verdict::Pass)
    ]));
    assert!(stale(&[
        (id, NEW, Verdict::Pass),
        (id, MIDDLE, Verdict::NotApplicable)
    ]));
    // In another revision it still fails, or may.
    assert!(!stale(&[
        (id, NEW, Verdict::Pass),
        (id, MIDDLE, Verdict::Warn)
    ]));
    assert!(!stale(&[
        (id, NEW, Verdict::Pass),
        (id, MIDDLE, Verdict::Unverified)
    ]));
    // Nothing was seen of it: other cases were selected, or other revisions.
    assert!(!stale(&[]));
    assert!(!stale(&[(id, NEW, Verdict::NotApplicable)]));
}

#[test]
fn every_flaw_names_its_line_and_what_to_do() {
    let run = baselined();
    assert_eq!(
        flaws(&run),
        [
            (15, "baseline/still-fails"),
            (19, "baseline/not-expired"),
            (24, "baseline/known-case"),
            (28, "baseline/known-case"),
        ]
    );
    assert!(run.fails(FailOn::Must) && !run.fails(FailOn::Never));
    for flaw in run.flaws() {
        let remedy = ["remove", "mend"]
            .iter()
            .any(|word| flaw.message.contains(word));
        assert!(remedy, "{}", flaw.message);
    }
    // What an expired entry knew of is new again.
    let expired = run
        .judgements
        .iter()
        .find(|j| j.case.clause.id == "stdio/stdout-utf8");
    assert!(run.known(expired.unwrap()).is_none());
}

#[test]
fn an_entry_holds_to_the_end_of_its_last_day() {
    for (day, expired) in [
        ("2026-02-28", true),
        ("2026-03-01", false),
        ("2026-03-02", false),
    ] {
        let text = format!("{}expires = {day}\n", entry("stdio/crlf-input"));
        let run = with(run_of(&[("stdio/crlf-input", NEW, Verdict::Fail)]), &text);
        assert_eq!(run.fails(FailOn::Must), expired, "{day}");
    }
}

#[test]
fn a_broken_file_is_refused_by_line_and_with_a_remedy() {
    for (text, line, words) in [
        (
            "[[known]\n",
            1,
            "an entry is a `[[known]]` with `case` and `reason`",
        ),
        ("\n[[known]]\ncase = \"a/b\"\n", 2, "missing field `reason`"),
        ("[[known]]\ncase = \"a/b\"\nreason = \"\"\n", 3, "say why"),
        ("[[known]]\ncause = \"a/b\"\n", 2, "unknown field `cause`"),
        ("[[knwon]]\ncase = \"a/b\"\n", 1, "unknown field `knwon`"),
        (
            "[[known]]\ncase = 7\nreason = \"r\"\n",
            2,
            "expected a string",
        ),
        (
            "[[known]]\ncase = \"a/b\"\nreason = \"r\"\nrevision = \"2025-11-52\"\n",
            4,
            "no revision of the protocol",
        ),
        (
            "[[known]]\ncase = \"a/b\"\nreason = \"r\"\ntransport = \"http\"\n",
            4,
            "there are stdio, http-sse, streamable-http",
        ),
        (
            "[[known]]\ncase = \"a/b\"\nreason = \"r\"\nexpires = \"soon\"\n",
            4,
            "expires = 2027-01-31",
        ),
    ] {
        let error = Baseline::read("conform.toml", text)
            .unwrap_err()
            .to_string();
        let place = format!("the baseline conform.toml, line {line}: ");
        assert!(
            error.starts_with(&place) && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn an_update_is_sorted_and_keeps_what_people_wrote() {
    let text = "# Ours.\n# Two lines.\n\n# Waits for the framework.\n[[known]]\n\
                reason = \"why\" # really\ncase = \"stdio/stdout-utf8\"\nexpires = 2020-01-01\n\n\
                [[known]]\ncase = \"stdio/large-output\"\nreason = \"was slow\"\n\n\
                [[known]]\ncase = \"lifecycle/gone\"\nreason = \"a case of old\"\n\n\
                [[known]]\ncase = \"stdio/exit-on-sigterm\"\nreason = \"not run today\"\n";
    let run = run_of(&[
        ("stdio/stdout-utf8", NEW, Verdict::Fail),
        ("stdio/large-output", NEW, Verdict::Pass),
        ("stdio/crlf-input", NEW, Verdict::Fail),
        ("stdio/crlf-input", MIDDLE, Verdict::Fail),
        ("stdio/stdout-no-bom", NEW, Verdict::Error),
        ("stdio/stdout-no-bom", MIDDLE, Verdict::Pass),
        ("stdio/input-utf8", NEW, Verdict::Warn),
    ]);
    let update = read(text).updated(&run, FailOn::Must);
    assert_eq!((update.added, update.removed, update.kept), (2, 2, 2));
    insta::assert_snapshot!("baseline_updated", update.text);
    // Once more changes nothing, and what remains is the entry that has expired.
    let after = with(run.clone(), &update.text);
    let again = read(&update.text).updated(&after, FailOn::Must);
    assert_eq!(again.text, update.text);
    assert_eq!(flaws(&after).len(), 1);
    assert!(!run.judgements.iter().any(|judgement| {
        judgement.verdict == Verdict::Fail
            && judgement.case.clause.id != "stdio/stdout-utf8"
            && after.known(judgement).is_none()
    }));
    let should = read(text).updated(&run, FailOn::Should);
    assert!(should.text.contains("stdio/input-utf8"), "{}", should.text);
}

#[test]
fn a_first_update_writes_a_file_that_says_what_it_is() {
    let run = run_of(&[("stdio/crlf-input", NEW, Verdict::Fail)]);
    let update = read("").updated(&run, FailOn::Must);
    insta::assert_snapshot!("baseline_first", update.text);
    assert!(!with(run, &update.text).fails(FailOn::Must));
    let nothing = read("").updated(&whole(), FailOn::Must);
    assert!(nothing.text.lines().all(|line| line.starts_with('#')));
}

#[test]
fn an_update_of_any_style_keeps_every_entry() {
    let run = run_of(&[
        ("stdio/crlf-input", NEW, Verdict::Fail),
        ("stdio/stdout-utf8", NEW, Verdict::Fail),
    ]);
    for text in [
        "known = [ { case = 'stdio/stdout-utf8', reason = 'a \"b\"' },\n \
         { case = 'stdio/crlf-input', reason = 'c', issue = 'd', expires = 2027-01-01 } ]\n",
        "[[known]]\ncase = 'stdio/stdout-utf8'\nreason = '''a\n# b'''\n[[known]]\n\
         case = 'stdio/crlf-input'\nreason = \"\"\"\n[[known]]\n\"\"\"\n",
        "[[known]]\r\ncase = 'stdio/stdout-utf8'\r\nreason = 'a'\r\n# b\r\n[[known]]\r\n\
         case = 'stdio/crlf-input'\r\nreason = 'c'\r\n",
    ] {
        let before = read(text);
        let update = before.updated(&run, FailOn::Must);
        let mut after = read(&update.text).entries;
        after.reverse();
        let reasons = |entries: &[mcp_conform::run::Known]| -> Vec<_> {
            entries
                .iter()
                .map(|entry| (entry.explained(), entry.expires))
                .collect()
        };
        assert_eq!(reasons(&after), reasons(&before.entries), "{}", update.text);
        assert_eq!(
            read(&update.text).updated(&run, FailOn::Must).text,
            update.text
        );
    }
}

fn results(run: &Run, known: bool) -> Vec<&Judgement> {
    let judgements = run.judgements.iter();
    judgements
        .filter(|judgement| run.known(judgement).is_some() == known)
        .collect()
}

#[test]
fn every_format_shows_what_is_known_as_known() {
    let run = baselined();
    assert_eq!(results(&run, true).len(), 3);
    let report = json(&run);
    assert_eq!(report["baseline"], "conform.toml");
    assert_eq!(report["flaws"].as_array().unwrap().len(), 4);
    assert_eq!(report["flaws"][0]["line"], 15);
    let known = &report["results"][1]["known"];
    assert_eq!(known["reason"], "the logger colours what it prints");
    assert_eq!(known["issue"], "https://example.org/issues/7");
    assert_eq!(
        (&known["expires"], &known["line"]),
        (&"2026-03-01".into(), &3.into())
    );
    assert_eq!(report["results"][2]["known"], Value::Null);

    let junit = written(&run, FormatName::Junit, PLAIN);
    let reason = "known: the logger colours what it prints (https://example.org/issues/7)";
    assert!(
        junit.contains(&format!("<skipped type=\"known\" message=\"{reason}\">")),
        "{junit}"
    );
    assert!(
        junit.contains("failures=\"6\" errors=\"1\""),
        "two failures and four flaws: {junit}"
    );
    assert!(junit.contains("conform.toml, line 15: "), "{junit}");

    let tap = written(&run, FormatName::Tap, PLAIN);
    assert!(
        tap.contains(&format!(
            "stdout-no-ansi in 2025-11-25 over stdio # TODO {reason}"
        )),
        "{tap}"
    );
    assert!(tap.contains("- baseline/still-fails"), "{tap}");

    let sarif: Value = serde_json::from_str(&written(&run, FormatName::Sarif, PLAIN)).unwrap();
    let sarif = &sarif["runs"][0];
    let suppressed = |result: &&Value| !result["suppressions"].as_array().unwrap().is_empty();
    let results = sarif["results"].as_array().unwrap();
    assert_eq!(results.iter().filter(suppressed).count(), 3);
    let notification = &sarif["invocations"][0]["toolExecutionNotifications"][0];
    let place = &notification["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "conform.toml");
    assert_eq!(place["region"]["startLine"], 15);

    let markdown = written(&run, FormatName::Markdown, PLAIN);
    assert!(
        markdown.contains("<summary>2 known</summary>"),
        "{markdown}"
    );
    assert!(
        markdown.contains("- fail `stdio/stdout-no-ansi` in 2025-11-25, 2025-06-18: `the logger")
    );
}

#[test]
fn reasons_stay_text_in_every_format() {
    let run = hostile_and_known();
    assert!(!run.fails(FailOn::Should));
    let tap = written(&run, FormatName::Tap, PLAIN);
    let points = tap.lines().filter(|line| line.starts_with("not ok"));
    for point in points {
        assert!(point.contains(" # TODO known: "), "{point}");
        assert_eq!(point.replace("\\#", "").matches('#').count(), 1, "{point}");
    }
    let rest = without_code(&written(&run, FormatName::Markdown, PLAIN));
    assert!(!rest.contains("owned"), "{rest}");
    for line in written(&run, FormatName::Github, PLAIN).lines() {
        assert!(line.starts_with("::notice title=4 known::"), "{line}");
    }
}

#[test]
fn the_document_shows_an_entry_that_can_be_read() {
    let page = include_str!("../../../docs/reports.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let baseline = read(example);
    assert_eq!(baseline.entries.len(), 1);
    assert!(!with(run_of(&[]), example).fails(FailOn::Should));
}

use mcp_conform::{
    report::{
        Look, Verbosity,
        diff::{self, Diff, Kind},
        read::Report,
    },
    run::{Run, Shard, Spoken, Verdict},
};
use serde_json::Value;

use crate::sample::{HOSTILE, MIDDLE, NEW, OLD, judgement, keeps_schema, small, stable};

const PLAIN: Look = Look {
    color: false,
    verbosity: Verbosity::Normal,
    width: 100,
};

fn report(run: &Run) -> Vec<Report> {
    vec![Report::of(run).unwrap()]
}

/// Two runs between which everything happened that can.
fn before_and_after() -> (Vec<Report>, Vec<Report>) {
    let mut old = small(&[
        ("stdio/stdout-only-messages", Verdict::Pass),
        ("stdio/stdout-utf8", Verdict::Pass),
        ("stdio/stdout-no-ansi", Verdict::Fail),
        ("stdio/input-utf8", Verdict::Pass),
        ("stdio/crlf-input", Verdict::Warn),
        ("stdio/large-output", Verdict::Fail),
        ("stdio/atomic-writes", Verdict::Fail),
        ("stdio/concurrent-requests", Verdict::NotApplicable),
        ("stdio/exit-on-sigterm", Verdict::Pass),
    ]);
    old.revisions
        .extend([(MIDDLE, Spoken::Yes), (OLD, Spoken::Yes)]);
    old.judgements.extend([
        judgement("stdio/stdout-utf8", MIDDLE, Verdict::Pass),
        judgement("stdio/stdout-utf8", OLD, Verdict::Pass),
        judgement("stdio/batch-received", OLD, Verdict::Fail),
    ]);
    let mut new = small(&[
        ("stdio/stdout-only-messages", Verdict::Pass),
        ("stdio/stdout-utf8", Verdict::Fail),
        ("stdio/stdout-no-ansi", Verdict::Pass),
        ("stdio/input-utf8", Verdict::Unverified),
        ("stdio/crlf-input", Verdict::Warn),
        ("stdio/large-output", Verdict::Unverified),
        ("stdio/atomic-writes", Verdict::Fail),
        ("stdio/concurrent-requests", Verdict::Fail),
        ("stdio/stderr-utf8", Verdict::Note),
        ("stdio/split-input", Verdict::Pass),
    ]);
    new.started = "2026-03-02T12:00:00Z".into();
    new.judgements[1].message = Some(HOSTILE.into());
    new.revisions
        .extend([(MIDDLE, Spoken::Yes), (OLD, Spoken::No("no".into()))]);
    new.judgements
        .push(judgement("stdio/stdout-utf8", MIDDLE, Verdict::Fail));
    (report(&old), report(&new))
}

fn written(write: impl FnOnce(&Diff<'_>, &mut Vec<u8>)) -> String {
    let (old, new) = before_and_after();
    let mut out = Vec::new();
    write(&Diff::of(&old, &new), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_comparison_in_every_format() {
    let human = written(|diff, out| diff::human(diff, PLAIN, out).unwrap());
    insta::assert_snapshot!("diff_human", stable(&human));
    let markdown = written(|diff, out| diff::markdown(diff, out).unwrap());
    insta::assert_snapshot!("diff_markdown", markdown);
    let json = written(|diff, out| diff::json(diff, out).unwrap());
    insta::assert_snapshot!("diff_json", stable(&json));
}

#[test]
fn each_change_is_of_one_kind() {
    use Verdict::{Error, Fail, Note, Pass, Unverified, Warn};
    let n_a = Verdict::NotApplicable;
    for (old, new, kind) in [
        (Pass, Fail, Some(Kind::Worse)),
        (Pass, Unverified, Some(Kind::Worse)),
        (Warn, Error, Some(Kind::Worse)),
        (Unverified, Warn, Some(Kind::Worse)),
        (n_a, Fail, Some(Kind::Worse)),
        (n_a, Pass, Some(Kind::New)),
        (n_a, Unverified, Some(Kind::New)),
        (Fail, Warn, Some(Kind::Better)),
        (Note, Pass, Some(Kind::Better)),
        (Unverified, Pass, Some(Kind::Better)),
        (Fail, Unverified, Some(Kind::Gone)),
        (Pass, n_a, Some(Kind::Gone)),
        (Fail, Fail, None),
    ] {
        let id = "stdio/stdout-utf8";
        let (before, after) = (report(&small(&[(id, old)])), report(&small(&[(id, new)])));
        let diff = Diff::of(&before, &after);
        let found = diff.changes.first().map(|change| change.kind);
        assert_eq!(found, kind, "{old} to {new}");
        assert_eq!(diff.is_worse(), kind == Some(Kind::Worse));
    }
}

#[test]
fn a_revision_that_is_no_longer_spoken_is_worse() {
    let (old, new) = before_and_after();
    let spoken = Diff::of(&old, &new).spoken;
    assert_eq!(spoken.len(), 1);
    assert_eq!((spoken[0].revision, spoken[0].kind()), (OLD, Kind::Worse));
    // The other way round it is new, whatever came of its cases.
    let diff = Diff::of(&new, &old);
    assert_eq!(diff.spoken[0].kind(), Kind::New);
}

#[test]
fn what_a_run_left_out_is_neither_new_nor_gone() {
    let whole = small(&[
        ("stdio/stdout-utf8", Verdict::Pass),
        ("stdio/stdout-no-ansi", Verdict::Fail),
    ]);
    let part = |change: &dyn Fn(&mut Run)| {
        let mut run = small(&[("stdio/stdout-utf8", Verdict::Pass)]);
        change(&mut run);
        report(&run)
    };
    let whole = report(&whole);
    for part in [
        part(&|run| run.filtered = true),
        part(&|run| run.processes = 0),
        part(&|run| run.shard = Shard::new(1, 2)),
        part(&|run| run.finished = false),
    ] {
        for (old, new) in [(&whole, &part), (&part, &whole)] {
            let diff = Diff::of(old, new);
            assert_eq!((diff.changes.len(), diff.not_compared), (0, 1));
        }
    }
    // Of a revision that was not asked for nothing is said either.
    let mut other = small(&[]);
    other.revisions = vec![(MIDDLE, Spoken::Yes)];
    other.judgements = vec![judgement("stdio/stdout-utf8", MIDDLE, Verdict::Pass)];
    let other = report(&other);
    let diff = Diff::of(&whole, &other);
    assert_eq!((diff.count(Kind::Gone), diff.not_compared), (0, 3));
    assert!(other[0].revisions.iter().all(|entry| entry.revision != NEW));
}

#[test]
fn quiet_means_the_totals_only() {
    let look = Look {
        verbosity: Verbosity::Quiet,
        ..PLAIN
    };
    let text = written(|diff, out| diff::human(diff, look, out).unwrap());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("5 worse, 1 better"), "{text}");
}

#[test]
fn the_comparison_keeps_its_schema() {
    let text = written(|diff, out| diff::json(diff, out).unwrap());
    let document: Value = serde_json::from_str(&text).unwrap();
    keeps_schema(schemas::DIFF, &document);
}

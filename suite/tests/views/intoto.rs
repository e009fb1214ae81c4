use mcp_conform::{
    report::{Format, intoto::InToto},
    run::{Run, Shard, Verdict},
};
use serde_json::Value;

use crate::sample::{file, hostile, small, stable};

fn written(run: &Run) -> String {
    let mut out = Vec::new();
    InToto.write(run, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn statement(run: &Run) -> Value {
    serde_json::from_str(&written(run)).unwrap()
}

#[test]
fn a_statement_lists_every_verdict() {
    insta::assert_snapshot!("intoto", stable(&written(&hostile())));
}

#[test]
fn the_subject_is_the_file_that_was_tested() {
    let artifact = file("server.js");
    std::fs::write(&artifact, "abc").unwrap();
    let mut run = small(&[("stdio/stdout-utf8", Verdict::Pass)]);
    run.artifact = Some(artifact.clone());
    let subject = &statement(&run)["subject"][0];
    assert_eq!(subject["name"], artifact.to_str().unwrap());
    // As published for these three letters.
    assert_eq!(
        subject["digest"]["sha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    // What is gone by the time of the report cannot be vouched for.
    run.artifact = Some(file("no-such-file"));
    let subject = &statement(&run)["subject"][0];
    assert_eq!(subject["name"], run.target);
    assert_eq!(subject["annotations"]["digest_of"], "the name");
}

#[test]
fn only_a_whole_run_in_which_everything_was_kept_has_passed() {
    let with = |verdict, change: &dyn Fn(&mut Run)| {
        let mut run = small(&[
            ("stdio/stdout-utf8", Verdict::Pass),
            ("stdio/crlf-input", verdict),
        ]);
        change(&mut run);
        statement(&run)["predicate"]["result"].clone()
    };
    let nothing = |_: &mut Run| {};
    assert_eq!(with(Verdict::Note, &nothing), "PASSED");
    assert_eq!(with(Verdict::Warn, &nothing), "WARNED");
    assert_eq!(with(Verdict::Error, &nothing), "FAILED");
    assert_eq!(with(Verdict::Fail, &nothing), "FAILED");
    assert_eq!(with(Verdict::Pass, &|run| run.filtered = true), "WARNED");
    assert_eq!(with(Verdict::Pass, &|run| run.processes = 0), "WARNED");
    assert_eq!(
        with(Verdict::Pass, &|run| run.shard = Shard::new(1, 2)),
        "WARNED"
    );
    assert_eq!(with(Verdict::Pass, &|run| run.finished = false), "FAILED");
    assert_eq!(with(Verdict::Pass, &|run| run.judgements.clear()), "FAILED");
    assert_eq!(with(Verdict::Pass, &|run| run.revisions.clear()), "FAILED");
}

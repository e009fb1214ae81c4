//! Every format, of every run of this test, in files: `.ci/formats` gives them to the tools that
//! read such files elsewhere.

use std::{fs, path::Path};

use clap::ValueEnum;
use mcp_conform::{report::FormatName, run::Verdict, tape::Stream};
use proptest::prelude::*;
use quick_junit::Report;
use serde_json::Value;

use super::{
    NEW, PLAIN,
    baseline::baselined,
    hostile::{assert_plain, hostile, hostile_and_known, without_code},
    judgement, made_up, said, whole, written,
};

#[test]
fn no_format_shows_a_letter_that_acts() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats");
    fs::create_dir_all(&folder).unwrap();
    let runs = [
        ("made-up", made_up()),
        ("whole", whole()),
        ("baselined", baselined()),
        ("hostile", hostile()),
        ("hostile-and-known", hostile_and_known()),
    ];
    for format in FormatName::value_variants() {
        for (name, run) in &runs {
            let text = written(run, *format, PLAIN);
            assert_plain(&text);
            fs::write(folder.join(format!("{name}.{}", format.as_str())), text).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_server_says_can_be_read_in_every_format(
        message in any::<String>(),
        bytes in any::<Vec<u8>>(),
        compared in any::<Option<(String, String)>>(),
    ) {
        let mut run = whole();
        let mut judgement = judgement("stdio/stdout-utf8", NEW, Verdict::Fail, &message);
        judgement.remarks = vec![message.clone()];
        judgement.evidence.exchange = vec![said(Stream::Stdout, 1, bytes)];
        judgement.evidence.compared = compared;
        run.server = Some((message.clone(), message));
        run.judgements.push(judgement);
        for format in FormatName::value_variants() {
            let text = written(&run, *format, PLAIN);
            assert_plain(&text);
            match format {
                FormatName::Junit => {
                    prop_assert_eq!(Report::deserialize_from_str(&text).unwrap().tests, 5);
                }
                FormatName::Json | FormatName::Sarif => {
                    serde_json::from_str::<Value>(&text).unwrap();
                }
                FormatName::Github => prop_assert_eq!(text.lines().count(), 1),
                FormatName::Markdown => prop_assert_eq!(without_code(&text).matches("####").count(), 1),
                FormatName::Tap => {
                    let points = text.lines().filter(|line| !line.starts_with([' ', '#']));
                    prop_assert_eq!(points.count(), 7);
                }
                _ => {}
            }
        }
    }
}

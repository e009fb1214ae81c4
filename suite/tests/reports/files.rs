//! Every format, of every run of this test, in files: `.ci/formats` gives them to the tools that
//! read such files elsewhere.

use std::{fs, path::Path};

use clap::ValueEnum;
use mcp_conform::report::FormatName;

use super::{
    PLAIN,
    baseline::baselined,
    hostile::{assert_plain, hostile, hostile_and_known},
    made_up, whole, written,
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

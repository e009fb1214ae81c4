//! A baseline from its first run to the day the server is mended.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

/// A file of this test's own that is not there yet.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("baseline");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::remove_file(&path).ok();
    path
}

/// The exit status of a run against the reference server with a fault, and all that was said.
fn run(baseline: &Path, options: &[&str], fault: Option<&str>) -> (Option<i32>, String) {
    let mut command = Command::new(TOOL);
    command.args([
        "stdio",
        "-q",
        "--revision",
        "2025-11-25",
        "--revision",
        "2025-06-18",
    ]);
    command.arg("--baseline").arg(baseline).args(options);
    command.args(["--", TOOL, "mock", "stdio"]);
    command.args(fault.into_iter().flat_map(|fault| ["--fault", fault]));
    command.env_remove("GITHUB_ACTIONS");
    command.env_remove("GITHUB_STEP_SUMMARY");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_baseline_is_written_holds_and_is_told_when_it_does_not() {
    let path = file("life.toml");
    let fault = Some("stdout-banner");
    let (status, said) = run(&path, &[], fault);
    assert_eq!(status, Some(2));
    assert!(said.contains("--update-baseline writes one"), "{said}");

    let (status, said) = run(&path, &["--update-baseline"], fault);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("1 added, 0 removed, 0 kept"), "{said}");
    let written = fs::read_to_string(&path).unwrap();
    let explained = written.replace("to be explained", "a banner of the framework");
    assert!(
        explained.contains("\"stdio/stdout-no-preamble\""),
        "{explained}"
    );
    fs::write(&path, &explained).unwrap();

    let (status, said) = run(&path, &[], fault);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("does not conform — 1 known; "), "{said}");
    // Another failure is new.
    let (status, said) = run(&path, &[], Some("stdout-bom"));
    assert_eq!(status, Some(1), "{said}");

    // Once the server is mended the entry has to go; its line is named.
    let (status, said) = run(&path, &[], None);
    assert_eq!(status, Some(1), "{said}");
    let place = format!(
        "{}, line 4: `stdio/stdout-no-preamble` passes now",
        path.display()
    );
    assert!(said.contains(&place), "{said}");
    // A run that does not look at the case does not tell.
    let (status, said) = run(&path, &["--case", "stdio/stdout-utf8"], None);
    assert_eq!(status, Some(0), "{said}");
    let (status, _) = run(
        &path,
        &["--case", "stdio/stdout-utf8", "--update-baseline"],
        None,
    );
    assert_eq!(status, Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), explained);

    let (status, said) = run(&path, &["--update-baseline"], None);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("0 added, 1 removed, 0 kept"), "{said}");
    assert!(!fs::read_to_string(&path).unwrap().contains("[[known]]"));
}

#[test]
fn an_update_extends_no_entry_that_has_expired() {
    let path = file("expired.toml");
    let text =
        "[[known]]\ncase = \"stdio/stdout-no-preamble\"\nreason = \"r\"\nexpires = 2025-01-01\n";
    fs::write(&path, text).unwrap();
    let (status, said) = run(&path, &["--update-baseline"], Some("stdout-banner"));
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("has expired on 2025-01-01"), "{said}");
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains("expires = 2025-01-01")
    );
}

#[test]
fn a_slip_in_the_file_is_told_before_anything_runs() {
    let path = file("slip.toml");
    fs::write(&path, "[[known]]\ncase = \"stdio/stdout-utf8\"\n").unwrap();
    let (status, said) = run(&path, &[], None);
    assert_eq!(status, Some(2));
    assert!(said.contains("line 1: missing field `reason`"), "{said}");
    fs::write(&path, b"# \xff\n").unwrap();
    assert_eq!(run(&path, &[], None).0, Some(2));
    let missing = path.with_file_name("missing").join("baseline.toml");
    let (status, said) = run(&missing, &["--update-baseline"], None);
    assert_eq!(status, Some(2));
    assert!(said.contains("there is no folder"), "{said}");
    let output = Command::new(TOOL)
        .args(["stdio", "--update-baseline", "--", "x"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("--baseline <PATH>")
    );
}

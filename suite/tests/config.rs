//! Targets from a file: what is run, what overrides what, where reports go, what a slip is told.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("config")
        .join(name);
    fs::remove_dir_all(&folder).ok();
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn tool(folder: &Path, args: &[&str]) -> Output {
    Command::new(TOOL)
        .args(args)
        .current_dir(folder)
        .env("SECRET", "hunter2-san")
        .env_remove("UNSET")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The exit status, and all that was said.
fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = tool(folder, args);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn write(folder: &Path, text: &str) {
    fs::write(folder.join("mcp-conform.toml"), text.replace("TOOL", TOOL)).unwrap();
}

/// One quick case of one revision, over stdio and over HTTP.
const BOTH: &str = r#"
revision = "2025-11-25"
case = "lifecycle/initialize-*"

[targets.stdio]
transport = "stdio"
command = ["TOOL", "mock", "stdio"]

[targets.http]
transport = "http"
url = "http://127.0.0.1:{port}/mcp"
command = ["TOOL", "mock", "http", "--port", "{port}"]
"#;

/// One target over stdio.
fn stdio(folder: &Path, options: &str) {
    let head = "revision = \"2025-11-25\"\ncase = \"stdio/stdout-*\"\n[targets.it]\ntransport = \"stdio\"\n";
    write(
        folder,
        &format!("{head}command = [\"TOOL\", \"mock\", \"stdio\"]\n{options}\n"),
    );
}

#[test]
fn alone_beside_its_file_the_tool_runs_all_targets_with_one_summary() {
    let folder = folder("all");
    write(&folder, BOTH);
    let (status, said) = run(&folder, &[]);
    assert_eq!(status, Some(0), "{said}");
    let (_, summary) = said.split_once("\nTargets\n").unwrap();
    let conforms =
        |name: &str, transport: &str| format!("  {name}  2025-11-25 over {transport}: conforms");
    assert!(summary.contains(&conforms("stdio", "stdio")), "{said}");
    assert!(
        summary.contains(&conforms("http ", "streamable-http")),
        "{said}"
    );
    assert!(summary.ends_with("none of 2 targets fails\n"), "{said}");
    // With -q the summary is all.
    let (_, quiet) = run(&folder, &["run", "-q"]);
    assert!(quiet.starts_with("  stdio  2025-11-25"), "{quiet}");
    // Options alone are those of `run`, but for those of the tool itself.
    let (status, alone) = run(&folder, &["-q"]);
    assert_eq!((status, alone.lines().count()), (Some(0), 4), "{alone}");
    let (_, narrowed) = run(&folder, &["--case", "lifecycle/initialize-answered"]);
    assert!(narrowed.contains("1 of 1 clauses"), "{narrowed}");
    for flag in ["--version", "-h"] {
        let (status, said) = run(&folder, &[flag]);
        assert_eq!(status, Some(0), "{said}");
        assert!(!said.contains("clauses verified"), "{said}");
    }
    // One target needs no summary.
    let (status, one) = run(&folder, &["run", "stdio", "-q"]);
    assert_eq!(status, Some(0), "{one}");
    assert!(one.starts_with("2025-11-25 over stdio: conforms"), "{one}");
}

#[test]
fn without_its_file_the_tool_alone_prints_its_help() {
    let folder = folder("none");
    let (status, said) = run(&folder, &[]);
    assert_eq!(status, Some(2));
    assert!(said.contains("Usage: mcp-conform"), "{said}");
    let (status, said) = run(&folder, &["run"]);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("there is no file mcp-conform.toml; `mcp-conform init` writes one"),
        "{said}"
    );
}

#[test]
fn the_exit_status_is_the_gravest_and_no_target_keeps_another_from_its_turn() {
    let folder = folder("worst");
    let broken = "\n[targets.broken]\ntransport = \"stdio\"\ncommand = [\"TOOL\", \"mock\", \"stdio\", \"--fault\", \"stdout-banner\"]\ncase = \"stdio/*\"\n";
    let missing = "[targets.missing]\ntransport = \"stdio\"\ncommand = [\"/nonexistent/server\"]\n";
    write(&folder, &format!("{missing}{broken}"));
    let (status, said) = run(&folder, &["run", "-q", "--revision", "2025-11-25"]);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("  missing  not judged — "), "{said}");
    assert!(
        said.contains("  broken   2025-11-25 over stdio: does not conform"),
        "{said}"
    );
    assert!(
        said.contains("2 of 2 targets fail: missing, broken\n"),
        "{said}"
    );
    assert!(said.contains("error: target `missing`: "), "{said}");
    write(&folder, &format!("{BOTH}{broken}"));
    let (status, said) = run(&folder, &["run", "-q", "stdio", "broken"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("1 of 2 targets fails: broken\n"), "{said}");
    // Where no selected case holds, there is nothing to judge.
    let (status, said) = run(
        &folder,
        &["run", "-q", "stdio", "http", "--case", "stdio/stdout-utf8"],
    );
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("  http   left out — no selected case holds over streamable-http"),
        "{said}"
    );
}

#[test]
fn reports_of_several_targets_need_names_of_their_own() {
    let folder = folder("reports");
    write(
        &folder,
        &format!("report = {{ json = \"all.json\" }}\n{BOTH}"),
    );
    let (status, said) = run(&folder, &[]);
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.contains("`stdio` and `http` both write all.json"),
        "{said}"
    );
    assert!(said.contains("as in `{target}-all.json`"), "{said}");
    // The command line overrides that format, and no other.
    let (status, said) = run(
        &folder,
        &[
            "run",
            "-q",
            "--report",
            "json={target}.json",
            "--badge",
            "{target}.svg",
        ],
    );
    assert_eq!(status, Some(0), "{said}");
    for name in ["stdio.json", "http.json", "stdio.svg", "http.svg"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    assert!(!folder.join("all.json").exists());
    let (status, said) = run(&folder, &["run", "stdio", "-q"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(folder.join("all.json").is_file());
}

#[test]
fn stdout_holds_what_can_stand_side_by_side() {
    let folder = folder("stdout");
    write(&folder, BOTH);
    let output = tool(&folder, &["run", "--format", "json"]);
    let joined: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(joined["runs"].as_array().unwrap().len(), 2);
    let (status, said) = run(&folder, &["run", "--format", "junit"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("--report 'junit={target}.junit'"), "{said}");
}

#[test]
fn the_command_line_overrides_the_target_and_the_target_the_top() {
    let folder = folder("layers");
    stdio(&folder, "revision = \"2025-06-18\"\nquiet = true");
    let (_, said) = run(&folder, &[]);
    assert!(
        said.starts_with("2025-06-18 over stdio: conforms"),
        "{said}"
    );
    let (_, said) = run(&folder, &["run", "--revision", "2025-03-26"]);
    assert!(
        said.starts_with("2025-03-26 over stdio: conforms"),
        "{said}"
    );
    // What cannot stand beside the nearer option gives way.
    let (status, said) = run(&folder, &["run", "-v", "it"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("mcp-conform "), "{said}");
    // An option that none of the targets has is a slip.
    let (status, said) = run(&folder, &["run", "--header", "A: b"]);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("--header is about none of the targets"),
        "{said}"
    );
    let (status, said) = run(&folder, &["run", "its"]);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("there is no target `its`; did you mean `it`?"),
        "{said}"
    );
}

#[test]
fn variables_come_from_the_environment_and_reach_no_report() {
    let folder = folder("variables");
    let target = |key: &str| {
        let head = "revision = \"2025-11-25\"\ncase = \"stdio/stdout-utf8\"\n[targets.it]\n";
        let command = "[ ${#KEY} = 15 ] && exec TOOL mock stdio";
        let text = "transport = \"stdio\"\ncommand = [\"sh\", \"-c\", \"COMMAND\"]\n";
        let text = text.replace("COMMAND", command);
        write(&folder, &format!("{head}{text}env.KEY = \"key-{key}\"\n"));
    };
    target("${SECRET}");
    let (status, said) = run(&folder, &["run", "--report", "json=report.json"]);
    assert_eq!(status, Some(0), "{said}");
    let report = fs::read_to_string(folder.join("report.json")).unwrap();
    let options = &serde_json::from_str::<Value>(&report).unwrap()["options"];
    assert!(
        options.to_string().contains("KEY=\\\"$KEY\\\""),
        "{options}"
    );
    assert!(!report.contains("hunter2-san"), "{report}");
    target("${UNSET}");
    let (status, said) = run(&folder, &["run"]);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("mcp-conform.toml:6:11: the environment variable `UNSET` is not set"),
        "{said}"
    );
}

#[test]
fn a_file_elsewhere_speaks_of_its_own_folder() {
    let folder = folder("elsewhere");
    fs::create_dir(folder.join("ci")).unwrap();
    fs::write(folder.join("ci/args"), "stdio").unwrap();
    let text = "case = \"stdio/stdout-utf8\"\nrevision = \"2025-11-25\"\nreport.json = \"{target}.json\"\n\
                [targets.it]\ntransport = \"stdio\"\ncommand = [\"sh\", \"-c\", \"exec TOOL mock $(cat args)\"]\n";
    write(&folder.join("ci"), text);
    let path = "ci/mcp-conform.toml";
    let (status, said) = run(&folder, &["run", "--config", path]);
    assert_eq!(status, Some(0), "{said}");
    assert!(folder.join("ci/it.json").is_file());
    // The options at its top hold for a command of one server too; here `{target}` is its name.
    let args = [
        "stdio",
        "--config",
        path,
        "-q",
        "--case",
        "stdio/stdout-no-*",
        "--",
        TOOL,
        "mock",
        "stdio",
    ];
    let (status, said) = run(&folder, &args);
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(folder.join("ci/stdio.json").is_file());
}

#[test]
fn a_baseline_of_the_file_is_updated_from_the_command_line() {
    let folder = folder("baseline");
    stdio(&folder, "baseline = \"known.toml\"\nquiet = true");
    let (status, said) = run(&folder, &["run"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("there is no baseline known.toml"), "{said}");
    assert!(said.contains("mcp-conform.toml:"), "{said}");
    let (status, said) = run(&folder, &["run", "--update-baseline"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(folder.join("known.toml").is_file());
}

#[test]
fn init_writes_a_file_that_runs_and_overwrites_nothing_unasked() {
    let folder = folder("init");
    let (status, said) = run(&folder, &["init"]);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("mcp-conform init -- node server.js"),
        "{said}"
    );
    let args = ["init", "--transport", "stdio", "--", TOOL, "mock", "stdio"];
    let (status, said) = run(&folder, &args);
    assert_eq!(status, Some(0), "{said}");
    let path = folder.join("mcp-conform.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("#:schema ./mcp-conform.schema.json\n"),
        "{text}"
    );
    assert_eq!(
        fs::read_to_string(folder.join("mcp-conform.schema.json")).unwrap(),
        schemas::CONFIG
    );
    let (status, said) = run(&folder, &["run", "-q", "--case", "stdio/stdout-utf8"]);
    assert_eq!(status, Some(0), "{said}");

    fs::write(&path, "# mine\n").unwrap();
    let (status, said) = run(&folder, &args);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("mcp-conform.toml is there already; --force overwrites it"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n");
    let forced = [
        "init",
        "--force",
        "--name",
        "a.b",
        "--url",
        "http://127.0.0.1:{port}/mcp",
        "--",
        "x\"y",
    ];
    let (status, said) = run(&folder, &forced);
    assert_eq!(status, Some(0), "{said}");
    let text = fs::read_to_string(&path).unwrap();
    let value: toml::Value = toml::from_str(&text).unwrap();
    let target = &value["targets"]["a.b"];
    assert_eq!(target["transport"].as_str(), Some("http"));
    assert_eq!(target["command"][0].as_str(), Some("x\"y"));

    for (args, words) in [
        (
            &["init", "--force", "--transport", "http", "--", "x"][..],
            "there is no address",
        ),
        (
            &[
                "init",
                "--force",
                "--transport",
                "stdio",
                "--url",
                "http://x/",
            ],
            "--url is for http and sse",
        ),
        (
            &["init", "--force", "--name", "a/b", "--", "x"],
            "use letters, digits",
        ),
        (
            &["init", "--config", "none/a.toml", "--", "x"],
            "there is no folder",
        ),
    ] {
        let (status, said) = run(&folder, args);
        assert_eq!(status, Some(2), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

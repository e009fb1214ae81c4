//! The command line as its users meet it: what it says of bad use, what it leaves behind, what
//! reaches its files.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

fn tool(args: &[&str]) -> Output {
    Command::new(TOOL)
        .args(args)
        // What the tool does by itself on a runner is another test's business.
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// A file of this test's own.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn bad_use_gives_one_clear_sentence_and_its_exit_status() {
    let cases: &[(&[&str], i32, &str)] = &[
        (&["stdio"], 2, "put it behind `--`"),
        (&["stdio", "./server"], 2, "put it behind `--`"),
        (&["stdio", "--", ""], 2, "is empty"),
        (&["stdio", "--", "/nonexistent/server"], 3, "check the path"),
        (&["stdio", "--", "no-such-program"], 3, "in PATH"),
        (&["stdio", "--", "two words"], 3, "separate words"),
        (
            &["stdio", "--", "sh", "-c", "echo no config >&2; exit 3"],
            3,
            "no config",
        ),
        (
            &["stdio", "--revision", "2023-01-01", "--", "x"],
            2,
            "no revision of the protocol",
        ),
        (
            &["stdio", "--revision", "2026-07-28", "--", "x"],
            2,
            "cannot be tested yet",
        ),
        (
            &["stdio", "--case", "stdio/stdot-utf8", "--", "x"],
            2,
            "did you mean `stdio/stdout-utf8`",
        ),
        (
            &["stdio", "--skip", "nothing/*", "--", "x"],
            2,
            "no case has such an id",
        ),
        (
            &["stdio", "--report", "xml=x", "--", "x"],
            2,
            "there are: human, json",
        ),
        (&["stdio", "--report", "json", "--", "x"], 2, "FORMAT=PATH"),
        (
            &["stdio", "--report", "json=/nonexistent/x", "--", "x"],
            2,
            "there is no folder /nonexistent; create it first",
        ),
        (
            &["stdio", "--report", "junit=/", "--", "x"],
            2,
            "cannot write the report",
        ),
        (
            &["stdio", "--transcript", "/nonexistent/x", "--", "x"],
            2,
            "cannot write the transcript",
        ),
        (&["stdio", "--cwd", "/nonexistent", "--", "x"], 2, "--cwd"),
        (&["stdio", "--env", "NAME", "--", "x"], 2, "NAME=VALUE"),
        (&["stdio", "--timeout", "0", "--", "x"], 2, "0.1 to 3600"),
        (
            &["explain", "stdio/stdot-utf8"],
            2,
            "did you mean `stdio/stdout-utf8`",
        ),
        (
            &["mock", "stdio", "--fault", "stdout-baner"],
            2,
            "did you mean `stdout-banner`",
        ),
        (
            &["mock", "http", "--fault", "stdout-banner"],
            2,
            "does not show on this transport",
        ),
        (
            &["http", "http://127.0.0.1:{port}/mcp", "--", "true"],
            2,
            "put `{port}` among its words too",
        ),
        (
            &[
                "sse",
                "http://127.0.0.1:9/sse",
                "--timeout",
                "1",
                "--",
                "true",
            ],
            3,
            "ended before http://127.0.0.1:9/sse answered",
        ),
        (
            &["validate", "--transcript", "x", "-"],
            2,
            "unexpected argument '--transcript'",
        ),
        (
            &["demo", "--badge", "x.svg"],
            2,
            "choose one with --transport",
        ),
        (&["demo", "--format", "tap"], 2, "three transports as tap"),
        (&["stdo"], 2, "similar subcommand"),
    ];
    for (args, status, words) in cases {
        let output = tool(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*status), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn without_a_run_there_is_no_report() {
    let path = file("none.json");
    fs::remove_file(&path).ok();
    let report = format!("json={}", path.display());
    let output = tool(&["stdio", "--report", &report, "--", "/nonexistent/server"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(!path.exists());
}

#[test]
fn exit_status_follows_the_threshold() {
    let with = |fault: &str, threshold: &str| {
        let args = [
            "stdio",
            "-q",
            "--fail-on",
            threshold,
            "--revision",
            "2025-11-25",
            "--",
        ];
        tool(&[&args[..], &[TOOL, "mock", "stdio", "--fault", fault]].concat())
            .status
            .code()
    };
    assert_eq!(with("stdout-banner", "must"), Some(1));
    assert_eq!(with("stdout-banner", "never"), Some(0));
    assert_eq!(with("silent-on-parse-error", "must"), Some(0));
    assert_eq!(with("silent-on-parse-error", "should"), Some(1));
}

#[test]
fn the_transcript_holds_every_byte_and_keeps_to_its_schema() {
    let path = file("transcript.jsonl");
    let args = ["stdio", "-q", "--revision", "2025-03-26", "--transcript"];
    let command = [
        path.to_str().unwrap(),
        "--",
        TOOL,
        "mock",
        "stdio",
        "--fault",
        "stdout-latin1",
    ];
    assert_eq!(tool(&[&args[..], &command].concat()).status.code(), Some(1));
    let schema =
        jsonschema::validator_for(&serde_json::from_str(schemas::TRANSCRIPT).unwrap()).unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut stdout = String::new();
    let mut kinds = std::collections::BTreeSet::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&record), "{line}");
        kinds.extend(
            record["event"]
                .as_str()
                .or(record["stream"].as_str())
                .map(str::to_owned),
        );
        if record["session"] == 1 && record["stream"] == "stdout" {
            stdout += record["text"].as_str().unwrap_or_default();
            kinds.extend(record.get("hex").map(|_| "hex".to_owned()));
        }
    }
    let expected = [
        "closed",
        "ended",
        "hex",
        "opened",
        "stdin",
        "stdout",
        "terminated",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    // Nothing stands between the messages that were told apart.
    let answers = stdout
        .lines()
        .filter(|line| serde_json::from_str::<Value>(line).is_ok())
        .count();
    assert!(answers > 50 && stdout.ends_with('\n'), "{answers}");
}

#[test]
fn values_of_env_reach_no_file_and_no_screen() {
    let (report, transcript) = (file("secret.json"), file("secret.jsonl"));
    let output = Command::new(TOOL)
        .args([
            "stdio",
            "--revision",
            "2025-11-25",
            "--env",
            "TOKEN=hunter2-\"quoted\"",
        ])
        .args(["--report", &format!("json={}", report.display())])
        .args(["--transcript", transcript.to_str().unwrap()])
        .args(["--", "sh", "-c"])
        .arg(format!(
            "echo \"my token is $TOKEN\"; exec {TOOL} mock stdio"
        ))
        .output()
        .unwrap();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(screen.contains("my token is [redacted]"), "{screen}");
    for text in [
        screen,
        fs::read_to_string(report).unwrap(),
        fs::read_to_string(transcript).unwrap(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("[redacted]"));
    }
}

/// The processes whose command line holds the marker.
fn running(marker: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0)
                .any(|word| word == marker.as_bytes())
        })
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn no_process_outlives_a_run_even_if_it_left_the_group() {
    let script = format!("setsid sleep 86399 & sleep 86399 & exec {TOOL} mock stdio");
    let output = tool(&[
        "stdio",
        "-q",
        "--revision",
        "2025-11-25",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!(running("86399"), Vec::<u32>::new());
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_run_leaves_no_process_behind() {
    let mut run = Command::new(TOOL)
        .args([
            "stdio",
            "--",
            "sh",
            "-c",
            "setsid sleep 86398 & exec sleep 86398",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let limit = Instant::now() + Duration::from_secs(30);
    while running("86398").len() < 2 {
        assert!(Instant::now() < limit, "the server was not started");
        std::thread::yield_now();
    }
    let pid = run.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert_eq!(running("86398"), Vec::<u32>::new());
}

#[test]
fn list_and_explain_know_every_case() {
    let list: Value = serde_json::from_slice(&tool(&["list", "--format", "json"]).stdout).unwrap();
    let cases = list["cases"].as_array().unwrap();
    assert_eq!(cases.len(), mcp_conform::cases::all().count());
    for case in cases {
        for member in [
            "id",
            "title",
            "level",
            "since",
            "until",
            "transports",
            "kind",
            "needs",
            "anchors",
            "fault",
        ] {
            assert!(!case[member].is_null(), "{member} of {case}");
        }
    }
    let explained = tool(&["explain", "stdio/stdout-utf8"]);
    let text = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(text.contains(
        "https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio"
    ));
}

#[test]
fn what_explain_says_to_run_shows_the_violation() {
    for (case, verdict) in [
        ("stdio/stdout-utf8", "fail"),
        ("utilities/cancel-stops-work", "warn"),
        ("streamable-http/post-supported", "fail"),
        ("lifecycle/sessions-keep-their-version", "fail"),
        ("http-sse/get-opens-stream", "fail"),
        ("lifecycle/own-request-timeout", "warn"),
    ] {
        let explained = tool(&["explain", case]);
        let text = String::from_utf8(explained.stdout).unwrap();
        let command = text.lines().last().unwrap().trim();
        assert!(command.starts_with("mcp-conform "), "{text}");
        let script = command.replace("mcp-conform ", &format!("{TOOL} "));
        let options = " --fail-on should --format json --revision ";
        let script = script.replacen(" --revision ", options, 1);
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{script}: {output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["results"][0]["case"], case, "{script}");
        assert_eq!(report["results"][0]["verdict"], verdict, "{script}");
    }
}

#[test]
fn the_list_is_within_a_hundred_columns_and_says_what_is_not_judged() {
    let list = tool(&["list"]);
    let text = String::from_utf8(list.stdout).unwrap();
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "{widest}");
    let row = |id: &str| text.lines().find(|line| line.contains(id)).unwrap();
    assert!(row("stdio/stdout-utf8 ").contains("  stdio  "));
    assert!(row("http-sse/get-opens-stream ").contains("  sse  "));
    let last = text.lines().last().unwrap();
    assert!(
        last.ends_with(" cases; 2026-07-28 is not judged yet"),
        "{last}"
    );
    for args in [["list", "-v"], ["explain", "-q"]] {
        assert_eq!(tool(&args).status.code(), Some(2), "{args:?}");
    }
}

/// A run over Streamable HTTP against the reference server on a free port, with its report.
fn launched(options: &[&str], command: &str) -> (Output, Value) {
    let report = file(&format!(
        "launched-{}.json",
        options.concat().replace('/', "-")
    ));
    let named = format!("json={}", report.display());
    let mut args = vec!["http", "--revision", "2025-11-25", "--case", "lifecycle/*"];
    args.extend(["--report", &named]);
    args.extend(options);
    args.extend(["http://127.0.0.1:{port}/mcp", "--", "sh", "-c", command]);
    let output = tool(&args);
    let text = fs::read_to_string(&report).unwrap_or_default();
    (output, serde_json::from_str(&text).unwrap_or_default())
}

#[test]
fn a_launched_endpoint_keeps_its_name_whatever_port_is_free() {
    let command = format!("exec {TOOL} mock http --port {{port}}");
    let shards = ["1/2", "2/2"].map(|shard| {
        let (output, report) = launched(&["--shard", shard], &command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(report["target"], "http://127.0.0.1:{port}/mcp");
        file(&format!("launched---shard{}.json", shard.replace('/', "-")))
    });
    let [first, second] = shards.each_ref().map(|path| path.to_str().unwrap());
    let merged = tool(&["merge", first, second]);
    assert_eq!(merged.status.code(), Some(0), "{merged:?}");
    let merged: Value = serde_json::from_slice(&merged.stdout).unwrap();
    assert_eq!(merged["target"], "http://127.0.0.1:{port}/mcp");
    assert!(merged["shard"].is_null(), "{merged}");
}

#[test]
fn what_reproduces_a_failure_of_a_launched_endpoint_is_a_command_again() {
    // The port is told by a variable, whose value is no secret.
    let fault = "server-info-version-missing";
    let command = format!("exec {TOOL} mock http --port $PORT --fault {fault}");
    let (output, report) = launched(&["--env", "PORT={port}"], &command);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let failed = report["results"].as_array().unwrap().iter();
    let failed = failed.filter(|result| result["verdict"] == "fail");
    let mut reproduce = failed.map(|result| result["reproduce"].as_str().unwrap());
    let reproduce = reproduce.next_back().unwrap();
    assert!(
        reproduce.contains("--env 'PORT={port}' 'http://127.0.0.1:{port}/mcp' -- sh -c 'exec "),
        "{reproduce}"
    );
    let again = reproduce.replacen("mcp-conform", TOOL, 1);
    let again = Command::new("sh").args(["-c", &again]).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "{reproduce}: {again:?}");
}

#[test]
fn a_demo_calls_every_tool_unless_it_is_told_otherwise() {
    let run = |options: &[&str]| {
        let first = ["demo", "--transport", "stdio", "--revision", "2025-11-25"];
        let case = ["--case", "utilities/cancel-stops-work", "--format", "json"];
        let output = tool(&[&first[..], &case, options].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["results"][0]["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(run(&[]), "pass");
    assert_eq!(run(&["--tools", "none"]), "unverified");
    let help = String::from_utf8(tool(&["demo", "--help"]).stdout).unwrap();
    let (_, tools) = help.split_once("--tools").unwrap();
    assert!(tools.contains("[default: all]"), "{help}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut list = Command::new(TOOL)
        .arg("list")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(list.stdout.take());
    assert!(matches!(list.wait().unwrap().code(), Some(0)));
    std::io::stdout().flush().unwrap();
}

#[test]
fn the_mock_says_where_it_listens() {
    for (transport, end) in [("http", "/mcp"), ("sse", "/sse")] {
        let mut mock = Command::new(TOOL)
            .args(["mock", transport])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(mock.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on http://127.0.0.1:").unwrap();
        let port = url.strip_suffix('\n').unwrap().strip_suffix(end).unwrap();
        TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        mock.kill().unwrap();
        mock.wait().unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

#[test]
fn a_system_without_certificates_is_enough_for_plain_http() {
    let empty = file("no-certificates.pem");
    fs::write(&empty, "").unwrap();
    let run = |args: &[&str]| {
        Command::new(TOOL)
            .args(args)
            .env("SSL_CERT_FILE", &empty)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap()
    };
    let plain = [
        "demo",
        "--transport",
        "http",
        "--revision",
        "2025-11-25",
        "--case",
        "jsonrpc/id-echo",
    ];
    let plain = run(&plain);
    assert!(plain.status.success(), "{plain:?}");
    let encrypted = run(&["http", "https://127.0.0.1:9/mcp"]);
    let stderr = String::from_utf8_lossy(&encrypted.stderr);
    assert!(stderr.contains("CA certificates"), "{stderr}");
}

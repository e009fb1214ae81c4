//! Runs against the built-in reference server, with faults or without, over each transport.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use mcp_conform::spec::{Revision, Transport};
use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

/// The reference server over HTTP, until this is dropped.
struct Served {
    process: Child,
    url: String,
}

impl Served {
    fn start(kind: &str, faults: &[&str]) -> Result<Served, Box<dyn Error>> {
        let mut command = Command::new(TOOL);
        command.args(["mock", kind]).stdout(Stdio::piped());
        for fault in faults {
            command.args(["--fault", fault]);
        }
        let mut process = command.spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or("the server has no stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        Ok(Served { process, url })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Whatever fails here has ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The report of a run over these revisions, all if there is none.
pub(crate) fn report(
    faults: &[&str],
    transport: Transport,
    revisions: &[Revision],
    options: &[&str],
) -> Result<Value, Box<dyn Error>> {
    let mut command = Command::new(TOOL);
    // Hundreds of runs would fill the summary of a step of CI.
    command.env_remove("GITHUB_STEP_SUMMARY");
    let kind = match transport {
        Transport::Stdio => "stdio",
        Transport::HttpSse => "sse",
        Transport::StreamableHttp => "http",
    };
    command.args([
        kind,
        "--format",
        "json",
        "--fail-on",
        "never",
        "--timeout",
        "3",
    ]);
    command.args(["--tools", "all", "--long-wait", "8"]);
    command.args(options);
    for revision in revisions {
        command.args(["--revision", revision.as_str()]);
    }
    let _server = if transport == Transport::Stdio {
        command.args(["--", TOOL, "mock", "stdio"]);
        for fault in faults {
            command.args(["--fault", fault]);
        }
        None
    } else {
        let server = Served::start(kind, faults)?;
        command.arg(&server.url);
        Some(server)
    };
    let output = command.output()?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

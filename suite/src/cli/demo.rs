use std::{ffi::OsString, process::ExitCode};

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::{
    Failure, Outcome,
    http::free_port,
    judge::{Common, judge},
};
use crate::{
    spec::Transport,
    tape::Secrets,
    target::{Command, Endpoint, Target},
};

/// The options of `demo`.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Over this transport only; default: each in turn
    #[arg(long, value_name = "TRANSPORT")]
    transport: Option<Served>,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum Served {
    /// stdin and stdout
    Stdio,
    /// Streamable HTTP
    Http,
    /// HTTP+SSE
    Sse,
}

/// The suite against the reference server, over each transport. The server is ours: every tool may
/// be called.
pub(super) fn run(mut args: Args) -> Outcome {
    args.common.permit_all_tools();
    let all = [Served::Stdio, Served::Http, Served::Sse];
    let chosen = match &args.transport {
        Some(transport) => std::slice::from_ref(transport),
        None if args.common.writes_files() => {
            return Err(Failure::Usage(anyhow!(
                "one file cannot hold the runs over three transports; choose one with --transport"
            )));
        }
        None => &all,
    };
    let mut status = ExitCode::SUCCESS;
    for transport in chosen {
        if chosen.len() > 1 && !args.common.selects_on(transport.transport())? {
            continue;
        }
        let target = transport.target()?;
        let one = judge(&args.common, target, Secrets::default(), Vec::new())?;
        if one != ExitCode::SUCCESS {
            status = one;
        }
    }
    Ok(status)
}

impl Served {
    fn transport(self) -> Transport {
        match self {
            Served::Stdio => Transport::Stdio,
            Served::Http => Transport::StreamableHttp,
            Served::Sse => Transport::HttpSse,
        }
    }

    fn target(self) -> anyhow::Result<Target> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mock = |args: Vec<OsString>| Command {
            program: program.clone().into_os_string(),
            args: [vec!["mock".into()], args].concat(),
            env: Vec::new(),
            cwd: None,
        };
        let (name, path) = match self {
            Served::Stdio => return Ok(Target::Stdio(mock(vec!["stdio".into()]))),
            Served::Http => ("http", "mcp"),
            Served::Sse => ("sse", "sse"),
        };
        let port = free_port().context("there is no free port")?;
        let url = format!("http://127.0.0.1:{port}/{path}");
        let endpoint = Endpoint {
            url: url.parse().context("the address of the reference server")?,
            headers: Vec::new(),
            insecure: false,
            cacert: None,
            launch: Some(mock(vec![
                name.into(),
                "--port".into(),
                port.to_string().into(),
            ])),
        };
        Ok(match self {
            Served::Sse => Target::Sse(endpoint),
            _ => Target::Http(endpoint),
        })
    }
}

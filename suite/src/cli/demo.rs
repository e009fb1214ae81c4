use std::{ffi::OsString, process::ExitCode};

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::{
    Failure, Outcome,
    http::free_port,
    judge::{Common, judge},
    stdio::PORT,
};
use crate::{
    spec::Transport,
    tape::Secrets,
    target::{Command, Endpoint, Given, Target},
};

/// The options of `demo`. The server is ours: every tool may be called.
#[derive(clap::Args)]
#[command(mut_arg("tools", |tools| tools.default_value("all")))]
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

/// The suite against the reference server, over each transport.
pub(super) fn run(args: Args) -> Outcome {
    let format = args.common.output.format;
    let all = [Served::Stdio, Served::Http, Served::Sse];
    let chosen = match &args.transport {
        Some(transport) => std::slice::from_ref(transport),
        None if args.common.has_files() => {
            return Err(Failure::Usage(anyhow!(
                "one file cannot hold the runs over three transports; choose one with --transport"
            )));
        }
        None if !format.goes_on() => {
            return Err(Failure::Usage(anyhow!(
                "stdout cannot hold the runs over three transports as {}; choose one with --transport",
                format.as_str()
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
        let mock = |args: &[&str]| Command {
            program: program.clone().into_os_string(),
            args: ["mock"].iter().chain(args).map(OsString::from).collect(),
            env: Vec::new(),
            cwd: None,
        };
        let (name, path) = match self {
            Served::Stdio => return Ok(Target::Stdio(mock(&["stdio"]))),
            Served::Http => ("http", "mcp"),
            Served::Sse => ("sse", "sse"),
        };
        let port = free_port().context("there is no free port")?.to_string();
        let at = |port: &str| {
            let url = format!("http://127.0.0.1:{port}/{path}");
            (url, mock(&[name, "--port", port]))
        };
        let ((url, command), (given, shown)) = (at(&port), at(PORT));
        let endpoint = Endpoint {
            url: url.parse().context("the address of the reference server")?,
            given: Some(Given {
                url: given,
                command: [vec![shown.program], shown.args].concat(),
            }),
            headers: Vec::new(),
            insecure: false,
            cacert: None,
            launch: Some(command),
        };
        Ok(match self {
            Served::Sse => Target::Sse(endpoint),
            _ => Target::Http(endpoint),
        })
    }
}

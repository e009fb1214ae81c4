use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use mock_servers::{Fault, Transport, http};

use super::{Failure, Outcome};
use crate::cases;

/// The options of `mock`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    transport: Served,
}

#[derive(Subcommand)]
enum Served {
    /// Serve it on stdin and stdout
    Stdio(Faults),
    /// Serve it over Streamable HTTP, on the loopback address
    Http(Listening),
    /// Serve it over HTTP+SSE (2024-11-05), on the loopback address
    Sse(Listening),
}

#[derive(clap::Args)]
struct Listening {
    /// The port to listen on; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    #[command(flatten)]
    faults: Faults,
}

#[derive(clap::Args)]
struct Faults {
    /// Break a clause by this fault (repeatable); `mcp-conform explain CASE` names its fault,
    /// `mcp-conform list --format json` all
    #[arg(long = "fault", value_name = "NAME")]
    faults: Vec<String>,
}

pub(super) fn run(args: Args) -> Outcome {
    match args.transport {
        Served::Stdio(faults) => mock_servers::stdio::serve(&faults.named(Transport::Stdio)?),
        Served::Http(Listening { port, faults }) => {
            let faults = faults.named(Transport::StreamableHttp)?;
            listen(async move { http::Server::streamable(port, &faults).await })
        }
        Served::Sse(Listening { port, faults }) => {
            let faults = faults.named(Transport::HttpSse)?;
            listen(async move { http::Server::sse(port, &faults).await })
        }
    }
    .context("the reference server failed")?;
    Ok(ExitCode::SUCCESS)
}

/// Says where the server listens, and serves until the process is ended.
fn listen(server: impl Future<Output = io::Result<http::Server>>) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let server = server.await?;
            let mut stdout = io::stdout();
            writeln!(stdout, "listening on {}", server.url())?;
            stdout.flush()?;
            server.serve().await
        })
}

impl Faults {
    fn named(&self, transport: Transport) -> Result<Vec<&'static Fault>, Failure> {
        let named = |name: &String| match mock_servers::fault(name) {
            Some(fault) if fault.shows_on(transport) => Ok(fault),
            Some(_) => Err(Failure::Usage(anyhow!(
                "the fault `{name}` does not show on this transport"
            ))),
            None => Err(Failure::Usage(unknown(name, transport))),
        };
        self.faults.iter().map(named).collect()
    }
}

fn unknown(name: &str, transport: Transport) -> anyhow::Error {
    let known = mock_servers::faults()
        .filter(|fault| fault.shows_on(transport))
        .map(|fault| fault.name);
    let hint = cases::nearest_of(name, known)
        .map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
    anyhow!(
        "there is no fault `{name}`{hint}; `mcp-conform explain CASE` names its fault, `mcp-conform list --format json` all"
    )
}

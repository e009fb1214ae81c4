use std::{ffi::OsString, net::TcpListener, path::PathBuf};

use anyhow::{Context, anyhow};
use url::Url;

use super::{
    Failure,
    config::FileArgs,
    judge::{Common, Prepared},
    stdio::{PORT, ServerArgs},
};
use crate::{
    tape::Secrets,
    target::{Endpoint, Given, Secret, Target, shell_word},
};

/// The options of `http`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform http http://127.0.0.1:3000/mcp\n  \
    mcp-conform http 'http://127.0.0.1:{port}/mcp' -- node server.js --port '{port}'\n  \
    mcp-conform http --env 'PORT={port}' 'http://127.0.0.1:{port}/mcp' -- node server.js\n  \
    mcp-conform http --header 'Authorization: Bearer TOKEN' https://example.com/mcp")]
pub(super) struct HttpArgs {
    /// The endpoint; `{port}` stands for a free port, in the command and in --env too
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    rest: Rest,
}

/// The options of `sse`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform sse http://127.0.0.1:3000/sse\n  \
    mcp-conform sse 'http://127.0.0.1:{port}/sse' -- python server.py --port '{port}'")]
pub(super) struct SseArgs {
    /// The address of the event stream; `{port}` stands for a free port, in the command and in
    /// --env too
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    rest: Rest,
}

#[derive(clap::Args)]
struct Rest {
    /// A command that starts the server, behind `--`; it is stopped at the end
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    options: Options,
}

/// Every option of a server that is reached over HTTP.
#[derive(clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Connection")]
struct ConnectionArgs {
    /// Send a header with every request (repeatable); a secret reaches no report
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Accept any certificate
    #[arg(long, conflicts_with = "cacert")]
    insecure: bool,
    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "PATH")]
    cacert: Option<PathBuf>,
}

fn header(text: &str) -> Result<(String, String), String> {
    text.split_once(':')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| "give NAME: VALUE, as in `Authorization: Bearer TOKEN`".to_owned())
}

impl HttpArgs {
    /// The address, the command and the `--config` beside the options.
    pub(super) fn subject(&self) -> (&str, &[OsString], &FileArgs) {
        (&self.url, &self.rest.command, &self.rest.file)
    }
}

impl SseArgs {
    /// The address, the command and the `--config` beside the options.
    pub(super) fn subject(&self) -> (&str, &[OsString], &FileArgs) {
        (&self.url, &self.rest.command, &self.rest.file)
    }
}

/// The endpoint of Streamable HTTP, ready to be judged.
pub(super) fn http(args: HttpArgs) -> Result<Prepared, Failure> {
    prepare(&args.url, args.rest, Target::Http)
}

/// The endpoint of HTTP+SSE, ready to be judged.
pub(super) fn sse(args: SseArgs) -> Result<Prepared, Failure> {
    prepare(&args.url, args.rest, Target::Sse)
}

fn prepare(url: &str, args: Rest, target: fn(Endpoint) -> Target) -> Result<Prepared, Failure> {
    let mut options = args.options;
    if args.command.is_empty() && options.server.is_given() {
        return Err(Failure::Usage(anyhow!(
            "--env and --cwd are for a command; put it behind `--`"
        )));
    }
    let mut words = args.command;
    let (given, mut url) = (url, url.to_owned());
    let mut template = None;
    if given.contains(PORT) {
        if words.is_empty() {
            return Err(Failure::Usage(anyhow!(
                "{url}: `{PORT}` stands for a free port that a command behind `--` is told; there is no command"
            )));
        }
        let told = |word: &OsString| word.to_string_lossy().contains(PORT);
        if !words.iter().any(told) && !options.server.tells_port() {
            return Err(Failure::Usage(anyhow!(
                "{url}: nothing tells the command which port `{PORT}` is; put `{PORT}` among its words too, as in `--port '{PORT}'`, or give --env 'PORT={PORT}'"
            )));
        }
        template = Some(Given {
            url: url.clone(),
            command: words.clone(),
        });
        let port = free_port().context("there is no free port")?.to_string();
        url = url.replace(PORT, &port);
        for word in &mut words {
            if let Some(text) = word.to_str() {
                *word = text.replace(PORT, &port).into();
            }
        }
        options.server.tell_port(&port, given);
    }
    let parsed = Url::parse(&url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Failure::Usage(anyhow!(
                "{given}: that is no address of a server; give one such as http://127.0.0.1:3000/mcp"
            ))
        })?;
    let launch = match words.is_empty() {
        true => None,
        false => Some(options.server.command(words)?),
    };
    let connection = &options.connection;
    let mut shell = options.server.shell();
    for (name, _) in &connection.headers {
        let variable = name.to_ascii_uppercase().replace('-', "_");
        shell.extend(["--header".to_owned(), format!("\"{name}: ${variable}\"")]);
    }
    if connection.insecure {
        shell.push("--insecure".to_owned());
    }
    if let Some(path) = &connection.cacert {
        shell.extend(["--cacert".to_owned(), shell_word(&path.to_string_lossy())]);
    }
    let password = parsed.password().map(str::to_owned);
    let values = connection.headers.iter().map(|(_, value)| value.as_str());
    // The part behind `Bearer` is a secret by itself.
    let tokens = values
        .clone()
        .filter_map(|value| value.split_once(' ').map(|(_, token)| token));
    let variables = options.server.secrets();
    let secrets = Secrets::new(
        values
            .chain(tokens)
            .chain(variables.iter().map(String::as_str))
            .chain(password.as_deref()),
    );
    let endpoint = Endpoint {
        url: parsed,
        given: template,
        headers: connection
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), Secret::new(value)))
            .collect(),
        insecure: connection.insecure,
        cacert: connection.cacert.clone(),
        launch,
    };
    Ok(Prepared {
        target: target(endpoint),
        secrets,
        shell,
        common: options.common,
    })
}

/// A port that nobody uses at the moment.
pub(super) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

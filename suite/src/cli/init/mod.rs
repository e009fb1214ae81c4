mod ask;

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::{
    Failure, Outcome,
    config::{FILE, is_name},
    options::has_folder,
};

/// The name of the schema beside the file.
const SCHEMA: &str = "mcp-conform.schema.json";

/// The options of `init`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform init\n  \
    mcp-conform init --transport stdio -- node server.js\n  \
    mcp-conform init --url 'http://127.0.0.1:{port}/mcp' -- node server.js --port '{port}'")]
pub(super) struct Args {
    /// How the server is reached; default: stdio for a command, http for an address
    #[arg(long, value_name = "TRANSPORT")]
    transport: Option<Reached>,
    /// The address of the endpoint
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the target is called; default: as its transport
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Where to write; its schema for editors is put beside it
    #[arg(long, value_name = "PATH", default_value = FILE)]
    config: PathBuf,
    /// Overwrite what is there
    #[arg(long)]
    force: bool,
    /// The command that launches the server, behind `--`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reached {
    /// stdin and stdout
    Stdio,
    /// Streamable HTTP
    Http,
    /// HTTP+SSE
    Sse,
}

/// The target that is written down.
struct Draft {
    name: String,
    transport: Reached,
    url: Option<String>,
    command: Vec<String>,
}

fn name(text: &str) -> Result<String, String> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err("use letters, digits, `-`, `_` and `.`".to_owned()),
    }
}

pub(super) fn run(args: Args) -> Outcome {
    let path = args.config.clone();
    let schema = path.with_file_name(SCHEMA);
    has_folder(&path).map_err(Failure::Usage)?;
    if !args.force {
        let kept = fs::read_to_string(&schema).is_ok_and(|text| text == schemas::CONFIG);
        for path in [Some(&path), Some(&schema).filter(|_| !kept)]
            .into_iter()
            .flatten()
        {
            is_free(path)?;
        }
    }
    let (url, command) = (args.url.is_some(), !args.command.is_empty());
    let draft = if url || command {
        from_options(&args)?
    } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
        ask::asked(&args, &mut io::stdin().lock(), &mut io::stderr())?
    } else {
        return Err(Failure::Usage(anyhow!(
            "say how the server is launched, as in `mcp-conform init -- node server.js`, or give its --url"
        )));
    };
    write(&path, &draft.text(), args.force)?;
    // The schema may be there, and the same.
    write(&schema, schemas::CONFIG, true)?;
    eprintln!(
        "{} is written; `mcp-conform run` tests what it names",
        path.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn is_free(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(Failure::Usage(anyhow!(
            "{} is there already; --force overwrites it",
            path.display()
        ))),
        Err(_) => Ok(()),
    }
}

fn write(path: &Path, text: &str, over: bool) -> Result<(), Failure> {
    let mut options = File::options();
    options
        .write(true)
        .truncate(over)
        .create(over)
        .create_new(!over);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(Failure::Usage)
}

fn from_options(args: &Args) -> Result<Draft, Failure> {
    let transport = args.transport.unwrap_or(match args.url {
        Some(_) => Reached::Http,
        None => Reached::Stdio,
    });
    match (transport, &args.url) {
        (Reached::Stdio, Some(_)) => Err(Failure::Usage(anyhow!(
            "--url is for http and sse; leave it out, or give --transport http"
        ))),
        (Reached::Stdio, None) if args.command.is_empty() => Err(Failure::Usage(anyhow!(
            "there is no command to launch; put it behind `--`"
        ))),
        (Reached::Http | Reached::Sse, None) => Err(Failure::Usage(anyhow!(
            "there is no address; give one, as in --url 'http://127.0.0.1:{{port}}/mcp'"
        ))),
        _ => Ok(Draft {
            name: args.name.clone().unwrap_or_else(|| word(transport)),
            transport,
            url: args.url.clone(),
            command: args.command.clone(),
        }),
    }
}

fn word(transport: Reached) -> String {
    let value = transport.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Draft {
    /// The file.
    fn text(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = format!(
            "#:schema ./{SCHEMA}\n\
             # What `mcp-conform` tests in this folder. An option here is that of the command line of the\n\
             # same name, which overrides it; `mcp-conform run --help` has them all.\n\n\
             # For every target:\n\
             # fail-on = \"should\"\n\
             # report = {{ junit = \"{{target}}.xml\" }}\n\n\
             [targets.{}]\n\
             transport = {}\n",
            key(&self.name),
            quoted(&word(self.transport)),
        );
        if let Some(url) = &self.url {
            text.push_str(&format!("url = {}\n", quoted(url)));
        }
        if !self.command.is_empty() {
            let words: Vec<_> = self.command.iter().map(|word| quoted(word)).collect();
            text.push_str(&format!("command = [{}]\n", words.join(", ")));
            text.push_str("# env = { API_KEY = \"${API_KEY}\" }\n");
        }
        if self.url.is_some() {
            text.push_str("# header = { Authorization = \"Bearer ${TOKEN}\" }\n");
        }
        text
    }
}

/// The name as a key of TOML: a dot would part it.
fn key(name: &str) -> String {
    if name.contains('.') {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

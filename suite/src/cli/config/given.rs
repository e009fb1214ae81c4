//! What the command line says, kept as settings that override those of the file.

use std::path::PathBuf;

use clap::{
    Arg, ArgMatches, Args, Command, Error, FromArgMatches, parser::ValueSource, value_parser,
};

use super::{
    keys::{self, Kind},
    setting::{Setting, Value},
};
use crate::cli::http::Options;

/// `--config`, beside the options of a command that judges one server.
#[derive(Debug, Default)]
pub(in crate::cli) struct FileArgs {
    /// The file.
    pub(in crate::cli) path: Option<PathBuf>,
    /// What is given besides it.
    pub(super) given: Vec<Setting>,
}

/// `--config`, and every option of the commands that judge a server.
#[derive(Debug)]
pub(in crate::cli) struct Overrides(pub(in crate::cli) FileArgs);

impl FromArgMatches for FileArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<FileArgs, Error> {
        Ok(FileArgs {
            path: matches.get_one::<PathBuf>("config").cloned(),
            given: given(matches),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = FileArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for FileArgs {
    fn augment_args(command: Command) -> Command {
        command.arg(
            config()
                .help("Take the options at the top of this file, where they are not given here"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        FileArgs::augment_args(command)
    }
}

impl FromArgMatches for Overrides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Overrides, Error> {
        FileArgs::from_arg_matches(matches).map(Overrides)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Args for Overrides {
    fn augment_args(command: Command) -> Command {
        let command = command.arg(config().help("The file; default: mcp-conform.toml"));
        // The path may hold `{target}` still, so that there is nothing to read yet.
        Options::augment_args(command)
            .mut_arg("since", |since| since.value_parser(value_parser!(PathBuf)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Overrides::augment_args(command)
    }
}

fn config() -> Arg {
    Arg::new("config")
        .long("config")
        .value_name("PATH")
        .value_parser(value_parser!(PathBuf))
}

/// What the user has typed; defaults are none of it.
fn given(matches: &ArgMatches) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    let typed = |id: &str| {
        matches.ids().any(|known| known.as_str() == id)
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    for key in keys::keys()
        .iter()
        .filter(|key| key.name != "config" && typed(&key.id))
    {
        let raw = matches.get_raw(&key.id).into_iter().flatten();
        let texts: Vec<String> = raw
            .map(|text| text.to_string_lossy().into_owned())
            .collect();
        let setting = |entry, value| Setting {
            key,
            entry,
            value,
            at: None,
        };
        match key.kind {
            Kind::Flag => settings.push(setting(None, Value::Flag(true))),
            Kind::Table(between) => {
                for text in texts {
                    let (entry, value) = match text.split_once(between.trim_end()) {
                        Some((entry, text)) => (entry, Value::Texts(vec![text.to_owned()])),
                        None => (text.as_str(), Value::Flag(true)),
                    };
                    add(&mut settings, setting(Some(entry.to_owned()), value));
                }
            }
            Kind::Number | Kind::Text | Kind::List => {
                settings.push(setting(None, Value::Texts(texts)));
            }
        }
    }
    settings
}

/// Adds an entry of a table; what is given twice is kept twice.
fn add(settings: &mut Vec<Setting>, new: Setting) {
    let same = settings
        .iter_mut()
        .find(|known| known.key.name == new.key.name && known.entry == new.entry);
    match (same.map(|known| &mut known.value), new.value) {
        (Some(Value::Texts(texts)), Value::Texts(more)) => texts.extend(more),
        (Some(value), more) => *value = more,
        (None, value) => settings.push(Setting { value, ..new }),
    }
}

//! The keys of the file: the long options of the commands that judge a server, so that an option
//! is known here as soon as the command line knows it.

use std::{any::TypeId, sync::LazyLock, time::Duration};

use clap::{Arg, ArgAction, Command};

/// The transports of a target: the commands that judge over them.
pub(super) const TRANSPORTS: [&str; 3] = ["stdio", "http", "sse"];

/// Options that a file cannot have: it would name itself, or take every new failure for known.
const COMMAND_LINE_ONLY: [&str; 2] = ["config", "update-baseline"];

/// Options of the form NAME=VALUE, and what parts the two: in the file they are tables.
const TABLES: [(&str, &str); 4] = [
    ("call", "="),
    ("env", "="),
    ("header", ": "),
    ("report", "="),
];

/// Options whose values are paths.
const PATHS: [&str; 7] = [
    "badge",
    "baseline",
    "cacert",
    "cwd",
    "report",
    "since",
    "transcript",
];

/// What is written in the file for an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`.
    Flag,
    /// A number.
    Number,
    /// One string.
    Text,
    /// A string, or an array of them.
    List,
    /// A table; what parts name and value on the command line.
    Table(&'static str),
}

/// An option.
#[derive(Debug)]
pub(super) struct Key {
    /// Its long name.
    pub(super) name: String,
    /// Its name in the matches of the command line.
    pub(super) id: String,
    pub(super) kind: Kind,
    /// The commands that have it.
    pub(super) transports: Vec<&'static str>,
    /// The options that it cannot stand beside.
    conflicts: Vec<String>,
}

impl Key {
    /// Whether a file may have it.
    pub(super) fn is_for_files(&self) -> bool {
        !COMMAND_LINE_ONLY.contains(&self.name.as_str())
    }

    /// Whether its values are paths.
    pub(super) fn is_path(&self) -> bool {
        PATHS.contains(&self.name.as_str())
    }

    /// Whether its values are likely secrets, and may name environment variables.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.name.as_str(), "env" | "header")
    }

    /// Whether it is about the command that launches a server.
    pub(super) fn is_of_launch(&self) -> bool {
        matches!(self.name.as_str(), "env" | "cwd")
    }

    /// Whether one of the two forbids the other.
    pub(super) fn conflicts_with(&self, other: &Key) -> bool {
        self.conflicts.contains(&other.name) || other.conflicts.contains(&self.name)
    }
}

/// Every option, in the order of the help.
pub(super) fn keys() -> &'static [Key] {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(collect);
    &KEYS
}

/// The option of this name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    keys().iter().find(|key| key.name == name)
}

fn collect() -> Vec<Key> {
    let cli = crate::cli::command();
    let mut keys: Vec<Key> = Vec::new();
    for transport in TRANSPORTS {
        let Some(command) = cli.find_subcommand(transport) else {
            continue;
        };
        for arg in command.get_arguments() {
            let Some(name) = arg.get_long() else { continue };
            match keys.iter_mut().find(|key| key.name == name) {
                Some(key) => key.transports.push(transport),
                None => keys.push(Key {
                    name: name.to_owned(),
                    id: arg.get_id().to_string(),
                    kind: kind(arg, name),
                    transports: vec![transport],
                    conflicts: conflicts(command, arg),
                }),
            }
        }
    }
    keys
}

fn kind(arg: &Arg, name: &str) -> Kind {
    if let Some((_, between)) = TABLES.iter().find(|(table, _)| *table == name) {
        return Kind::Table(between);
    }
    let value = arg.get_value_parser().type_id();
    let mut numbers = [
        TypeId::of::<Duration>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<f64>(),
    ]
    .into_iter();
    match arg.get_action() {
        ArgAction::SetTrue => Kind::Flag,
        ArgAction::Append => Kind::List,
        _ if numbers.any(|number| value == number) => Kind::Number,
        _ => Kind::Text,
    }
}

fn conflicts(command: &Command, arg: &Arg) -> Vec<String> {
    command
        .get_arg_conflicts_with(arg)
        .into_iter()
        .filter_map(|other| other.get_long().map(str::to_owned))
        .collect()
}

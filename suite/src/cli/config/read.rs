//! From the text of the file to targets and settings.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{
    Config, ConfigError, FILE, Target,
    keys::{self, Key, Kind, TRANSPORTS},
    node::{Node, Problem, entries, json, mistyped, number, string, strings, table},
    setting::{Setting, Value},
};
use crate::cases::nearest_of;

/// The keys of a target that are no options.
const OWN: [&str; 3] = ["transport", "command", "url"];

impl Config {
    /// Reads the text of a file.
    pub(super) fn read(path: &Path, text: String) -> Result<Config, ConfigError> {
        let read = document(&text);
        let (defaults, targets) =
            read.map_err(|(at, problem)| ConfigError::new(path, &text, at, problem))?;
        Ok(Config {
            path: path.to_owned(),
            text,
            defaults,
            targets,
        })
    }
}

/// Whether a target may be called so: its name becomes part of paths.
pub(in crate::cli) fn is_name(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(plain)
}

fn document(text: &str) -> Result<(Vec<Setting>, Vec<Target>), Problem> {
    let root = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, format!("this is no TOML: {}", error.message()))
    })?;
    let (mut defaults, mut targets) = (Vec::new(), Vec::new());
    for (name, at, value) in entries(root.get_ref()) {
        if name != "targets" {
            defaults.extend(option(name, at, value, None)?);
            continue;
        }
        for (name, at, value) in entries(table(value, "targets", "[targets.stdio]")?) {
            targets.push(target(name, at, value)?);
        }
    }
    Ok((defaults, targets))
}

fn target(name: &str, at: usize, value: &Node<'_>) -> Result<Target, Problem> {
    if !is_name(name) {
        let problem = format!(
            "`{name}` is no name of a target; use letters, digits, `-`, `_` and `.`, as in `[targets.stdio]`"
        );
        return Err((at, problem));
    }
    let members = table(value, name, "[targets.stdio]")?;
    let Some(transport) = members.get("transport") else {
        let problem = format!(
            "the target `{name}` lacks `transport`; add one of {}",
            listed(TRANSPORTS)
        );
        return Err((at, problem));
    };
    let word = string(transport, "transport", "transport = \"stdio\"")?;
    let transport = TRANSPORTS
        .into_iter()
        .find(|known| *known == word)
        .ok_or_else(|| {
            let problem = format!(
                "there is no transport `{word}`{}",
                instead(&word, TRANSPORTS.into_iter())
            );
            (transport.span().start, problem)
        })?;
    let mut target = Target {
        name: name.to_owned(),
        at,
        transport,
        command: Vec::new(),
        url: None,
        settings: Vec::new(),
    };
    for (key, at, value) in entries(members) {
        match key {
            "transport" => {}
            "command" => target.command = words(value)?,
            "url" if transport == "stdio" => {
                return Err((
                    at,
                    "`url` is for http and sse; this target is stdio".to_owned(),
                ));
            }
            "url" => {
                let url = string(value, "url", "url = \"http://127.0.0.1:3000/mcp\"")?;
                let at = value.span().start;
                // On a command line it would be an option.
                if url.starts_with('-') {
                    return Err((at, format!("`{url}` is no address of a server")));
                }
                target.url = Some((url, at));
            }
            _ => target
                .settings
                .extend(option(key, at, value, Some(transport))?),
        }
    }
    let missing = match transport {
        "stdio" if target.command.is_empty() => {
            "`command`, as in `command = [\"node\", \"server.js\"]`"
        }
        "http" | "sse" if target.url.is_none() => {
            "`url`, as in `url = \"http://127.0.0.1:{port}/mcp\"`"
        }
        _ => return launched(target),
    };
    Err((at, format!("the target `{name}` lacks {missing}")))
}

/// What is about a command needs one.
fn launched(target: Target) -> Result<Target, Problem> {
    let idle = |setting: &&Setting| target.command.is_empty() && setting.key.is_of_launch();
    match target.settings.iter().find(idle) {
        Some(setting) => Err((
            setting.at.unwrap_or(target.at),
            format!(
                "`{}` is for a command; add `command`, or remove it",
                setting.key.name
            ),
        )),
        None => Ok(target),
    }
}

fn words(value: &Node<'_>) -> Result<Vec<String>, Problem> {
    let example = "command = [\"node\", \"server.js\"]";
    let DeValue::Array(items) = value.get_ref() else {
        return Err(mistyped(value, "command", "an array of strings", example));
    };
    let words: Result<Vec<_>, _> = items
        .iter()
        .map(|item| string(item, "command", example))
        .collect();
    let words = words?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err((
            value.span().start,
            format!("the command is empty; write it as in `{example}`"),
        )),
    }
}

/// An option: one setting, or one for each entry of a table.
fn option(
    name: &str,
    at: usize,
    value: &Node<'_>,
    transport: Option<&str>,
) -> Result<Vec<Setting>, Problem> {
    let key = keys::find(name)
        .filter(|key| {
            key.is_for_files() && transport.is_none_or(|one| key.transports.contains(&one))
        })
        .ok_or_else(|| (at, unknown(name, transport)))?;
    let example = example(key);
    let setting = |entry: Option<&str>, value, at| Setting {
        key,
        entry: entry.map(str::to_owned),
        value,
        at: Some(at),
    };
    let place = value.span().start;
    let value = match (key.kind, value.get_ref()) {
        (Kind::Flag, DeValue::Boolean(flag)) => Value::Flag(*flag),
        (Kind::Number, DeValue::Integer(_) | DeValue::Float(_)) => {
            Value::Texts(vec![number(value)?])
        }
        (Kind::Text, _) => Value::Texts(vec![string(value, name, &example)?]),
        (Kind::List, _) => Value::Texts(strings(value, name, &example)?),
        (Kind::Table(_), _) => {
            let mut settings = Vec::new();
            for (entry, _, value) in entries(table(value, name, &example)?) {
                let texts = match (name, value.get_ref()) {
                    ("call", DeValue::Boolean(true)) => Value::Flag(true),
                    ("call", DeValue::Table(_)) => Value::Texts(vec![json(value)?.to_string()]),
                    ("call", _) => {
                        let wanted = "a table of arguments, or `true` to have them derived";
                        return Err(mistyped(value, entry, wanted, &example));
                    }
                    ("report", _) => Value::Texts(strings(value, entry, &example)?),
                    _ => Value::Texts(vec![string(value, entry, &example)?]),
                };
                settings.push(setting(Some(entry), texts, value.span().start));
            }
            return Ok(settings);
        }
        (Kind::Flag, _) => return Err(mistyped(value, name, "`true` or `false`", &example)),
        (Kind::Number, _) => return Err(mistyped(value, name, "a number", &example)),
    };
    Ok(vec![setting(None, value, place)])
}

/// How the option is written.
fn example(key: &Key) -> String {
    let name = &key.name;
    match (name.as_str(), key.kind) {
        ("call", _) => "call.echo = { message = \"hi\" }".to_owned(),
        ("env", _) => "env = { API_KEY = \"${API_KEY}\" }".to_owned(),
        ("header", _) => "header = { Authorization = \"Bearer ${TOKEN}\" }".to_owned(),
        ("report", _) => "report = { json = \"{target}.json\" }".to_owned(),
        (_, Kind::Flag) => format!("{name} = true"),
        (_, Kind::Number) => format!("{name} = 10"),
        (_, Kind::List) => format!("{name} = [\"…\"]"),
        _ => format!("{name} = \"…\""),
    }
}

/// Why there is no such key here, and what to write in its place.
fn unknown(name: &str, transport: Option<&str>) -> String {
    if let Some(key) = keys::find(name) {
        return match transport {
            Some(transport) if key.is_for_files() => {
                let others = listed(key.transports.iter().copied());
                format!("`{name}` is for {others}; this target is {transport}")
            }
            _ => {
                format!("`{name}` is for the command line only; remove it, and give --{name} there")
            }
        };
    }
    if transport.is_none() && OWN.contains(&name) {
        return format!("`{name}` belongs to a target; put it below a line `[targets.NAME]`");
    }
    if name == "known" {
        return format!(
            "this is a baseline; give it a file of its own, and name that in {FILE}, as in `baseline = \"baseline.toml\"`"
        );
    }
    let options = keys::keys()
        .iter()
        .filter(|key| {
            key.is_for_files() && transport.is_none_or(|one| key.transports.contains(&one))
        })
        .map(|key| key.name.as_str());
    let own = match transport {
        Some(_) => &OWN[..],
        None => &["targets"],
    };
    format!(
        "unknown key `{name}`{}",
        instead(name, own.iter().copied().chain(options))
    )
}

/// The nearest of the right words, or all of them.
pub(super) fn instead<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest_of(word, known.clone()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are {}", listed(known)),
    }
}

fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

//! From settings to the words of a command line, and through it to what the commands work with.

use std::{ffi::OsString, iter};

use anyhow::anyhow;
use clap::{
    Parser,
    error::{ContextKind, ContextValue},
};

use super::{
    Config, FileArgs, Target,
    expand::expanded,
    keys::Key,
    setting::{Setting, Value, overlaid},
};
use crate::cli::{Cli, Command, Failure, http, judge::Prepared, stdio};

/// What stands for the name of the target in paths.
const TARGET: &str = "{target}";

/// What is judged: the command, what stands behind its options, and a name for paths.
struct Subject<'a> {
    transport: &'static str,
    name: &'a str,
    url: Option<String>,
    command: Vec<OsString>,
}

impl Config {
    /// The target, ready to be judged.
    pub(in crate::cli) fn prepare(
        &self,
        target: &Target,
        given: &FileArgs,
    ) -> Result<Prepared, Failure> {
        let subject = Subject {
            transport: target.transport,
            name: &target.name,
            url: target.url.as_ref().map(|(url, _)| url.clone()),
            command: target.command.iter().map(OsString::from).collect(),
        };
        let far = overlaid(self.defaults.clone(), target.settings.clone());
        let all = overlaid(far, given.given.clone());
        let mut settings = self.settled(&subject, subject.taken(all))?;
        self.launched_here(&subject, &mut settings);
        let prepared = match self.parsed(&subject, &settings)? {
            Command::Stdio(args) => stdio::prepare(args),
            Command::Http(args) => http::http(args),
            Command::Sse(args) => http::sse(args),
            _ => return Err(anyhow!("a target became another command").into()),
        };
        let checked = prepared.and_then(|prepared| prepared.check().map(|()| prepared));
        checked.map_err(|failure| match failure {
            Failure::Usage(error) => self.blamed(target, &settings, &error),
            other => other,
        })
    }

    /// Each option of the command line has to be about one of the targets.
    pub(in crate::cli) fn every_option_is_taken(
        &self,
        targets: &[&Target],
        given: &FileArgs,
    ) -> Result<(), Failure> {
        let idle = |setting: &&Setting| {
            let key = setting.key;
            let takes = |target: &&Target| takes(key, target.transport, &target.command);
            !targets.iter().any(takes)
        };
        match given.given.iter().find(idle) {
            Some(setting) => Err(Failure::Usage(anyhow!(
                "--{} is about none of the targets; leave it out, or choose others",
                setting.key.name
            ))),
            None => Ok(()),
        }
    }

    /// The settings with everything put in place that the file leaves open.
    fn settled(
        &self,
        subject: &Subject<'_>,
        settings: Vec<Setting>,
    ) -> Result<Vec<Setting>, Failure> {
        let mut settled = settings;
        for setting in &mut settled {
            let (key, at) = (setting.key, setting.at);
            let Value::Texts(texts) = &mut setting.value else {
                continue;
            };
            for text in texts {
                if let Some(at) = at.filter(|_| key.is_secret()) {
                    let problem = |problem| Failure::Usage(self.error(at, problem).into());
                    *text = expanded(text, |name| std::env::var(name).ok()).map_err(problem)?;
                }
                let is_path = key.is_path() && !text.is_empty();
                if is_path {
                    *text = text.replace(TARGET, subject.name);
                }
                if let Some(folder) = self.folder().filter(|_| at.is_some() && is_path) {
                    *text = folder.join(&*text).to_string_lossy().into_owned();
                }
            }
        }
        Ok(settled)
    }

    /// What the file launches is launched where the file lies, unless it says otherwise.
    fn launched_here(&self, subject: &Subject<'_>, settings: &mut Vec<Setting>) {
        let Some((folder, key)) = self.folder().zip(super::keys::find("cwd")) else {
            return;
        };
        if !subject.command.is_empty() && !settings.iter().any(|known| known.key.name == key.name) {
            settings.push(Setting {
                key,
                entry: None,
                value: Value::Texts(vec![folder.to_string_lossy().into_owned()]),
                at: None,
            });
        }
    }

    /// The words, read as a command line. What is refused is told with its place in the file.
    fn parsed(&self, subject: &Subject<'_>, settings: &[Setting]) -> Result<Command, Failure> {
        let read = |settings: &[Setting]| Cli::try_parse_from(subject.words(settings));
        let refused = match read(settings) {
            Ok(cli) => return Ok(cli.command),
            Err(refused) => refused,
        };
        for setting in settings {
            if let Err(refused) = read(std::slice::from_ref(setting)) {
                let problem = format!("`{}`: {}", setting.key.name, reason(&refused));
                return Err(Failure::Usage(match setting.at {
                    Some(at) => self.error(at, problem).into(),
                    None => anyhow!("--{}: {}", setting.key.name, reason(&refused)),
                }));
            }
        }
        // Each alone is right.
        let at = settings.iter().filter_map(|setting| setting.at).max();
        let problem = reason(&refused);
        Err(Failure::Usage(self.error(at.unwrap_or(0), problem).into()))
    }

    /// What a command finds wrong, with the place in the file that it is about.
    fn blamed(&self, target: &Target, settings: &[Setting], error: &anyhow::Error) -> Failure {
        let said = format!("{error:#}");
        let named = |setting: &&Setting| {
            said.split_once(' ')
                .is_some_and(|(word, _)| word.strip_prefix("--") == Some(&setting.key.name))
        };
        let problem = format!("target `{}`: {said}", target.name);
        let at = match (settings.iter().find(named), &target.url) {
            (Some(setting), _) => setting.at,
            (None, Some((url, at))) if said.starts_with(url.as_str()) => Some(*at),
            _ => Some(target.at),
        };
        Failure::Usage(match at {
            Some(at) => self.error(at, problem).into(),
            None => anyhow!(problem),
        })
    }
}

impl Subject<'_> {
    /// The settings that are about such a server.
    fn taken(&self, settings: Vec<Setting>) -> Vec<Setting> {
        let mut taken = settings;
        taken.retain(|setting| takes(setting.key, self.transport, &self.command));
        taken
    }

    fn words(&self, settings: &[Setting]) -> Vec<OsString> {
        let options = settings.iter().flat_map(Setting::words);
        let mut words: Vec<OsString> = ["mcp-conform".into(), self.transport.into()].into();
        words.extend(options.map(OsString::from));
        words.extend(self.url.as_ref().map(OsString::from));
        if !self.command.is_empty() {
            words.extend(iter::once("--".into()).chain(self.command.iter().cloned()));
        }
        words
    }
}

/// Whether the option is about a target with this transport and command.
fn takes<T>(key: &Key, transport: &str, command: &[T]) -> bool {
    key.transports.contains(&transport) && !(key.is_of_launch() && command.is_empty())
}

/// Why clap refuses a value, without what only a command line has.
fn reason(error: &clap::Error) -> String {
    let values = |kind| match error.get(kind) {
        Some(ContextValue::Strings(values)) => values.join(", "),
        Some(ContextValue::String(value)) => value.clone(),
        _ => String::new(),
    };
    let possible = values(ContextKind::ValidValue);
    if !possible.is_empty() {
        let near = values(ContextKind::SuggestedValue);
        let hint = match near.as_str() {
            "" => String::new(),
            near => format!(" (did you mean `{near}`?)"),
        };
        let value = values(ContextKind::InvalidValue);
        return format!("there is no `{value}`{hint}; there are {possible}");
    }
    if let Some(source) = std::error::Error::source(error) {
        return source.to_string();
    }
    let said = error.to_string();
    let first = said.lines().next().unwrap_or_default();
    first.trim_start_matches("error: ").to_owned()
}

/// A command of one server, with the options that its `--config` adds.
pub(in crate::cli) fn applied(command: Command) -> Result<Command, Failure> {
    let (transport, (url, words, file)) = match &command {
        Command::Stdio(args) => ("stdio", ("", args.command.as_slice(), &args.file)),
        Command::Http(args) => ("http", args.subject()),
        Command::Sse(args) => ("sse", args.subject()),
        _ => return Ok(command),
    };
    let Some(path) = &file.path else {
        return Ok(command);
    };
    let config = Config::load(path)?;
    let subject = Subject {
        transport,
        name: transport,
        url: (!url.is_empty()).then(|| url.to_owned()),
        command: words.to_vec(),
    };
    let far = subject.taken(config.defaults.clone());
    let settings = config.settled(&subject, overlaid(far, file.given.clone()))?;
    config.parsed(&subject, &settings)
}

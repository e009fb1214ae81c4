//! Configuration: targets by name and their options, in a file. An option of the file becomes the
//! words of the command line that say the same, and goes the same way from there.

mod expand;
mod given;
mod keys;
mod node;
mod read;
mod resolve;
mod setting;
#[cfg(test)]
mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::anyhow;

use self::setting::Setting;
use super::Failure;

pub(super) use given::{FileArgs, Overrides};
pub(super) use read::is_name;
pub(super) use resolve::applied;

/// The name of the file.
pub(super) const FILE: &str = "mcp-conform.toml";

/// What a file says.
#[derive(Debug)]
pub(super) struct Config {
    path: PathBuf,
    text: String,
    /// The options of every target.
    defaults: Vec<Setting>,
    /// In the order of the file.
    targets: Vec<Target>,
}

/// A server that the file names.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    /// Where its name stands.
    at: usize,
    /// The command that judges it.
    transport: &'static str,
    command: Vec<String>,
    url: Option<(String, usize)>,
    settings: Vec<Setting>,
}

/// What is wrong with a file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{path}:{line}:{column}: {problem}")]
pub(super) struct ConfigError {
    path: String,
    line: usize,
    column: usize,
    problem: String,
}

impl Config {
    /// Reads a file.
    pub(super) fn load(path: &Path) -> Result<Config, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            let shown = path.display();
            Failure::Usage(match error.kind() {
                io::ErrorKind::NotFound => anyhow!(
                    "there is no file {shown}; `mcp-conform init` writes one, and --config names another"
                ),
                _ => anyhow!(error).context(format!("cannot read {shown}")),
            })
        })?;
        Config::read(path, text).map_err(|error| Failure::Usage(error.into()))
    }

    /// The targets of these names, in this order; all that there are if none is named.
    pub(super) fn chosen(&self, names: &[String]) -> Result<Vec<&Target>, Failure> {
        let known = || self.targets.iter().map(|target| target.name.as_str());
        if self.targets.is_empty() {
            return Err(Failure::Usage(anyhow!(
                "{}: there is no target in it; add a table `[targets.NAME]` with `transport`",
                self.path.display()
            )));
        }
        if names.is_empty() {
            return Ok(self.targets.iter().collect());
        }
        let mut chosen: Vec<&Target> = Vec::new();
        for name in names {
            let target = self.targets.iter().find(|target| target.name == *name);
            let target = target.ok_or_else(|| {
                Failure::Usage(anyhow!(
                    "{}: there is no target `{name}`{}",
                    self.path.display(),
                    read::instead(name, known())
                ))
            })?;
            if !chosen.iter().any(|other| other.name == target.name) {
                chosen.push(target);
            }
        }
        Ok(chosen)
    }

    /// The problem with the place that it is about.
    fn error(&self, at: usize, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(&self.path, &self.text, at, problem.into())
    }

    /// Where the file lies, unless that is the working directory.
    fn folder(&self) -> Option<&Path> {
        let folder = self.path.parent()?;
        (!folder.as_os_str().is_empty() && folder != Path::new(".")).then_some(folder)
    }
}

impl ConfigError {
    fn new(path: &Path, text: &str, at: usize, problem: String) -> ConfigError {
        let before = text.get(..at).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        ConfigError {
            path: path.display().to_string(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            problem,
        }
    }
}

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;

use super::{Failure, Outcome};
use crate::{
    report::{
        badge::Badge,
        read::{self, Report},
    },
    spec::Revision,
};

/// The options of `badge`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    mcp-conform badge stdio.json http.json --output badge.svg\n  \
    mcp-conform badge report.json --endpoint badge.json\n\n\
    It is green only for a whole run, of which nothing was left out, that came to its end.")]
pub(super) struct Args {
    /// Reports of one server, as `--report json=PATH` writes them; one badge stands for all
    #[arg(required = true, value_name = "REPORT.json")]
    reports: Vec<PathBuf>,
    /// The revision that it speaks of; default: the newest that the server speaks on all transports
    #[arg(long, value_name = "R")]
    revision: Option<Revision>,
    /// Write it to a file: `.svg` a picture, `.json` the JSON of a shields endpoint; default: the
    /// picture on stdout
    #[arg(long, value_name = "PATH", value_parser = BadgeFile::parse)]
    output: Option<BadgeFile>,
    /// Write the JSON of a shields endpoint to a file, whatever its ending
    #[arg(long, value_name = "PATH")]
    endpoint: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let reports = load(&args.reports)?;
    let badge = Badge::of(&reports, args.revision).map_err(|error| Failure::Usage(error.into()))?;
    if let Some(file) = &args.output {
        file.write(&badge)?;
    }
    if let Some(path) = &args.endpoint {
        write(path, |out| badge.endpoint(out))?;
    }
    if args.output.is_none() && args.endpoint.is_none() {
        let mut out = std::io::stdout().lock();
        badge
            .svg(&mut out)
            .and_then(|()| out.flush())
            .map_err(anyhow::Error::from)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The reports in all the files.
pub(super) fn load(paths: &[PathBuf]) -> Result<Vec<Report>, Failure> {
    let mut reports = Vec::new();
    for path in paths {
        reports.extend(read::load(path).map_err(|error| Failure::Usage(error.into()))?);
    }
    Ok(reports)
}

/// Writes a file whole, or says that it cannot.
pub(super) fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let written = File::create(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        content(&mut file).and_then(|()| file.flush())
    });
    written
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(Failure::Usage)
}

/// Where a badge is written to, and what.
#[derive(Clone, Debug)]
pub(super) struct BadgeFile {
    path: PathBuf,
    picture: bool,
}

impl BadgeFile {
    /// The ending of the path says what is written.
    pub(super) fn parse(text: &str) -> Result<BadgeFile, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(BadgeFile {
                path,
                picture: true,
            }),
            Some("json") => Ok(BadgeFile {
                path,
                picture: false,
            }),
            _ => Err("give a path that ends in .svg or .json".to_owned()),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the badge.
    pub(super) fn write(&self, badge: &Badge) -> Result<(), Failure> {
        write(&self.path, |out| {
            if self.picture {
                badge.svg(out)
            } else {
                badge.endpoint(out)
            }
        })
    }
}

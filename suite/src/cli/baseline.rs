use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::Args;

use super::{Failure, options::has_folder};
use crate::{
    run::{Baseline, FailOn, Run},
    tape::escaped,
};

/// Which failures are known.
#[derive(Args)]
#[command(next_help_heading = "Baseline")]
pub(super) struct BaselineArgs {
    /// The failures in this file are known and fail no run; entries that hold no longer do
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
    /// Write what fails now to the file of `--baseline`; reasons and comments are kept
    #[arg(long)]
    update_baseline: bool,
}

impl BaselineArgs {
    /// Whether a file is named.
    pub(super) fn is_given(&self) -> bool {
        self.baseline.is_some()
    }

    /// Reads the file before the run, which must not be lost to a slip in it.
    pub(super) fn read(&self) -> Result<Option<Baseline>, Failure> {
        let Some(path) = &self.baseline else {
            // The file may come from a configuration, which clap does not see.
            return match self.update_baseline {
                true => Err(Failure::Usage(anyhow!(
                    "--update-baseline writes a file; name it with --baseline <PATH>"
                ))),
                false => Ok(None),
            };
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let message = format!("cannot read the baseline {}", path.display());
                return Err(Failure::Usage(anyhow!(error).context(message)));
            }
            Err(_) if self.update_baseline => String::new(),
            Err(_) => {
                let path = path.display();
                return Err(Failure::Usage(anyhow!(
                    "there is no baseline {path}; --update-baseline writes one"
                )));
            }
        };
        if self.update_baseline {
            can_be_written(path).map_err(Failure::Usage)?;
        }
        let baseline = Baseline::read(&path.to_string_lossy(), &text);
        baseline
            .map(Some)
            .map_err(|error| Failure::Usage(error.into()))
    }

    /// The baseline to judge the run by: if it is to be updated, what is in the file by then.
    pub(super) fn brought_to(
        &self,
        run: &Run,
        baseline: Option<Baseline>,
        fail_on: FailOn,
    ) -> anyhow::Result<Option<Baseline>> {
        let (Some(baseline), Some(path), true) = (&baseline, &self.baseline, self.update_baseline)
        else {
            return Ok(baseline);
        };
        let update = baseline.updated(run, fail_on);
        // A file that says the same already keeps its time.
        if fs::read_to_string(path).ok().as_ref() != Some(&update.text) {
            fs::write(path, &update.text)
                .with_context(|| format!("cannot write the baseline {}", path.display()))?;
        }
        eprintln!(
            "baseline {}: {} added, {} removed, {} kept",
            escaped(path.to_string_lossy().as_bytes()),
            update.added,
            update.removed,
            update.kept
        );
        Ok(Some(Baseline::read(&path.to_string_lossy(), &update.text)?))
    }
}

/// Whether the file could be written at the end of the run; one that is not there is not made yet.
fn can_be_written(path: &Path) -> anyhow::Result<()> {
    has_folder(path)?;
    if path.exists() {
        File::options()
            .append(true)
            .open(path)
            .with_context(|| format!("cannot write the baseline {}", path.display()))?;
    }
    Ok(())
}

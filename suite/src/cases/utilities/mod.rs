//! Ping, cancellation, progress, tasks and icons.

mod cancel;
mod icons;
mod ping;
mod progress;
mod progress_tokens;
mod settled;
mod slow;
mod tasks;

use super::prelude;
use crate::case::Case;

/// The cases in front of those on tasks, file by file.
pub(super) const CASES: &[&[Case]] = &[
    ping::CASES,
    cancel::CASES,
    progress_tokens::CASES,
    progress::CASES,
];

/// Those on tasks.
pub(super) use tasks::CASES as TASKS;

/// Those that stand behind them in the catalogue.
pub(super) const ICONS: &[&[Case]] = &[icons::CASES];

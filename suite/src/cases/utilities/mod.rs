//! Ping, cancellation, progress and icons.

mod cancel;
mod icons;
mod ping;
mod progress;
mod progress_tokens;
mod settled;
mod slow;

use super::prelude;
use crate::case::Case;

/// The cases of the area, file by file.
pub(super) const CASES: &[&[Case]] = &[
    ping::CASES,
    cancel::CASES,
    progress_tokens::CASES,
    progress::CASES,
    icons::CASES,
];

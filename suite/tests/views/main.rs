//! What is made of a run besides its reports on the terminal and for CI: the page, the badge, the
//! comparison, the joined report and the attestation.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod badge;
#[cfg(unix)]
mod commands;
mod diff;
mod html;
mod intoto;
mod merge;
mod sample;

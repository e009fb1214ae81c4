//! One judgement as plain text, for the formats that have room for a block of it.

use std::io;

use super::{
    Look, Verbosity, human,
    text::{Column, Page},
};
use crate::{
    run::{Flaw, Judgement, Run},
    tape::escaped,
};

/// Pages of CI show so many columns without breaking lines.
const WIDTH: usize = 100;
const LABELS: Column = Column {
    indent: 0,
    width: 12,
};

/// What was said, and what was compared; empty where nothing shows the verdict.
pub(super) fn evidence(judgement: &Judgement) -> String {
    written(|page| human::evidence(page, 0, judgement))
}

/// The message, what shows it, the clause, and what to do.
pub(crate) fn details(run: &Run, judgement: &Judgement) -> String {
    written(|page| {
        page.prose(0, None, &message(judgement))?;
        human::evidence(page, 0, judgement)?;
        page.blank()?;
        human::advice(page, LABELS, run, judgement)
    })
}

/// Why the verdict is what it is, in one line.
pub(crate) fn message(judgement: &Judgement) -> String {
    match judgement.message.as_deref() {
        None | Some("") => judgement.case.clause.title.to_owned(),
        Some(message) => escaped(message),
    }
}

/// What is wrong with the run, and where, in one line.
pub(crate) fn flaw(flaw: &Flaw) -> String {
    match &flaw.place {
        Some((file, line)) => escaped(format!("{file}, line {line}: {}", flaw.message)),
        None => escaped(&flaw.message),
    }
}

/// What `write` puts on a page, without the line ends around it.
pub(super) fn written(write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
    let look = Look {
        color: false,
        verbosity: Verbosity::Normal,
        width: WIDTH,
    };
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    write(&mut Page::new(look, &mut out)).ok();
    String::from_utf8_lossy(&out).trim_matches('\n').to_owned()
}

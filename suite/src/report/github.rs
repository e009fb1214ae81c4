//! Annotations of GitHub Actions: workflow commands, a line each, that the runner reads off stdout.

use std::io::{self, Write};

use super::{Finding, Format, human, is_broken, plain};
use crate::{
    run::{Run, Verdict},
    tape::escaped,
};

/// The format for the log of a step in GitHub Actions.
#[derive(Clone, Copy, Debug)]
pub struct Github;

/// So many annotations of a kind does GitHub keep from a step; it drops the rest without a word.
const KEPT: usize = 10;

impl Format for Github {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        let mut errors: Vec<Annotation> = Vec::new();
        errors.extend(run.flaws().iter().map(|flaw| Annotation {
            title: flaw.id.to_owned(),
            message: escaped(&flaw.message),
            place: flaw.place.clone(),
        }));
        for verdict in [Verdict::Fail, Verdict::Error] {
            errors.extend(annotations(run, verdict));
        }
        write_all("error", &errors, out)?;
        write_all("warning", &annotations(run, Verdict::Warn), out)?;
        let mut notices = known(run);
        notices.extend(annotations(run, Verdict::Note));
        write_all("notice", &notices, out)
    }
}

struct Annotation {
    title: String,
    message: String,
    /// The file and the line that it is shown at.
    place: Option<(String, usize)>,
}

/// One annotation for all that the baseline knows of, if it knows of anything.
fn known(run: &Run) -> Vec<Annotation> {
    let findings = Finding::known(run);
    let lines: Vec<_> = findings
        .iter()
        .map(|finding| {
            let (id, revisions) = (finding.id(), finding.revisions());
            format!("{id} in {revisions}: {}", human::reason(finding))
        })
        .collect();
    let annotation = (!lines.is_empty()).then(|| Annotation {
        title: format!("{} known", lines.len()),
        message: lines.join("\n"),
        place: None,
    });
    annotation.into_iter().collect()
}

/// One annotation for each case that came to `verdict`, in however many revisions.
fn annotations(run: &Run, verdict: Verdict) -> Vec<Annotation> {
    Finding::all(run, verdict)
        .iter()
        .map(|finding| annotation(run, finding))
        .collect()
}

fn annotation(run: &Run, finding: &Finding<'_>) -> Annotation {
    let newest = finding.newest();
    let clause = &finding.case.clause;
    let mut lines = vec![
        plain::message(newest),
        format!("{}: {}", clause.level_in(newest.revision), clause.statement),
        clause.link(newest.revision),
    ];
    if is_broken(newest.verdict) {
        lines.push(format!("To mend: {}", finding.case.advice.mend));
    }
    lines.push(format!("Reproduce: {}", escaped(run.reproduce(newest))));
    Annotation {
        title: format!("{} in {}", clause.id, finding.revisions()),
        message: lines.join("\n"),
        place: None,
    }
}

fn write_all(command: &str, annotations: &[Annotation], out: &mut dyn Write) -> io::Result<()> {
    let shown = match annotations.len() {
        0..=KEPT => annotations.len(),
        _ => KEPT - 1,
    };
    for annotation in &annotations[..shown] {
        write_one(command, annotation, out)?;
    }
    let titles: Vec<_> = annotations[shown..]
        .iter()
        .map(|annotation| annotation.title.as_str())
        .collect();
    if titles.is_empty() {
        return Ok(());
    }
    let rest = Annotation {
        title: format!("{} more", titles.len()),
        message: titles.join("\n"),
        place: None,
    };
    write_one(command, &rest, out)
}

fn write_one(command: &str, annotation: &Annotation, out: &mut dyn Write) -> io::Result<()> {
    let (title, message) = (property(&annotation.title), data(&annotation.message));
    let place = match &annotation.place {
        Some((file, line)) => format!(",file={},line={line}", property(&escaped(file))),
        None => String::new(),
    };
    writeln!(out, "::{command} title={title}{place}::{message}")
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which a comma or a colon would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{data, property};

    #[test]
    fn what_ends_a_command_is_escaped() {
        assert_eq!(data("100%\n::error::a, b"), "100%25%0A::error::a, b");
        assert_eq!(property("a: b, c\r\n"), "a%3A b%2C c%0D%0A");
    }
}

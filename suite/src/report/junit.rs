//! JUnit XML, as Jenkins and GitLab read it: a suite for each revision, a test case for each verdict.
//!
//! It is written by hand, since the schema of Jenkins refuses both the attribute `disabled` of a
//! suite and the properties of a test case, which crates for the format write.

use std::io::{self, Write};

use super::{Format, needs_evidence, plain};
use crate::{
    run::{Counts, Flaw, Judgement, Run, Verdict},
    spec::Revision,
    tape::escaped,
};

/// The format for test reports of CI.
#[derive(Clone, Copy, Debug)]
pub struct Junit;

impl Format for Junit {
    fn write(&self, run: &Run, out: &mut dyn Write) -> io::Result<()> {
        let flaws = run.flaws();
        let mut totals = Totals::of(run, &run.judgements);
        totals.add_flaws(flaws.len());
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(
            out,
            "<testsuites name=\"mcp-conform\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">",
            totals.tests,
            totals.failures,
            totals.errors,
            run.duration.as_secs_f64()
        )?;
        for revision in run.judged() {
            suite(run, revision, out)?;
        }
        if !flaws.is_empty() {
            of_the_run(run, &flaws, out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

/// What a verdict is to readers of the format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failure,
    Error,
    Skipped,
    Passed,
}

impl Kind {
    fn of(run: &Run, judgement: &Judgement) -> Kind {
        match judgement.verdict {
            Verdict::Fail | Verdict::Error if run.known(judgement).is_some() => Kind::Skipped,
            Verdict::Fail => Kind::Failure,
            Verdict::Error => Kind::Error,
            Verdict::Unverified | Verdict::NotApplicable => Kind::Skipped,
            Verdict::Warn | Verdict::Note | Verdict::Pass => Kind::Passed,
        }
    }
}

/// The numbers of a suite.
#[derive(Default)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Totals {
    fn of<'a>(run: &Run, judgements: impl IntoIterator<Item = &'a Judgement>) -> Totals {
        let mut totals = Totals::default();
        for judgement in judgements {
            totals.tests += 1;
            match Kind::of(run, judgement) {
                Kind::Failure => totals.failures += 1,
                Kind::Error => totals.errors += 1,
                Kind::Skipped => totals.skipped += 1,
                Kind::Passed => {}
            }
        }
        totals
    }

    fn add_flaws(&mut self, flaws: usize) {
        self.tests += flaws;
        self.failures += flaws;
    }
}

fn open_suite(name: &str, totals: &Totals, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" timestamp=\"{}\">",
        xml(name),
        totals.tests,
        totals.failures,
        totals.errors,
        totals.skipped,
        xml(&run.started)
    )
}

fn suite(run: &Run, revision: Revision, out: &mut dyn Write) -> io::Result<()> {
    let counts = Counts::of(run.of_revision(revision));
    let totals = Totals::of(run, run.of_revision(revision));
    let name = format!("{revision} over {}", run.transport);
    open_suite(&name, &totals, run, out)?;
    let server = run
        .server
        .as_ref()
        .map_or_else(String::new, |(name, version)| format!("{name} {version}"));
    let verified = format!("{} of {}", counts.verified(), counts.applicable());
    writeln!(out, "    <properties>")?;
    let facts = [
        (
            "tool",
            concat!("mcp-conform ", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        ("target", escaped(&run.target)),
        ("server", escaped(server)),
        ("verified", verified),
        ("warnings", counts.get(Verdict::Warn).to_string()),
        ("notes", counts.get(Verdict::Note).to_string()),
    ];
    let remarks = run.remarks.iter();
    let remarks = remarks.map(|remark| ("remark", escaped(remark)));
    for (name, value) in facts.into_iter().chain(remarks) {
        let value = xml(&value);
        writeln!(out, "      <property name=\"{name}\" value=\"{value}\"/>")?;
    }
    writeln!(out, "    </properties>")?;
    for judgement in run.of_revision(revision) {
        test_case(run, judgement, out)?;
    }
    writeln!(out, "  </testsuite>")
}

/// A test case, with one child at most. The class tells the revisions apart: GitLab drops what
/// has class and name in common with another, and Jenkins shows the part up to the last dot as
/// a package.
fn test_case(run: &Run, judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let clause = &judgement.case.clause;
    write!(
        out,
        "    <testcase classname=\"{}.{}.{}\" name=\"{}\"",
        judgement.transport,
        judgement.revision,
        clause.area(),
        clause.id
    )?;
    let mut message = plain::message(judgement);
    let details = || plain::details(run, judgement);
    let known = run.known(judgement).map(|known| escaped(known.explained()));
    let level = clause.level_in(judgement.revision);
    let (tag, kind, text) = match Kind::of(run, judgement) {
        Kind::Failure => ("failure", level.keyword(), details()),
        Kind::Error => ("error", "error", details()),
        Kind::Skipped => match known {
            Some(reason) => {
                message = format!("known: {reason}");
                ("skipped", "known", format!("{message}\n\n{}", details()))
            }
            // GitLab reads the text of an element, Jenkins the attribute.
            None if judgement.verdict == Verdict::Unverified => {
                ("skipped", "unverified", message.clone())
            }
            None => ("skipped", "not applicable", message.clone()),
        },
        Kind::Passed => {
            let text = beside(run, judgement, known);
            return match text.as_str() {
                "" => writeln!(out, "/>"),
                text => writeln!(
                    out,
                    ">\n      <system-out>{}</system-out>\n    </testcase>",
                    xml(text)
                ),
            };
        }
    };
    let (message, text) = (xml(&message), xml(&text));
    writeln!(
        out,
        ">\n      <{tag} type=\"{kind}\" message=\"{message}\">{text}</{tag}>\n    </testcase>"
    )
}

/// What a test case that passes has to say all the same: warnings, notes and remarks.
fn beside(run: &Run, judgement: &Judgement, known: Option<String>) -> String {
    let mut text = String::new();
    if let Some(reason) = known {
        text = format!("known: {reason}\n");
    }
    if needs_evidence(judgement.verdict) {
        text += &format!("{}: {}", judgement.verdict, plain::details(run, judgement));
    }
    for remark in &judgement.remarks {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &escaped(remark);
    }
    text
}

/// What is wrong with the run itself, in a suite of its own.
fn of_the_run(run: &Run, flaws: &[Flaw], out: &mut dyn Write) -> io::Result<()> {
    let mut totals = Totals::default();
    totals.add_flaws(flaws.len());
    open_suite("the run", &totals, run, out)?;
    for flaw in flaws {
        let message = xml(&plain::flaw(flaw));
        writeln!(
            out,
            "    <testcase classname=\"{}.run\" name=\"{}\">\n      \
             <failure type=\"run\" message=\"{message}\">{message}</failure>\n    </testcase>",
            run.transport,
            xml(flaw.id)
        )?;
    }
    writeln!(out, "  </testsuite>")
}

/// The text as it stands in an element or an attribute. Plugins of Jenkins, and GitLab, take
/// `[[ATTACHMENT|path]]` in a test's output for a file that they are to show; no server decides that.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.replace("[[ATTACHMENT|", r"[[ATTACHMENT\x7c").chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.push(letter);
            }
            // XML 1.0 has no way to write these, not even as a reference.
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::xml;

    #[test]
    fn no_text_ends_an_element_or_is_none_of_xml() {
        assert_eq!(
            xml("]]></failure>\"&amp;"),
            "]]&gt;&lt;/failure&gt;&quot;&amp;amp;"
        );
        assert_eq!(
            xml("a\0b\x1b\u{fffe}\u{7f}😀"),
            "a\u{fffd}b\u{fffd}\u{fffd}\u{7f}😀"
        );
        assert_eq!(
            xml("[[ATTACHMENT|/etc/passwd]]"),
            r"[[ATTACHMENT\x7c/etc/passwd]]"
        );
    }
}

//! What is wrong, or could not be seen, case by case.

use std::{io, ptr};

use super::{
    Chapter, Out, cells, class, evidence, mark,
    markup::{prose, text},
};
use crate::{
    report::{Finding, human::messages, in_time, is_broken, listed},
    run::{Judgement, Run, Verdict},
};

/// So many findings of a chapter are unfolded from the start.
const UNFOLDED: usize = 20;

pub(super) fn chapter(out: Out<'_>, run: &Run, chapter: &Chapter<'_>) -> io::Result<()> {
    let (title, id) = (chapter.title, chapter.title.to_lowercase());
    writeln!(
        out,
        "<section id=\"{id}\" class=\"chapter\" aria-labelledby=\"{id}-title\">\n\
         <h2 id=\"{id}-title\">{title} <span class=\"count\">{}</span></h2>",
        chapter.findings.len()
    )?;
    for (at, finding) in chapter.findings.iter().enumerate() {
        let newest = finding.newest();
        let grave = matches!(newest.verdict, Verdict::Fail | Verdict::Error);
        let unfolded = grave && finding.known.is_none() && at < UNFOLDED;
        let open = if unfolded { " open" } else { "" };
        writeln!(
            out,
            "<details class=\"finding {}\" id=\"{}\" data-case=\"{}\" data-cells=\"{}\"{open}>",
            class(newest.verdict),
            anchor(run, newest),
            finding.id(),
            cells(finding.judgements.iter().copied())
        )?;
        self::finding(out, run, finding)?;
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</section>")
}

/// The name of the finding that holds the judgement, in links. What is known is a finding for each
/// entry of the baseline.
pub(super) fn anchor(run: &Run, judgement: &Judgement) -> String {
    let (verdict, id) = (judgement.verdict.as_str(), judgement.case.clause.id);
    let entry = run.known(judgement).and_then(|known| {
        let mut entries = run.baseline.iter().flat_map(|baseline| &baseline.entries);
        entries.position(|entry| ptr::eq(entry, known))
    });
    match entry {
        Some(number) => format!("known-{}/{verdict}/{id}", number + 1),
        None => format!("{verdict}/{id}"),
    }
}

fn finding(out: Out<'_>, run: &Run, finding: &Finding<'_>) -> io::Result<()> {
    let newest = finding.newest();
    let (clause, advice) = (&finding.case.clause, &finding.case.advice);
    writeln!(
        out,
        "<summary><h3><span class=\"word {}\">{} {}</span> <span class=\"id\">{}</span></h3>\n\
         <span class=\"title\">{}</span> <span class=\"quiet\">in {}</span></summary>\n\
         <div class=\"body\">",
        class(newest.verdict),
        mark(newest.verdict),
        newest.verdict,
        text(clause.id),
        prose(clause.title),
        finding.revisions(),
    )?;
    let mut messages = messages(&finding.judgements).into_iter();
    if let Some((message, _)) = messages.next().filter(|(message, _)| !message.is_empty()) {
        writeln!(out, "<p class=\"message\">{}</p>", prose(message))?;
    }
    for (message, judgements) in messages {
        let revisions = listed(&judgements);
        writeln!(
            out,
            "<p class=\"message\">in {revisions}: {}</p>",
            prose(message)
        )?;
    }
    if let Some(known) = finding.known {
        let reason = known.explained();
        writeln!(out, "<p><strong>Known:</strong> {}</p>", text(&reason))?;
    }
    evidence(out, newest)?;
    for other in &finding.judgements[1..] {
        elsewhere(out, run, other)?;
    }
    writeln!(
        out,
        "<dl class=\"clause\">\n<div><dt><strong class=\"level\">{}</strong></dt><dd>{}</dd></div>",
        clause.level_in(newest.revision),
        prose(clause.statement)
    )?;
    links(out, &finding.judgements)?;
    writeln!(
        out,
        "<div><dt>Why it matters</dt><dd>{}</dd></div>",
        prose(advice.why)
    )?;
    if is_broken(newest.verdict) {
        writeln!(
            out,
            "<div><dt>To mend it</dt><dd>{}</dd></div>",
            prose(advice.mend)
        )?;
    }
    for remark in newest.remarks.iter().map(|remark| prose(remark)) {
        writeln!(out, "<div><dt>Remark</dt><dd>{remark}</dd></div>")?;
    }
    writeln!(
        out,
        "<div><dt>Reproduce</dt><dd><pre class=\"command\"><code>{}</code></pre></dd></div>\n</dl>\n</div>",
        text(&run.reproduce(newest))
    )
}

/// What was said, and what was compared.
fn evidence(out: Out<'_>, judgement: &Judgement) -> io::Result<()> {
    let said = in_time(&judgement.evidence);
    if !said.is_empty() {
        evidence::exchange(out, &said)?;
    }
    match &judgement.evidence.compared {
        Some((expected, actual)) => evidence::comparison(out, expected, actual),
        None => Ok(()),
    }
}

/// The evidence of an older revision, which is mostly more of the same.
fn elsewhere(out: Out<'_>, run: &Run, judgement: &Judgement) -> io::Result<()> {
    let shown = &judgement.evidence;
    if shown.exchange.is_empty() && shown.compared.is_none() {
        return Ok(());
    }
    writeln!(
        out,
        "<details class=\"more\"><summary>The evidence in {}</summary>",
        judgement.revision
    )?;
    evidence(out, judgement)?;
    writeln!(
        out,
        "<pre class=\"command\"><code>{}</code></pre>\n</details>",
        text(&run.reproduce(judgement))
    )
}

fn links(out: Out<'_>, judgements: &[&Judgement]) -> io::Result<()> {
    writeln!(out, "<div><dt>Specification</dt><dd><ul class=\"links\">")?;
    for judgement in judgements {
        let clause = &judgement.case.clause;
        writeln!(
            out,
            "<li><a href=\"{}\">{} {}</a></li>",
            text(&clause.link(judgement.revision).replace(' ', "%20")),
            judgement.revision,
            text(clause.anchor(judgement.revision))
        )?;
    }
    writeln!(out, "</ul></dd></div>")
}

//! Every case in every revision, a table for each area.

use std::io;

use super::{
    Out, cells, class,
    findings::anchor,
    mark,
    markup::{prose, text},
};
use crate::{
    case::Case,
    report::needs_evidence,
    run::{Judgement, Run, Verdict},
    spec::Revision,
};

/// One case with its judgements in all revisions.
pub(super) struct Row<'a> {
    case: &'static Case,
    judgements: Vec<&'a Judgement>,
}

impl<'a> Row<'a> {
    fn within(&self, revision: Revision) -> Option<&'a Judgement> {
        self.judgements
            .iter()
            .copied()
            .find(|judgement| judgement.revision == revision)
    }
}

/// The cases in the order of the registry.
pub(super) fn rows(run: &Run) -> Vec<Row<'_>> {
    crate::cases::all()
        .map(|case| Row {
            case,
            judgements: run
                .judgements
                .iter()
                .filter(|judgement| judgement.case.clause.id == case.clause.id)
                .collect(),
        })
        .filter(|row| !row.judgements.is_empty())
        .collect()
}

pub(super) fn tables(out: Out<'_>, run: &Run) -> io::Result<()> {
    let rows = rows(run);
    writeln!(
        out,
        "<section id=\"cases\" aria-labelledby=\"cases-title\">\n\
         <h2 id=\"cases-title\">Cases <span class=\"count\">{}</span></h2>",
        rows.len()
    )?;
    for area in rows.chunk_by(|a, b| a.case.clause.area() == b.case.clause.area()) {
        table(out, run, area)?;
    }
    writeln!(out, "</section>")
}

fn table(out: Out<'_>, run: &Run, rows: &[Row<'_>]) -> io::Result<()> {
    let area = rows[0].case.clause.area();
    writeln!(
        out,
        "<div class=\"area\">\n<h3 id=\"area-{area}\">{area}</h3>\n\
         <div class=\"wide\" role=\"region\" aria-labelledby=\"area-{area}\" tabindex=\"0\">\n\
         <table class=\"cases\">\n<thead><tr><th scope=\"col\">Case</th><th scope=\"col\">Level</th>"
    )?;
    for revision in run.judged() {
        write!(out, "<th scope=\"col\">{revision}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for row in rows {
        self::row(out, run, row)?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>\n</div>")
}

fn row(out: Out<'_>, run: &Run, row: &Row<'_>) -> io::Result<()> {
    let clause = &row.case.clause;
    let id = clause.id;
    let slug = id.split_once('/').map_or(id, |(_, slug)| slug);
    write!(
        out,
        "<tr data-case=\"{id}\" data-cells=\"{}\"><th scope=\"row\"><span class=\"id\">\
         <span class=\"quiet\">{}/</span><wbr>{}</span> <span class=\"title\">{}</span>",
        cells(row.judgements.iter().copied()),
        clause.area(),
        text(slug),
        prose(clause.title)
    )?;
    remarks(out, &row.judgements)?;
    write!(out, "</th><td class=\"level\">{}</td>", clause.binding())?;
    for revision in run.judged() {
        cell(out, run, row.within(revision))?;
    }
    writeln!(out, "</tr>")
}

fn cell(out: Out<'_>, run: &Run, judgement: Option<&Judgement>) -> io::Result<()> {
    let Some(judgement) = judgement else {
        return write!(
            out,
            "<td class=\"none\"><span class=\"unseen\">not judged</span></td>"
        );
    };
    let verdict = judgement.verdict;
    let content = format!("{}<span class=\"said\"> {verdict}</span>", mark(verdict));
    let content = if needs_evidence(verdict) {
        let link = anchor(run, judgement);
        format!("<a href=\"#{link}\">{content}</a>")
    } else {
        content
    };
    write!(out, "<td class=\"{}\">{content}</td>", class(verdict))
}

/// What stands beside verdicts that are not told elsewhere: remarks, and why a clause does not
/// apply. What several revisions have in common is said once.
fn remarks(out: Out<'_>, judgements: &[&Judgement]) -> io::Result<()> {
    let mut told: Vec<&str> = Vec::new();
    for judgement in judgements {
        let absent = judgement.verdict == Verdict::NotApplicable;
        let reason = judgement.message.as_deref().filter(|_| absent);
        for remark in judgement.remarks.iter().map(String::as_str).chain(reason) {
            if !told.contains(&remark) {
                told.push(remark);
                write!(out, " <span class=\"remark\">{}</span>", prose(remark))?;
            }
        }
    }
    Ok(())
}

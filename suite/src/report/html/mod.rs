//! A page for people: one file without a network, that works without its script, and in which
//! nothing that a server said is more than text.

mod cases;
mod evidence;
mod filter;
mod findings;
mod markup;
mod standing;

use std::io::{self, Write};

use super::{Finding, Format, human::sign};
use crate::run::{Judgement, Run, Verdict};
use markup::source_hash;
pub(super) use markup::text;

/// The format for people with a browser.
#[derive(Clone, Copy, Debug)]
pub struct Html;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Where something is written.
type Out<'a> = &'a mut dyn Write;

impl Format for Html {
    fn write(&self, run: &Run, out: Out<'_>) -> io::Result<()> {
        let chapters = Chapter::all(run);
        head(out, run)?;
        standing::header(out, run)?;
        writeln!(out, "<div class=\"columns\">\n<div class=\"side\">")?;
        contents(out, run, &chapters)?;
        filter::form(out, run)?;
        writeln!(out, "</div>\n<main id=\"main\">")?;
        standing::revisions(out, run)?;
        standing::matrix(out, run)?;
        for chapter in &chapters {
            findings::chapter(out, run, chapter)?;
        }
        cases::tables(out, run)?;
        writeln!(out, "</main>\n</div>")?;
        footer(out)
    }
}

/// The findings with one verdict, or those that the baseline knows of.
struct Chapter<'a> {
    title: &'static str,
    findings: Vec<Finding<'a>>,
}

impl<'a> Chapter<'a> {
    /// Those that there are, the gravest first.
    fn all(run: &'a Run) -> Vec<Chapter<'a>> {
        let all = |verdict, title| Chapter {
            title,
            findings: Finding::all(run, verdict),
        };
        let mut chapters = vec![
            all(Verdict::Fail, "Failures"),
            all(Verdict::Error, "Errors"),
            all(Verdict::Warn, "Warnings"),
            all(Verdict::Note, "Notes"),
            Chapter {
                title: "Known",
                findings: Finding::known(run),
            },
            all(Verdict::Unverified, "Unverified"),
        ];
        chapters.retain(|chapter| !chapter.findings.is_empty());
        chapters
    }
}

/// The class of elements that have to do with a verdict.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "absent",
        verdict => verdict.as_str(),
    }
}

/// The sign of a verdict, which says nothing to those who cannot see it.
fn mark(verdict: Verdict) -> String {
    format!("<span aria-hidden=\"true\">{}</span>", sign(verdict))
}

/// What the filter goes by: every verdict, with its revision.
fn cells<'a>(judgements: impl IntoIterator<Item = &'a Judgement>) -> String {
    judgements
        .into_iter()
        .map(|judgement| format!("{}:{}", judgement.revision, judgement.verdict.as_str()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn head(out: Out<'_>, run: &Run) -> io::Result<()> {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source_hash(STYLE),
        source_hash(SCRIPT)
    );
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"generator\" content=\"mcp-conform {}\">\n\
         <title>{} – MCP conformance</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the results</a>",
        env!("CARGO_PKG_VERSION"),
        text(&standing::server(run)),
    )
}

fn contents(out: Out<'_>, run: &Run, chapters: &[Chapter<'_>]) -> io::Result<()> {
    writeln!(out, "<nav aria-label=\"Contents\">\n<ul>")?;
    entry(out, "Revisions", None)?;
    entry(out, "Areas", None)?;
    for chapter in chapters {
        entry(out, chapter.title, Some(chapter.findings.len()))?;
    }
    entry(out, "Cases", Some(cases::rows(run).len()))?;
    writeln!(out, "</ul>\n</nav>")
}

fn entry(out: Out<'_>, title: &str, count: Option<usize>) -> io::Result<()> {
    let count = count.map_or_else(String::new, |count| {
        format!(" <span class=\"count\">{count}</span>")
    });
    let id = title.to_lowercase();
    writeln!(out, "<li><a href=\"#{id}\">{title}{count}</a></li>")
}

fn footer(out: Out<'_>) -> io::Result<()> {
    writeln!(
        out,
        "<footer>\n<h2>What the verdicts mean</h2>\n<dl class=\"legend\">"
    )?;
    for verdict in Verdict::ALL {
        let meaning = match verdict {
            Verdict::Fail => "a MUST or MUST NOT was broken",
            Verdict::Error => "the case could not finish: the server died, or never answered",
            Verdict::Warn => "a SHOULD or SHOULD NOT was broken",
            Verdict::Note => "an advisory observation",
            Verdict::Unverified => "the clause applies, but this run could not see it: not a pass",
            Verdict::Pass => "conformance was observed",
            Verdict::NotApplicable => "the clause does not bind this server",
        };
        writeln!(
            out,
            "<div><dt class=\"{}\">{} {verdict}</dt><dd>{meaning}</dd></div>",
            class(verdict),
            mark(verdict)
        )?;
    }
    writeln!(
        out,
        "</dl>\n<p>A server conforms to a revision over a transport when nothing fails and no case \
         ends in an error. Text of the server is shown escaped.</p>\n\
         <p>Written by mcp-conform {}.</p>\n</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )
}

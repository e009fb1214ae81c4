//! What was tested, and how it stands.

use std::io;

use super::{
    Out, class, mark,
    markup::{prose, text},
};
use crate::{
    report::{
        Standing, plain,
        summary::{took, unspoken},
        text::counted,
    },
    run::{Counts, Run, Spoken, Verdict},
    spec::{Revision, Transport},
};

/// The server by the name that it gives itself.
pub(super) fn server(run: &Run) -> String {
    match &run.server {
        Some((name, version)) => format!("{name} {version}").trim().to_owned(),
        None => String::new(),
    }
}

/// The verdicts in the order in which they are told, each with its words.
const TOLD: [(Verdict, &str, &str); 7] = [
    (Verdict::Fail, "failure", "failures"),
    (Verdict::Error, "error", "errors"),
    (Verdict::Warn, "warning", "warnings"),
    (Verdict::Note, "note", "notes"),
    (Verdict::Unverified, "unverified", "unverified"),
    (Verdict::Pass, "pass", "passes"),
    (Verdict::NotApplicable, "not applicable", "not applicable"),
];

pub(super) fn header(out: Out<'_>, run: &Run) -> io::Result<()> {
    let name = Some(server(run)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "A server that does not say its name".to_owned());
    writeln!(
        out,
        "<header>\n<p class=\"kicker\">MCP conformance report</p>\n<h1>{}</h1>",
        text(&name)
    )?;
    let (class, sign, verdict) = overall(run);
    writeln!(
        out,
        "<p class=\"overall {class}\"><span aria-hidden=\"true\">{sign}</span> {verdict}</p>"
    )?;
    if !run.finished {
        writeln!(
            out,
            "<p class=\"caution\">The run was cut short: what it did not reach is not judged.</p>"
        )?;
    }
    if run.filtered {
        writeln!(
            out,
            "<p class=\"caution\">Only some of the cases were selected: this speaks of those alone.</p>"
        )?;
    }
    if let Some(shard) = run.shard {
        writeln!(
            out,
            "<p class=\"caution\">This is shard {shard} of a run: it speaks of a share of the cases.</p>"
        )?;
    }
    for flaw in run.flaws().iter().filter(|flaw| flaw.place.is_some()) {
        writeln!(out, "<p class=\"caution\">{}</p>", text(&plain::flaw(flaw)))?;
    }
    facts(out, run)?;
    writeln!(out, "</header>")
}

/// How it stands in one sentence, with a class and a sign.
fn overall(run: &Run) -> (&'static str, &'static str, String) {
    let with = |standing| -> Vec<&str> {
        run.revisions
            .iter()
            .map(|(revision, _)| *revision)
            .filter(|revision| Standing::of(run, *revision) == standing)
            .map(Revision::as_str)
            .collect()
    };
    let (kept, broken) = (with(Standing::Conforms), with(Standing::Breaks));
    let over = run.transport;
    match (kept.as_slice(), broken.as_slice()) {
        ([], []) => (
            "unverified",
            "?",
            format!("Nothing found broken over {over}, but not told"),
        ),
        (kept, []) => (
            "pass",
            "✓",
            format!("Conforms to {} over {over}", unbroken(kept)),
        ),
        (_, broken) => (
            "fail",
            "✗",
            format!("Does not conform to {} over {over}", unbroken(broken)),
        ),
    }
}

/// Dates that no line break may tear apart.
fn unbroken(dates: &[&str]) -> String {
    dates
        .iter()
        .map(|date| format!("<span class=\"date\">{date}</span>"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn facts(out: Out<'_>, run: &Run) -> io::Result<()> {
    writeln!(out, "<dl class=\"facts\">")?;
    let label = match run.transport {
        _ if run.is_recorded() => "Recording",
        Transport::Stdio => "Command",
        Transport::HttpSse | Transport::StreamableHttp => "Target",
    };
    fact(out, label, &format!("<code>{}</code>", text(&run.target)))?;
    fact(out, "Transport", run.transport.as_str())?;
    if !run.options.is_empty() {
        let options = run.options.join(" ");
        fact(out, "Options", &format!("<code>{}</code>", text(&options)))?;
    }
    for remark in &run.remarks {
        fact(out, "Note", &prose(remark).to_string())?;
    }
    fact(out, "Started", &started(&run.started))?;
    fact(out, "Took", &took(run))?;
    let tool = format!("mcp-conform {}", env!("CARGO_PKG_VERSION"));
    fact(out, "Tested by", &tool)?;
    writeln!(out, "</dl>")
}

/// The time as people read it, and for programs to the second: HTML knows no finer fractions than
/// milliseconds.
fn started(moment: &str) -> String {
    match moment.parse::<jiff::Timestamp>() {
        Ok(moment) => format!(
            "<time datetime=\"{}\">{}</time>",
            moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            moment.strftime("%Y-%m-%d %H:%M:%S UTC")
        ),
        Err(_) => text(moment).to_string(),
    }
}

/// A fact whose value is markup already.
fn fact(out: Out<'_>, label: &str, value: &str) -> io::Result<()> {
    writeln!(out, "<div><dt>{label}</dt><dd>{value}</dd></div>")
}

/// Each revision that was asked for.
pub(super) fn revisions(out: Out<'_>, run: &Run) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"revisions\" aria-labelledby=\"revisions-title\">\n\
         <h2 id=\"revisions-title\">Revisions</h2>\n<ul class=\"cards\">"
    )?;
    for (revision, spoken) in &run.revisions {
        card(out, run, *revision, spoken)?;
    }
    writeln!(out, "</ul>\n</section>")
}

fn card(out: Out<'_>, run: &Run, revision: Revision, spoken: &Spoken) -> io::Result<()> {
    let (class, word) = match Standing::of(run, revision) {
        Standing::Conforms => ("pass", "conforms"),
        Standing::Breaks => ("fail", "does not conform"),
        Standing::NotSpoken => ("absent", "not spoken"),
        Standing::Untold => ("unverified", "nothing found broken, but not told"),
    };
    writeln!(
        out,
        "<li class=\"card {class}\">\n<h3>{revision}</h3>\n<p class=\"word {class}\">{word}</p>"
    )?;
    if let Some(reason) = unspoken(spoken) {
        // It is escaped already, and escapes hold nothing that would be escaped again.
        return writeln!(out, "<p class=\"quiet\">{}</p>\n</li>", prose(&reason));
    }
    let counts = Counts::of(run.of_revision(revision));
    bar(out, &counts)?;
    writeln!(
        out,
        "<p>{} of {} clauses verified</p>",
        counts.verified(),
        counts.applicable()
    )?;
    write!(out, "<p class=\"counts\">")?;
    tallies(out, &counts)?;
    let known = run.of_revision(revision).filter(|j| run.known(j).is_some());
    match known.count() {
        0 => {}
        known => write!(out, "<span class=\"quiet\">{known} known</span>")?,
    }
    writeln!(out, "</p>\n</li>")
}

/// The shares of the verdicts; the numbers stand beside it.
fn bar(out: Out<'_>, counts: &Counts) -> io::Result<()> {
    let all = counts.applicable().max(1) as f64;
    write!(
        out,
        "<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    )?;
    let mut from = 0.0;
    for (verdict, ..) in TOLD {
        let share = counts.get(verdict) as f64 * 100.0 / all;
        if verdict != Verdict::NotApplicable && share > 0.0 {
            write!(
                out,
                "<rect class=\"{}\" x=\"{from:.2}\" width=\"{share:.2}\" height=\"4\"/>",
                class(verdict)
            )?;
            from += share;
        }
    }
    writeln!(out, "</svg>")
}

/// Every verdict that there is, with its number.
fn tallies(out: Out<'_>, counts: &Counts) -> io::Result<()> {
    let told = TOLD.iter().filter(|(verdict, ..)| counts.get(*verdict) > 0);
    for (verdict, one, many) in told {
        write!(
            out,
            "<span class=\"tally {}\">{} {}</span> ",
            class(*verdict),
            mark(*verdict),
            counted(counts.get(*verdict), one, many)
        )?;
    }
    Ok(())
}

/// The verdicts by area and revision.
pub(super) fn matrix(out: Out<'_>, run: &Run) -> io::Result<()> {
    let mut areas: Vec<&str> = Vec::new();
    for judgement in &run.judgements {
        let area = judgement.case.clause.area();
        if !areas.contains(&area) {
            areas.push(area);
        }
    }
    writeln!(
        out,
        "<section id=\"areas\" aria-labelledby=\"areas-title\">\n\
         <h2 id=\"areas-title\">Areas</h2>\n\
         <div class=\"wide\" role=\"region\" aria-labelledby=\"matrix\" tabindex=\"0\">\n\
         <table class=\"matrix\">\n<caption id=\"matrix\">Verdicts by area and revision</caption>\n\
         <thead><tr><th scope=\"col\">Area</th>"
    )?;
    for revision in run.judged() {
        write!(out, "<th scope=\"col\">{revision}</th>")?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    for area in areas {
        write!(
            out,
            "<tr><th scope=\"row\"><a href=\"#area-{area}\">{area}</a></th>"
        )?;
        for revision in run.judged() {
            let of_area = run.of_revision(revision);
            let of_area = of_area.filter(|judgement| judgement.case.clause.area() == area);
            write!(out, "<td>")?;
            tallies(out, &Counts::of(of_area))?;
            write!(out, "</td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>\n</section>")
}

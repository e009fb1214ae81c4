//! The form that narrows what is shown. It does nothing without the script, which brings it out.

use std::io;

use super::{Out, class, mark, markup::text};
use crate::run::{Counts, Run, Verdict};

pub(super) fn form(out: Out<'_>, run: &Run) -> io::Result<()> {
    writeln!(
        out,
        "<search hidden id=\"filter\">\n<details>\n<summary><h2>Filter</h2></summary>\n\
         <form aria-label=\"Filter the results\">\n\
         <p><label for=\"words\">Text</label>\n\
         <input id=\"words\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" \
         placeholder=\"id, message, evidence\"></p>"
    )?;
    let areas = run.judgements.iter().map(|j| j.case.clause.area());
    choice(out, "area", "Area", "every area", areas)?;
    let revisions = run.judged().map(|revision| revision.as_str());
    choice(out, "revision", "Revision", "every revision", revisions)?;
    writeln!(
        out,
        "<fieldset>\n<legend>Only these verdicts</legend>\n<div class=\"chips\">"
    )?;
    let counts = Counts::of(&run.judgements);
    let present = Verdict::ALL
        .iter()
        .filter(|verdict| counts.get(**verdict) > 0);
    for &verdict in present {
        writeln!(
            out,
            "<label class=\"{}\"><input type=\"checkbox\" name=\"verdict\" value=\"{}\"> {} {verdict}</label>",
            class(verdict),
            verdict.as_str(),
            mark(verdict)
        )?;
    }
    writeln!(
        out,
        "</div>\n</fieldset>\n<p class=\"actions\"><button type=\"reset\">Show everything</button>\n\
         <button type=\"button\" id=\"unfold\">Unfold all</button></p>\n\
         </form>\n</details>\n\
         <p id=\"shown\" role=\"status\"></p>\n</search>"
    )
}

fn choice<'a>(
    out: Out<'_>,
    id: &str,
    label: &str,
    all: &str,
    values: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    writeln!(
        out,
        "<p><label for=\"{id}\">{label}</label>\n<select id=\"{id}\">\n<option value=\"\">{all}</option>"
    )?;
    let mut known: Vec<&str> = Vec::new();
    for value in values {
        if !known.contains(&value) {
            known.push(value);
            writeln!(out, "<option>{}</option>", text(value))?;
        }
    }
    writeln!(out, "</select></p>")
}

use std::io::{self, Write};

use super::{Diff, Group, Kind, more, sentence, word};
use crate::tape::escaped;

/// Writes the comparison as Markdown, for the comment of a pull request.
///
/// # Errors
/// What `out` fails with.
pub fn markdown(diff: &Diff<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "### MCP conformance: {}", diff.totals())?;
    for (kind, title) in [
        (Kind::Worse, "Worse"),
        (Kind::Better, "Better"),
        (Kind::New, "New"),
        (Kind::Gone, "No longer seen"),
    ] {
        changes(diff, kind, title, out)?;
    }
    Ok(())
}

fn changes(diff: &Diff<'_>, kind: Kind, title: &str, out: &mut dyn Write) -> io::Result<()> {
    if diff.count(kind) == 0 {
        return Ok(());
    }
    writeln!(out, "\n#### {title}")?;
    let mut spoken = diff.spoken.iter().filter(|spoken| spoken.kind() == kind);
    if let Some(first) = spoken.next() {
        writeln!(out, "\n- {}", sentence(*first))?;
    }
    for spoken in spoken {
        writeln!(out, "- {}", sentence(*spoken))?;
    }
    let (groups, quiet) = Group::all(diff, kind);
    if !groups.is_empty() {
        writeln!(
            out,
            "\n| case | revision | transport | was | is | why |\n|---|---|---|---|---|---|"
        )?;
    }
    for group in &groups {
        let result = group.first.result;
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            code(&result.case),
            group.revisions(),
            result.transport,
            word(group.first.old),
            word(group.first.new),
            group.message().map_or_else(String::new, code)
        )?;
    }
    if quiet > 0 {
        writeln!(out, "\n{}", more(quiet, !groups.is_empty()))?;
    }
    Ok(())
}

/// Text of whatever origin, as code in a table. In an element, with its punctuation as character
/// references, it is no markup, no name that is notified, and not the end of the cell: fences of
/// backticks do not hold back a `|` behind a backslash.
fn code(text: &str) -> String {
    let mut html = "<code>".to_owned();
    for letter in escaped(text).chars() {
        if "&<>|`*_[]\\~@#$".contains(letter) {
            html += &format!("&#{};", letter as u32);
        } else {
            html.push(letter);
        }
    }
    html + "</code>"
}

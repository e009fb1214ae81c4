//! What was sent, what came back, and two values side by side, with the offending part marked.

use std::{io, ops::Range, time::Duration};

use similar::{ChangeTag, TextDiff};

use super::{Out, markup::text};
use crate::{
    report::{
        excerpt::{Piece, clamped, difference, picked, pieces, shortened, without_line_feed},
        text::counted,
    },
    tape::{Excerpt, Stream},
};

/// More letters than that are shown in part …
const LONG: usize = 800;
/// … so many in front of the offending part, and the rest behind it.
const BEFORE: usize = 200;
/// So many unchanged lines stand around each change of a comparison.
const CONTEXT: usize = 3;

/// Writes what was said, the offending and the latest messages first of all.
pub(super) fn exchange(out: Out<'_>, exchange: &[&Excerpt]) -> io::Result<()> {
    let picked = picked(exchange);
    writeln!(out, "<ol class=\"talk\">")?;
    let mut next = 0;
    for &at in &picked {
        elided(out, at - next)?;
        said(out, exchange[at])?;
        next = at + 1;
    }
    elided(out, exchange.len() - next)?;
    writeln!(out, "</ol>")?;
    if picked.len() == exchange.len() {
        return Ok(());
    }
    writeln!(
        out,
        "<details class=\"more\"><summary>All {} messages around it</summary>\n<ol class=\"talk\">",
        exchange.len()
    )?;
    for excerpt in exchange {
        said(out, excerpt)?;
    }
    writeln!(out, "</ol>\n</details>")
}

fn elided(out: Out<'_>, count: usize) -> io::Result<()> {
    match count {
        0 => Ok(()),
        count => writeln!(out, "<li class=\"quiet\">… {count} more</li>"),
    }
}

fn said(out: Out<'_>, excerpt: &Excerpt) -> io::Result<()> {
    let (class, sign, who) = match excerpt.stream {
        Stream::Stdin | Stream::Request => ("sent", "→", "to the server"),
        Stream::Stdout | Stream::Response => ("came", "←", "from the server"),
        Stream::Stderr => ("logged", "!", "stderr"),
    };
    let marks: Vec<_> = excerpt
        .mark
        .iter()
        .map(|mark| clamped(mark, excerpt.text.len()))
        .collect();
    let (bytes, len) = without_line_feed(excerpt, &marks);
    writeln!(
        out,
        "<li class=\"{class}\">\n<p class=\"who\"><span aria-hidden=\"true\">{sign}</span> {who} \
         <span class=\"quiet\">at {}, {}</span></p>",
        seconds(excerpt.at),
        counted(excerpt.len as usize, "byte", "bytes")
    )?;
    shown(out, bytes, len, &marks)?;
    writeln!(out, "</li>")
}

fn seconds(at: Duration) -> String {
    format!("{:.3} s", at.as_secs_f64())
}

/// Writes a text, of which `len` bytes were said; of a long one first what stands around the
/// offending part.
fn shown(out: Out<'_>, bytes: &[u8], len: u64, marks: &[Range<usize>]) -> io::Result<()> {
    let pieces = pieces(bytes);
    let cut = (bytes.len() as u64) < len;
    if pieces.is_empty() {
        return writeln!(out, "<p class=\"quiet\">(an empty line)</p>");
    }
    if pieces.len() <= LONG {
        let end = if cut { " …" } else { "" };
        return writeln!(
            out,
            "<pre><code>{}{end}</code></pre>",
            marked(&pieces, marks)
        );
    }
    let first = marks.first().map_or(0, |mark| {
        let at = pieces.iter().position(|piece| piece.at.end > mark.start);
        at.unwrap_or(pieces.len()).saturating_sub(BEFORE)
    });
    let last = (first + LONG).min(pieces.len());
    let ahead = if first > 0 { "… " } else { "" };
    let behind = if cut || last < pieces.len() {
        " …"
    } else {
        ""
    };
    writeln!(
        out,
        "<pre><code>{ahead}{}{behind}</code></pre>",
        marked(&pieces[first..last], marks)
    )?;
    let all = if cut {
        format!("The first {} of {len} bytes", bytes.len())
    } else {
        format!("All {len} bytes")
    };
    let end = if cut { " …" } else { "" };
    writeln!(
        out,
        "<details class=\"more\"><summary>{all}</summary>\n<pre><code>{}{end}</code></pre></details>",
        marked(&pieces, marks)
    )
}

/// How a letter is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Manner {
    offending: bool,
    escaped: bool,
    /// Whether a mark without any length stands in front of it.
    pointed: bool,
}

impl Manner {
    fn of(piece: &Piece, marks: &[Range<usize>]) -> Manner {
        let within = |mark: &Range<usize>| piece.at.start < mark.end && mark.start < piece.at.end;
        let pointed = |mark: &Range<usize>| mark.is_empty() && mark.start == piece.at.start;
        Manner {
            offending: marks.iter().any(within),
            escaped: piece.shown.len() > 1 && piece.shown.starts_with('\\'),
            pointed: marks.iter().any(pointed),
        }
    }
}

/// The letters with the offending ones marked, unless all are: a mark of everything points at
/// nothing. Escapes of ours look other than a backslash of the server's.
fn marked(pieces: &[Piece], marks: &[Range<usize>]) -> String {
    let manners: Vec<Manner> = pieces
        .iter()
        .map(|piece| Manner::of(piece, marks))
        .collect();
    let whole = manners.iter().all(|manner| manner.offending);
    let mut html = String::new();
    let mut from = 0;
    let mut inside = false;
    for run in
        manners.chunk_by(|a, b| !b.pointed && (a.offending, a.escaped) == (b.offending, b.escaped))
    {
        let manner = run[0];
        let offending = manner.offending && !whole;
        if inside && !offending {
            html.push_str("</mark>");
        }
        if manner.pointed {
            html.push_str(GAP);
        }
        if offending && !inside {
            html.push_str("<mark>");
        }
        inside = offending;
        let letters: String = pieces[from..from + run.len()]
            .iter()
            .map(|piece| piece.shown.as_str())
            .collect();
        let letters = text(&letters);
        html += &if manner.escaped {
            format!("<i>{letters}</i>")
        } else {
            letters.to_string()
        };
        from += run.len();
    }
    if inside {
        html.push_str("</mark>");
    }
    let end = pieces.last().map_or(0, |piece| piece.at.end);
    if marks
        .iter()
        .any(|mark| mark.is_empty() && mark.start == end)
    {
        html.push_str(GAP);
    }
    html
}

/// Stands where something is missing.
const GAP: &str = "<mark class=\"gap\">‸</mark>";

/// Writes what was expected beside what came.
pub(super) fn comparison(out: Out<'_>, expected: &str, actual: &str) -> io::Result<()> {
    let (expected_len, actual_len) = (expected.len() as u64, actual.len() as u64);
    let (expected, actual) = (shortened(expected), shortened(actual));
    if expected.contains('\n') || actual.contains('\n') {
        return by_lines(out, expected, actual);
    }
    writeln!(out, "<dl class=\"compared\">")?;
    writeln!(out, "<div class=\"expected\"><dt>Expected</dt><dd>")?;
    shown(out, expected.as_bytes(), expected_len, &[])?;
    writeln!(
        out,
        "</dd></div>\n<div class=\"actual\"><dt>Actual</dt><dd>"
    )?;
    let marks = difference(expected, actual);
    shown(out, actual.as_bytes(), actual_len, &marks)?;
    writeln!(out, "</dd></div>\n</dl>")
}

fn by_lines(out: Out<'_>, expected: &str, actual: &str) -> io::Result<()> {
    let diff = TextDiff::configure()
        .timeout(Duration::from_millis(200))
        .diff_lines(expected, actual);
    writeln!(
        out,
        "<p class=\"who\">Compared: <del>- expected</del> <ins>+ actual</ins></p>"
    )?;
    write!(out, "<pre class=\"diff\"><code>")?;
    for (number, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            writeln!(out, "  …")?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = change.value();
            let line = text(line.strip_suffix('\n').unwrap_or(line));
            match change.tag() {
                ChangeTag::Equal => writeln!(out, "  {line}")?,
                ChangeTag::Delete => writeln!(out, "<del>- {line}</del>")?,
                ChangeTag::Insert => writeln!(out, "<ins>+ {line}</ins>")?,
            }
        }
    }
    writeln!(out, "</code></pre>")
}

//! What was sent, what came back, and two values side by side, with the offending part marked.

use std::{io, ops::Range, time::Duration};

use similar::{Algorithm, ChangeTag, TextDiff};

use super::text::{Page, Tone, columns};
use crate::tape::{Excerpt, Foreign, Stream, escaped};

/// So many excerpts are shown of one finding …
const EXCERPTS: usize = 8;
/// … each on so many lines …
const ROWS: usize = 3;
/// … and so many lines of a comparison, with so many around each change.
const DIFF_LINES: usize = 24;
const DIFF_CONTEXT: usize = 2;
/// So much of a compared value is looked at.
const DIFF_BYTES: usize = 8 * 1024;

/// A letter, or what is printed in its place.
pub(super) struct Piece {
    pub(super) shown: String,
    /// Where it stands in the bytes.
    pub(super) at: Range<usize>,
    columns: usize,
}

pub(super) fn pieces(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |bytes: &[u8]| {
        let shown = Foreign(bytes).to_string();
        pieces.push(Piece {
            columns: columns(&shown),
            shown,
            at: at..at + bytes.len(),
        });
        at += bytes.len();
    };
    for chunk in bytes.utf8_chunks() {
        let mut buffer = [0; 4];
        for letter in chunk.valid().chars() {
            push(letter.encode_utf8(&mut buffer).as_bytes());
        }
        for byte in chunk.invalid() {
            push(&[*byte]);
        }
    }
    pieces
}

/// A text that is shown in part, with a sign in front of it.
struct Shown<'a> {
    sign: String,
    sign_columns: usize,
    indent: usize,
    bytes: &'a [u8],
    /// How many bytes there were.
    len: u64,
    marks: &'a [Range<usize>],
}

impl Shown<'_> {
    fn is_marked(&self, piece: &Piece) -> bool {
        self.marks
            .iter()
            .any(|mark| piece.at.start < mark.end && mark.start < piece.at.end)
    }

    /// Whether a mark without any length stands in front of the byte.
    fn points_at(&self, byte: usize) -> bool {
        self.marks
            .iter()
            .any(|mark| mark.is_empty() && mark.start == byte)
    }

    fn write(&self, page: &mut Page<'_>) -> io::Result<()> {
        let room = page
            .look
            .width
            .saturating_sub(self.indent + self.sign_columns)
            .max(20);
        let pieces = pieces(self.bytes);
        // A mark of everything points at nothing.
        let whole = pieces.iter().all(|piece| self.is_marked(piece));
        let from = self.first(&pieces, room);
        let ahead = if from > 0 { "… " } else { "" };
        let mut rows = rows(&pieces[from..], room, columns(ahead));
        let cut = rows.len() > ROWS || (self.bytes.len() as u64) < self.len;
        rows.truncate(ROWS);
        let behind = if cut {
            format!(" … ({} bytes)", self.len)
        } else {
            String::new()
        };
        if let Some(row) = rows.last_mut() {
            let room = room.saturating_sub(columns(&behind));
            while row.len() > 1 && row.iter().map(|piece| piece.columns).sum::<usize>() > room {
                *row = &row[..row.len() - 1];
            }
        }

        let mut sign = self.sign.as_str();
        let last = rows.len().saturating_sub(1);
        for (number, row) in rows.iter().enumerate() {
            let mut text = String::new();
            let mut carets = String::new();
            if number == 0 {
                text.push_str(ahead);
                carets.push_str(&" ".repeat(columns(ahead)));
            }
            for run in row.chunk_by(|a, b| self.is_marked(a) == self.is_marked(b)) {
                let marked = self.is_marked(&run[0]);
                let shown: String = run.iter().map(|piece| piece.shown.as_str()).collect();
                text.push_str(&if marked {
                    page.paint(Tone::Offending, shown)
                } else {
                    shown
                });
                for piece in run {
                    let points = marked || self.points_at(piece.at.start);
                    let caret = if points { "^" } else { " " };
                    let times = if marked {
                        piece.columns
                    } else {
                        piece.columns.min(1)
                    };
                    carets.push_str(&caret.repeat(times));
                    carets.push_str(&" ".repeat(piece.columns - times));
                }
            }
            if number == last {
                if !cut && self.points_at(self.bytes.len()) {
                    carets.push('^');
                }
                if cut {
                    text.push_str(&page.paint(Tone::Faint, &behind));
                }
            }
            let (indent, width) = (self.indent, self.sign_columns);
            page.line(format_args!("{:indent$}{sign:width$}{text}", ""))?;
            sign = "";
            let carets = carets.trim_end();
            if !whole && !carets.is_empty() {
                let carets = page.paint(Tone::Bad, carets);
                page.line(format_args!("{:indent$}{:width$}{carets}", "", ""))?;
            }
        }
        if rows.is_empty() {
            let nothing = page.paint(Tone::Faint, "(an empty line)");
            page.line(format_args!(
                "{:indent$}{sign}{nothing}",
                "",
                indent = self.indent
            ))?;
        }
        Ok(())
    }

    /// The piece to begin with, so that the first mark is in sight.
    fn first(&self, pieces: &[Piece], room: usize) -> usize {
        let Some(mark) = self.marks.first() else {
            return 0;
        };
        let marked = pieces
            .iter()
            .position(|piece| piece.at.end > mark.start)
            .unwrap_or(pieces.len());
        let before: usize = pieces[..marked].iter().map(|piece| piece.columns).sum();
        if before + room / 2 < room * (ROWS - 1) {
            return 0;
        }
        // One row in front of the mark says where it stands.
        let mut left = room - room / 4;
        let mut first = marked;
        while first > 0 && pieces[first - 1].columns <= left {
            left -= pieces[first - 1].columns;
            first -= 1;
        }
        first
    }
}

/// The pieces in rows of `room` columns, of which `taken` are taken in the first.
fn rows(pieces: &[Piece], room: usize, taken: usize) -> Vec<&[Piece]> {
    let mut rows = Vec::new();
    let (mut from, mut used) = (0, taken);
    for (at, piece) in pieces.iter().enumerate() {
        if used + piece.columns > room && at > from {
            rows.push(&pieces[from..at]);
            (from, used) = (at, 0);
        }
        used += piece.columns;
    }
    if from < pieces.len() {
        rows.push(&pieces[from..]);
    }
    rows
}

/// Writes what was sent (`→`), what came back (`←`), and what stood on stderr (`!`).
pub(super) fn exchange(
    page: &mut Page<'_>,
    indent: usize,
    exchange: &[&Excerpt],
) -> io::Result<()> {
    let picked = picked(exchange);
    let mut next = 0;
    for &at in &picked {
        elided(page, indent, at - next)?;
        next = at + 1;
        let excerpt = exchange[at];
        let marks: Vec<_> = excerpt
            .mark
            .iter()
            .map(|mark| clamped(mark, excerpt.text.len()))
            .collect();
        let (sign, tone) = match excerpt.stream {
            Stream::Stdin | Stream::Request => ("→ ", Tone::Minor),
            Stream::Stdout | Stream::Response => ("← ", Tone::Good),
            Stream::Stderr => ("! ", Tone::Wary),
        };
        let (bytes, len) = without_line_feed(excerpt, &marks);
        Shown {
            sign: page.paint(tone, sign),
            sign_columns: 2,
            indent,
            bytes,
            len,
            marks: &marks,
        }
        .write(page)?;
    }
    elided(page, indent, exchange.len() - next)
}

/// Which excerpts are shown: the marked ones, then the latest, the first of all among them.
pub(super) fn picked(exchange: &[&Excerpt]) -> Vec<usize> {
    let mut picked: Vec<usize> = (0..exchange.len())
        .filter(|at| exchange[*at].mark.is_some())
        .collect();
    picked.truncate(EXCERPTS);
    for at in [0].into_iter().chain((0..exchange.len()).rev()) {
        if picked.len() < EXCERPTS && at < exchange.len() && !picked.contains(&at) {
            picked.push(at);
        }
    }
    picked.sort_unstable();
    picked
}

fn elided(page: &mut Page<'_>, indent: usize, count: usize) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let text = page.paint(Tone::Faint, format_args!("… {count} more"));
    page.line(format_args!("{:indent$}{text}", ""))
}

/// The line feed that ends a message goes without saying, unless it is what is wrong.
pub(super) fn without_line_feed<'a>(
    excerpt: &'a Excerpt,
    marks: &[Range<usize>],
) -> (&'a [u8], u64) {
    let text = &*excerpt.text;
    match text.strip_suffix(b"\n") {
        Some(bare)
            if excerpt.len == text.len() as u64
                && !bare.is_empty()
                && marks.iter().all(|mark| mark.end <= bare.len()) =>
        {
            (bare, bare.len() as u64)
        }
        _ => (text, excerpt.len),
    }
}

pub(super) fn clamped(mark: &Range<usize>, len: usize) -> Range<usize> {
    let start = mark.start.min(len);
    start..mark.end.clamp(start, len)
}

/// Writes what was expected beside what came.
pub(super) fn comparison(
    page: &mut Page<'_>,
    indent: usize,
    expected: &str,
    actual: &str,
) -> io::Result<()> {
    let (expected_len, actual_len) = (expected.len() as u64, actual.len() as u64);
    let (expected, actual) = (shortened(expected), shortened(actual));
    if expected.contains('\n') || actual.contains('\n') {
        return by_lines(page, indent, expected, actual);
    }
    let marks = difference(expected, actual);
    let sides = [
        (Tone::Good, "- expected  ", expected, expected_len, &[][..]),
        (Tone::Bad, "+ actual    ", actual, actual_len, &marks),
    ];
    for (tone, sign, text, len, marks) in sides {
        let sign_columns = columns(sign);
        let sign = page.paint(tone, sign);
        Shown {
            sign,
            sign_columns,
            indent,
            bytes: text.as_bytes(),
            len,
            marks,
        }
        .write(page)?;
    }
    Ok(())
}

pub(super) fn shortened(text: &str) -> &str {
    let mut end = text.len().min(DIFF_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Where `actual` differs; nothing where little is alike, since then letters match by chance.
pub(super) fn difference(expected: &str, actual: &str) -> Vec<Range<usize>> {
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(Duration::from_millis(200))
        .diff_chars(expected, actual);
    if diff.ratio() < 0.5 {
        return Vec::new();
    }
    let mut marks: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for change in diff.iter_all_changes() {
        let len = change.value().len();
        match change.tag() {
            ChangeTag::Equal => at += len,
            ChangeTag::Insert => {
                match marks.last_mut() {
                    Some(last) if last.end == at => last.end += len,
                    _ => marks.push(at..at + len),
                }
                at += len;
            }
            // Something is missing here: points between two letters.
            ChangeTag::Delete if marks.last().is_none_or(|last| last.end != at) => {
                marks.push(at..at)
            }
            ChangeTag::Delete => {}
        }
    }
    marks
}

fn by_lines(page: &mut Page<'_>, indent: usize, expected: &str, actual: &str) -> io::Result<()> {
    let diff = TextDiff::configure()
        .timeout(Duration::from_millis(200))
        .diff_lines(expected, actual);
    let legend = format!(
        "{}, {}",
        page.paint(Tone::Good, "- expected"),
        page.paint(Tone::Bad, "+ actual")
    );
    page.line(format_args!("{:indent$}{legend}", ""))?;
    let groups = diff.grouped_ops(DIFF_CONTEXT);
    let changes: Vec<_> = groups
        .iter()
        .flatten()
        .flat_map(|op| diff.iter_changes(op))
        .collect();
    for change in changes.iter().take(DIFF_LINES) {
        let (sign, tone) = match change.tag() {
            ChangeTag::Equal => (" ", Tone::Faint),
            ChangeTag::Delete => ("-", Tone::Good),
            ChangeTag::Insert => ("+", Tone::Bad),
        };
        let value = change.value();
        let text = escaped(value.strip_suffix('\n').unwrap_or(value));
        let room = page.look.width.saturating_sub(indent + 2);
        let line = page.paint(
            tone,
            format_args!("{sign} {}", super::text::cut(&text, room)),
        );
        page.line(format_args!("{:indent$}{line}", ""))?;
    }
    elided(page, indent, changes.len().saturating_sub(DIFF_LINES))
}

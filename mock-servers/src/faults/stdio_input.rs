//! Faults in how standard input is read.

use crate::fault::{Bend, Fault, Stdin};
use crate::message::parse;

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "stdin-decoded-as-latin1",
        violates: "stdio/input-utf8",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(|lines| {
            lines.iter_mut().for_each(mistake_for_latin1);
        })),
    },
    Fault {
        name: "splits-on-unicode-separators",
        violates: "stdio/input-unicode-separators",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(|lines| {
            *lines = lines.iter().flat_map(|line| split(line)).collect();
        })),
    },
    Fault {
        name: "no-unicode-unescape",
        violates: "stdio/input-unicode-escapes",
        drags: &[(
            "jsonrpc/id-unicode",
            "a quote or a control character in an id can only be written with an escape",
        )],
        bend: Bend::Stdin(Stdin::Lines(|lines| {
            for line in lines {
                *line = keep_unicode_escapes(line);
            }
        })),
    },
    Fault {
        name: "stdin-64k-limit",
        violates: "stdio/large-input",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(|lines| {
            const LIMIT: usize = 64 * 1024;
            lines.retain(|line| line.len() <= LIMIT);
        })),
    },
    Fault {
        name: "assumes-one-read-per-message",
        violates: "stdio/split-input",
        drags: &[],
        bend: Bend::Stdin(Stdin::Buffer(end_at_read)),
    },
    Fault {
        name: "drops-coalesced-messages",
        violates: "stdio/coalesced-input",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(drop_last_of_five_pings)),
    },
    Fault {
        name: "rejects-crlf",
        violates: "stdio/crlf-input",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(|lines| {
            // Only messages: a line that is none keeps its parse error.
            lines.retain(|line| !(line.ends_with(b"\r") && is_json(line)));
        })),
    },
    Fault {
        name: "rejects-json-whitespace",
        violates: "stdio/json-whitespace-input",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(|lines| {
            lines.retain(|line| !(has_insignificant_blanks(line) && is_json(line)));
        })),
    },
    Fault {
        name: "drops-concurrent-request",
        violates: "stdio/concurrent-requests",
        drags: &[],
        bend: Bend::Stdin(Stdin::Lines(drop_last_of_twenty)),
    },
];

fn is_json(line: &[u8]) -> bool {
    parse(line).is_ok()
}

/// Decodes a line as Latin-1, where a guess at the encoding goes wrong: on lines with much
/// beyond ASCII. A character or two, with which other clauses are judged, survives.
pub(super) fn mistake_for_latin1(line: &mut Vec<u8>) {
    const MUCH: usize = 12;
    if line.iter().filter(|byte| !byte.is_ascii()).count() > MUCH {
        *line = line
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into_bytes();
    }
}

fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let separators = ["\u{2028}", "\u{2029}", "\u{85}"].map(str::as_bytes);
    let mut pieces = vec![Vec::new()];
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        if let Some(separator) = separators.iter().find(|s| rest.starts_with(s)) {
            pieces.push(Vec::new());
            rest = &rest[separator.len()..];
        } else {
            if let Some(piece) = pieces.last_mut() {
                piece.push(*byte);
            }
            rest = after;
        }
    }
    pieces
}

/// Makes `\\u0041` out of `\u0041`, so that it is read as the six characters that it is.
fn keep_unicode_escapes(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(byte);
        if byte == b'\\'
            && let Some(escaped) = bytes.next()
        {
            if escaped == b'u' {
                out.push(b'\\');
            }
            out.push(escaped);
        }
    }
    out
}

/// Takes what a read left behind the last LF for a whole message, and drops it as the
/// fragment that it is.
fn end_at_read(pending: &mut Vec<u8>) {
    /// Long messages come in several reads however they are written; they are another
    /// clause's business.
    const LONG: usize = 4 * 1024;
    let start = pending
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |last| last + 1);
    let tail = &pending[start..];
    if tail.is_empty() || tail.len() >= LONG {
        return;
    }
    if is_json(tail) {
        pending.push(b'\n');
    } else {
        pending.truncate(start);
    }
}

/// Drops the last ping of five that came in one read.
fn drop_last_of_five_pings(lines: &mut Vec<Vec<u8>>) {
    let requests = requests(lines);
    if let [_, _, _, _, (last, _)] = requests[..]
        && requests.iter().all(|(_, method)| method == "ping")
    {
        lines.remove(last);
    }
}

/// Drops the last request of twenty that came in one read, with no call of a tool among them; a
/// larger crowd is served, since other clauses look at what becomes of that.
fn drop_last_of_twenty(lines: &mut Vec<Vec<u8>>) {
    const CROWD: usize = 20;
    let requests = requests(lines);
    if let (CROWD, Some((last, _))) = (requests.len(), requests.last())
        && requests.iter().all(|(_, method)| method != "tools/call")
    {
        lines.remove(*last);
    }
}

/// The positions and methods of the lines that are requests.
fn requests(lines: &[Vec<u8>]) -> Vec<(usize, String)> {
    let request = |line: &[u8]| {
        let message = parse(line).ok()?;
        message.get("id")?;
        Some(message.get("method")?.as_str()?.to_owned())
    };
    lines
        .iter()
        .enumerate()
        .filter_map(|(position, line)| Some((position, request(line)?)))
        .collect()
}

/// Whether a blank or a tab stands in front of a message or between its tokens. What
/// stands behind it, as in CR LF, does not count.
fn has_insignificant_blanks(line: &[u8]) -> bool {
    let mut in_string = false;
    let mut bytes = line.trim_ascii_end().iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b' ' | b'\t' if !in_string => return true,
            _ => {}
        }
    }
    false
}

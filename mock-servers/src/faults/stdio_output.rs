//! Faults in what is written to standard output and standard error.

use serde_json::Value;

use crate::fault::{Bend, Fault, Sheet, Stdin, Stdout};

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "stdout-log-line",
        violates: "stdio/stdout-only-messages",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            if is_unknown_method(message) {
                line.splice(..0, *b"WARN no handler for this method\n");
            }
        })),
    },
    Fault {
        name: "stdout-banner",
        violates: "stdio/stdout-no-preamble",
        drags: &[],
        bend: Bend::Stdout(Stdout::Opening(b"Reference server, at your service\n")),
    },
    Fault {
        name: "stdout-farewell",
        violates: "stdio/stdout-clean-at-shutdown",
        drags: &[],
        bend: Bend::Stdout(Stdout::Closing(b"Input has ended, shutting down\n")),
    },
    Fault {
        name: "stdout-json-log",
        violates: "stdio/stdout-json-is-jsonrpc",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            if is_handshake(message) {
                line.extend_from_slice(b"{\"level\":\"info\",\"msg\":\"ready\"}\n");
            }
        })),
    },
    Fault {
        name: "stdout-bom",
        violates: "stdio/stdout-no-bom",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            if is_handshake(message) {
                line.splice(..0, *b"\xef\xbb\xbf");
            }
        })),
    },
    Fault {
        name: "stdout-ansi",
        violates: "stdio/stdout-no-ansi",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            if is_handshake(message) {
                line.splice(..0, *b"\x1b[32m");
                line.pop();
                line.extend_from_slice(b"\x1b[0m\n");
            }
        })),
    },
    Fault {
        name: "stdout-blank-lines",
        violates: "stdio/stdout-no-blank-lines",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            if is_handshake(message) {
                line.push(b'\n');
            }
        })),
    },
    Fault {
        name: "lsp-framing",
        violates: "stdio/newline-delimited",
        drags: &[],
        bend: Bend::Streams(
            Stdin::Buffer(unframe),
            Stdout::Line(|_, line| {
                line.pop();
                let header = format!("Content-Length: {}\r\n\r\n", line.len());
                line.splice(..0, header.into_bytes());
            }),
        ),
    },
    Fault {
        name: "glued-messages",
        violates: "stdio/one-message-per-line",
        drags: &[],
        bend: Bend::Stdout(Stdout::Write(glue)),
    },
    Fault {
        name: "pretty-printed-json",
        violates: "stdio/no-embedded-newlines",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            if is_handshake(message) {
                *line = format!("{message:#}\n").into_bytes();
            }
        })),
    },
    Fault {
        name: "unescaped-newline-in-string",
        violates: "stdio/newline-in-string-escaped",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            // Only where an id brought the line break in: what the server says of itself
            // would spread the fault over other clauses' answers.
            if has_line_break(&message["id"]) {
                *line = unescape_line_feeds(line);
            }
        })),
    },
    Fault {
        name: "missing-newline",
        violates: "stdio/newline-after-each-message",
        drags: &[],
        bend: Bend::Stdout(Stdout::Write(|sheet| {
            for (position, line) in sheet.writes.iter_mut().enumerate() {
                line.pop();
                // In front of the very first message it would make a blank line.
                if !(sheet.first && position == 0) {
                    line.insert(0, b'\n');
                }
            }
        })),
    },
    Fault {
        name: "stdout-unflushed",
        violates: "stdio/flushed-promptly",
        drags: &[],
        bend: Bend::Stdout(Stdout::Held),
    },
    Fault {
        name: "interleaved-writes",
        violates: "stdio/atomic-writes",
        drags: &[],
        bend: Bend::Stdout(Stdout::Write(tear)),
    },
    Fault {
        name: "stdout-latin1",
        violates: "stdio/stdout-utf8",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|message, line| {
            // 2024-11-05 does not say how messages are encoded.
            if is_handshake(message) && message["result"]["protocolVersion"] != "2024-11-05" {
                *line = latin1(&String::from_utf8_lossy(line));
            }
        })),
    },
    Fault {
        name: "stdout-truncated-64k",
        violates: "stdio/large-output",
        drags: &[],
        bend: Bend::Stdout(Stdout::Line(|_, line| {
            const KEPT: usize = 64 * 1024;
            if line.len() > KEPT {
                line.truncate(KEPT - 1);
                line.push(b'\n');
            }
        })),
    },
    Fault {
        name: "responds-on-stderr",
        violates: "stdio/responses-on-stdout",
        drags: &[],
        bend: Bend::Stdout(Stdout::ResponsesOnStderr),
    },
    Fault {
        name: "stderr-latin1",
        violates: "stdio/stderr-utf8",
        drags: &[],
        bend: Bend::Stderr(b"pr\xeat \xe0 servir\n"),
    },
];

/// Whether a message is the answer that every session begins with.
fn is_handshake(message: &Value) -> bool {
    message["result"]["protocolVersion"].is_string()
}

fn is_unknown_method(message: &Value) -> bool {
    message["error"]["code"] == -32601
}

fn has_line_break(id: &Value) -> bool {
    id.as_str().is_some_and(|id| id.contains('\n'))
}

/// Puts every second message on the line of the one before it.
fn glue(sheet: &mut Sheet) {
    let mut glued: Vec<Vec<u8>> = Vec::new();
    for (position, line) in std::mem::take(&mut sheet.writes).into_iter().enumerate() {
        match glued.last_mut() {
            Some(before) if position % 2 == 1 => {
                before.pop();
                before.extend(line);
            }
            _ => glued.push(line),
        }
    }
    sheet.writes = glued;
}

/// Writes the second of many messages into the midst of the first.
fn tear(sheet: &mut Sheet) {
    const MANY: usize = 30;
    if sheet.writes.len() < MANY {
        return;
    }
    let second = sheet.writes.remove(1);
    // Torn right behind the brace, both lines hold the whole word `"jsonrpc"`, by which
    // they are told from lines of text.
    let rest = sheet.writes[0].split_off(1);
    sheet.writes[0].extend(second);
    sheet.writes.insert(1, rest);
}

fn unescape_line_feeds(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, byte == b'\\') {
            (_, true) => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(escaped) => out.extend([b'\\', escaped]),
                None => out.push(b'\\'),
            },
            (byte, false) => out.push(byte),
        }
    }
    out
}

/// A text in Latin-1, as far as it goes.
pub(super) fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

/// Turns complete frames of the Language Server Protocol into lines, and leaves lines,
/// headers without a message among them, as they are.
fn unframe(pending: &mut Vec<u8>) {
    const HEADER: &[u8] = b"Content-Length: ";
    const GAP: &[u8] = b"\r\n\r\n";
    let mut start = 0;
    while start < pending.len() {
        let rest = &pending[start..];
        let frame = rest.strip_prefix(HEADER).and_then(|rest| {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let length: usize = str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
            let body = rest[digits..].strip_prefix(GAP)?.get(..length)?;
            Some((HEADER.len() + digits + GAP.len() + length, body.to_vec()))
        });
        start += match frame {
            Some((framed, body)) => {
                let length = body.len() + 1;
                pending.splice(start..start + framed, body.into_iter().chain([b'\n']));
                length
            }
            None => match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None => return,
            },
        };
    }
}

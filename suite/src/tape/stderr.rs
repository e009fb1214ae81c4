use std::collections::VecDeque;

use super::{Found, Id, Kind, Lines, Message, escaped};

/// How much of stderr's end is kept, in lines and in bytes of a line.
const STDERR_LINES: usize = 40;
const STDERR_LINE_BYTES: usize = 4 * 1024;
/// So many responses on stderr are kept.
const ANSWERS: usize = 64;

/// The end of stderr, and what of it matters to clauses.
#[derive(Default)]
pub(crate) struct Stderr {
    lines: VecDeque<Vec<u8>>,
    partial: Vec<u8>,
    pub(crate) not_utf8: Option<Vec<u8>>,
    /// Responses that stand on stderr, by id.
    pub(crate) answers: Vec<(Id, Vec<u8>)>,
    messages: Lines,
}

impl Stderr {
    /// Reads a chunk. `awaits` says of an id whether its request is unanswered; without it nobody
    /// is waiting for an answer. True if there is an answer in it.
    pub(crate) fn read(&mut self, chunk: &[u8], awaits: Option<&dyn Fn(&Id) -> bool>) -> bool {
        self.push(chunk);
        let Some(awaits) = awaits else {
            return false;
        };
        let before = self.answers.len();
        let mut responses = Vec::new();
        self.messages.push(chunk, 0, &mut |found| {
            if let Found::Message(message) = found
                && message.kind() == Kind::Response
                // A log may quote what the client has sent, with an id and nothing else.
                && (message.has_result() || message.has_error())
            {
                responses.push(message);
            }
        });
        for message in responses {
            self.answer(&message, awaits);
        }
        self.answers.len() > before
    }

    fn answer(&mut self, message: &Message, awaits: &dyn Fn(&Id) -> bool) {
        if let (Some(id), Some(text)) = (&message.id, message.text())
            && awaits(id)
            && self.answers.len() < ANSWERS
        {
            self.answers.push((id.clone(), text.to_vec()));
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        for (number, piece) in chunk.split(|byte| *byte == b'\n').enumerate() {
            if number > 0 {
                self.end_line();
            }
            let room = STDERR_LINE_BYTES.saturating_sub(self.partial.len());
            self.partial
                .extend_from_slice(&piece[..piece.len().min(room)]);
        }
    }

    pub(crate) fn end_line(&mut self) {
        let line = std::mem::take(&mut self.partial);
        if line.is_empty() {
            return;
        }
        // A line that was cut off may end within a character.
        let whole = line.len() < STDERR_LINE_BYTES;
        let bad =
            std::str::from_utf8(&line).is_err_and(|error| whole || error.error_len().is_some());
        if bad && self.not_utf8.is_none() {
            self.not_utf8 = Some(line.clone());
        }
        if self.lines.len() == STDERR_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    pub(crate) fn last_line(&self) -> Option<&[u8]> {
        self.lines.back().map(Vec::as_slice)
    }

    pub(crate) fn tail(&self) -> Vec<String> {
        self.lines.iter().map(escaped).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Stderr;

    #[test]
    fn a_log_that_quotes_the_client_answers_nothing() {
        let answers = |log: &str| Stderr::default().read(log.as_bytes(), Some(&|_| true));
        assert!(!answers("dropped {\"jsonrpc\":\"2.0\",\"id\":\"n1\"}\n"));
        assert!(!answers(
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"
        ));
        assert!(answers("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n"));
    }
}

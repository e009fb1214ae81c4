//! From messages to bytes on standard output.

use std::io::{self, Write};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::fault::{Bend, Bends, Sheet, Stdout};
use crate::revision::Revision;

enum Piece {
    Output(Vec<u8>),
    Error(Vec<u8>),
}

/// Writes on a thread of its own, so that a client that is slow to read does not keep
/// the server from reading.
pub(super) struct Output {
    bends: Bends,
    pieces: Sender<Piece>,
    thread: JoinHandle<io::Result<()>>,
    held: Vec<Vec<u8>>,
    first: bool,
}

impl Output {
    pub(super) fn new(
        mut output: impl Write + Send + 'static,
        mut errors: impl Write + Send + 'static,
        bends: Bends,
    ) -> Self {
        let (pieces, queue) = channel();
        let thread = std::thread::spawn(move || {
            for piece in queue {
                match piece {
                    Piece::Output(bytes) => {
                        output.write_all(&bytes)?;
                        output.flush()?;
                    }
                    // Nobody has to read standard error.
                    Piece::Error(bytes) => {
                        let _ = errors.write_all(&bytes).and_then(|()| errors.flush());
                    }
                }
            }
            Ok(())
        });
        Self {
            bends,
            pieces,
            thread,
            held: Vec::new(),
            first: true,
        }
    }

    /// Writes what comes before everything else; honestly nothing.
    pub(super) fn open(&mut self) {
        for bend in self.bends.iter() {
            match bend {
                Bend::Stderr(bytes) => self.hand_over(Piece::Error(bytes.to_vec())),
                Bend::Stdout(Stdout::Opening(bytes)) => {
                    self.hand_over(Piece::Output(bytes.to_vec()));
                }
                _ => {}
            }
        }
    }

    /// Writes messages that became ready together: honestly each in one write, followed
    /// by LF.
    pub(super) fn send(&mut self, revision: Option<Revision>, mut messages: Vec<Value>) {
        for bend in self.bends.stdout() {
            if let Stdout::Together(bend) = bend {
                bend(revision, &mut messages);
            }
        }
        let mut writes = Vec::new();
        for message in &messages {
            let mut line = self.bends.text(message).into_bytes();
            line.push(b'\n');
            for bend in self.bends.stdout() {
                if let Stdout::Line(bend) = bend {
                    bend(message, &mut line);
                }
            }
            let is_response = message.get("method").is_none();
            if is_response && self.has(|bend| matches!(bend, Stdout::ResponsesOnStderr)) {
                self.hand_over(Piece::Error(line));
            } else {
                writes.push(line);
            }
        }
        if writes.is_empty() {
            return;
        }
        let first = std::mem::replace(&mut self.first, false);
        let mut sheet = Sheet { writes, first };
        for bend in self.bends.stdout() {
            if let Stdout::Write(bend) = bend {
                bend(&mut sheet);
            }
        }
        if self.has(|bend| matches!(bend, Stdout::Held)) {
            self.held.append(&mut sheet.writes);
        }
        for bytes in sheet.writes {
            self.hand_over(Piece::Output(bytes));
        }
    }

    /// Writes what is left, and waits until everything is out.
    pub(super) fn close(mut self) -> io::Result<()> {
        for bytes in std::mem::take(&mut self.held) {
            self.hand_over(Piece::Output(bytes));
        }
        for bend in self.bends.stdout() {
            if let Stdout::Closing(bytes) = bend {
                self.hand_over(Piece::Output(bytes.to_vec()));
            }
        }
        drop(self.pieces);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))
    }

    fn has(&self, wanted: fn(Stdout) -> bool) -> bool {
        self.bends.stdout().any(wanted)
    }

    /// A thread that has failed to write has left its reason for [`Self::close`].
    fn hand_over(&self, piece: Piece) {
        let _ = self.pieces.send(piece);
    }
}

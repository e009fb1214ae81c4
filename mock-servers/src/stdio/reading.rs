//! From reads to lines.

use std::io::Read;

use tokio::sync::mpsc;

use crate::fault::{Bends, Stdin};

/// As much as a pipe holds on Linux, so that what was written at once is read at once.
const READ: usize = 64 * 1024;

/// Longer lines are answered as unreadable.
const LONGEST: usize = 64 * 1024 * 1024;

/// What is kept of a line that is too long: any start of a JSON object is no JSON.
const STUB: usize = 64;

/// Reads on a thread of its own, and hands over what each read brought in.
///
/// Not tokio's standard input: that one keeps a runtime from ending while it reads.
pub(super) fn chunks(mut input: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut buffer = vec![0; READ];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    if sender.blocking_send(buffer[..length].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    receiver
}

/// Cuts what is read into lines, at LF and nowhere else.
pub(super) struct Lines {
    bends: Bends,
    pending: Vec<u8>,
    /// How much of `pending` is known to have no LF.
    searched: usize,
    /// Whether the line that is being read was given up as too long.
    skipping: bool,
}

impl Lines {
    pub(super) fn new(bends: Bends) -> Self {
        Self {
            bends,
            pending: Vec::new(),
            searched: 0,
            skipping: false,
        }
    }

    /// The lines, without their LF, that are complete after one more read.
    pub(super) fn after(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
        self.pending.extend_from_slice(chunk);
        for bend in self.bends.stdin() {
            if let Stdin::Buffer(bend) = bend {
                bend(&mut self.pending);
                self.searched = 0;
            }
        }
        let mut lines = Vec::new();
        let mut start = 0;
        while let Some(length) = self.pending[start.max(self.searched)..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let end = start.max(self.searched) + length;
            if !std::mem::take(&mut self.skipping) {
                lines.push(self.pending[start..end].to_vec());
            }
            start = end + 1;
        }
        self.pending.drain(..start);
        self.searched = self.pending.len();
        if self.pending.len() > LONGEST {
            if !std::mem::replace(&mut self.skipping, true) {
                lines.push(self.pending[..STUB].to_vec());
            }
            self.pending.clear();
            self.searched = 0;
        }
        for bend in self.bends.stdin() {
            if let Stdin::Lines(bend) = bend {
                bend(&mut lines);
            }
        }
        lines.retain(|line| !line.iter().all(u8::is_ascii_whitespace));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_any_chunking() {
        let text = b"{\"a\":1}\r\n\n{\"b\":\"\xe2\x80\xa8\"}\n \nrest";
        for size in 1..=text.len() {
            let mut lines = Lines::new(Bends::new(&[]));
            let found: Vec<_> = text.chunks(size).flat_map(|c| lines.after(c)).collect();
            let expected: [&[u8]; 2] = [b"{\"a\":1}\r", b"{\"b\":\"\xe2\x80\xa8\"}"];
            assert_eq!(found, expected, "in chunks of {size}");
            assert_eq!(lines.pending, b"rest");
        }
    }

    #[test]
    fn a_line_beyond_the_limit_costs_itself_only() {
        let mut lines = Lines::new(Bends::new(&[]));
        let chunk = vec![b'['; 16 * 1024 * 1024];
        let stubs: Vec<_> = (0..9).flat_map(|_| lines.after(&chunk)).collect();
        assert_eq!(stubs, [vec![b'['; STUB]]);
        assert_eq!(lines.after(b"tail\n{}\n"), [b"{}".to_vec()]);
    }
}

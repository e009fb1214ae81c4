use std::{rc::Rc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStderr, ChildStdout},
};

use super::{Session, peer};
use crate::tape::{Class, Event, Excerpt, Found, Id, Kind, Lines, Message, Stream};

const CHUNK: usize = 64 * 1024;
/// How much is read at a time while the server's pipe is kept full.
const SLOW_CHUNK: usize = 1024;
/// How many answers to the server's own requests may wait to be written.
const ANSWERS_LIMIT: usize = 64;
/// A longer line is no message of anyone; reading ends.
const LINE_LIMIT: u64 = 256 * 1024 * 1024;
/// Whoever writes so much before the first message will not write one; reading ends.
const NOISE_LIMIT: u64 = 64 * 1024 * 1024;

impl Session {
    /// Reads stdout to its end, judging and routing what comes.
    pub(super) async fn read_stdout(self: Rc<Self>, mut stdout: ChildStdout) {
        let mut chunk = vec![0; CHUNK];
        let mut total = 0;
        loop {
            let slow = self.state.borrow().slow;
            if let Some(pause) = slow {
                // The pause is the stimulus: it lets the server fill its pipe.
                tokio::time::sleep(pause).await;
                self.state.borrow_mut().slow = Some(Duration::ZERO);
            }
            let room = if slow.is_some() { SLOW_CHUNK } else { CHUNK };
            let Some(read) = read(&mut stdout, &mut chunk[..room]).await else {
                break;
            };
            self.arrived(&chunk[..read]);
            total += read as u64;
            let mut state = self.state.borrow_mut();
            if state.lines.pending_len() > LINE_LIMIT {
                state.flood = Some(format!(
                    "a line of stdout is longer than {} MiB",
                    LINE_LIMIT >> 20
                ));
                break;
            }
            if state.messages == 0 && total > NOISE_LIMIT {
                state.flood = Some(format!(
                    "{} MiB of stdout hold no message",
                    NOISE_LIMIT >> 20
                ));
                break;
            }
        }
        let cut = self.state.borrow().cut;
        self.take(|lines, in_flight, found| match cut {
            true => lines.cut(in_flight, found),
            false => lines.end(in_flight, found),
        });
        self.state.borrow_mut().ended = true;
        self.changed.notify_waiters();
    }

    /// Reads stderr to its end: a full pipe would stop the server.
    pub(super) async fn read_stderr(self: Rc<Self>, mut stderr: ChildStderr) {
        let mut chunk = vec![0; CHUNK];
        while let Some(read) = read(&mut stderr, &mut chunk).await {
            let bytes = &chunk[..read];
            if let Some(transcript) = &self.recorder.transcript {
                transcript.bytes(self.now(), self.number, Stream::Stderr, None, bytes);
            }
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            // A response to an open request may have gone to the wrong stream.
            let waiting = &state.waiting;
            let awaits = |id: &Id| waiting.contains_key(id);
            let open = !waiting.is_empty();
            if state
                .stderr
                .read(bytes, open.then_some(&awaits as &dyn Fn(&Id) -> bool))
            {
                self.changed.notify_waiters();
            }
        }
        let mut state = self.state.borrow_mut();
        state.stderr.end_line();
        state.stderr_ended = true;
        drop(state);
        self.changed.notify_waiters();
    }

    fn arrived(self: &Rc<Self>, bytes: &[u8]) {
        if let Some(transcript) = &self.recorder.transcript {
            transcript.bytes(self.now(), self.number, Stream::Stdout, None, bytes);
        }
        self.take(|lines, in_flight, found| lines.push(bytes, in_flight, found));
        self.changed.notify_waiters();
    }

    /// Lets the triage run, then deals with what it found in order.
    fn take(self: &Rc<Self>, run: impl FnOnce(&mut Lines, usize, &mut dyn FnMut(Found))) {
        let (mut lines, in_flight) = {
            let mut state = self.state.borrow_mut();
            (
                std::mem::take(&mut state.lines),
                self.observer.borrow().in_flight(),
            )
        };
        run(&mut lines, in_flight, &mut |found| match found {
            Found::Message(message) => self.on_message(message),
            Found::Line(line) => {
                self.tell(&Event::Line(&line));
                let excerpt = Excerpt::of_line(self.now(), &line);
                let mut state = self.state.borrow_mut();
                match line.class {
                    Class::Array => state.array(excerpt),
                    Class::Text | Class::Torn | Class::NotUtf8 | Class::Alien => {
                        state.damaged(line.class.clause(), excerpt);
                    }
                    _ => {}
                }
            }
        });
        self.state.borrow_mut().lines = lines;
    }

    pub(super) fn on_message(self: &Rc<Self>, message: Message) {
        self.state.borrow_mut().messages += 1;
        self.tell(&Event::Message(&message));
        if message.kind() != Kind::Response {
            let now = self.now();
            self.state.borrow_mut().overheard(&message, now);
        }
        match message.kind() {
            Kind::Response => {
                let now = self.now();
                self.state.borrow_mut().answered(message, now);
            }
            Kind::Request => {
                // A server that asks without reading gets no more than it could take.
                if self.state.borrow().answering < ANSWERS_LIMIT
                    && let Some(answer) = peer::answer(&message, &self.root, self.manner.get())
                {
                    self.state.borrow_mut().answering += 1;
                    let session = Rc::clone(self);
                    tokio::task::spawn_local(async move {
                        // A server that no longer reads shows at the next request of ours.
                        session.post(answer.to_string().as_bytes()).await.ok();
                        session.state.borrow_mut().answering -= 1;
                    });
                }
            }
            Kind::Notification => {}
        }
    }

    /// The requests that were answered on stderr and not on stdout.
    pub(crate) fn answers_on_stderr(&self) -> Vec<(Id, Vec<u8>)> {
        let state = self.state.borrow();
        let open = state
            .stderr
            .answers
            .iter()
            .filter(|(id, _)| state.awaits(id));
        open.cloned().collect()
    }
}

async fn read(from: &mut (impl AsyncRead + Unpin), chunk: &mut [u8]) -> Option<usize> {
    // An error of the pipe ends the stream like its end does.
    from.read(chunk).await.ok().filter(|read| *read > 0)
}

//! A conversation with a server: its process, what is asked and answered, and its end.

mod end;
mod handshake;
mod http;
mod ids;
mod launcher;
mod neighbours;
mod peer;
mod posting;
mod reader;
mod resume;
mod sse;
mod state;
mod wire;

use std::{
    cell::{Cell, RefCell},
    hash::{BuildHasher, RandomState},
    path::Path,
    rc::Rc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    sync::{Mutex, Notify, oneshot},
    time::{Instant, timeout},
};
use url::Url;

pub(crate) use end::{End, How};
pub(crate) use handshake::{Newline, OpenFailure, Told};
pub(crate) use http::ACCEPT;
pub(crate) use ids::SessionIds;
pub(crate) use launcher::{Launcher, Seen};
pub(crate) use neighbours::Neighbours;
pub(crate) use peer::Manner;
use posting::refusal;
pub(crate) use posting::{PostEnd, Posting, Refusal};
pub(crate) use sse::InBodies;
pub(crate) use state::{Answer, Stray};

use crate::{
    spec::Revision,
    tape::{Event, Id, Message, Stream, Transcript, escaped},
    target::{Command, LaunchError, Process},
    transport::Client,
};
use state::State;
use wire::{Http, Pipes, Wire};

/// How many limits for one answer a line may take that grows.
const GROWS: u32 = 6;

/// The limits of a run, all in time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For one answer (`--timeout`).
    pub answer: Duration,
    /// For the first answer of a server: launchers may download first.
    pub first_answer: Duration,
    /// For the end of a process after its stdin was closed, or SIGTERM sent.
    pub exit: Duration,
    /// The quiet window, where only time can tell that nothing more comes.
    pub quiet: Duration,
    /// For what a server may take very long to do, where the user allows it (`--long-wait`).
    pub long_wait: Option<Duration>,
}

impl Limits {
    /// For the head of any answer over HTTP: a backstop behind the limits of those who wait.
    pub(crate) fn head(&self) -> Duration {
        Limits::default()
            .first_answer
            .max(self.answer)
            .max(self.long_wait.unwrap_or_default())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            answer: Duration::from_secs(10),
            first_answer: Duration::from_secs(60),
            exit: Duration::from_secs(5),
            quiet: Duration::from_millis(600),
            long_wait: None,
        }
    }
}

/// Sees everything that happens in a session, as it happens.
pub(crate) trait Observer {
    fn see(&mut self, event: &Event<'_>, at: Duration);

    /// Whether nothing else of the run was open when the session was begun.
    fn leads(&self) -> bool;

    /// How many requests of the client are unanswered.
    fn in_flight(&self) -> usize;

    /// Whether verdicts come of it.
    fn judges(&self) -> bool;
}

/// The clock and the transcript that all sessions of a run share.
pub(crate) struct Recorder {
    pub(crate) start: Instant,
    pub(crate) transcript: Option<Transcript>,
    /// 32 hex digits that no other run has.
    pub(crate) nonce: String,
    /// The session ids that are in use over HTTP.
    pub(crate) ids: SessionIds,
    sessions: Cell<u32>,
    exchanges: Cell<u32>,
}

impl Recorder {
    pub(crate) fn new(start: Instant, transcript: Option<Transcript>) -> Recorder {
        // Each hasher of the standard library has keys of its own, drawn at random.
        let random = || RandomState::new().hash_one(0);
        Recorder {
            start,
            transcript,
            nonce: format!("{:016x}{:016x}", random(), random()),
            ids: SessionIds::default(),
            sessions: Cell::new(0),
            exchanges: Cell::new(0),
        }
    }

    /// The number of the next HTTP exchange.
    fn exchange(&self) -> u32 {
        self.exchanges.set(self.exchanges.get() + 1);
        self.exchanges.get()
    }

    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// How many sessions have been opened, over stdio a process each.
    pub(crate) fn sessions(&self) -> u32 {
        self.sessions.get()
    }
}

/// Why something could not be said or was not answered: the transport's side of it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Broken {
    /// The server's stdout has ended.
    #[error("the server closed its stdout{0}")]
    Ended(String),
    /// The server no longer reads.
    #[error("the server does not read its stdin: {0}")]
    NotReading(String),
    /// No answer within the limit.
    #[error("`{method}` was not answered within {} s", limit.as_secs_f32())]
    Silent {
        /// What was asked.
        method: String,
        /// The limit.
        limit: Duration,
    },
    /// An HTTP connection failed.
    #[error("{0}")]
    Cut(String),
    /// The post is refused with this HTTP status.
    #[error("`{method}` is refused with HTTP status {status}")]
    Refused {
        /// What was posted.
        method: &'static str,
        /// The status.
        status: u16,
    },
    /// The server sends without bounds.
    #[error("{0}")]
    Flood(String),
}

/// One process and what is said with it.
pub(crate) struct Session {
    /// Which session of the run this is, from 1.
    pub(crate) number: u32,
    pub(crate) revision: Revision,
    pub(crate) limits: Limits,
    recorder: Rc<Recorder>,
    observer: Rc<RefCell<dyn Observer>>,
    wire: Wire,
    state: RefCell<State>,
    changed: Notify,
    counter: Cell<u32>,
    /// When each case had its turn.
    turns: RefCell<Vec<Duration>>,
    /// Whether all its cases look at one conversation, and so have one turn.
    one_turn: Cell<bool>,
    /// Where roots are, for a server that asks.
    root: String,
    manner: Cell<Manner>,
    ending: Cell<bool>,
}

impl Session {
    /// Launches the server; nothing is said yet.
    pub(crate) fn launch(
        command: &Command,
        env: &[(&str, &str)],
        revision: Revision,
        limits: Limits,
        recorder: Rc<Recorder>,
        observer: Rc<RefCell<dyn Observer>>,
    ) -> Result<Rc<Session>, LaunchError> {
        let (process, pipes) = Process::launch(command, env)?;
        let wire = Wire::Stdio(Pipes {
            stdin: Mutex::new(Some(pipes.stdin)),
            process: Mutex::new(Some(process)),
        });
        let session = Session::new(
            wire,
            revision,
            limits,
            recorder,
            observer,
            root(command.cwd.as_deref()),
        );
        tokio::task::spawn_local(Rc::clone(&session).read_stdout(pipes.stdout));
        tokio::task::spawn_local(Rc::clone(&session).read_stderr(pipes.stderr));
        Ok(session)
    }

    /// A session over HTTP; of HTTP+SSE the stream is being opened, otherwise nothing is said yet.
    pub(crate) fn over_http(
        client: Rc<Client>,
        url: Url,
        is_stream: bool,
        revision: Revision,
        limits: Limits,
        recorder: Rc<Recorder>,
        observer: Rc<RefCell<dyn Observer>>,
    ) -> Rc<Session> {
        let http = if is_stream {
            Http::new(client, None, Some(url.clone()))
        } else {
            Http::new(client, Some(url.clone()), None)
        };
        let session = Session::new(
            Wire::Http(Box::new(http)),
            revision,
            limits,
            recorder,
            observer,
            root(None),
        );
        if is_stream {
            session.connect(url);
        }
        session
    }

    fn new(
        wire: Wire,
        revision: Revision,
        limits: Limits,
        recorder: Rc<Recorder>,
        observer: Rc<RefCell<dyn Observer>>,
        root: String,
    ) -> Rc<Session> {
        let number = recorder.sessions.get() + 1;
        recorder.sessions.set(number);
        let session = Rc::new(Session {
            number,
            revision,
            limits,
            recorder,
            observer,
            wire,
            state: RefCell::default(),
            changed: Notify::new(),
            counter: Cell::new(0),
            turns: RefCell::default(),
            one_turn: Cell::new(false),
            root,
            manner: Cell::default(),
            ending: Cell::default(),
        });
        let leads = session.observer.borrow().leads();
        let mut details = json!({ "revision": revision.as_str(), "leading": leads });
        if !session.observer.borrow().judges() {
            details["judged"] = json!(false);
        }
        session.mark("opened", details);
        session
    }

    pub(crate) fn now(&self) -> Duration {
        self.recorder.now()
    }

    fn mark(&self, name: &str, details: Value) {
        if let Some(transcript) = &self.recorder.transcript {
            transcript.event(self.now(), self.number, name, details);
        }
    }

    fn tell(&self, event: &Event<'_>) {
        self.observer.borrow_mut().see(event, self.now());
    }

    /// An id that has not been used in this session: `name-1`, `name-2` …
    pub(crate) fn fresh_id(&self, name: &str) -> String {
        let number = self.counter.get() + 1;
        self.counter.set(number);
        format!("{name}-{number}")
    }

    /// 32 hex digits that no other run has.
    pub(crate) fn nonce(&self) -> &str {
        &self.recorder.nonce
    }

    /// Announces a request, so that its answer is kept.
    pub(crate) fn expect(&self, id: Id) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.state.borrow_mut().expect(id, sender);
        receiver
    }

    /// On which stream what we say goes out.
    pub(crate) fn outward(&self) -> Stream {
        match self.wire {
            Wire::Stdio(_) => Stream::Stdin,
            Wire::Http(_) => Stream::Request,
        }
    }

    /// Sends one message; over HTTP what becomes of the post is told.
    pub(crate) async fn post(self: &Rc<Self>, text: &[u8]) -> Result<Option<Rc<Posting>>, Broken> {
        match &self.wire {
            Wire::Http(http) => self.post_over(http, text).await.map(Some),
            Wire::Stdio(_) => {
                let line = [text, b"\n"].concat();
                self.write(&[&line], Duration::ZERO).await?;
                Ok(None)
            }
        }
    }

    /// Writes bytes as they are, in pieces with a pause between them; nothing else is written
    /// in the meantime.
    pub(crate) async fn write(&self, pieces: &[&[u8]], pause: Duration) -> Result<(), Broken> {
        let Wire::Stdio(pipes) = &self.wire else {
            return Err(Broken::NotReading("it has none".to_owned()));
        };
        let mut stdin = pipes.stdin.lock().await;
        let Some(pipe) = stdin.as_mut() else {
            return Err(Broken::NotReading("it is closed".to_owned()));
        };
        let whole = pieces.concat();
        self.tell(&Event::Sent(&whole));
        for message in Message::all_of(&whole) {
            self.tell(&Event::Said(&message));
        }
        for (number, piece) in pieces.iter().enumerate() {
            if number > 0 && !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            if let Some(transcript) = &self.recorder.transcript {
                transcript.bytes(self.now(), self.number, Stream::Stdin, None, piece);
            }
            let written = timeout(self.limits.answer, async {
                pipe.write_all(piece).await?;
                pipe.flush().await
            });
            let error = match written.await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the pipe stays full".to_owned(),
            };
            // Whatever followed would begin in the middle of a line.
            *stdin = None;
            // A process that has ended shows here or as the end of stdout, whichever is first;
            // it is told in one way.
            let ended = timeout(self.limits.quiet, self.until(|state| state.ended));
            return Err(match ended.await {
                Ok(()) => self.broken(""),
                Err(_) => Broken::NotReading(error),
            });
        }
        Ok(())
    }

    /// Waits for an answer until `deadline`, or until stdout ends.
    pub(crate) async fn answer(
        &self,
        receiver: &mut oneshot::Receiver<Answer>,
        deadline: Instant,
    ) -> Option<Answer> {
        tokio::select! {
            biased;
            answer = receiver => answer.ok(),
            () = self.until(|state| state.ended) => None,
            () = tokio::time::sleep_until(deadline) => None,
        }
    }

    /// Notes how long the answer to a ping took: by that silence is told.
    pub(crate) fn note_ping(&self, sent: Duration, answer: &Answer) {
        let mut state = self.state.borrow_mut();
        // What we delay ourselves says nothing about the server.
        if state.initialized.is_some() && state.slow.is_none() {
            state.slowest = state.slowest.max(answer.at.saturating_sub(sent));
        }
    }

    /// Waits for an answer as long as the server answers at all: the limit for one answer
    /// counts from the last one that came. A server that serves one request at a time is slow
    /// with many, and not silent; nor is one in the middle of a long line, for as long as it
    /// grows and [`GROWS`] such limits.
    pub(crate) async fn answer_in_turn(
        &self,
        receiver: &mut oneshot::Receiver<Answer>,
        begin: Instant,
    ) -> Option<Answer> {
        let seen = || self.with_state(|state| (state.last_answer, state.lines.pending_len()));
        let patience = begin + self.limits.answer * GROWS;
        let mut begin = begin;
        loop {
            let (last_answer, unfinished) = seen();
            let last = last_answer.unwrap_or(begin).max(begin);
            let deadline = last + self.limits.answer;
            if let Some(answer) = self.answer(receiver, deadline).await {
                return Some(answer);
            }
            let (answered, grown) = seen();
            if grown > unfinished && deadline < patience {
                begin = deadline;
            } else if answered.is_none_or(|answer| answer <= last) {
                return None;
            }
            if self.has_ended() {
                return None;
            }
        }
    }

    /// One sentinel: `ping`, answered within the limit.
    pub(crate) async fn sentinel(self: &Rc<Self>) -> Result<Answer, Broken> {
        let id = self.fresh_id("sentinel");
        let mut answer = self.expect(Id::Text(id.clone()));
        let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
        let posting = self.post(ping.to_string().as_bytes()).await?;
        let sent = self.now();
        let answer = tokio::select! {
            biased;
            answer = self.answer_in_turn(&mut answer, Instant::now()) => answer,
            refusal = refusal(posting.as_deref()) => {
                let status = refusal.status;
                return Err(Broken::Refused { method: "ping", status });
            }
        };
        match answer {
            Some(answer) => {
                self.note_ping(sent, &answer);
                Ok(answer)
            }
            None => Err(self.broken("ping")),
        }
    }

    /// Why `method` has no answer.
    pub(crate) fn broken(&self, method: &str) -> Broken {
        let state = self.state.borrow();
        if let Some(flood) = &state.flood {
            Broken::Flood(flood.clone())
        } else if let Some(reason) = &state.closed {
            Broken::Cut(reason.clone())
        } else if state.ended {
            let last = state.stderr.last_line();
            Broken::Ended(match last {
                Some(line) => format!(" (its stderr ends with `{}`)", escaped(line)),
                None => String::new(),
            })
        } else {
            Broken::Silent {
                method: method.to_owned(),
                limit: self.limits.answer,
            }
        }
    }

    /// Waits until `ready` holds of what has been read.
    pub(crate) async fn until(&self, ready: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            if ready(&self.state.borrow()) {
                return;
            }
            changed.await;
        }
    }

    /// How long nothing has to come for it to count as silence: the quiet window, or much more
    /// than the slowest answer of this session took, and the limit for one answer at most.
    pub(crate) fn silence_window(&self) -> Duration {
        let slowest = self.state.borrow().slowest;
        (slowest * 10)
            .max(self.limits.quiet)
            .min(self.limits.answer)
    }

    /// Completes when the server is silent about what was sent at `sent`: it has answered two
    /// sentinels in turn since, and the window is over. Never if it does not answer them.
    pub(crate) async fn silence(self: &Rc<Self>, sent: Instant) {
        for _ in 0..2 {
            if self.sentinel().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        tokio::time::sleep_until(sent + self.silence_window()).await;
    }

    /// Whether stdout has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.state.borrow().ended
    }

    /// Whether we have begun to end it: then silence says nothing about the server.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.get()
    }

    /// Looks at what has been read.
    pub(crate) fn with_state<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.borrow())
    }

    /// A case has its turn from now on; which one it is.
    pub(crate) fn begin_turn(&self) -> usize {
        let mut turns = self.turns.borrow_mut();
        if turns.is_empty() || !self.one_turn.get() {
            turns.push(self.now());
        }
        turns.len() - 1
    }

    /// All cases of the session look at one conversation: what comes in it belongs to each.
    pub(crate) fn share_turn(&self) {
        self.one_turn.set(true);
    }

    /// From when to when a turn lasted.
    pub(crate) fn turn(&self, turn: usize) -> std::ops::Range<Duration> {
        let turns = self.turns.borrow();
        turns[turn]..turns.get(turn + 1).copied().unwrap_or(Duration::MAX)
    }

    /// How the client treats the server's own requests from now on.
    pub(crate) fn set_manner(&self, manner: Manner) {
        self.manner.set(manner);
    }

    /// Makes the reader wait, and then read little by little, so that the server's pipe fills up.
    pub(crate) fn read_slowly(&self, pause: Option<Duration>) {
        self.state.borrow_mut().slow = pause;
    }

    /// The `result` of `initialize`, once the handshake is done.
    pub(crate) fn initialized(&self) -> Option<Value> {
        self.state.borrow().initialized.clone()
    }

    /// Whether the server declared a capability, given as a path.
    pub(crate) fn declares(&self, path: &str) -> bool {
        let state = self.state.borrow();
        let Some(result) = &state.initialized else {
            return false;
        };
        let capability = path
            .split('.')
            .try_fold(&result["capabilities"], |value, name| value.get(name));
        capability.is_some_and(|value| !value.is_null() && *value != Value::Bool(false))
    }

    /// The answer of a good client to a request of the server.
    pub(crate) fn good_answer(&self, request: &Message) -> Option<Value> {
        peer::answer(request, &self.root, Manner::Full)
    }

    /// The last lines of stderr, escaped.
    pub(crate) fn stderr_tail(&self) -> Vec<String> {
        self.state.borrow().stderr.tail()
    }

    /// The first bytes of stdout that are no message, escaped.
    pub(crate) fn stdout_noise(&self) -> Option<String> {
        let state = self.state.borrow();
        let pending = state.lines.pending();
        let noise = state
            .damage
            .first()
            .map(|damage| &*damage.excerpt.text)
            .or(pending)?;
        Some(escaped(&noise[..noise.len().min(200)]))
    }
}

/// The URI of the folder that the server runs in.
fn root(cwd: Option<&Path>) -> String {
    let folder = cwd
        .map(Path::to_owned)
        .or_else(|| std::env::current_dir().ok())
        .unwrap_or_default();
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let encoded: String = folder
        .to_string_lossy()
        .replace('\\', "/")
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' | b':' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("file:///{}", encoded.trim_start_matches('/'))
}

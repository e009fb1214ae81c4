//! Recorded traffic, judged by the rules that live runs use, while it is read: transcripts of
//! ours, or bare JSON-RPC messages, one a line.

use std::{
    cell::RefCell,
    collections::HashMap,
    io::{BufRead, Read},
    rc::Rc,
    time::{Duration, Instant},
};

use super::{
    Judgement, Run, Selection, Spoken, Unreadable,
    judge::Findings,
    track::{Record, Track},
    verdict::Outcome,
};
use crate::{
    cases,
    spec::{Revision, Transport},
    tape::{Found, Kind, Lines, Message, TRANSCRIPT_VERSION, escaped},
};

/// A longer line of a transcript is not ours: 64 KiB are read at a time, and escapes make six of one.
const RECORD_LIMIT: u64 = 64 * 1024 * 1024;
/// How much of a file of bare messages is read at a time.
const CHUNK: usize = 256 * 1024;
/// So many lines that cannot be read are told.
const UNREADABLE: usize = 100;
/// So many sessions of a transcript are open at a time.
const SESSIONS: usize = 4096;

/// Who says bare messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The server.
    Server,
    /// The client.
    Client,
}

/// How recorded traffic is judged.
#[derive(Clone, Debug)]
pub struct Offline {
    /// The revision to judge by; none for the one that was spoken.
    pub revision: Option<Revision>,
    /// Which cases.
    pub selection: Selection,
    /// Who says bare messages; none to tell by the messages themselves.
    pub from: Option<From>,
    /// The options as a shell takes them.
    pub shell: Vec<String>,
}

/// A recording cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// It cannot be read.
    #[error("cannot read {name}")]
    Read {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// It was written by a newer version.
    #[error(
        "{name}: transcripts of version {version} are not known; this version reads version {TRANSCRIPT_VERSION}"
    )]
    Version {
        /// The file.
        name: String,
        /// The version it names.
        version: u64,
    },
    /// Files of different transports.
    #[error(
        "{name} was recorded over {other}, the file before it over {transport}; judge them one by one"
    )]
    Transports {
        /// The file.
        name: String,
        /// Its transport.
        other: &'static str,
        /// That of the others.
        transport: &'static str,
    },
    /// There is nothing in it.
    #[error("{0} holds no message")]
    Empty(String),
}

/// The rules of one revision, and what they have come to.
type Judged = Rc<RefCell<Findings>>;

struct Reading<'a> {
    options: &'a Offline,
    transport: Option<Transport>,
    findings: Vec<(Revision, Judged)>,
    unreadable: Vec<Unreadable>,
    server: Option<(String, String)>,
    /// How many sessions have been opened, over all files.
    sessions: usize,
    /// Whether all files so far hold bare messages.
    bare: bool,
}

/// Judges recorded traffic.
///
/// # Errors
/// A file that cannot be read, or holds nothing.
pub fn judge(inputs: Vec<(String, Box<dyn Read>)>, options: &Offline) -> Result<Run, OfflineError> {
    let started = jiff::Timestamp::now();
    let begin = Instant::now();
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let mut reading = Reading {
        options,
        transport: None,
        findings: Vec::new(),
        unreadable: Vec::new(),
        server: None,
        sessions: 0,
        bare: true,
    };
    for (name, input) in inputs {
        reading.file(&name, input)?;
    }
    if reading.findings.is_empty() && reading.unreadable.is_empty() {
        return Err(OfflineError::Empty(names.join(", ")));
    }
    Ok(reading.run(started.to_string(), begin.elapsed(), &names))
}

impl Reading<'_> {
    fn file(&mut self, name: &str, input: Box<dyn Read>) -> Result<(), OfflineError> {
        let mut input = std::io::BufReader::with_capacity(CHUNK, input);
        let failed = |source| OfflineError::Read {
            name: name.to_owned(),
            source,
        };
        let mut first = Vec::new();
        (&mut input)
            .take(4096)
            .read_until(b'\n', &mut first)
            .map_err(failed)?;
        let head: Option<serde_json::Value> = serde_json::from_slice(&first).ok();
        let head = head.filter(|head| head.get("transcript").is_some());
        let Some(head) = head else {
            return self.messages(name, &first, input);
        };
        let version = head["transcript"].as_u64().unwrap_or(0);
        if version != TRANSCRIPT_VERSION {
            return Err(OfflineError::Version {
                name: name.to_owned(),
                version,
            });
        }
        let transport = Transport::ALL
            .iter()
            .copied()
            .find(|transport| head["transport"] == transport.as_str())
            .unwrap_or(Transport::Stdio);
        self.over(name, transport)?;
        self.bare = false;
        self.transcript(name, input)
    }

    fn over(&mut self, name: &str, transport: Transport) -> Result<(), OfflineError> {
        let known = *self.transport.get_or_insert(transport);
        if known == transport {
            return Ok(());
        }
        Err(OfflineError::Transports {
            name: name.to_owned(),
            other: transport.as_str(),
            transport: known.as_str(),
        })
    }

    fn transcript(&mut self, name: &str, mut input: impl BufRead) -> Result<(), OfflineError> {
        let failed = |source| OfflineError::Read {
            name: name.to_owned(),
            source,
        };
        let mut tracks: HashMap<u32, Option<Track>> = HashMap::new();
        let mut line = Vec::new();
        for number in 2_usize.. {
            line.clear();
            let read = (&mut input)
                .take(RECORD_LIMIT)
                .read_until(b'\n', &mut line)
                .map_err(failed)?;
            if read == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            let record: Record = match serde_json::from_slice(&line) {
                Ok(record) => record,
                Err(error) => {
                    self.flaw(
                        name,
                        number,
                        &format!("no record of a transcript: {error}"),
                        &line,
                    );
                    continue;
                }
            };
            if let Err(reason) = self.record(&mut tracks, record) {
                self.flaw(name, number, reason, &line);
            }
        }
        // A run that was interrupted has left sessions open: nothing is known of their end.
        for track in tracks.into_values().flatten() {
            self.note_server(&track);
        }
        Ok(())
    }

    fn record(
        &mut self,
        tracks: &mut HashMap<u32, Option<Track>>,
        record: Record,
    ) -> Result<(), &'static str> {
        let session = record.session.ok_or("it has no `session`")?;
        if let Some(revision) = record.opens() {
            let revision: Revision = revision.parse().map_err(|_| "`revision` is none")?;
            if tracks.len() >= SESSIONS {
                return Err("too many sessions are open");
            }
            // A session may have been opened for a revision that is not judged over the transport.
            let transport = self.transport.unwrap_or(Transport::Stdio);
            let wanted = transport.revisions().contains(&revision)
                && self.options.revision.is_none_or(|only| only == revision);
            let judged = record.judged != Some(false) && wanted;
            let track = judged.then(|| self.track(revision));
            tracks.insert(session, track);
            return Ok(());
        }
        let Some(track) = tracks.get_mut(&session) else {
            return Err("its session was not opened");
        };
        let ends = record.ends();
        if let Some(track) = track {
            track.play(record)?;
        }
        if ends && let Some(Some(track)) = tracks.remove(&session) {
            self.note_server(&track);
        }
        Ok(())
    }

    fn track(&mut self, revision: Revision) -> Track {
        self.sessions += 1;
        let leads = !self.findings.iter().any(|(known, _)| *known == revision);
        let findings = self.findings(revision);
        let transport = self.transport.unwrap_or(Transport::Stdio);
        Track::new(self.sessions, leads, (revision, transport), findings)
    }

    fn findings(&mut self, revision: Revision) -> Judged {
        let known = self.findings.iter().find(|(known, _)| *known == revision);
        if let Some((_, findings)) = known {
            return Rc::clone(findings);
        }
        let transport = self.transport.unwrap_or(Transport::Stdio);
        let selection = &self.options.selection;
        let cases = cases::all().filter(|case| {
            case.rule.is_some()
                && case.clause.applies_in(revision, transport)
                && selection.selects(case)
        });
        let findings = Findings::new(cases);
        self.findings.push((revision, Rc::clone(&findings)));
        findings
    }

    fn note_server(&mut self, track: &Track) {
        let Some(info) = track.initialized().map(|result| &result["serverInfo"]) else {
            return;
        };
        let text = |name: &str| escaped(info[name].as_str().unwrap_or_default());
        self.server
            .get_or_insert_with(|| (text("name"), text("version")));
    }

    fn flaw(&mut self, name: &str, line: usize, reason: &str, text: &[u8]) {
        if self.unreadable.len() < UNREADABLE {
            self.unreadable.push(Unreadable {
                file: name.to_owned(),
                line,
                reason: reason.to_owned(),
                text: escaped(&text.trim_ascii()[..text.trim_ascii().len().min(120)]),
            });
        }
    }

    /// Bare messages: what the server says is read like its stdout, so that a line that is no
    /// message is found as it would be there.
    fn messages(
        &mut self,
        name: &str,
        first: &[u8],
        mut input: impl Read,
    ) -> Result<(), OfflineError> {
        self.over(name, Transport::Stdio)?;
        let failed = |source| OfflineError::Read {
            name: name.to_owned(),
            source,
        };
        let mut bare = Bare {
            track: None,
            line: 1,
            from: self.options.from,
            last: None,
        };
        let mut lines = Lines::default();
        let mut chunk = vec![0; CHUNK];
        let mut rest = first.to_vec();
        let mut found = Vec::new();
        loop {
            let in_flight = bare.track.as_ref().map_or(0, Track::in_flight);
            lines.push(&rest, in_flight, &mut |what| found.push(what));
            for what in found.drain(..) {
                self.bare(&mut bare, &what, name);
            }
            let read = input.read(&mut chunk).map_err(failed)?;
            if read == 0 {
                break;
            }
            rest.clear();
            rest.extend_from_slice(&chunk[..read]);
        }
        lines.end(0, &mut |what| found.push(what));
        for what in found.drain(..) {
            self.bare(&mut bare, &what, name);
        }
        if let Some(track) = &bare.track {
            self.note_server(track);
        }
        Ok(())
    }

    fn bare(&mut self, bare: &mut Bare, found: &Found, name: &str) {
        let at = Duration::from_micros(bare.line);
        match found {
            Found::Line(line) => {
                let is_client = bare.last == Some(From::Client);
                // The end of a line of the client's is no business of the server's rules.
                if !is_client && let Some(track) = &mut bare.track {
                    track.found(found, at);
                }
                if bare.track.is_none()
                    && bare.last.is_none()
                    && !line.excerpt.trim_ascii().is_empty()
                {
                    self.flaw(name, bare.number(), "no JSON-RPC message", &line.excerpt);
                }
                bare.last = None;
                bare.line += 1;
            }
            Found::Message(message) => {
                let opens = message.kind() == Kind::Request
                    && message.method.as_deref() == Some("initialize");
                let from = bare.from.unwrap_or_else(|| bare.speaker(message));
                bare.last = Some(from);
                if bare.track.is_none() || (opens && from == From::Client && bare.has_begun()) {
                    if let Some(track) = &bare.track {
                        self.note_server(track);
                    }
                    bare.track = Some(self.track(self.begins(message)));
                }
                if let Some(track) = &mut bare.track {
                    match from {
                        From::Client => track.says(message, at),
                        From::Server => track.found(found, at),
                    }
                }
                self.renegotiate(bare);
            }
        }
    }

    /// The revision that a session of bare messages begins with.
    fn begins(&self, message: &Message) -> Revision {
        let asked = message
            .params()
            .and_then(|params| params["protocolVersion"].as_str()?.parse().ok());
        let answered = message
            .result()
            .and_then(|result| result["protocolVersion"].as_str()?.parse().ok());
        self.options
            .revision
            .or(answered)
            .or(asked)
            .unwrap_or(Revision::V2025_11_25)
    }

    /// Judges by the revision that was agreed on from now on.
    fn renegotiate(&mut self, bare: &mut Bare) {
        let Some(track) = &mut bare.track else {
            return;
        };
        let past = track.past();
        if !past.foreign || self.options.revision.is_some() {
            return;
        }
        let agreed = past
            .initialized
            .as_ref()
            .and_then(|result| result["protocolVersion"].as_str()?.parse::<Revision>().ok());
        if let Some(revision) = agreed.filter(|revision| *revision != past.revision) {
            let findings = self.findings(revision);
            track.turn_to(revision, findings);
        }
    }

    /// Whether the case is about bytes of a transport, none of which were recorded.
    fn is_unframed(&self, case: &crate::case::Case) -> bool {
        let area = case.clause.area();
        self.bare && Transport::ALL.iter().any(|one| one.as_str() == area)
    }

    fn run(mut self, started: String, duration: Duration, names: &[String]) -> Run {
        let transport = self.transport.unwrap_or(Transport::Stdio);
        let mut findings = std::mem::take(&mut self.findings);
        findings.sort_by(|(a, _), (b, _)| b.cmp(a));
        let mut judgements = Vec::new();
        for (revision, findings) in &findings {
            let findings = findings.borrow();
            for case in cases::all() {
                let outcome = match findings.outcome(case) {
                    None => continue,
                    Some(Outcome::Kept | Outcome::Unseen(_)) if self.is_unframed(case) => {
                        Outcome::Unseen("bare messages do not show the bytes of a transport".into())
                    }
                    Some(outcome) => outcome,
                };
                judgements.push(Judgement::of(
                    case,
                    *revision,
                    transport,
                    outcome,
                    Vec::new(),
                ));
            }
        }
        Run {
            started,
            duration,
            target: names.join(", "),
            command_line: (
                "validate",
                names
                    .iter()
                    .map(|name| crate::target::shell_word(name))
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            transport,
            server: self.server,
            options: self.options.shell.clone(),
            filtered: !self.options.selection.is_whole(),
            shard: None,
            finished: true,
            processes: 0,
            revisions: findings
                .iter()
                .map(|(revision, _)| (*revision, Spoken::Yes))
                .collect(),
            judgements,
            remarks: Vec::new(),
            unreadable: self.unreadable,
            file: None,
            artifact: None,
            baseline: None,
        }
    }
}

/// A file of bare messages.
struct Bare {
    track: Option<Track>,
    line: u64,
    from: Option<From>,
    /// Who has said the message on the line at hand.
    last: Option<From>,
}

impl Bare {
    fn number(&self) -> usize {
        usize::try_from(self.line).unwrap_or(usize::MAX)
    }

    /// Whether the session has seen a request of the client's.
    fn has_begun(&self) -> bool {
        let past = self.track.as_ref().map(Track::past);
        past.is_some_and(|past| !past.client.is_empty() || past.initialized.is_some())
    }

    /// Who says a message, told by what it is: a method that only one side sends, or the side
    /// whose request it answers.
    fn speaker(&self, message: &Message) -> From {
        let past = self.track.as_ref().map(Track::past);
        match (message.kind(), message.method.as_deref()) {
            (Kind::Response, _) => {
                let server_asked = past.is_some_and(|past| {
                    past.server
                        .asked(message)
                        .is_some_and(|asked| asked.answers == 0)
                        && past
                            .client
                            .asked(message)
                            .is_none_or(|asked| asked.answers > 0)
                });
                if server_asked {
                    From::Client
                } else {
                    From::Server
                }
            }
            (_, Some("notifications/cancelled" | "notifications/progress" | "ping")) => {
                let id = message.params().and_then(|params| params.get("requestId"));
                let own = id.map(crate::tape::Id::of);
                let client_asked =
                    own.is_some_and(|id| past.is_some_and(|past| past.client.get(&id).is_some()));
                let progress = message.method.as_deref() == Some("notifications/progress");
                if client_asked || (message.method.as_deref() == Some("ping") && past.is_some()) {
                    From::Client
                } else if progress {
                    From::Server
                } else {
                    From::Client
                }
            }
            (
                _,
                Some(
                    "roots/list"
                    | "sampling/createMessage"
                    | "elicitation/create"
                    | "notifications/message"
                    | "notifications/resources/updated"
                    | "notifications/resources/list_changed"
                    | "notifications/tools/list_changed"
                    | "notifications/prompts/list_changed"
                    | "notifications/elicitation/complete",
                ),
            ) => From::Server,
            _ => From::Client,
        }
    }
}

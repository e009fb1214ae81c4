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
    judge::{Findings, is_about_bytes},
    track::{Record, Track},
    verdict::Outcome,
};
use crate::{
    cases,
    spec::{Revision, Transport},
    tape::{TRANSCRIPT_VERSION, escaped},
};

/// A longer line of a transcript is not ours: 64 KiB are read at a time, and escapes make six of one.
const RECORD_LIMIT: u64 = 64 * 1024 * 1024;
/// How much of a file of bare messages is read at a time.
pub(super) const CHUNK: usize = 256 * 1024;
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

pub(super) struct Reading<'a> {
    pub(super) options: &'a Offline,
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

    pub(super) fn over(&mut self, name: &str, transport: Transport) -> Result<(), OfflineError> {
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
            let track = judged.then(|| self.track(revision, record.leading));
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

    /// A session, of which may be known whether something else was open beside it.
    pub(super) fn track(&mut self, revision: Revision, leading: Option<bool>) -> Track {
        self.sessions += 1;
        let first = || !self.findings.iter().any(|(known, _)| *known == revision);
        let leads = leading.unwrap_or_else(first);
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

    pub(super) fn note_server(&mut self, track: &Track) {
        let Some(info) = track.initialized().map(|result| &result["serverInfo"]) else {
            return;
        };
        let text = |name: &str| escaped(info[name].as_str().unwrap_or_default());
        self.server
            .get_or_insert_with(|| (text("name"), text("version")));
    }

    pub(super) fn flaw(&mut self, name: &str, line: usize, reason: &str, text: &[u8]) {
        if self.unreadable.len() < UNREADABLE {
            self.unreadable.push(Unreadable {
                file: name.to_owned(),
                line,
                reason: reason.to_owned(),
                text: escaped(&text.trim_ascii()[..text.trim_ascii().len().min(120)]),
            });
        }
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
                    Some(_) if self.bare && is_about_bytes(case) => {
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

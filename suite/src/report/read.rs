//! Reads the reports that [`json`] writes, for everything that looks at them later.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Standing,
    json::{self, SCHEMA_VERSION},
};
use crate::{
    run::{Counts, Run, Shard, Verdict},
    spec::{Revision, Transport},
};

/// A report as it stands in a file. Members that this reader has no use for are kept as they are.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Report {
    /// The version of the format.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: Tool,
    /// The server as the user named it.
    pub target: String,
    /// The transport that was tested.
    #[serde(with = "word")]
    pub transport: Transport,
    /// What the server says of itself.
    pub server: Option<Server>,
    /// When the run began, in RFC 3339.
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How many processes were started, or sessions opened.
    pub processes: u64,
    /// The options that decide what is run.
    pub options: Vec<String>,
    /// Whether only some of the cases were selected.
    pub filtered: bool,
    /// The share of the cases that was run; none for all of them.
    #[serde(default, with = "share")]
    pub shard: Option<Shard>,
    /// Whether the run came to its end.
    pub finished: bool,
    /// Every revision that was asked for.
    pub revisions: Vec<InRevision>,
    /// Every verdict.
    pub results: Vec<CaseResult>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// The program that wrote a report.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a server says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// How the server stands in one revision.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct InRevision {
    /// The revision.
    #[serde(with = "word")]
    pub revision: Revision,
    /// Whether the server speaks it.
    pub spoken: bool,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

/// One case in one revision.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CaseResult {
    /// The id of the case.
    pub case: String,
    /// The duty in a few words.
    pub title: String,
    /// The part of the id in front of the slash.
    pub area: String,
    /// The revision that was in force.
    #[serde(with = "word")]
    pub revision: Revision,
    /// Over which transport.
    #[serde(with = "word")]
    pub transport: Transport,
    /// What came of it.
    #[serde(with = "word")]
    pub verdict: Verdict,
    /// How strongly the clause binds.
    pub level: String,
    /// The duty in full.
    pub statement: String,
    /// The section of the specification.
    pub link: String,
    /// Why the verdict is what it is.
    pub message: Option<String>,
    /// Text beside the verdict.
    pub remarks: Vec<String>,
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

impl CaseResult {
    /// Whether a baseline lists it: then it does not fail a run, and is broken all the same.
    pub fn is_known(&self) -> bool {
        !matches!(
            self.rest.get("known"),
            None | Some(Value::Null | Value::Bool(false))
        )
    }
}

/// A file that holds no report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("cannot read the report {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is empty, as it is while a run goes on, and after one that found no server.
    #[error("{} is empty: the run that was to write it did not come so far", .0.display())]
    Empty(PathBuf),
    /// It is not JSON.
    #[error("{} is not JSON; `--report json=PATH` writes a report that is", path.display())]
    NotJson {
        /// Which file.
        path: PathBuf,
        /// Where it stops being JSON.
        source: serde_json::Error,
    },
    /// It is other JSON.
    #[error("{} is JSON, but no report of mcp-conform; `--report json=PATH` writes one", .0.display())]
    NotReport(PathBuf),
    /// It has a format of another time.
    #[error(
        "{} has version {version} of the report format; this mcp-conform {} reads version {SCHEMA_VERSION}",
        path.display(),
        env!("CARGO_PKG_VERSION")
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// The version that it has.
        version: Value,
    },
    /// It is a report of the right version in which something is missing or wrong.
    #[error("{} is a report, but a damaged one", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Reads the reports in a file: one, or those that `merge` has put side by side.
///
/// # Errors
/// The file cannot be read, or holds anything else.
pub fn load(path: &Path) -> Result<Vec<Report>, ReadError> {
    let text = fs::read(path).map_err(|source| ReadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    parse(&text, path)
}

/// Reads the reports in `text`; `path` is where it comes from, for messages.
///
/// # Errors
/// The text holds anything else.
pub fn parse(text: &[u8], path: &Path) -> Result<Vec<Report>, ReadError> {
    let path = path.to_owned();
    if text.trim_ascii().is_empty() {
        return Err(ReadError::Empty(path));
    }
    let mut document: Value = match serde_json::from_slice(text) {
        Ok(document) => document,
        Err(source) => return Err(ReadError::NotJson { path, source }),
    };
    let ours = document["tool"]["name"] == env!("CARGO_PKG_NAME");
    let several = document["runs"].is_array();
    if !ours || !(several || document["results"].is_array()) {
        return Err(ReadError::NotReport(path));
    }
    let version = &document["schema_version"];
    if *version != SCHEMA_VERSION {
        let version = version.clone();
        return Err(ReadError::Version { path, version });
    }
    let reports = if several {
        serde_json::from_value(document["runs"].take())
    } else {
        serde_json::from_value(document).map(|report| vec![report])
    };
    reports.map_err(|source| ReadError::Damaged { path, source })
}

impl Report {
    /// The report of a run, as it would be read from its file: so a badge or a comparison that is
    /// made at the end of a run says what one made later says.
    ///
    /// # Errors
    /// Never, as long as the writer and the reader agree.
    pub fn of(run: &Run) -> serde_json::Result<Report> {
        serde_json::from_value(json::document(run)?)
    }

    /// Whether the run judged what was recorded: then nothing was sent, and only rules could judge.
    pub fn is_recorded(&self) -> bool {
        self.processes == 0
    }

    /// The verdicts of one revision.
    pub fn of_revision(&self, revision: Revision) -> impl Iterator<Item = &CaseResult> {
        self.results
            .iter()
            .filter(move |result| result.revision == revision)
    }

    /// How many verdicts of each kind one revision has.
    pub fn counts(&self, revision: Revision) -> Counts {
        self.of_revision(revision)
            .map(|result| result.verdict)
            .collect()
    }

    /// How the server stands in a revision.
    pub fn standing(&self, revision: Revision) -> Standing {
        let spoken = self
            .revisions
            .iter()
            .any(|entry| entry.revision == revision && entry.spoken);
        Standing::new(spoken, &self.counts(revision), self.finished)
    }
}

/// A value of a closed set that JSON knows by a word.
trait Word: Copy + 'static {
    const KIND: &'static str;
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
}

impl Word for Revision {
    const KIND: &'static str = "revision of the protocol";
    const ALL: &'static [Revision] = &Revision::ALL;
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Transport {
    const KIND: &'static str = "transport";
    const ALL: &'static [Transport] = Transport::ALL;
    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Word for Verdict {
    const KIND: &'static str = "verdict";
    const ALL: &'static [Verdict] = &Verdict::ALL;
    fn word(self) -> &'static str {
        self.as_str()
    }
}

mod word {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Word;

    pub(super) fn serialize<T: Word, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.word())
    }

    pub(super) fn deserialize<'de, T: Word, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        let known = T::ALL.iter().find(|value| value.word() == text);
        known
            .copied()
            .ok_or_else(|| D::Error::custom(format!("`{text}` is no {}", T::KIND)))
    }
}

mod share {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::run::Shard;

    #[derive(Deserialize, Serialize)]
    struct Share {
        index: u32,
        count: u32,
    }

    pub(super) fn serialize<S: Serializer>(
        shard: &Option<Shard>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let share = shard.map(|shard| Share {
            index: shard.index(),
            count: shard.count(),
        });
        share.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Shard>, D::Error> {
        let Some(Share { index, count }) = Option::deserialize(from)? else {
            return Ok(None);
        };
        let shard = Shard::new(index, count);
        let shard = shard.ok_or_else(|| D::Error::custom(format!("`{index}/{count}` is no shard")));
        shard.map(Some)
    }
}

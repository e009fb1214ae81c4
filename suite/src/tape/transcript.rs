use std::{
    cell::RefCell,
    collections::HashMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Secrets, Stream};

/// The version of the transcript format, counted up when a reader has to change.
pub const TRANSCRIPT_VERSION: u64 = 1;

/// A transcript could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the transcript {}", path.display())]
pub struct TranscriptError {
    path: PathBuf,
    source: std::io::Error,
}

/// Which session, stream and HTTP exchange bytes belong to.
type Place = (u32, Stream, Option<u32>);

/// Writes everything that is said as JSON Lines (`docs/transcript.md`, `schemas/transcript.json`):
/// the texts of one session and stream, put in a row, are that stream byte for byte.
pub(crate) struct Transcript {
    path: PathBuf,
    secrets: Secrets,
    file: RefCell<Result<BufWriter<File>, Option<std::io::Error>>>,
    /// What a read has cut off in the middle of a character or of a secret, by session and stream.
    partial: RefCell<HashMap<Place, Vec<u8>>>,
}

impl Transcript {
    pub(crate) fn create(
        path: &Path,
        secrets: Secrets,
        head: &Value,
    ) -> Result<Transcript, TranscriptError> {
        let file = File::create(path).map_err(|source| TranscriptError {
            path: path.to_owned(),
            source,
        })?;
        let transcript = Transcript {
            path: path.to_owned(),
            secrets,
            file: RefCell::new(Ok(BufWriter::new(file))),
            partial: RefCell::default(),
        };
        transcript.write(head);
        Ok(transcript)
    }

    /// Bytes that went over a stream.
    pub(crate) fn bytes(
        &self,
        at: Duration,
        session: u32,
        stream: Stream,
        exchange: Option<u32>,
        bytes: &[u8],
    ) {
        let mut partial = self.partial.borrow_mut();
        let place = (session, stream, exchange);
        let cut = partial.entry(place).or_default();
        cut.extend_from_slice(bytes);
        let end = match std::str::from_utf8(cut) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => cut.len(),
        };
        let end = end - self.secrets.begun_at_end(&cut[..end]);
        let bytes: Vec<u8> = cut.drain(..end).collect();
        drop(partial);
        if !bytes.is_empty() {
            self.record(at, place, bytes);
        }
    }

    fn record(&self, at: Duration, (session, stream, exchange): Place, mut bytes: Vec<u8>) {
        if !self.secrets.is_empty() {
            bytes = self.secrets.redact_whole(&bytes);
        }
        let mut record = json!({
            "at": seconds(at),
            "session": session,
            "stream": stream.as_str(),
        });
        if let Some(exchange) = exchange {
            record["exchange"] = Value::from(exchange);
        }
        match String::from_utf8(bytes) {
            Ok(text) => record["text"] = Value::from(text),
            Err(error) => record["hex"] = Value::from(hex(error.as_bytes())),
        }
        self.write(&record);
    }

    /// Something that happened; `details` are further members of the record.
    pub(crate) fn event(&self, at: Duration, session: u32, name: &str, mut details: Value) {
        let exchange = details["exchange"].as_u64();
        if name == "ended" || exchange.is_some() {
            let of_event = |place: &Place| {
                place.0 == session && (name == "ended" || place.2.map(u64::from) == exchange)
            };
            let mut partial = self.partial.borrow_mut();
            let mut rest: Vec<_> = partial.extract_if(|place, _| of_event(place)).collect();
            drop(partial);
            rest.sort_by_key(|((_, stream, exchange), _)| (stream.as_str(), *exchange));
            for (place, bytes) in rest.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
                self.record(at, place, bytes);
            }
        }
        self.secrets.redact_value(&mut details);
        let mut record = json!({ "at": seconds(at), "session": session, "event": name });
        if let (Value::Object(record), Value::Object(details)) = (&mut record, details) {
            record.extend(details);
        }
        self.write(&record);
    }

    /// Ends the transcript; tells the first error that there was.
    pub(crate) fn finish(&self) -> Result<(), TranscriptError> {
        let result = match self.file.borrow_mut().as_mut() {
            Ok(file) => file.flush().map_err(Some),
            Err(error) => Err(error.take()),
        };
        match result {
            Err(Some(source)) => Err(TranscriptError {
                path: self.path.clone(),
                source,
            }),
            _ => Ok(()),
        }
    }

    fn write(&self, record: &Value) {
        let mut file = self.file.borrow_mut();
        if let Ok(out) = file.as_mut()
            && let Err(error) = writeln!(out, "{record}")
        {
            *file = Err(Some(error));
        }
    }
}

/// Microseconds are as fine as the clock deserves.
fn seconds(at: Duration) -> f64 {
    (at.as_secs_f64() * 1e6).round() / 1e6
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

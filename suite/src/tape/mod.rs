//! What was said: every byte that goes either way, as events that rules judge, as excerpts that
//! serve as evidence, and as a transcript. Bytes are kept; JSON is a view of them.

mod event;
mod exchange;
mod foreign;
mod id;
mod instant;
mod lines;
mod message;
mod past;
mod redact;
mod scan;
mod stderr;
mod transcript;
mod utf8;

pub use event::{Close, Event, Excerpt, Stream};
pub use exchange::Exchange;
pub(crate) use exchange::{says_nothing, turns_away};
pub use foreign::{Foreign, escaped};
pub use id::Id;
pub use instant::instant;
pub use lines::{ArrayKinds, Class, Found, Line, Lines};
pub(crate) use lines::{Whole, read_value};
pub use message::{Kind, Message};
pub(crate) use past::opens_session;
pub use past::{
    Asked, EventIds, Ledger, Past, RELATED_TASK, Recent, Report, Reports, Shows, Sighting,
    SseSession, Status, StreamPast, Streams, Task, Tasks, Unasked, comes_late, compared,
    is_of_task, is_recognisable, names_endpoint, time, token_of_report, unwrapped,
};
pub use redact::Secrets;
pub(crate) use scan::{Progress, Scanner};
pub(crate) use stderr::Stderr;
pub(crate) use transcript::Transcript;
pub use transcript::{TRANSCRIPT_VERSION, TranscriptError};
pub(crate) use utf8::Utf8;

/// The longest message whose text is kept, in bytes. Longer ones are framed, routed and counted
/// like any other, but their content is not judged: memory stays bounded.
pub const MESSAGE_LIMIT: usize = 2 * 1024 * 1024;

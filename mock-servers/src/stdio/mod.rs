//! The server on standard input and output.

mod reading;
mod writing;

use std::io::{self, Read, Write};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::fault::{Bends, Fault, Lifecycle};
use crate::message;
use crate::outbox::{Outbox, Outgoing};
use crate::session::Session;
use reading::Lines;
use writing::Output;

/// How long a server that ignores the end of its input lingers. Long enough for every
/// client to lose patience, short enough that none is left behind for ever.
const LINGER: Duration = Duration::from_secs(60);

/// Serves the reference server on this process's stdin and stdout until stdin ends.
///
/// # Errors
/// If the runtime cannot be set up, or standard output is closed too early.
pub fn serve(faults: &[&'static Fault]) -> io::Result<()> {
    serve_over(io::stdin(), io::stdout(), io::stderr(), faults)
}

/// Serves the reference server on any three streams, until the input ends.
///
/// # Errors
/// If the runtime cannot be set up, or the output is closed too early.
pub fn serve_over(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    errors: impl Write + Send + 'static,
    faults: &[&'static Fault],
) -> io::Result<()> {
    let bends = Bends::new(faults);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let _deaf = Deaf::to_sigterm(&bends)?;
            let chunks = reading::chunks(input);
            let mut output = Output::new(output, errors, bends.clone());
            output.open();
            converse(chunks, &mut output, &bends).await;
            output.close()
        })
}

async fn converse(mut chunks: mpsc::Receiver<Vec<u8>>, output: &mut Output, bends: &Bends) {
    let session = Session::new(bends.clone());
    let (outbox, mut outgoing) = Outbox::channel();
    session.connect(outbox.clone());
    let mut lines = Lines::new(bends.clone());
    loop {
        // What is ready goes out before more is taken in.
        let chunk = tokio::select! {
            biased;
            Some(first) = outgoing.recv() => {
                flush(Some(first), &mut outgoing, output, &session);
                continue;
            }
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break };
        for line in lines.after(&chunk) {
            if ends_at(bends, &line) {
                return flush(None, &mut outgoing, output, &session);
            }
            match message::parse(&line) {
                Ok(message) => session.receive(&message, &outbox),
                Err(_) => session.receive_unreadable(&outbox),
            }
        }
        // All that one read brought in is answered together, in one write each.
        flush(None, &mut outgoing, output, &session);
        if session.is_dead() {
            return;
        }
    }
    if bends
        .lifecycle()
        .any(|bend| matches!(bend, Lifecycle::IgnoresEof))
    {
        tokio::time::sleep(LINGER).await;
    }
}

fn flush(
    first: Option<Outgoing>,
    outgoing: &mut mpsc::UnboundedReceiver<Outgoing>,
    output: &mut Output,
    session: &Session,
) {
    let rest = std::iter::from_fn(|| outgoing.try_recv().ok());
    let messages = first
        .into_iter()
        .chain(rest)
        .filter_map(|out| match out {
            Outgoing::Message { message, .. } => Some(message),
            Outgoing::Release => None,
        })
        .collect();
    output.send(session.revision(), messages);
}

fn ends_at(bends: &Bends, line: &[u8]) -> bool {
    bends
        .lifecycle()
        .any(|bend| matches!(bend, Lifecycle::EndsAt(says_so) if says_so(line)))
}

/// Keeps SIGTERM from ending the process, where a fault wants that.
struct Deaf {
    #[cfg(unix)]
    _signal: Option<tokio::signal::unix::Signal>,
}

impl Deaf {
    fn to_sigterm(bends: &Bends) -> io::Result<Self> {
        let wanted = bends
            .lifecycle()
            .any(|bend| matches!(bend, Lifecycle::IgnoresSigterm));
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            // Listening replaces the signal's default action, and nobody reads it.
            let signal = wanted
                .then(|| signal(SignalKind::terminate()))
                .transpose()?;
            Ok(Self { _signal: signal })
        }
        #[cfg(not(unix))]
        {
            let _ = wanted;
            Ok(Self {})
        }
    }
}

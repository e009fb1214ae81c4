//! A server over HTTP that the run starts itself, and stops.

use std::{cell::RefCell, collections::VecDeque, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, sleep},
};

use super::NoServer;
use crate::{
    session::Limits,
    tape::escaped,
    target::{Command, Endpoint, Process},
    transport::{Client, Request},
};

/// Between two looks whether the server answers.
const PAUSE: Duration = Duration::from_millis(25);
/// A look takes so long at most.
const LOOK: Duration = Duration::from_secs(2);
/// So many bytes of what it writes are kept.
const KEPT: usize = 16 * 1024;

/// See the module.
pub(super) struct Launched {
    process: Process,
    said: Rc<RefCell<VecDeque<u8>>>,
    /// Some servers end with their stdin.
    _stdin: tokio::process::ChildStdin,
}

impl Launched {
    /// Starts the command and waits until the address answers at all.
    pub(super) async fn start(
        command: &Command,
        endpoint: &Endpoint,
        client: &Client,
        limits: &Limits,
    ) -> Result<Launched, NoServer> {
        // Every server has an answer to this, and it does nothing.
        let look = Request {
            method: "OPTIONS",
            url: endpoint.url.clone(),
            headers: Vec::new(),
            body: None,
            raw: None,
        };
        // What another server answers would be taken for the answers of this one.
        if client.open(&look, 0, LOOK).await.is_ok() {
            return Err(NoServer::Address(format!(
                "{} answers before the command is started; stop what listens there, or give \
                 `{{port}}` in its place",
                endpoint.address()
            )));
        }
        let (process, pipes) = Process::launch(command, &[])?;
        let said = Rc::<RefCell<VecDeque<u8>>>::default();
        tokio::task::spawn_local(drain(pipes.stdout, Rc::clone(&said)));
        tokio::task::spawn_local(drain(pipes.stderr, Rc::clone(&said)));
        let mut launched = Launched {
            process,
            said,
            _stdin: pipes.stdin,
        };
        let deadline = Instant::now() + limits.first_answer;
        let address = endpoint.address();
        let reason = loop {
            if client.open(&look, 0, LOOK).await.is_ok() {
                return Ok(launched);
            }
            if launched.process.wait(Duration::ZERO).await.is_some() {
                break format!("the command ended before {address} answered");
            }
            if Instant::now() > deadline {
                break unheard(&address, endpoint);
            }
            sleep(PAUSE).await;
        };
        let stderr = launched.tail();
        launched.stop(limits).await;
        Err(NoServer::NotOpened {
            reason,
            stderr,
            stdout: None,
        })
    }

    /// The last lines that it has written, escaped.
    pub(super) fn tail(&self) -> Vec<String> {
        let said: Vec<u8> = self.said.borrow().iter().copied().collect();
        let lines: Vec<_> = said
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .collect();
        lines[lines.len().saturating_sub(10)..]
            .iter()
            .map(escaped)
            .collect()
    }

    /// Stops it and everything that it has started.
    pub(super) async fn stop(mut self, limits: &Limits) {
        self.process.terminate();
        self.process.wait(limits.quiet).await;
        self.process.end(limits.quiet).await;
    }
}

/// That nobody listens at the address, and how a command is told one.
fn unheard(address: &str, endpoint: &Endpoint) -> String {
    let reason = format!("{address} does not answer; does the command listen there?");
    match endpoint.given {
        Some(_) => reason,
        None => format!(
            "{reason} `{{port}}` in the address and in the command, or in a value of --env, tells it a free port"
        ),
    }
}

async fn drain(mut from: impl AsyncRead + Unpin, said: Rc<RefCell<VecDeque<u8>>>) {
    let mut chunk = vec![0; 4096];
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        let mut said = said.borrow_mut();
        said.extend(&chunk[..read]);
        let surplus = said.len().saturating_sub(KEPT);
        said.drain(..surplus);
    }
}

//! Ways to talk to the server: a script that is read to its end, or a live client.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use mock_servers::{Fault, stdio};
use serde_json::{Value, json};

pub(crate) const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

pub(crate) fn initialize(revision: &str) -> Value {
    json!({
        "jsonrpc": "2.0", "id": "init", "method": "initialize",
        "params": {
            "protocolVersion": revision,
            "capabilities": { "roots": {}, "sampling": {}, "elicitation": {} },
            "clientInfo": { "name": "test", "version": "1" },
        },
    })
}

pub(crate) fn ping(id: impl Into<Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": "ping" })
}

pub(crate) fn named(faults: &[&str]) -> Vec<&'static Fault> {
    faults
        .iter()
        .map(|name| mock_servers::fault(name).expect("the fault exists"))
        .collect()
}

/// What each read of the server returns, then the end of its input.
struct Reads(VecDeque<Vec<u8>>);

impl Read for Reads {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut chunk) = self.0.pop_front() else {
            return Ok(0);
        };
        let length = chunk.len().min(buffer.len());
        buffer[..length].copy_from_slice(&chunk[..length]);
        if length < chunk.len() {
            self.0.push_front(chunk.split_off(length));
        }
        Ok(length)
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the sink").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the server wrote.
pub(crate) struct Written {
    pub(crate) output: Vec<u8>,
    pub(crate) errors: Vec<u8>,
}

impl Written {
    /// The lines of standard output as JSON; the test fails if one is not.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.lines()
            .iter()
            .map(|line| serde_json::from_slice(line).expect("a line of JSON"))
            .collect()
    }

    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let mut lines: Vec<_> = self
            .output
            .split(|b| *b == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        assert_eq!(lines.pop(), Some(Vec::new()), "the output ends in LF");
        lines
    }
}

/// Lets the server read these chunks, one in each read.
pub(crate) fn run(faults: &[&str], reads: &[Vec<u8>]) -> Written {
    let (output, errors) = (Sink::default(), Sink::default());
    let reads = Reads(reads.iter().cloned().collect());
    stdio::serve_over(reads, output.clone(), errors.clone(), &named(faults)).expect("served");
    let take = |sink: Sink| std::mem::take(&mut *sink.0.lock().expect("the sink"));
    Written {
        output: take(output),
        errors: take(errors),
    }
}

/// The same after a handshake, with the handshake's answer left out of what is returned.
pub(crate) fn after_handshake(faults: &[&str], revision: &str, reads: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut all = vec![lines(&[initialize(revision)])];
    all.extend(reads.iter().map(|read| read.to_vec()));
    let written = run(faults, &all);
    written.lines().split_off(1)
}

pub(crate) fn lines(messages: &[Value]) -> Vec<u8> {
    let lines = messages.iter().map(|message| format!("{message}\n"));
    lines.collect::<String>().into_bytes()
}

/// A client that waits for answers.
pub(crate) struct Client {
    input: PipeWriter,
    output: BufReader<PipeReader>,
    server: JoinHandle<io::Result<()>>,
    requests: u64,
}

impl Client {
    /// Has done the handshake.
    pub(crate) fn new(revision: &str) -> Self {
        let (stdin, input) = io::pipe().expect("a pipe");
        let (output, stdout) = io::pipe().expect("a pipe");
        let server = std::thread::spawn(|| stdio::serve_over(stdin, stdout, io::sink(), &[]));
        let mut client = Self {
            input,
            output: BufReader::new(output),
            server,
            requests: 0,
        };
        client.send(&initialize(revision));
        assert_eq!(client.next()["result"]["protocolVersion"], revision);
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let line = lines(std::slice::from_ref(message));
        self.input.write_all(&line).expect("a server that reads");
    }

    pub(crate) fn next(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("UTF-8");
        serde_json::from_str(&line).expect("a line of JSON")
    }

    /// Sends a request, and returns what came before its response, and the response.
    pub(crate) fn exchange(&mut self, method: &str, params: Value) -> (Vec<Value>, Value) {
        self.requests += 1;
        let id = json!(self.requests);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let mut before = Vec::new();
        loop {
            let message = self.next();
            if message["id"] == id && message.get("method").is_none() {
                return (before, message);
            }
            before.push(message);
        }
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        self.exchange(method, params).1
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> (Vec<Value>, Value) {
        self.exchange(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        )
    }

    /// Ends the input, and returns what else the server wrote.
    pub(crate) fn end(self) -> String {
        let Self {
            input,
            mut output,
            server,
            ..
        } = self;
        drop(input);
        let mut rest = String::new();
        output.read_to_string(&mut rest).expect("UTF-8");
        server.join().expect("no panic").expect("served");
        rest
    }
}

//! What stands in front of servers: a router that redirects, and a limit on the rate of requests.
//! Neither makes a conforming server fail, and `validate` reads the transcript as the run was read.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

/// The reference server, until this is dropped.
struct Reference {
    process: Child,
    /// Its host and port.
    authority: String,
}

impl Reference {
    fn start() -> Reference {
        let mut process = Command::new(TOOL)
            .args(["mock", "http"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let (_, rest) = line.split_once("http://").unwrap();
        let (authority, _) = rest.split_once('/').unwrap();
        Reference {
            authority: authority.to_owned(),
            process,
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Listens in front of the server: what `instead` has an answer to does not reach it.
fn front(server: &str, instead: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let instead = Arc::new(instead);
    let server = server.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (instead, server) = (Arc::clone(&instead), server.clone());
            // A connection that the client breaks off ends its thread, no more.
            thread::spawn(move || pass(&stream.unwrap(), port, &server, &*instead));
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// Passes one request on, and what answers it back.
fn pass(
    client: &TcpStream,
    port: u16,
    server: &str,
    instead: &dyn Fn(&str) -> Option<String>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let (mut head, mut line) = (String::new(), String::new());
    let (mut length, mut chunked) = (0, false);
    while reader.read_line(&mut line)? > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "transfer-encoding" => chunked = true,
            _ => {}
        }
        head.push_str(&line);
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if chunked {
        while !body.ends_with(b"\r\n0\r\n\r\n") {
            let mut byte = [0];
            reader.read_exact(&mut byte)?;
            body.push(byte[0]);
        }
    }
    if let Some(answer) = instead(&head) {
        return (&*client).write_all(answer.as_bytes());
    }
    // The server knows itself under its own name only.
    let (_, own_port) = server.split_once(':').unwrap();
    let head = head.replace(&format!(":{port}"), &format!(":{own_port}"));
    let mut upstream = TcpStream::connect(server)?;
    write!(upstream, "{head}Connection: close\r\n\r\n")?;
    upstream.write_all(&body)?;
    let (watched, to_end) = (reader.get_ref().try_clone()?, upstream.try_clone()?);
    // A client that goes away goes away for the server too.
    thread::spawn(move || {
        let mut rest = &watched;
        std::io::copy(&mut rest, &mut std::io::sink()).ok();
        to_end.shutdown(std::net::Shutdown::Both).ok();
    });
    let mut chunk = [0; 4096];
    loop {
        let read = upstream.read(&mut chunk)?;
        if read == 0 {
            return client.shutdown(std::net::Shutdown::Both);
        }
        (&*client).write_all(&chunk[..read])?;
    }
}

/// Every verdict, with its message, by case and revision.
type Verdicts = BTreeMap<(String, String), (String, String)>;

fn verdicts(report: &Value) -> Verdicts {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = report["results"].as_array().unwrap().iter();
    results
        .map(|result| {
            let place = (text(&result["case"]), text(&result["revision"]));
            let message = text(&result["message"]);
            let evidence = &result["evidence"];
            let told = match evidence.is_null() {
                true => message,
                false => format!("{message} {evidence}"),
            };
            (place, (text(&result["verdict"]), told))
        })
        .collect()
}

fn report(args: &[&str]) -> Value {
    let output = Command::new(TOOL)
        .args(args)
        .args(["--format", "json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        !output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn none_is_broken(verdicts: &Verdicts) {
    let broken = verdicts
        .iter()
        .filter(|(_, (verdict, _))| matches!(verdict.as_str(), "fail" | "warn" | "error"));
    assert_eq!(broken.collect::<Vec<_>>(), []);
}

/// What `validate` says of the transcript has to be what the run said, for all that it judges.
fn replay_agrees(live: &Verdicts, transcript: &str) {
    let replayed = verdicts(&report(&["validate", transcript]));
    let told = |verdict: &str| matches!(verdict, "fail" | "warn");
    let mut seen = 0;
    for (place, (verdict, _)) in &replayed {
        let (before, message) = &live[place];
        seen += usize::from(verdict == "pass");
        assert!(
            !told(verdict)
                && (verdict == before || verdict == "unverified" || before != "unverified"),
            "{place:?}: {verdict}, and {before} before ({message})"
        );
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn a_redirect_is_followed_and_told_once() {
    let reference = Reference::start();
    let url = front(&reference.authority, |head| {
        head.contains(" /front ").then(|| {
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
                .to_owned()
        })
    });
    let transcript = concat!(env!("CARGO_TARGET_TMPDIR"), "/redirected.jsonl");
    let url = format!("{url}/front");
    let args = ["http", "--tools", "all", "--transcript", transcript, &url];
    let live = verdicts(&report(&args));
    none_is_broken(&live);
    let passed = live.values().filter(|(verdict, _)| verdict == "pass");
    assert!(passed.count() > 400);
    replay_agrees(&live, transcript);
}

#[test]
fn a_limit_on_the_rate_of_requests_breaks_no_clause() {
    for (wait, every) in [("1", 50), ("30", 9)] {
        let reference = Reference::start();
        let count = AtomicUsize::new(0);
        let url = front(&reference.authority, move |head| {
            let refused = head.starts_with("POST ")
                && count.fetch_add(1, Ordering::Relaxed) % every == every - 1;
            refused.then(|| {
                format!(
                    "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {wait}\r\nContent-Length: 0\r\n\
                     Connection: close\r\n\r\n"
                )
            })
        });
        let url = format!("{url}/mcp");
        // Half the limit is what a server may ask to wait.
        let args = ["http", "--tools", "all", "--timeout", "3", &url];
        none_is_broken(&verdicts(&report(&args)));
    }
}

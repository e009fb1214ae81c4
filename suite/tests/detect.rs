//! What is said where an address does not hold what the user asked for: one sentence, with what to
//! do about it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
    thread,
};

use serde_json::Value;

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

fn tool(args: &[&str]) -> Output {
    Command::new(TOOL)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The complaint of a run for which there was no server.
fn complaint(args: &[&str]) -> String {
    complaint_before(&[args, &["--timeout", "2"]].concat(), &[])
}

/// The same, with the command that launches the server.
fn complaint_before(args: &[&str], command: &[&str]) -> String {
    let output = tool(&[args, command].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{args:?}: {text}");
    text
}

/// A server that answers every request with this, by its method, and closes the connection.
fn answering(answer: fn(&str) -> &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || serve(stream, answer));
        }
    });
    format!("http://{address}/mcp")
}

fn serve(stream: TcpStream, answer: fn(&str) -> &'static str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    // A TLS handshake has no lines.
    if reader.fill_buf().unwrap().first() == Some(&0x16) {
        (&stream).write_all(answer("").as_bytes()).ok();
        return;
    }
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first).unwrap();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let method = first.split(' ').next().unwrap();
    // Whoever asks may have gone already.
    (&stream).write_all(answer(method).as_bytes()).ok();
}

/// The reference server, until this is dropped.
struct Mock {
    process: Child,
    url: String,
}

impl Mock {
    fn start(kind: &str) -> Mock {
        let mut command = Command::new(TOOL);
        command.args(["mock", kind]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Mock { process, url }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // Whatever fails here has ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn who_speaks_the_other_transport_is_recognised() {
    for (serves, asked, name) in [
        ("sse", "http", "HTTP+SSE"),
        ("http", "sse", "Streamable HTTP"),
    ] {
        let mock = Mock::start(serves);
        let text = complaint(&[asked, &mock.url]);
        let expected = format!("speaks {name}; run: mcp-conform {serves} {}", mock.url);
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn what_to_run_instead_is_a_command_that_starts_the_server_again() {
    let served = [
        "127.0.0.1:{port}/sse",
        "--",
        TOOL,
        "mock",
        "sse",
        "--port",
        "{port}",
    ];
    let url = format!("http://{}", served[0]);
    let text = complaint_before(&["http", "--timeout", "2", &url], &served[1..]);
    let expected = format!(
        "{url} speaks HTTP+SSE; run: mcp-conform sse '{url}' -- {TOOL} mock sse --port '{{port}}'"
    );
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn what_is_in_the_way_is_told_with_the_remedy() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let unused = format!("http://{}/mcp", nobody.local_addr().unwrap());
    drop(nobody);
    let page = answering(|_| {
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 6\r\n\
         Connection: close\r\n\r\n<html>"
    });
    let guarded = answering(|_| {
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    });
    let moved = answering(|_| {
        "HTTP/1.1 302 Found\r\nLocation: https://login.example/start\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    });
    let plain = answering(|_| "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let plain = plain.replace("http:", "https:");
    for (url, expected) in [
        (&unused, "cannot be reached"),
        (&page, "an HTML page"),
        (&guarded, "--header 'Authorization: Bearer TOKEN'"),
        (
            &moved,
            "redirects to https://login.example/start, another host",
        ),
        (&plain, "does not speak TLS"),
    ] {
        for transport in ["http", "sse"] {
            let text = complaint(&[transport, url]);
            assert!(text.contains(expected), "{transport} {url}: {text}");
            assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        }
    }
}

#[test]
fn a_stream_that_is_refused_is_a_verdict_and_not_a_missing_server() {
    let url = answering(|method| match method {
        "GET" => "HTTP/1.1 406 Not Acceptable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    });
    let revision = ["--revision", "2024-11-05"];
    let output = tool(&[&["sse", "--format", "json"], revision.as_slice(), &[&url]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = report["results"].as_array().unwrap();
    let failed: Vec<_> = results
        .iter()
        .filter(|result| result["verdict"] == "fail")
        .map(|result| result["case"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["http-sse/get-opens-stream"]);
}

#[test]
fn who_speaks_both_transports_at_one_address_is_remarked_on() {
    let both = answering(|method| match method {
        "GET" => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
             event: endpoint\ndata: /messages?id=1\n\n"
        }
        "POST" => {
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n\
             {\"jsonrpc\":\"2.0\",\"id\":\"initialize\",\"result\":{\"protocolVersion\":\"2025-06-18\",\
             \"capabilities\":{},\"serverInfo\":{\"name\":\"both\",\"version\":\"1\"}}}"
        }
        _ => "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    });
    let options = [
        "--revision",
        "2025-06-18",
        "--timeout",
        "1",
        "--format",
        "json",
    ];
    let selected = ["--case", "lifecycle/initialize-answered"];
    let output = tool(&[&["http"], options.as_slice(), &selected, &[&both]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let remark = report["remarks"][0].as_str().unwrap();
    let expected = format!("also speaks HTTP+SSE; run: mcp-conform sse {both}");
    assert!(remark.contains(&expected), "{remark}");
}

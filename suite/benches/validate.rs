//! How fast recorded traffic is judged: `cargo bench --bench validate` says bytes per second, on
//! one core, for everything that `validate` does behind reading the file.

use std::{hint::black_box, io::Cursor, io::Read};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use mcp_conform::run::{Offline, Selection, judge_recorded};
use serde_json::{Value, json};

/// So much traffic is judged in one go.
const BYTES: usize = 4 * 1024 * 1024;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn line(text: &mut Vec<u8>, message: &Value) {
    text.extend_from_slice(message.to_string().as_bytes());
    text.push(b'\n');
}

fn tool(number: usize) -> Value {
    json!({
        "name": format!("tool-{number}"),
        "description": "Does something useful with a text and a number, and says what came of it.",
        "inputSchema": {
            "type": "object",
            "properties": { "text": { "type": "string" }, "number": { "type": "number" } },
            "required": ["text"],
        },
    })
}

/// A session as many are: a handshake, then lists, calls and progress.
fn traffic() -> Vec<u8> {
    let mut text = Vec::with_capacity(BYTES + 8192);
    let version = "2025-11-25";
    let info = json!({ "name": "bench", "version": "1" });
    line(
        &mut text,
        &json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": info } }),
    );
    line(
        &mut text,
        &json!({ "jsonrpc": "2.0", "id": 0, "result": {
        "protocolVersion": version, "capabilities": { "tools": {} }, "serverInfo": info } }),
    );
    line(
        &mut text,
        &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    );
    let tools: Vec<Value> = (0..20).map(tool).collect();
    for round in 0_u64.. {
        if text.len() >= BYTES {
            break;
        }
        let (list, call) = (2 * round + 1, 2 * round + 2);
        line(
            &mut text,
            &json!({ "jsonrpc": "2.0", "id": list, "method": "tools/list" }),
        );
        line(
            &mut text,
            &json!({ "jsonrpc": "2.0", "id": list, "result": { "tools": tools } }),
        );
        for step in 0..8 {
            line(
                &mut text,
                &json!({ "jsonrpc": "2.0", "id": format!("{call}-{step}"),
                "method": "tools/call", "params": { "name": "tool-1", "arguments": { "text": "a" },
                "_meta": { "progressToken": format!("{call}-{step}") } } }),
            );
            line(
                &mut text,
                &json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params":
                { "progressToken": format!("{call}-{step}"), "progress": 1, "total": 2 } }),
            );
            line(
                &mut text,
                &json!({ "jsonrpc": "2.0", "id": format!("{call}-{step}"), "result": {
                "content": [{ "type": "text", "text": "It was useful.", }], "isError": false } }),
            );
        }
    }
    text
}

fn judge(traffic: &[u8], patterns: &[&str]) {
    let patterns = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
    let options = Offline {
        revision: None,
        selection: Selection::new(patterns, Vec::new()).expect("the patterns match"),
        from: None,
        shell: Vec::new(),
    };
    let input: Box<dyn Read> = Box::new(Cursor::new(traffic.to_vec()));
    let run = judge_recorded(vec![("bench".to_owned(), input)], &options);
    black_box(run.expect("it can be read"));
}

fn validate(criterion: &mut Criterion) {
    let traffic = traffic();
    let mut group = criterion.benchmark_group("validate");
    group.throughput(Throughput::Bytes(traffic.len() as u64));
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    group.bench_function("all rules", |bench| bench.iter(|| judge(&traffic, &[])));
    group.bench_function("rules on ids", |bench| {
        bench.iter(|| judge(&traffic, &["jsonrpc/id-*"]));
    });
    group.finish();
}

criterion_group!(benches, validate);
criterion_main!(benches);

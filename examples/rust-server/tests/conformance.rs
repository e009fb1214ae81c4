//! `cargo test` launches the server and tells each verdict as a test.

use std::process::ExitCode;

fn main() -> ExitCode {
    let server = env!("CARGO_BIN_EXE_example-rust-server");
    mcp_conform::harness::main(["stdio", "--timeout", "5", "--", server])
}

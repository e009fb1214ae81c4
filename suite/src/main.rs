//! The command `mcp-conform`.

use std::process::ExitCode;

/// Messages are many small allocations; that of musl is slow, and `validate` would feel it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mcp_conform::cli::main()
}

//! The JSON Schemas of this folder as text, so that a published package carries them.

/// The types of the protocol: each revision, oldest first, with its definitions.
pub const MCP: [(&str, &str); 5] = [
    ("2024-11-05", include_str!("../mcp/2024-11-05.json")),
    ("2025-03-26", include_str!("../mcp/2025-03-26.json")),
    ("2025-06-18", include_str!("../mcp/2025-06-18.json")),
    ("2025-11-25", include_str!("../mcp/2025-11-25.json")),
    ("2026-07-28", include_str!("../mcp/2026-07-28.json")),
];

/// What `--format json` writes.
pub const REPORT: &str = include_str!("../report.json");

/// What `merge` writes where the reports are of several targets.
pub const JOINED: &str = include_str!("../joined.json");

/// What `diff --format json` writes.
pub const DIFF: &str = include_str!("../diff.json");

/// What `mcp-conform.toml` holds, for editors.
pub const CONFIG: &str = include_str!("../config.json");

/// One line of what `--transcript` writes.
pub const TRANSCRIPT: &str = include_str!("../transcript.json");

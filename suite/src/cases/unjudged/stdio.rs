use super::Unjudged;
use crate::spec::Revision::{V2024_11_05, V2025_03_26, V2025_11_25, V2026_07_28};

pub(super) const CLAUSES: &[Unjudged] = &[
    Unjudged {
        id: "stdio/client-stdin-only-messages",
        title: "the client writes only MCP messages to stdin",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "stdio/client-no-embedded-newlines",
        title: "the client sends each message on one line",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "stdio/client-utf8",
        title: "the client encodes messages in UTF-8",
        since: V2025_03_26,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "stdio/client-closes-stdin-first",
        title: "the client shuts down by closing stdin first",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "stdio/client-escalates-in-order",
        title: "the client escalates from waiting to SIGTERM to SIGKILL",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "stdio/client-tolerates-stderr",
        title: "output on stderr is not taken for an error",
        since: V2025_11_25,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "stdio/client-receives-batches",
        title: "the client accepts batches from the server",
        since: V2025_03_26,
        until: V2025_03_26,
        unseen: None,
    },
];

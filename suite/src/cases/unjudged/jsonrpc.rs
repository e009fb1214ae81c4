use super::Unjudged;
use crate::spec::Revision::{V2024_11_05, V2025_11_25, V2026_07_28};

pub(super) const CLAUSES: &[Unjudged] = &[
    Unjudged {
        id: "jsonrpc/meta-reverse-dns",
        title: "_meta prefixes are in reverse DNS order",
        since: V2025_11_25,
        until: V2025_11_25,
        unseen: Some(
            "Whether com.example/ or example.com/ belongs to the vendor cannot be told from the key.",
        ),
    },
    Unjudged {
        id: "jsonrpc/client-envelope",
        title: "The client's messages are JSON-RPC 2.0",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-id-valid",
        title: "The client's requests have string or integer ids",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-id-unique",
        title: "The client does not use a request id twice",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-params-object",
        title: "The client's params are objects",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-answers-echo-id",
        title: "The client answers under the server's id",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-unknown-method",
        title: "The client refuses unknown methods with -32601",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-notification-silent",
        title: "The client does not answer notifications",
        since: V2024_11_05,
        until: V2026_07_28,
        unseen: None,
    },
    Unjudged {
        id: "jsonrpc/client-stray-response-ignored",
        title: "The client ignores responses to nothing",
        since: V2024_11_05,
        until: V2025_11_25,
        unseen: None,
    },
];

//! What the server sends of its own accord.

use super::{
    super::prelude::*,
    judged_call,
    triage::{Defect, free_of},
};

pub(super) const CASES: &[Case] = &[
    SERVER_REQUEST_ID,
    SERVER_REQUEST_ID_UNIQUE,
    SERVER_NOTIFICATION_WITHOUT_ID,
    PARAMS_OBJECT,
    METHOD_NAME,
];

const NEITHER: &str = "the server sent neither requests nor notifications";

fn is_request(event: &Event<'_>) -> bool {
    judged_call(event).is_some_and(|message| message.kind() == Kind::Request)
}

fn is_notification(event: &Event<'_>) -> bool {
    let method = judged_call(event).and_then(|message| message.method.as_deref());
    method.is_some_and(|method| method.starts_with("notifications/"))
}

const SERVER_REQUEST_ID: Case = Case::rule(
    Clause {
        id: "jsonrpc/server-request-id",
        title: "Requests of the server carry a string or integer id",
        statement: "A request that the server sends has an id that is a string or an integer, and \
            never null.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "server-request-id-null",
    },
    Advice {
        why: "Clients cannot answer under null or a fraction: many drop the request, and the \
            tool behind it hangs.",
        how: "Reads the id of every request of the server.",
        mend: "Count the server's own requests up from 1.",
    },
    Rule {
        subject: |event, _| is_request(event) && !is_notification(event),
        holds: |event, past| free_of(Defect::RequestId, event, past),
        unseen: "the server sent no request",
    },
);

const SERVER_REQUEST_ID_UNIQUE: Case = Case::rule(
    Clause {
        id: "jsonrpc/server-request-id-unique",
        title: "The server does not use a request id twice in a session",
        statement: "Within one session the server gives each of its requests an id that none of its \
            earlier requests had.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#requests"),
            (V2025_03_26, "basic/index#requests"),
        ],
        fault: "server-reuses-request-id",
    },
    Advice {
        why: "The answers to two requests with one id cannot be told apart.",
        how: "Collects the ids of the server's requests in each session, over all its streams.",
        mend: "Keep one counter for the session, not one for each connection or tool call.",
    },
    Rule {
        subject: |event, past| {
            is_request(event) && !is_notification(event) && !past.server.is_empty()
        },
        holds: |event, past| free_of(Defect::RepeatedId, event, past),
        unseen: "the server sent fewer than two requests in every session",
    },
);

const SERVER_NOTIFICATION_WITHOUT_ID: Case = Case::rule(
    Clause {
        id: "jsonrpc/server-notification-without-id",
        title: "Notifications of the server have no id",
        statement: "A message of the server whose method starts with notifications/ has no `id` \
            member.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#notifications"),
            (V2025_03_26, "basic/index#notifications"),
        ],
        fault: "notification-with-id",
    },
    Advice {
        why: "A client takes what has an id for a request, and answers it.",
        how: "Looks at every message of the server whose method begins with `notifications/`.",
        mend: "Leave the member out; serializers that write absent values as null need to be \
            told.",
    },
    Rule {
        subject: |event, _| is_notification(event),
        holds: |event, past| free_of(Defect::NotificationId, event, past),
        unseen: "the server sent no notification",
    },
);

const PARAMS_OBJECT: Case = Case::rule(
    Clause {
        id: "jsonrpc/params-object",
        title: "params of the server's messages is an object",
        statement: "`params` in the server's requests and notifications is an object or absent; MCP \
            has no positional parameters.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2024_11_05, "basic/index#schema")],
        fault: "params-null",
    },
    Advice {
        why: "Strict clients drop the message: a changed list goes unnoticed, a request \
            unanswered.",
        how: "Reads `params` in every request and notification of the server.",
        mend: "Leave `params` out where there are none, rather than writing null or an array.",
    },
    Rule {
        subject: |event, _| judged_call(event).is_some(),
        holds: |event, past| free_of(Defect::Params, event, past),
        unseen: NEITHER,
    },
);

const METHOD_NAME: Case = Case::rule(
    Clause {
        id: "jsonrpc/method-name",
        title: "Methods of the server are named by a proper string",
        statement: "`method` in the server's messages is a non-empty string and does not begin with \
            rpc., which JSON-RPC keeps for itself.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "architecture/index#message-types"),
            (V2025_03_26, "basic/index#messages"),
        ],
        fault: "method-rpc-prefix",
    },
    Advice {
        why: "No client knows such a method, and libraries of JSON-RPC keep `rpc.` for \
            themselves.",
        how: "Reads `method` in every message of the server that has it.",
        mend: "Name methods by strings, without the prefix `rpc.`.",
    },
    Rule {
        subject: |event, _| judged_call(event).is_some(),
        holds: |event, past| free_of(Defect::Method, event, past),
        unseen: NEITHER,
    },
);

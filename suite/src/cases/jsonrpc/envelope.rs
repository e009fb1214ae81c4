//! The members of a message.

use super::{
    super::prelude::*,
    ids::Numbers,
    judged, judged_response,
    triage::{Defect, free_of},
};

pub(super) const CASES: &[Case] = &[
    VERSION_MEMBER,
    MESSAGE_KIND,
    RESPONSE_HAS_OUTCOME,
    RESULT_XOR_ERROR,
    NO_NULL_OUTCOME,
    RESULT_OBJECT,
];

const NO_MESSAGE: &str = "no message was received";
const NO_RESPONSE: &str = "no response was received";

const VERSION_MEMBER: Case = Case::rule(
    Clause {
        id: "jsonrpc/version-member",
        title: "Every message says jsonrpc \"2.0\"",
        statement: "Each message that the server sends has a member `jsonrpc` whose value is the \
            string 2.0, no other string and no number.",
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
        fault: "jsonrpc-member-missing",
    },
    Advice {
        why: "Clients drop a message that does not say which protocol it is in, and the request \
            behind it hangs.",
        how: "Reads `jsonrpc` in every message of the run.",
        mend: "Write `\"jsonrpc\": \"2.0\"` into every message; it is forgotten most easily in \
            notifications and in errors that are made by hand.",
    },
    Rule {
        subject: |event, _| judged(event).is_some(),
        holds: |event, past| free_of(Defect::Version, event, past),
        unseen: NO_MESSAGE,
    },
);

const MESSAGE_KIND: Case = Case::rule(
    Clause {
        id: "jsonrpc/message-kind",
        title: "A message is either a call or an answer",
        statement: "A message with `method` is a request or notification and has neither `result` nor \
            `error`; a message without `method` is a response.",
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
        fault: "method-in-response",
    },
    Advice {
        why: "Strict clients drop what is both a call and an answer, lenient ones take it for a \
            call, and the request hangs.",
        how: "Looks at every message of the run for `method` beside `result` or `error`.",
        mend: "Build the response from `jsonrpc`, `id` and the outcome alone, rather than from a \
            copy of the request.",
    },
    Rule {
        subject: |event, _| judged(event).is_some(),
        holds: |event, past| free_of(Defect::MethodAndOutcome, event, past),
        unseen: NO_MESSAGE,
    },
);

const RESPONSE_HAS_OUTCOME: Case = Case::rule(
    Clause {
        id: "jsonrpc/response-has-outcome",
        title: "A response has a result or an error",
        statement: "A response carries an outcome: a `result` member or an `error` member.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "response-without-outcome",
    },
    Advice {
        why: "A response that says nothing is no response: clients reject it or wait on.",
        how: "Looks at every message of the run that has no `method`.",
        mend: "Answer with an empty object where there is nothing to say. In JavaScript a handler \
            that returns `undefined` loses the member.",
    },
    Rule {
        subject: |event, _| judged_response(event).is_some(),
        holds: |event, past| free_of(Defect::NoOutcome, event, past),
        unseen: NO_RESPONSE,
    },
);

const RESULT_XOR_ERROR: Case = Case::rule(
    Clause {
        id: "jsonrpc/result-xor-error",
        title: "A response never has both result and error",
        statement: "No response sets `result` and `error` together.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "result-and-error",
    },
    Advice {
        why: "One client takes it for a success, the next for a failure.",
        how: "Looks at every response of the run.",
        mend: "Write the member that applies, and only that one.",
    },
    Rule {
        subject: |event, _| judged_response(event).is_some(),
        holds: |event, past| free_of(Defect::TwoOutcomes, event, past),
        unseen: NO_RESPONSE,
    },
);

const NO_NULL_OUTCOME: Case = Case::rule(
    Clause {
        id: "jsonrpc/no-null-outcome",
        title: "The outcome that does not apply is left out, not null",
        statement: "A success has no `error` member and a failure has no `result` member, not even \
            with the value null.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
        ],
        fault: "error-null-in-success",
    },
    Advice {
        why: "Strict clients check the type of `error` and drop the whole response.",
        how: "Looks at every response of the run for `\"error\": null`, and for `\"result\": \
            null` beside an error.",
        mend: "Tell the serializer to leave out what is absent: `omitempty` in Go, `NON_NULL` in \
            Jackson, `WhenWritingNull` in .NET.",
    },
    Rule {
        subject: |event, _| judged_response(event).is_some(),
        holds: |event, past| free_of(Defect::NullOutcome, event, past),
        unseen: NO_RESPONSE,
    },
);

const RESULT_OBJECT: Case = Case::probe(
    Clause {
        id: "jsonrpc/result-object",
        title: "A result is an object",
        statement: "The value of `result` is a JSON object.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2026_07_28,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[
            (V2024_11_05, "basic/messages#responses"),
            (V2025_03_26, "basic/index#responses"),
            (V2025_11_25, "basic/index#result-responses"),
        ],
        fault: "result-not-object",
    },
    Advice {
        why: "Clients decode every result as an object; null or a bare value ends in an \
            exception there.",
        how: "Sends pings and, where it is declared, `logging/setLevel` and \
            `resources/subscribe`, whose results carry nothing; looks at every result of the \
            run.",
        mend: "Answer with `{}` where there is nothing to say.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let mut seen = s.scene::<Numbers>().await?.are_served();
            if s.session.declares("logging") {
                let level = json!({ "level": "info" });
                seen |= s.ask("logging/setLevel", level).await?.is_result();
            }
            if s.session.declares("resources.subscribe")
                && let Some(resource) = s.offer().await?.resources.first()
            {
                let params = json!({ "uri": resource["uri"] });
                for method in ["resources/subscribe", "resources/unsubscribe"] {
                    seen |= s.ask(method, params.clone()).await?.is_result();
                }
            }
            if seen {
                Ok(())
            } else {
                unverified("no request that was sent for it was answered with a result")
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, _| judged_response(event).is_some_and(Message::has_result),
    holds: |event, past| free_of(Defect::ResultShape, event, past),
    unseen: "no result was received",
});

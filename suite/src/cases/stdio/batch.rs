//! Batches: in 2025-03-26 alone they are part of the protocol.

use super::{output::any_line, prelude::*, robustness::unread};

pub(super) const CASES: &[Case] = &[
    BATCH_RECEIVED,
    BATCH_RESPONSE_IS_ARRAY,
    BATCH_OF_NOTIFICATIONS,
    BATCH_EMPTY,
    BATCH_OUTPUT_HOMOGENEOUS,
    NO_BATCH_OUTPUT,
];

/// What a server did with a batch of two pings and a notification.
struct Batch {
    answers: Vec<Option<Answer>>,
    refusal: Option<Stray>,
    died: bool,
}

impl Batch {
    fn is_served(&self) -> bool {
        self.answers.iter().all(Option::is_some)
    }
}

impl Scene for Batch {
    async fn play(s: &Talk) -> Result<Batch, Stop> {
        let ids = [s.fresh_id(), s.fresh_id()];
        let unknown = json!({ "jsonrpc": "2.0", "method": "notifications/com.example.unknown" });
        let line = format!("[{},{unknown},{}]\n", s.ping(&ids[0]), s.ping(&ids[1]));
        let answers = s.exchange(line.as_bytes(), &text_ids(&ids)).await?;
        Ok(Batch {
            answers,
            refusal: s.strays_of_turn().into_iter().next(),
            died: s.survives().await.is_err(),
        })
    }
}

const BATCH_RECEIVED: Case = Case::probe(
    Clause {
        id: "stdio/batch-received",
        title: "a batch is received and every request in it answered",
        statement: "The server accepts a JSON-RPC batch on one line and answers every request in it.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-rejected",
    },
    Advice {
        why: "Whoever negotiates 2025-03-26 promises to take batches. Most SDKs do negotiate it, \
            and drop them.",
        how: "An array of two pings with a notification between them; both pings have to be \
            answered, in any form.",
        mend: "Take arrays apart and handle each element, or do not negotiate 2025-03-26.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Batch>().await?;
            if scene.is_served() {
                return Ok(());
            }
            let missing = scene
                .answers
                .iter()
                .filter(|answer| answer.is_none())
                .count();
            match &scene.refusal {
                Some(stray) => violated_by(
                    "a batch is refused as a whole",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
                None if scene.died => violated("the server ended at a batch"),
                None => violated(format!(
                    "{missing} of the 2 requests of a batch are not answered"
                )),
            }
        })
    },
);

const BATCH_RESPONSE_IS_ARRAY: Case = Case::probe(
    Clause {
        id: "stdio/batch-response-is-array",
        title: "a batch is answered with one array",
        statement: "The responses to a batch come back together, as one array with one response for \
            each request in it.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#stdio")],
        fault: "batch-answered-singly",
    },
    Advice {
        why: "A client that sent a batch looks for one array.",
        how: "The batch of stdio/batch-received: its two answers have to stand on one line, in \
            one array.",
        mend: "Collect the responses of a batch and write them as one array.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = s.scene::<Batch>().await?;
            if !scene.is_served() {
                return unverified("the batch was not answered, see stdio/batch-received");
            }
            let answers: Vec<&Answer> = scene.answers.iter().flatten().collect();
            let first = answers[0].message.batch;
            if first.is_some() && answers.iter().all(|answer| answer.message.batch == first) {
                return Ok(());
            }
            violated_by(
                "the 2 responses to a batch do not come in one array",
                answers
                    .iter()
                    .map(|answer| Excerpt::of_message(answer.at, &answer.message))
                    .collect(),
            )
        })
    },
);

const BATCH_OF_NOTIFICATIONS: Case = Case::probe(
    Clause {
        id: "stdio/batch-of-notifications-silent",
        title: "a batch of notifications is not answered",
        statement: "A batch that holds notifications only is answered by nothing, not even an empty \
            array.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-empty-array-reply",
    },
    Advice {
        why: "A response that nobody waits for is at best logged as an error.",
        how: "An array of two notifications; then the session is settled and read to its end.",
        mend: "Write nothing where a batch held no request, not even an empty array.",
    },
    Stage::Last,
    |s| {
        Box::pin(async {
            let line = json!([
                { "jsonrpc": "2.0", "method": "notifications/com.example.unknown" },
                {
                    "jsonrpc": "2.0",
                    "method": "notifications/cancelled",
                    "params": { "requestId": "mcp-conform-never-used" },
                },
            ]);
            s.notify(line).await?;
            s.fence().await.map_err(unread)?;
            if let Some(stray) = s.strays_of_turn().into_iter().next() {
                // Whoever refuses every batch fails another clause with it.
                if stray.message.has_error() && !s.scene::<Batch>().await?.is_served() {
                    return unverified("the batch is refused, see stdio/batch-received");
                }
                return answered_by_message(&stray);
            }
            if s.arrays_of_turn().is_empty() {
                s.ended().await?;
            }
            if let Some(array) = s.arrays_of_turn().into_iter().next() {
                return violated_by(
                    "a batch of notifications is answered by an array",
                    vec![array],
                );
            }
            s.strays_of_turn()
                .first()
                .map_or(Ok(()), answered_by_message)
        })
    },
);

fn answered_by_message(stray: &Stray) -> Result<(), Stop> {
    violated_by(
        "a batch of notifications is answered",
        vec![Excerpt::of_message(stray.at, &stray.message)],
    )
}

const BATCH_EMPTY: Case = Case::probe(
    Clause {
        id: "stdio/batch-empty-refused",
        title: "an empty batch is an invalid request",
        statement: "An empty array is answered with one error object, -32600 with a null id, and not \
            with an empty array.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-empty-accepted",
    },
    Advice {
        why: "JSON-RPC has an answer for the empty batch: an error, since it asks for nothing.",
        how: "The line `[]`; the answer has to be one error without an id.",
        mend: "Answer an empty array with one error object, -32600, its id null.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            s.write(&[b"[]\n"], Duration::ZERO).await?;
            s.fence().await.map_err(unread)?;
            if let Some(array) = s.arrays_of_turn().into_iter().next() {
                return violated_by("an empty batch is answered by an array", vec![array]);
            }
            let strays = s.strays_of_turn();
            let Some(Stray { message, at }) = strays.first() else {
                return unverified("an empty batch is not answered at all");
            };
            let code = message.error_is(-32600) || message.error_is(-32700);
            if message.is_without_id() && code {
                return Ok(());
            }
            violated_by(
                "an empty batch is answered by something else than the error -32600 without an id",
                vec![Excerpt::of_message(*at, message)],
            )
        })
    },
);

const BATCH_OUTPUT_HOMOGENEOUS: Case = Case::rule(
    Clause {
        id: "stdio/batch-output-homogeneous",
        title: "a batch that the server sends does not mix kinds",
        statement: "An array that the server writes is not empty and holds either requests and \
            notifications, or responses, but never both.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/transports#stdio")],
        fault: "mixed-batch",
    },
    Advice {
        why: "Clients tell a batch of responses from one of requests by its first element.",
        how: "Looks at every array on stdout while 2025-03-26 is in force.",
        mend: "Put responses to a batch into one array, and send requests and notifications apart \
            from it.",
    },
    Rule {
        subject: |event, _| matches!(event, Event::Line(line) if line.class == Class::Array),
        holds: |event, past| match event {
            Event::Line(line) => match line.array {
                Some(ArrayKinds {
                    responses: 0,
                    others: 0,
                }) => violated_by(
                    "an array on stdout is empty",
                    vec![Excerpt::of_line(past.now, line)],
                ),
                Some(ArrayKinds { responses, others }) if responses > 0 && others > 0 => {
                    violated_by(
                        format!(
                            "an array on stdout mixes {responses} responses with {others} other messages"
                        ),
                        vec![Excerpt::of_line(past.now, line)],
                    )
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        },
        unseen: "no array was seen on stdout",
    },
);

const NO_BATCH_OUTPUT: Case = Case::probe(
    Clause {
        id: "stdio/no-batch-output",
        title: "the server sends single messages, never arrays",
        statement: "Where batches do not exist each message on standard output is a single request, \
            notification or response; an array is not a valid message.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_06_18,
        until: V2026_07_28,
        transports: &[Transport::Stdio],
        needs: &[],
        anchors: &[(V2025_06_18, "basic/transports#stdio"), (V2026_07_28, "basic/transports/stdio#receiving-messages")],
        fault: "stdout-batch",
    },
    Advice {
        why: "From 2025-06-18 on no client expects an array.",
        how: "Five pings go out in one write, which invites a server to collect its answers; no \
            line may be an array.",
        mend: "Write each response as a message of its own.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let (ids, lines) = five_pings(s);
            s.exchange(lines.as_bytes(), &ids).await?;
            Ok(())
        })
    },
)
.with_rule(Rule {
    // Where we have sent an array ourselves, an array may be the answer to it.
    subject: |event, past| any_line(event, past) && !past.sent_array,
    holds: |event, past| {
        super::output::never(Class::Array, event, past, "a line of stdout is an array")
    },
    unseen: "nothing was written to stdout",
});

//! What is in a batch: in 2025-03-26 alone they are part of the protocol.

use super::{super::prelude::*, methods::UnknownMethod, unread};
use crate::{
    session::{PostEnd, Stray},
    tape::Stream,
    transport::SseFound,
};

pub(super) const CASES: &[Case] = &[
    BATCH_MIXED,
    BATCH_NO_ANSWER_TO_NOTIFICATION,
    BATCH_INVALID_ENTRY,
    BATCH_SINGLE,
    BATCH_EMPTY,
    BATCH_OF_RESPONSES,
];

/// What a server did with a batch of two pings, a notification and an unknown method.
struct Mixed {
    replies: Vec<(&'static str, Reply)>,
    strays: Vec<Stray>,
}

impl Mixed {
    /// Whether the batch was taken apart at all.
    fn is_served(&self) -> bool {
        let answered = |(_, reply): &(_, Reply)| matches!(reply, Reply::Answer(_));
        self.replies.iter().any(answered)
    }
}

impl Scene for Mixed {
    async fn play(s: &Talk) -> Result<Mixed, Stop> {
        let method = format!("conform/unknown-{}", s.nonce());
        let batch = json!([
            { "jsonrpc": "2.0", "id": "b1", "method": "ping" },
            { "jsonrpc": "2.0", "method": "notifications/com.example.unknown" },
            { "jsonrpc": "2.0", "id": "b2", "method": method },
            { "jsonrpc": "2.0", "id": 3, "method": "ping" },
        ]);
        let names = ["a ping", "an unknown method", "a ping behind it"];
        let ids = [json!("b1"), json!("b2"), json!(3)].map(|id| Id::of(&id));
        let mut waiting = s.begin_all(batch.to_string().as_bytes(), &ids).await?;
        s.fence().await.map_err(unread)?;
        let mut mixed = Mixed {
            replies: Vec::new(),
            strays: Vec::new(),
        };
        for (name, waiting) in names.into_iter().zip(&mut waiting) {
            mixed.replies.push((name, s.so_far(waiting).await));
        }
        // What is missing may still be on its way, unless the batch was refused as a whole.
        if mixed.is_served() || s.strays_of_turn().is_empty() {
            for ((_, reply), waiting) in mixed.replies.iter_mut().zip(waiting) {
                if reply.is_silence() {
                    *reply = s.finish(waiting, Patience::Settle).await?;
                }
            }
        }
        mixed.strays = s.strays_of_turn();
        Ok(mixed)
    }
}

/// The scene, where batches are taken at all: whether they are is the transport's clause.
async fn served(s: &Talk) -> Result<std::rc::Rc<Mixed>, Stop> {
    let scene = s.scene::<Mixed>().await?;
    if scene.is_served() {
        return Ok(scene);
    }
    unverified(match s.transport() {
        Transport::Stdio => "batches are not served, see stdio/batch-received",
        Transport::HttpSse => "batches are not served, see http-sse/batch-received",
        Transport::StreamableHttp => "batches are not served, see streamable-http/batch-accepted",
    })
}

const BATCH_MIXED: Case = Case::probe(
    Clause {
        id: "jsonrpc/batch-mixed",
        title: "A mixed batch: each request is answered, with its own outcome",
        statement: "In a batch of known requests, unknown ones and notifications every request gets \
            exactly one response with its id and its own outcome.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-drops-entry",
    },
    Advice {
        why: "A batch is a way to send requests together, and each of them has a caller who \
            waits.",
        how: "A batch of a ping, an unknown notification, an unknown method and another ping: \
            two results and an error have to come, in any order, as an array or singly.",
        mend: "Handle each entry as if it had come alone, and collect the answers.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let scene = served(s).await?;
            for (number, (name, reply)) in scene.replies.iter().enumerate() {
                let unknown = number == 1;
                let kept = matches!(reply, Reply::Answer(_)) && outcome_fits(unknown, reply);
                if kept {
                    continue;
                }
                // What fares no better alone is another clause's matter.
                let alone = match unknown {
                    true => s.scene::<UnknownMethod>().await?.replies()[0].1.clone(),
                    false => s.serves().await?,
                };
                if !outcome_fits(unknown, &alone) {
                    return unverified(format!("{name} in a batch {reply}, and so it is alone"));
                }
                return violated(format!("{name} in a batch {reply}"));
            }
            Ok(())
        })
    },
);

/// Whether an unknown method gets an error and a ping a result.
fn outcome_fits(unknown: bool, reply: &Reply) -> bool {
    match unknown {
        true => reply.is_error(),
        false => reply.is_result(),
    }
}

const BATCH_NO_ANSWER_TO_NOTIFICATION: Case = Case::probe(
    Clause {
        id: "jsonrpc/batch-no-answer-to-notification",
        title: "Notifications in a batch add no response",
        statement: "The answer to a batch has no entry for its notifications.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-answers-notification",
    },
    Advice {
        why: "A response that nobody waits for is at best logged as an error.",
        how: "The batch of jsonrpc/batch-mixed: nothing but the three responses may come.",
        mend: "Leave out entries for which there is no response.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            match served(s).await?.strays.first() {
                None => Ok(()),
                Some(stray) => violated_by(
                    "a batch with 3 requests and a notification has a further response",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
            }
        })
    },
);

const BATCH_INVALID_ENTRY: Case = Case::probe(
    Clause {
        id: "jsonrpc/batch-invalid-entry",
        title: "An invalid entry does not spoil its batch",
        statement: "If one entry of a batch is no valid request, the others are still served, and the \
            bad one is answered with -32600 and id null.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-invalid-entry-kills-all",
    },
    Advice {
        why: "One bad entry would cost all the others their answers.",
        how: "A batch of the number 1 and a ping: the ping has to be served.",
        mend: "Check the entries one by one, and answer a bad one with -32600 and the id null.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            served(s).await?;
            let ping = json!({ "jsonrpc": "2.0", "id": "v1", "method": "ping" });
            let text = json!([1, ping]).to_string();
            let id = Id::Text("v1".to_owned());
            match s
                .send_text(text.as_bytes(), Some(id), Patience::Settle)
                .await?
            {
                reply if reply.is_result() => Ok(()),
                reply => violated(format!("a ping in a batch with an invalid entry {reply}")),
            }
        })
    },
);

const BATCH_SINGLE: Case = Case::probe(
    Clause {
        id: "jsonrpc/batch-single",
        title: "A batch of one is served",
        statement: "An array with a single request is a batch and its answer an array with one \
            response.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-single-refused",
    },
    Advice {
        why: "Whoever collects requests has a single one at times.",
        how: "A batch of one ping.",
        mend: "Treat an array with one entry like any other.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            served(s).await?;
            let id = s.fresh_id();
            let text = format!("[{}]", s.ping(&id));
            match s
                .send_text(text.as_bytes(), Some(Id::Text(id)), Patience::Settle)
                .await?
            {
                reply if reply.is_result() => Ok(()),
                reply => violated(format!("the ping in a batch of one {reply}")),
            }
        })
    },
);

const BATCH_EMPTY: Case = Case::probe(
    Clause {
        id: "jsonrpc/batch-empty",
        title: "An empty batch is an invalid request",
        statement: "An empty array is answered with one error, -32600, and not accepted.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: &[Transport::HttpSse, Transport::StreamableHttp],
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "http-batch-empty-accepted",
    },
    Advice {
        why: "JSON-RPC has an answer for the empty batch: an error, since it asks for nothing.",
        how: "The body `[]` is posted: a 4xx status or one error without an id has to come.",
        mend: "Answer an empty array with one error, -32600, its id null.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let waiting = s.begin(b"[]", None).await?;
            let end = waiting.posted(s.session.limits.answer).await;
            if matches!(end, Some(PostEnd::Refused(_))) {
                return Ok(());
            }
            s.fence().await.map_err(unread)?;
            if let Some(array) = s.arrays_of_turn().into_iter().next() {
                return violated_by("an empty batch is answered by an array", vec![array]);
            }
            let is_meant = |message: &Message| {
                message.is_without_id() && (message.error_is(-32600) || message.error_is(-32700))
            };
            match (s.strays_of_turn().first(), end) {
                (Some(stray), _) if is_meant(&stray.message) => Ok(()),
                (Some(stray), _) => violated_by(
                    "an empty batch is answered by something else than the error -32600 without an id",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
                // Over HTTP+SSE every post is acknowledged.
                (None, Some(PostEnd::Read(exchange)))
                    if s.transport() == Transport::StreamableHttp =>
                {
                    violated(format!(
                        "an empty batch is accepted with HTTP status {}",
                        exchange.status
                    ))
                }
                (None, _) => unverified("an empty batch is not answered at all"),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, past| past.sent_array && empty_array(event).is_some(),
    holds: |event, past| match empty_array(event) {
        Some(data) => violated_by(
            "an empty array stands on the event stream",
            vec![Excerpt::new(Stream::Response, past.now, data)],
        ),
        None => Ok(()),
    },
    unseen: "no array was seen on an event stream",
});

/// The data of the event of a stream that the event is, if that is an empty array.
fn empty_array<'a>(event: &Event<'a>) -> Option<&'a [u8]> {
    let Event::Found {
        found: SseFound::Event(found),
        ..
    } = event
    else {
        return None;
    };
    let data = found.data.as_deref()?;
    let is_empty = data.len() < 64
        && data
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .eq(b"[]");
    is_empty.then_some(data)
}

const BATCH_OF_RESPONSES: Case = Case::probe(
    Clause {
        id: "jsonrpc/batch-of-responses",
        title: "A batch of responses does no harm",
        statement: "An array of responses is a batch too; unknown ids in it are ignored.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2025_03_26,
        transports: Transport::ALL,
        needs: &[],
        anchors: &[(V2025_03_26, "basic/index#batching")],
        fault: "batch-of-responses-fatal",
    },
    Advice {
        why: "Answers that come after their time-outs may come together.",
        how: "An array of two responses that answer nothing; then the session is settled and \
            read to its end.",
        mend: "Handle each entry as if it had come alone, and drop what answers nothing.",
    },
    Stage::Rough,
    |s| {
        Box::pin(async {
            let id = |number: u32| format!("nobody-{}-{number}", s.nonce());
            let stray = |number| json!({ "jsonrpc": "2.0", "id": id(number), "result": {} });
            let text = json!([stray(3), stray(4)]).to_string();
            s.send_text(text.as_bytes(), None, Patience::Settle).await?;
            if let Err(Stop::Broke(broken)) = s.fence().await {
                return violated(format!(
                    "after a batch of responses nothing is answered: {broken}"
                ));
            }
            let mut strays = s.strays_of_turn();
            if strays.is_empty() {
                s.ended().await?;
                let own = [3, 4].map(|number| Some(Id::Text(id(number))));
                strays = s.strays_since_turn();
                strays.retain(|stray| own.contains(&stray.message.id));
            }
            match strays.first() {
                None => Ok(()),
                // Whoever refuses every batch breaks another clause with it.
                Some(stray)
                    if stray.message.has_error() && !s.scene::<Mixed>().await?.is_served() =>
                {
                    served(s).await.map(drop)
                }
                Some(stray) => violated_by(
                    "a batch of responses is answered",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
            }
        })
    },
);

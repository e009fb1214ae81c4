//! Posts that ask for nothing: notifications and responses that are accepted.

use super::prelude::*;

pub(super) const CASES: &[Case] = &[NOTIFICATION_202, ACCEPTED_WITHOUT_BODY, RESPONSE_202];

/// The one message that was posted, if it is no request.
pub(super) fn posted(exchange: &Exchange) -> Option<&Message> {
    match exchange.posted.as_slice() {
        [message] if message.kind() != Kind::Request && message.batch.is_none() => Some(message),
        _ => None,
    }
}

/// The answer to a well-formed message of this kind that was not refused.
fn accepted<'a>(event: &Event<'a>, kind: Kind) -> Option<&'a Exchange> {
    let Event::Opened(exchange) = event else {
        return None;
    };
    let message = posted(exchange).filter(|m| m.kind() == kind && m.is_well_formed());
    // A request that lacks its id is a notification by its form alone.
    message
        .filter(|m| {
            m.method
                .as_deref()
                .is_none_or(|method| method.starts_with("notifications/"))
        })
        .filter(|_| exchange.status < 400)
        .map(|_| &***exchange)
}

fn is_202(exchange: Option<&Exchange>, what: &str, past: &Past) -> Result<(), Stop> {
    match exchange {
        Some(exchange) if exchange.status != 202 => violated_by(
            format!(
                "a {what} is answered with HTTP status {} and not 202",
                exchange.status
            ),
            answer_of(exchange, &[], past),
        ),
        _ => Ok(()),
    }
}

const NOTIFICATION_202: Case = Case::probe(
    Clause {
        id: "streamable-http/notification-202",
        title: "an accepted notification is answered with 202",
        statement: "A post with a notification that the server accepts is answered with status 202 \
            Accepted.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-notification-200",
    },
    Advice {
        why: "A client tells by it that nothing more will come; after another status it may wait \
            for a body, or report an error.",
        how: "Every notification of the run that is not refused, beginning with \
            `notifications/initialized`; one that cancels an id never used is posted besides.",
        mend: "Answer 202 Accepted to every notification that you take.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            let cancel = json!({
                "jsonrpc": "2.0",
                "method": "notifications/cancelled",
                "params": { "requestId": s.fresh_id(), "reason": "never asked" },
            });
            s.answered_http(s.post(&cancel)?).await?;
            left_to_rule()
        })
    },
)
.with_rule(Rule {
    subject: |event, _| accepted(event, Kind::Notification).is_some(),
    holds: |event, past| is_202(accepted(event, Kind::Notification), "notification", past),
    unseen: "every notification was refused",
});

const ACCEPTED_WITHOUT_BODY: Case = Case::rule(
    Clause {
        id: "streamable-http/accepted-without-body",
        title: "a 202 has no body",
        statement: "The answer 202 to a notification or a response has no body.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-202-with-body",
    },
    Advice {
        why: "A client that parses what it gets stumbles over a body in which there is no \
            message.",
        how: "The body of every 202 that answers a notification or a response is read to its \
            end.",
        mend: "Send nothing after the head; see whether your framework turns an empty return \
            value into `null`.",
    },
    Rule {
        subject: |event, _| {
            matches!(event, Event::Body { exchange, .. }
                if exchange.status == 202 && posted(exchange).is_some())
        },
        holds: |event, past| match event {
            Event::Body {
                exchange,
                body,
                len,
                ..
            } if *len > 0 => violated_by(
                format!("a 202 has a body of {len} bytes"),
                answer_of(exchange, body, past),
            ),
            _ => Ok(()),
        },
        unseen: "nothing was answered with 202",
    },
);

const RESPONSE_202: Case = Case::probe(
    Clause {
        id: "streamable-http/response-202",
        title: "an accepted response is answered with 202",
        statement: "A post with a JSON-RPC response that the server accepts is answered with 202 \
            Accepted; one that it cannot accept with an HTTP error.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-response-200",
    },
    Advice {
        why: "A client that answers a request of the server learns by it that its answer has \
            arrived.",
        how: "A result for an id that the server never used is posted, which may be refused; and \
            every answer of the run to a request of the server is looked at.",
        mend: "Answer 202 to a response that you take, 400 to one that belongs to nothing.",
    },
    Stage::Together("http-malformed"),
    |s| {
        Box::pin(async {
            let response = json!({ "jsonrpc": "2.0", "id": s.fresh_id(), "result": {} });
            let (posting, head) = s.exchange_http(s.post(&response)?).await?;
            match head {
                Err(_) if posting.is_over().is_none() => violated(format!(
                    "the post of a response gets no HTTP status within {} s",
                    s.answer_limit().as_secs_f32()
                )),
                Ok(head) if head.status < 400 => left_to_rule(),
                _ => Ok(()),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, _| accepted(event, Kind::Response).is_some(),
    holds: |event, past| is_202(accepted(event, Kind::Response), "response", past),
    unseen: "no response was posted that was accepted",
});

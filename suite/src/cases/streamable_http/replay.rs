//! Event ids, and what comes back by them.

use super::{client::*, prelude::*, resumption::*};
use crate::transport::SseFound;

pub(super) const CASES: &[Case] = &[
    EVENT_IDS_UNIQUE,
    REPLAY_OWN_STREAM_ONLY,
    REPLAY_OWN_SESSION_ONLY,
    REPLAY_AFTER_CURSOR,
    RESUME_BY_GET,
    UNKNOWN_LAST_EVENT_ID,
];

/// The cases that look at one conversation.
const STAGE: Stage = Stage::Unopened("replay");

const EVENT_IDS_UNIQUE: Case = Case::probe(
    Clause {
        id: "streamable-http/event-ids-unique",
        title: "event ids are unique across the streams of a session",
        statement: "If events carry ids, no id is used for two events of the session, on whatever \
            stream.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("event-ids")],
        anchors: &[(V2025_03_26, "basic/transports#resumability-and-redelivery")],
        fault: "http-event-ids-restart",
    },
    Advice {
        why: "A client that lost its connection names the last event that it has seen; an id \
            that stands on two events leads it to the wrong place, and messages are lost or \
            come twice.",
        how: "Posts requests, some side by side, and compares the explicit ids of all events of \
            each session, streams that were resumed and GET streams that were opened anew left \
            out.",
        mend: "Make ids of the stream and the position on it, or count over the whole session; do \
            not start anew with each stream.",
    },
    STAGE,
    |s| Box::pin(async { gives_ids(&*held::<Resumption>(s).await?) }),
)
.with_rule(Rule {
    subject: |event, past| {
        named(event).is_some_and(|(exchange, _)| past.event_ids.is_counted(exchange))
            && past.event_ids.any()
    },
    holds: |event, past| {
        let Some((exchange, id)) = named(event) else {
            return Ok(());
        };
        match past.event_ids.stream_of(exchange, id) {
            None => Ok(()),
            Some(other) => violated_by(
                format!(
                    "the event id `{}` stands on two events, {}",
                    escaped(id),
                    match other == exchange.number {
                        true => "of one stream",
                        false => "of two streams",
                    }
                ),
                evidence(event, past),
            ),
        }
    },
    unseen: "fewer than two events with ids came in any session",
});

/// The explicit id of an event.
fn named<'a>(event: &Event<'a>) -> Option<(&'a Rc<Exchange>, &'a str)> {
    match event {
        Event::Found {
            exchange,
            found: SseFound::Event(event),
        } => {
            // An empty id takes the last one back, and names nothing.
            let id = event.id.as_deref().filter(|id| !id.is_empty())?;
            Some((exchange, id))
        }
        _ => None,
    }
}

fn evidence(event: &Event<'_>, past: &Past) -> Vec<Excerpt> {
    match event {
        Event::Found {
            found: SseFound::Event(event),
            ..
        } => vec![Excerpt::new(Stream::Response, past.now, &event.raw)],
        _ => Vec::new(),
    }
}

fn gives_ids(resumption: &Resumption) -> Result<(), Stop> {
    match resumption.has_ids {
        true => Ok(()),
        false => not_applicable("no event on the stream of a post has an id"),
    }
}

/// The GETs with ids of a stream.
fn looks(resumption: &Resumption) -> Result<&Looks, Stop> {
    gives_ids(resumption)?;
    match &resumption.looks {
        Some(looks) => Ok(looks),
        None => unverified("no stream with event ids was read to its end with the response in it"),
    }
}

/// The same for cases to which something has to be replayed.
fn replayed(resumption: &Resumption) -> Result<&Looks, Stop> {
    let looks = looks(resumption)?;
    if looks.stream.is_ambiguous {
        return unverified("event ids are not unique, see streamable-http/event-ids-unique");
    }
    looks.first.turn.settled()?;
    if !looks.first.turn.is_stream() {
        return unverified(format!("the GET with an event id {}", looks.first.turn));
    }
    if looks.stream.behind() == 0 {
        return unverified("no event came behind the first id of a stream");
    }
    Ok(looks)
}

fn nothing() -> Result<(), Stop> {
    unverified("the server replays nothing")
}

const REPLAY_OWN_STREAM_ONLY: Case = Case::probe(
    Clause {
        id: "streamable-http/replay-own-stream-only",
        title: "a replay holds only messages of the stream resumed",
        statement: "On a GET with Last-Event-ID the server does not send messages that belonged to \
            another stream.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("event-ids")],
        anchors: &[(V2025_03_26, "basic/transports#resumability-and-redelivery")],
        fault: "http-replays-other-stream",
    },
    Advice {
        why: "A client reads each stream for one request; what belongs to another one is taken \
            twice, or taken for an answer that it is not.",
        how: "Posts requests side by side in several rounds, then resumes a finished stream from \
            its first event id, and compares what comes by request ids and progress tokens.",
        mend: "Keep events by stream, find the stream by the event id, and replay from that \
            stream alone.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let resumption = held::<Resumption>(s).await?;
            let looks = replayed(&resumption)?;
            show(s, [&looks.stream.turn]);
            let mut some = false;
            for look in looks.all() {
                if let Some(message) = look.messages.iter().find(|m| looks.stream.is_foreign(m)) {
                    show(s, [&look.turn]);
                    return violated_by(
                        "a GET that resumes one stream brings a message of another",
                        vec![Excerpt::of_message(s.session.now(), message)],
                    );
                }
                some |= !look.messages.is_empty();
            }
            if some { Ok(()) } else { nothing() }
        })
    },
);

const REPLAY_OWN_SESSION_ONLY: Case = Case::probe(
    Clause {
        id: "streamable-http/replay-own-session-only",
        title: "a replay does not cross sessions",
        statement: "An event id of one session does not bring that session's messages to another \
            session.",
        level: Level::MustNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("event-ids"), Gate::Met("session")],
        anchors: &[(V2025_03_26, "basic/transports#resumability-and-redelivery")],
        fault: "http-replay-crosses-sessions",
    },
    Advice {
        why: "Whoever learns or guesses an event id would read what another client was answered.",
        how: "Resumes a stream of one session with the header of another, once with request ids \
            of their own and once with a request id that both sessions have used.",
        mend: "Look an event id up among the streams of the session that asks, not in one store \
            for all; with a shared store put the session id into the key of each stream.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            keeps_sessions(s)?;
            let resumption = held::<Resumption>(s).await?;
            let looks = looks(&resumption)?;
            let Some(elsewhere) = &looks.elsewhere else {
                return not_applicable("the server gives no session ids");
            };
            let equal = elsewhere.equal.as_ref();
            let tried = [(&looks.stream, &elsewhere.distinct)]
                .into_iter()
                .chain(equal.map(|(stream, look)| (stream, look)));
            let mut behind = 0;
            for (stream, look) in tried {
                look.turn.settled()?;
                behind += stream.behind();
                if let Some(message) = look.messages.iter().find(|m| stream.has_said(m)) {
                    show(s, [&stream.turn, &look.turn]);
                    return violated_by(
                        "a GET in one session brings a message of another session",
                        vec![Excerpt::of_message(s.session.now(), message)],
                    );
                }
            }
            if behind == 0 {
                return unverified("no event came behind the first id of a stream");
            }
            show(s, [&looks.stream.turn, &elsewhere.distinct.turn]);
            Ok(())
        })
    },
);

const REPLAY_AFTER_CURSOR: Case = Case::probe(
    Clause {
        id: "streamable-http/replay-after-cursor",
        title: "a replay starts after the last event id",
        statement: "Events at or before the id that the client names are not sent again.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("event-ids")],
        anchors: &[(V2025_03_26, "basic/transports#resumability-and-redelivery")],
        fault: "http-replays-acknowledged",
    },
    Advice {
        why: "A client names the last event that it has dealt with; whatever comes again is \
            dealt with twice.",
        how: "Resumes a finished stream from its first event id, from the last one in front of \
            the response, and from its last one, and looks for events that it had named or \
            read before.",
        mend: "Replay what stands behind the event that the client names, and not that event \
            itself.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let resumption = held::<Resumption>(s).await?;
            let looks = replayed(&resumption)?;
            let stream = &looks.stream;
            show(s, [&stream.turn]);
            let mut some = false;
            for look in looks.all() {
                let again = look
                    .repeated(stream)
                    .map(|event| Excerpt::new(Stream::Response, s.session.now(), &event.raw));
                let again = again.or_else(|| {
                    let message = look.responds_again(stream)?;
                    Some(Excerpt::of_message(s.session.now(), message))
                });
                if let Some(again) = again {
                    show(s, [&look.turn]);
                    return violated_by(
                        "an event comes again that is not behind the one that `Last-Event-ID` names",
                        vec![again],
                    );
                }
                some |= !look.messages.is_empty();
            }
            if some { Ok(()) } else { nothing() }
        })
    },
);

const RESUME_BY_GET: Case = Case::probe(
    Clause {
        id: "streamable-http/resume-by-get",
        title: "streams with event ids can be resumed by GET",
        statement: "A stream is resumed by GET with Last-Event-ID, however it was opened; a server \
            that hands out ids on the streams of posts accepts such a GET.",
        level: Level::Should,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("event-ids")],
        anchors: &[(V2025_11_25, "basic/transports#resumability-and-redelivery")],
        fault: "http-ids-without-get",
    },
    Advice {
        why: "An event id is an offer to come back with it; where no request takes it, the \
            client waits for an answer that it cannot fetch.",
        how: "Takes an event id from the stream of a post and sends a GET with it as \
            `Last-Event-ID` in the same session.",
        mend: "Accept GET with `Last-Event-ID`, or give no ids: most SDKs give them only where an \
            event store is set up.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let resumption = held::<Resumption>(s).await?;
            let turn = &looks(&resumption)?.first.turn;
            show(s, [turn]);
            match turn.status()? {
                _ if turn.is_stream() => Ok(()),
                // An id that the server no longer keeps.
                400 | 404 | 409 | 410 => Ok(()),
                status if status == 405 || status >= 500 => violated(format!(
                    "the streams of posts give event ids, but a GET with one {turn}"
                )),
                _ => unverified(format!("the GET with an event id {turn}")),
            }
        })
    },
);

const UNKNOWN_LAST_EVENT_ID: Case = Case::probe(
    Clause {
        id: "streamable-http/unknown-last-event-id",
        title: "a GET with an unknown event id is handled cleanly",
        statement: "A GET that carries a Last-Event-ID that the server does not know is answered by an \
            event stream, by 405, or by a client error.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[(
            V2025_03_26,
            "basic/transports#listening-for-messages-from-the-server",
        )],
        fault: "http-500-on-unknown-last-event-id",
    },
    Advice {
        why: "Servers restart and forget; a client that comes back with an old event id has to \
            learn that there is nothing to be had, and not that the server is broken.",
        how: "Sends a GET with a `Last-Event-ID` that was never given, as the first GET of a \
            session, and reads what comes.",
        mend: "Answer with a fresh event stream, with 405 where there are no GET streams, or with \
            400; catch what the event store throws.",
    },
    STAGE,
    |s| {
        Box::pin(async {
            let client = Client::open(s).await?;
            s.forget_log();
            let draft = client.talk.get()?;
            let turn = client
                .talk
                .turn(draft.header("Last-Event-ID", "mcp-conform-unknown-1"))
                .await;
            if turn.is_stream() {
                client.read(&turn).await?;
            }
            turn.posting.disconnect();
            show(s, [&turn]);
            let status = turn.status()?;
            if status >= 500 {
                let plain = client.listen().await?;
                plain.posting.disconnect();
                return match plain.status() {
                    Ok(plain) if plain >= 500 => unverified(format!(
                        "a GET without the event id is answered with HTTP status {plain} as well, \
                         see streamable-http/get-stream-or-405"
                    )),
                    _ => violated(format!(
                        "a GET with an unknown `Last-Event-ID` {turn}; expected an event stream, \
                         405, or a client error"
                    )),
                };
            }
            if turn.is_success() && !turn.is_stream() {
                let plain = client.listen().await?;
                plain.posting.disconnect();
                if !plain.is_stream() {
                    return unverified(
                        "a GET without the event id brings no event stream either, see \
                         streamable-http/get-stream-or-405",
                    );
                }
                return violated(format!(
                    "a GET with an unknown `Last-Event-ID` is answered with HTTP status {status} and \
                     the type `{}`",
                    escaped(turn.header("content-type").unwrap_or_default())
                ));
            }
            let messages = turn.posting.messages();
            let response = messages.iter().find(|m| m.kind() == Kind::Response);
            if let Some(message) = response.filter(|_| turn.is_stream()) {
                return violated_by(
                    "a GET with an unknown `Last-Event-ID` brings a message from before",
                    vec![Excerpt::of_message(s.session.now(), message)],
                );
            }
            match status {
                404 => {
                    s.remark("404 makes clients give their session up; 400 would not");
                    Ok(())
                }
                200..300 | 400 | 405 | 409 | 410 => Ok(()),
                _ => unverified(format!("the GET with an unknown event id {turn}")),
            }
        })
    },
);

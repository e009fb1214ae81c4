//! Several sessions at once, and what belongs to which.

use std::time::Duration;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[
    MULTIPLE_CONNECTIONS,
    SESSION_SEPARATION,
    UNKNOWN_SESSION_REFUSED,
    POST_AFTER_CLOSE,
];

/// When a closed session is posted to again, counted from the time before.
const PAUSES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_millis(1000),
    Duration::from_millis(3700),
];

const MULTIPLE_CONNECTIONS: Case = Case::probe(
    Clause {
        id: "http-sse/multiple-connections",
        title: "several clients can be connected at once",
        statement: "The server handles several SSE connections at the same time, each with its own \
            session.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-single-connection",
    },
    Advice {
        why: "A second client is the rule: another window, an inspector, a client that \
            reconnects.",
        how: "While one session is open a second one is opened; then both are pinged.",
        mend: "Make a server object, or at least a transport, for each connection; one that is \
            shared answers whoever came last.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let before = s.serves().await?;
            if !before.is_result() {
                return unverified(format!("with one session open a ping {before}"));
            }
            let other = match opened(s).await? {
                Ok(other) => other,
                Err(Reply::Refused(refusal)) if refusal.turns_away() => {
                    return unverified(format!(
                        "the server answers with HTTP status {}",
                        refusal.status
                    ));
                }
                Err(reply) => {
                    return violated(format!(
                        "while one session is open, `initialize` on another connection {reply}"
                    ));
                }
            };
            let replies = [
                ("first", s.serves().await?),
                ("second", other.serves().await?),
            ];
            for (which, reply) in replies {
                if !reply.is_result() {
                    return violated(format!(
                        "with two sessions open, a ping in the {which} one {reply}"
                    ));
                }
            }
            Ok(())
        })
    },
);

const SESSION_SEPARATION: Case = Case::probe(
    Clause {
        id: "http-sse/session-separation",
        title: "messages stay on the connection that they belong to",
        statement: "What one client asks is not answered on another client's stream, even when both \
            use the same ids.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-broadcasts-responses",
    },
    Advice {
        why: "Each client numbers its requests as it likes, mostly from 1: what reaches another \
            one is taken for its own answer.",
        how: "Two sessions are opened. An id is used in the first alone, and another in both at \
            the same time for different requests; the streams are compared.",
        mend: "Keep requests and responses with the connection that they came by, and not in a \
            map that is shared by id.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let (a, b) = (needs_unjudged(s).await?, needs_unjudged(s).await?);
            let reply = a.ask_as(json!(7), "ping", Value::Null).await?;
            b.fence().await?;
            let is_seven = |message: &Message| message.id == Some(Id::Number("7".to_owned()));
            if let Some(stray) = b
                .strays()
                .into_iter()
                .find(|stray| is_seven(&stray.message))
            {
                return violated_by(
                    "what one client asked is answered on the stream of another",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                );
            }
            if !reply.is_result() {
                return unverified(format!("a ping {reply}"));
            }
            let Some(list) = b.list_method() else {
                return Ok(());
            };
            let (pinged, listed) = futures_util::join!(
                a.ask_as(json!(8), "ping", Value::Null),
                b.ask_as(json!(8), list, Value::Null)
            );
            let (pinged, listed) = (pinged?, listed?);
            let member = list.split('/').next().unwrap_or_default();
            let is_list = |reply: &Reply| {
                let members = reply.members();
                members.is_some_and(|members| members.get(member).is_some_and(Value::is_array))
            };
            let is_pong = |reply: &Reply| {
                let members = reply.members();
                members.is_some_and(|members| members.keys().all(|name| name == "_meta"))
            };
            let same = Id::Number("8".to_owned());
            let repeats = [a.repeats_of(&same), b.repeats_of(&same)].concat();
            if is_list(&pinged) || is_pong(&listed) || !repeats.is_empty() {
                return violated_by(
                    format!(
                        "where two clients use one id at a time, the one for `ping`, the other for \
                         `{list}`, an answer comes on the other's stream{}",
                        shared_endpoint(&a, &b)?
                    ),
                    repeats
                        .iter()
                        .map(|seen| Excerpt::of_message(seen.at, &seen.message))
                        .collect(),
                );
            }
            Ok(())
        })
    },
);

/// A remark on two sessions that are posted to at one address.
fn shared_endpoint(a: &Talk, b: &Talk) -> Result<&'static str, Stop> {
    Ok(match a.endpoint()? == b.endpoint()? {
        true => "; both are told the very same endpoint, so that the server cannot tell them apart",
        false => "",
    })
}

/// The address `a` with the part in which it differs from `b` made up, in the same shape; none if
/// it differs in nothing.
fn made_up(a: &Url, b: &Url, nonce: &str) -> Option<Url> {
    let whole = |url: &Url| format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let (ours, other) = (whole(a), whole(b));
    let parts = |text: &str| -> Vec<String> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        let split = text.split(|letter| !is_part(letter));
        split.map(str::to_owned).collect()
    };
    let other_parts = parts(&other);
    let differing = parts(&ours)
        .into_iter()
        .filter(|part| !part.is_empty() && !other_parts.contains(part));
    let part = differing.max_by_key(String::len)?;
    let mut digits = nonce.chars().cycle();
    let random: String = part
        .chars()
        .map(|letter| match letter {
            '-' => '-',
            // Hexadecimal digits are letters and digits, and never the one that stood there.
            letter => {
                let drawn = digits.find(|digit| {
                    *digit != letter.to_ascii_lowercase()
                        && digit.is_ascii_digit() == letter.is_ascii_digit()
                });
                let drawn = drawn.unwrap_or('0');
                if letter.is_ascii_uppercase() {
                    drawn.to_ascii_uppercase()
                } else {
                    drawn
                }
            }
        })
        .collect();
    // A short one may be a word of the path, or stand for a session of somebody else.
    let is_plain = part.len() >= 8 && ours.matches(&part).count() == 1;
    is_plain.then(|| a.join(&ours.replacen(&part, &random, 1)).ok())?
}

const UNKNOWN_SESSION_REFUSED: Case = Case::probe(
    Clause {
        id: "http-sse/unknown-session-refused",
        title: "a POST for an unknown session is refused",
        statement: "A message posted to an endpoint with a session that the server never issued is \
            refused, and reaches no other session.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-accepts-unknown-session",
    },
    Advice {
        why: "A client whose session is gone has to learn of it; and a guessed session must not \
            be another's.",
        how: "The part of the endpoint in which two sessions differ is replaced by another of \
            the same shape, and a ping posted there.",
        mend: "Look the session up, and answer the POST with status 404 if there is none.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let other = needs_another(s).await?;
            let Some(unknown) = made_up(&s.endpoint()?, &other.endpoint()?, s.nonce()) else {
                return unverified("the endpoint has no part that differs between connections");
            };
            let (id, ping) = ping(s);
            let mut waiting = s.begin_http(s.post(&ping)?.to(unknown), &id);
            s.leave_floor();
            s.fence().await?;
            let end = waiting.posted(s.answer_limit()).await;
            let answered = is_answered_here(s, &mut waiting);
            match end {
                Some(PostEnd::Refused(refusal)) if refusal.turns_away() => unverified(format!(
                    "the server answers with HTTP status {}",
                    refusal.status
                )),
                Some(PostEnd::Refused(_)) if !answered => Ok(()),
                Some(PostEnd::Refused(_)) => violated(
                    "a ping that was posted for an unknown session is answered in another one",
                ),
                Some(PostEnd::Read(exchange)) => {
                    s.note_head(&exchange);
                    let answered = match answered {
                        true => ", and answered in another one",
                        false => "",
                    };
                    violated(format!(
                        "a ping that is posted for an unknown session gets HTTP status {}{answered}; \
                         expected 400 or above",
                        exchange.status
                    ))
                }
                Some(PostEnd::Broke(reason)) => {
                    unverified(format!("the POST has no status: {reason}"))
                }
                None => unverified("the POST for an unknown session gets no status at all"),
            }
        })
    },
);

const POST_AFTER_CLOSE: Case = Case::probe(
    Clause {
        id: "http-sse/post-after-close",
        title: "a closed connection ends its session",
        statement: "Once the client has closed the stream, messages posted to its endpoint are \
            refused.",
        level: Level::Should,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/lifecycle#http")],
        fault: "sse-session-outlives-stream",
    },
    Advice {
        why: "Sessions that outlive their streams pile up, and what is posted to them is done \
            for nobody.",
        how: "A session is opened and its stream closed. Pings are posted to its endpoint, five \
            at most within five seconds, until one is refused; another session stays open.",
        mend: "End the session when its connection closes, and answer later POSTs with status \
            404.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let gone = needs_another(s).await?;
            let endpoint = gone.endpoint()?;
            if endpoint == s.endpoint()? {
                return unverified("the endpoint has no part that differs between connections");
            }
            let Some(stream) = gone.standing() else {
                return unverified("the session has no stream");
            };
            stream.disconnect();
            s.leave_floor();
            let mut last = 0;
            for pause in PAUSES {
                tokio::time::sleep(pause).await;
                let (id, ping) = ping(s);
                let mut waiting = s.begin_http(s.post(&ping)?.to(endpoint.clone()), &id);
                let end = waiting.posted(s.answer_limit()).await;
                if is_answered_here(s, &mut waiting) {
                    return violated(
                        "a ping that was posted for a closed session is answered in another one",
                    );
                }
                match end {
                    Some(PostEnd::Refused(refusal)) if refusal.turns_away() => {
                        return unverified(format!(
                            "the server answers with HTTP status {}",
                            refusal.status
                        ));
                    }
                    Some(PostEnd::Refused(_)) => return Ok(()),
                    Some(PostEnd::Read(exchange)) => last = exchange.status,
                    Some(PostEnd::Broke(reason)) => {
                        return unverified(format!("the POST has no status: {reason}"));
                    }
                    None => {
                        return unverified("the POST for a closed session gets no status at all");
                    }
                }
            }
            violated(format!(
                "five seconds after its stream was closed the session still takes messages, with \
                 HTTP status {last}; expected 400 or above"
            ))
        })
    },
);

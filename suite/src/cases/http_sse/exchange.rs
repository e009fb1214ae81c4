//! A conversation over one stream.

use futures_util::future::join_all;

use super::prelude::*;

pub(super) const CASES: &[Case] = &[NOTIFICATION_SILENT, CONCURRENT_POSTS, STREAM_STAYS_OPEN];

/// So many requests are posted side by side.
const SIDE_BY_SIDE: usize = 10;
/// So many requests are posted one after the other.
const ROUNDS: usize = 4;

const NOTIFICATION_SILENT: Case = Case::probe(
    Clause {
        id: "http-sse/notification-silent",
        title: "a notification is not answered on the stream",
        statement: "Nothing that answers a notification is sent on the stream.",
        level: Level::MustNot,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/messages#notifications")],
        fault: "sse-responds-to-notification",
    },
    Advice {
        why: "A response that answers nothing breaks clients that match responses to requests.",
        how: "An unknown notification, and `notifications/cancelled` for a request that never \
            was, are posted; the session is then read to its end.",
        mend: "Drop notifications that you do not know, and never answer one.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let cancelled = json!({ "requestId": format!("never-{}", s.nonce()) });
            for (method, params) in [
                ("notifications/com.example.unknown", json!({})),
                ("notifications/cancelled", cancelled),
            ] {
                let notification = json!({ "jsonrpc": "2.0", "method": method, "params": params });
                if let Some(refusal) = s.tell(&notification).await? {
                    return unverified(format!(
                        "the POST of a notification is refused with HTTP status {}",
                        refusal.status
                    ));
                }
            }
            s.fence().await?;
            s.ended().await?;
            match s.strays_of_turn().first() {
                None => Ok(()),
                Some(stray) => violated_by(
                    "a response comes on the stream that answers none of our requests",
                    vec![Excerpt::of_message(stray.at, &stray.message)],
                ),
            }
        })
    },
);

const CONCURRENT_POSTS: Case = Case::probe(
    Clause {
        id: "http-sse/concurrent-posts",
        title: "messages posted in parallel are all handled",
        statement: "Requests posted while others are in flight are each answered once, on the stream.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-drops-concurrent-post",
    },
    Advice {
        why: "Clients post while others of their requests are in flight, over as many \
            connections as they like.",
        how: "Ten pings are posted side by side, and the stream is read until all are answered.",
        mend: "Keep no state of one POST where another can overwrite it, and write each response \
            to the stream under a lock.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let mut waiting = Vec::with_capacity(SIDE_BY_SIDE);
            for _ in 0..SIDE_BY_SIDE {
                let (id, ping) = ping(s);
                waiting.push(
                    s.begin(ping.to_string().as_bytes(), Some(Id::Text(id)))
                        .await?,
                );
            }
            let finish = |waiting| s.finish(waiting, Patience::Settle);
            let replies: Vec<_> = join_all(waiting.into_iter().map(finish)).await;
            let replies = replies.into_iter().collect::<Result<Vec<_>, Stop>>()?;
            let missing = replies
                .iter()
                .filter(|reply| matches!(reply, Reply::Silent));
            let missing = missing.count();
            if missing > 0 {
                return violated(format!(
                    "{missing} of {SIDE_BY_SIDE} pings that were posted side by side are not \
                     answered"
                ));
            }
            // What a server, or a proxy in front of it, does not take in it need not answer.
            match replies
                .iter()
                .find(|reply| !matches!(reply, Reply::Answer(_)))
            {
                None => Ok(()),
                Some(reply) => unverified(format!("one of the pings side by side {reply}")),
            }
        })
    },
);

const STREAM_STAYS_OPEN: Case = Case::probe(
    Clause {
        id: "http-sse/stream-stays-open",
        title: "the stream stays open between messages",
        statement: "The stream lasts as long as the session; it does not end after an event, a \
            response or a short idle time.",
        level: Level::Must,
        levels: &[],
        since: V2024_11_05,
        until: V2024_11_05,
        transports: &[Transport::HttpSse],
        needs: &[],
        anchors: &[(V2024_11_05, "basic/transports#http-with-sse")],
        fault: "sse-closes-after-response",
    },
    Advice {
        why: "The end of the stream is the end of the session: what is in flight is lost, and \
            the client has to begin again.",
        how: "A session is opened and pinged four times, each time after the answer to the ping \
            before.",
        mend: "Keep the stream open after a response; let the client end the session.",
    },
    Stage::Shared,
    |s| {
        Box::pin(async {
            let other = needs_another(s).await?;
            for round in 1..=ROUNDS {
                let reply = other.serves().await?;
                if reply.is_result() {
                    continue;
                }
                if !other.session.has_ended() {
                    return unverified(format!("a ping {reply}"));
                }
                return match opened(s).await? {
                    Ok(_) => violated(format!(
                        "the server ends the stream after {} answers, though the client has not",
                        round - 1
                    )),
                    Err(_) => unverified("the whole server has gone away"),
                };
            }
            Ok(())
        })
    },
);

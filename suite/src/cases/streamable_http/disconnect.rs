//! What becomes of a request whose connection breaks.

use super::{client::*, prelude::*};
use crate::{talk::Call, transport::SseEvent};

pub(super) const CASES: &[Case] = &[DISCONNECT_IS_NOT_CANCEL];

const DISCONNECT_IS_NOT_CANCEL: Case = Case::probe(
    Clause {
        id: "streamable-http/disconnect-is-not-cancel",
        title: "a client's disconnection does not cancel its request",
        statement: "When the connection of a request breaks, the server does not take that for a \
            cancellation.",
        level: Level::ShouldNot,
        levels: &[],
        since: V2025_03_26,
        until: V2025_11_25,
        transports: &[Transport::StreamableHttp],
        needs: &[Gate::Met("slow-tool"), Gate::Met("event-ids")],
        anchors: &[(
            V2025_03_26,
            "basic/transports#sending-messages-to-the-server",
        )],
        fault: "http-disconnect-cancels",
    },
    Advice {
        why: "Connections break by themselves, on trains and behind proxies; a call that ends \
            with its connection has done its work, or half of it, for nobody.",
        how: "Calls a slow tool, drops the connection once its stream has given an event id, \
            calls the tool once more and waits for that answer, then resumes the first stream \
            by the id and looks for its response.",
        mend: "Let the request run on when its connection is gone, and cancel it for \
            `notifications/cancelled` alone.",
    },
    Stage::Unopened("disconnect"),
    |s| {
        Box::pin(async {
            let tool = s.idly(s.slow_tool()).await?;
            let client = Client::open(s).await?;
            s.forget_log();
            let dropped = call(&client, &tool, "dropped")?;
            let limit = s.session.limits.answer;
            let dropped = s.idly(client.talk.turn_begun(dropped, limit)).await;
            let event = dropped.posting.event_of(|event| id(event).is_some());
            let event = tokio::time::timeout(limit, event).await.ok().flatten();
            dropped.posting.disconnect();
            show(s, [&dropped]);
            dropped.settled()?;
            let Some(id) = event.as_ref().and_then(id) else {
                return not_applicable("the stream of a call gives no event id");
            };
            // The yardstick: when it is answered, the first call has had its time too.
            let yardstick = call(&client, &tool, "yardstick")?;
            let yardstick = s.idly(client.talk.turn(yardstick)).await;
            yardstick.control("another call of the tool")?;
            let control = resumed(&client, &yardstick).await?;
            let replays = control.is_some_and(|(turn, _)| response(&turn).is_some());
            let (turn, is_over) = resume(&client, id).await?;
            show(s, [&turn]);
            turn.settled()?;
            match response(&turn) {
                Some(response) if response.has_error() => {
                    let text = String::from_utf8_lossy(response.text().unwrap_or_default());
                    let text = text.to_ascii_lowercase();
                    match ["cancel", "abort", "disconnect"]
                        .iter()
                        .any(|word| text.contains(word))
                    {
                        true => violated_by(
                            "a call whose connection was dropped ends with an error that speaks of \
                             cancellation",
                            vec![Excerpt::of_message(s.session.now(), &response)],
                        ),
                        false => unverified("the call whose connection was dropped failed"),
                    }
                }
                Some(_) => Ok(()),
                None if !replays => unverified(
                    "the server replays no response, so that the fate of a request cannot be seen",
                ),
                None if turn.is_stream() && is_over => violated(
                    "a call whose connection was dropped was never answered: its stream, resumed, \
                     ends without the response, while that of another call brings it",
                ),
                None => unverified(format!("the GET that resumes the stream {turn}")),
            }
        })
    },
);

/// A call of the tool, which reports progress where it can.
fn call(client: &Client, tool: &Call, id: &str) -> Result<Draft, Stop> {
    let token = json!(format!("token-{id}"));
    client.request_as(id, "tools/call", tool.params_with_token(&token))
}

/// The id of an event, if it can be come back with.
fn id(event: &SseEvent) -> Option<&str> {
    event.id.as_deref().filter(|id| !id.is_empty())
}

fn response(turn: &Turn) -> Option<Message> {
    let messages = turn.posting.messages();
    messages
        .into_iter()
        .find(|message| message.kind() == Kind::Response)
}

/// What a finished stream brings once more behind its first id.
async fn resumed(client: &Client, turn: &Turn) -> Result<Option<(Turn, bool)>, Stop> {
    let events = turn.events();
    match events.iter().find_map(id) {
        Some(id) => resume(client, id).await.map(Some),
        None => Ok(None),
    }
}

/// Resumes a stream and reads it until the response, its end, or two sentinels; whether it ended.
async fn resume(client: &Client, id: &str) -> Result<(Turn, bool), Stop> {
    let turn = client
        .talk
        .turn(client.talk.get()?.header("Last-Event-ID", id))
        .await;
    if turn.is_stream() {
        client.read(&turn).await?;
    }
    let is_over = turn.posting.is_over().is_some();
    turn.posting.disconnect();
    Ok((turn, is_over))
}

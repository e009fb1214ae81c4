//! What the files of this area need: the stream that is the session, and what comes on it.

pub(super) use tokio::time::timeout;
pub(super) use url::Url;

pub(super) use crate::{
    cases::prelude::*,
    session::PostEnd,
    talk::{Draft, Waiting},
    tape::{Close, Exchange, Stream, names_endpoint, read_value},
    transport::{
        EndpointFlaw, SseEvent, SseFlawKind, SseFound, endpoint_of, origin, own_addresses,
    },
};

/// The endpoint event that opens the session, and the exchange whose stream brought it.
pub(super) fn endpoint<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Exchange, &'a SseEvent)> {
    let Event::Found {
        exchange,
        found: SseFound::Event(event),
    } = event
    else {
        return None;
    };
    let opens = names_endpoint(event) && past.sse.is_in(exchange) && !past.sse.named;
    opens.then_some((&***exchange, event))
}

/// The head of an answer, as evidence.
pub(super) fn head_of(exchange: &Exchange, past: &Past) -> Vec<Excerpt> {
    vec![Excerpt::of_exchange(past.now, exchange)]
}

/// What stands in a stream, as evidence.
pub(super) fn lines_of(lines: &[u8], past: &Past) -> Vec<Excerpt> {
    vec![Excerpt::new(Stream::Response, past.now, lines)]
}

/// H with an id that nobody has used, and that id.
pub(super) fn ping(s: &Talk) -> (String, Value) {
    let id = s.fresh_id();
    let ping = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    (id, ping)
}

/// Posts H in a form of its own and waits for what becomes of it.
pub(super) async fn ping_by(s: &Talk, change: impl FnOnce(Draft) -> Draft) -> Result<Reply, Stop> {
    let (id, ping) = ping(s);
    let waiting = s.begin_http(change(s.post(&ping)?), &id);
    s.finish(waiting, Patience::Settle).await
}

/// A further session of the case, opened; what came of it otherwise.
pub(super) async fn opened(s: &Talk) -> Result<Result<Talk, Reply>, Stop> {
    open(s, s.another()?).await
}

async fn open(s: &Talk, other: Talk) -> Result<Result<Talk, Reply>, Stop> {
    if let Some(standing) = other.standing()
        && let Ok(Ok(head)) = timeout(s.answer_limit(), standing.head()).await
        && head.status >= 400
    {
        timeout(s.answer_limit(), standing.ended()).await.ok();
    }
    if let Some(refusal) = other.session.refused_stream() {
        return Ok(Err(Reply::Refused(refusal)));
    }
    let reply = other.handshake().await?;
    Ok(match reply.is_result() {
        true => Ok(other),
        false => Err(reply),
    })
}

/// The same where it has to be opened for the case to see anything.
pub(super) async fn needs_another(s: &Talk) -> Result<Talk, Stop> {
    needs(opened(s).await?)
}

/// The same, where what goes astray between sessions is for the case alone to judge.
pub(super) async fn needs_unjudged(s: &Talk) -> Result<Talk, Stop> {
    needs(open(s, s.another_unjudged()?).await?)
}

fn needs(opened: Result<Talk, Reply>) -> Result<Talk, Stop> {
    match opened {
        Ok(other) => Ok(other),
        Err(reply) => unverified(format!(
            "a further session could not be opened, its `initialize` {reply}"
        )),
    }
}

/// Whether what was posted for another session has been answered on the stream of this one.
pub(super) fn is_answered_here(s: &Talk, waiting: &mut Waiting) -> bool {
    let came = s.came(waiting);
    let message = came.as_ref().and_then(Reply::message);
    let exchange = message.and_then(|message| message.exchange.as_ref());
    exchange.is_some_and(|exchange| exchange.method == "GET")
}

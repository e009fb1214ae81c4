//! Streams of posts that have ended, and what a GET with an event id of theirs brings.

use std::collections::HashSet;

use futures_util::future::join_all;

use super::{client::*, prelude::*};
use crate::{talk::Call, transport::SseEvent};

/// So often the same is posted: what comes behind a stream shows only if there is something.
const ROUNDS: usize = 3;

/// What came of it.
pub(super) struct Resumption {
    /// Whether any event on the stream of a post had an id.
    pub(super) has_ids: bool,
    /// What was looked at, if there was a stream with ids and a response.
    pub(super) looks: Option<Looks>,
}

/// A stream that has ended, and the GETs with ids of its events.
pub(super) struct Looks {
    pub(super) stream: Finished,
    /// With the first id: what follows may come again.
    pub(super) first: Look,
    /// With the last id in front of the response, where that is another one.
    pub(super) before_response: Option<Look>,
    /// With the last id.
    pub(super) last: Look,
    /// In another session, where the server keeps sessions.
    pub(super) elsewhere: Option<Elsewhere>,
}

/// What the progress tokens begin with that are given out here.
const TOKEN: &str = "token-";

/// The stream of a post that was read to its end.
pub(super) struct Finished {
    pub(super) turn: Turn,
    id: Id,
    token: Option<Id>,
    events: Vec<SseEvent>,
    /// Which event brought the response.
    response_at: usize,
    /// Whether an id of it was given to another event too.
    pub(super) is_ambiguous: bool,
}

/// A GET with `Last-Event-ID`.
pub(super) struct Look {
    pub(super) turn: Turn,
    pub(super) events: Vec<SseEvent>,
    pub(super) messages: Vec<Message>,
    /// How many events of the stream are at or before the one that it names.
    known: usize,
}

/// GETs in a session of its own with ids of another.
pub(super) struct Elsewhere {
    /// With an id of the stream above.
    pub(super) distinct: Look,
    /// With an id of a request that has the same JSON-RPC id in both sessions.
    pub(super) equal: Option<(Finished, Look)>,
}

impl Conversation for Resumption {
    async fn hold(s: &Talk) -> Result<Resumption, Stop> {
        let call = s.progress_tool().await.ok();
        let client = Client::open(s).await?;
        let turns = post(&client, call.as_ref()).await?;
        let has_ids = turns.iter().any(|turn| {
            let events = turn.events();
            events.iter().any(|event| event.id.is_some())
        });
        // A list is asked for sooner than a tool is called, if its stream has something to tell.
        let mut lists = turns.iter().skip(1).filter_map(Finished::of);
        let call = call.filter(|_| !lists.any(|list| list.behind() > 0));
        let looks = match Finished::best_of(&turns) {
            Some(stream) => Some(Looks::take(s, &client, call.as_ref(), stream).await?),
            None => None,
        };
        Ok(Resumption { has_ids, looks })
    }
}

/// A call that reports progress, and L and H several times, all side by side; waits until their
/// streams have ended.
async fn post(client: &Client, call: Option<&Call>) -> Result<Vec<Turn>, Stop> {
    let mut drafts = Vec::new();
    drafts.extend(informative(client, call, "first")?);
    for round in 0..ROUNDS {
        drafts.extend(informative(client, None, &format!("list-{round}"))?);
        drafts.push(client.harmless()?);
    }
    let turns = join_all(drafts.into_iter().map(|draft| client.talk.turn(draft))).await;
    let ended = join_all(turns.iter().map(|turn| turn.posting.ended()));
    // A stream that stays open behind its response is no business of these cases.
    let window = client.talk.session.limits.quiet;
    tokio::time::timeout(window, ended).await.ok();
    Ok(turns)
}

/// A request whose stream has most to tell: a call that reports progress, or else L.
fn informative(client: &Client, call: Option<&Call>, id: &str) -> Result<Option<Draft>, Stop> {
    let draft = match (call, client.list_method()) {
        (Some(call), _) => {
            let params = call.params_with_token(&json!(format!("{TOKEN}{id}")));
            client.request_as(id, "tools/call", params)?
        }
        (None, Some(list)) => client.request_as(id, list, Value::Null)?,
        (None, None) => return Ok(None),
    };
    Ok(Some(draft))
}

impl Looks {
    async fn take(
        s: &Talk,
        client: &Client,
        call: Option<&Call>,
        stream: Finished,
    ) -> Result<Looks, Stop> {
        let named: Vec<usize> = stream.named().collect();
        let (Some(&first), Some(&last)) = (named.first(), named.last()) else {
            return unverified("the server gives no event ids");
        };
        let before = named.iter().rev().find(|at| **at < stream.response_at);
        let look = async |at: usize| Look::take(client, &stream, at).await;
        let first_look = look(first).await?;
        let before_response = match before.filter(|at| **at != first) {
            Some(at) => Some(look(*at).await?),
            None => None,
        };
        let last_look = look(last).await?;
        let elsewhere = match client.id() {
            Some(_) => Some(Elsewhere::take(s, client, call, &stream).await?),
            None => None,
        };
        Ok(Looks {
            stream,
            first: first_look,
            before_response,
            last: last_look,
            elsewhere,
        })
    }

    /// The GETs in the session of the stream.
    pub(super) fn all(&self) -> impl Iterator<Item = &Look> {
        [
            Some(&self.first),
            self.before_response.as_ref(),
            Some(&self.last),
        ]
        .into_iter()
        .flatten()
    }
}

impl Elsewhere {
    async fn take(
        s: &Talk,
        first: &Client,
        call: Option<&Call>,
        stream: &Finished,
    ) -> Result<Elsewhere, Stop> {
        let second = Client::open(s).await?;
        let place = stream.named().next().unwrap_or_default();
        let distinct = Look::take(&second, stream, place).await?;
        let mut equal = None;
        if let Some(draft) = informative(first, call, "both")? {
            let here = second.request_as("both", "ping", Value::Null)?;
            let (there, _) = futures_util::join!(first.talk.turn(draft), second.talk.turn(here));
            let window = first.talk.session.limits.quiet;
            tokio::time::timeout(window, there.posting.ended())
                .await
                .ok();
            if let Some(stream) = Finished::of(&there)
                && let Some(&place) = stream.named().collect::<Vec<_>>().first()
            {
                let look = Look::take(&second, &stream, place).await?;
                equal = Some((stream, look));
            }
        }
        Ok(Elsewhere { distinct, equal })
    }
}

impl Finished {
    /// Of streams with ids and a response the one with most events behind the first id.
    fn best_of(turns: &[Turn]) -> Option<Finished> {
        let streams = turns.iter().filter_map(Finished::of);
        let mut best = streams.reduce(|best, next| match next.behind() > best.behind() {
            true => next,
            false => best,
        })?;
        let all: Vec<String> = turns
            .iter()
            .flat_map(|turn| turn.events())
            .filter_map(|event| event.id)
            .collect();
        let own: HashSet<&str> = best.events.iter().filter_map(|e| e.id.as_deref()).collect();
        let uses = all.iter().filter(|id| own.contains(id.as_str())).count();
        best.is_ambiguous = uses > own.len();
        Some(best)
    }

    fn of(turn: &Turn) -> Option<Finished> {
        let events = turn.events();
        let response = turn.response()?;
        let request = turn.exchange()?.request()?;
        let carries = |event: &SseEvent| {
            event
                .data
                .as_deref()
                .is_some_and(|data| response.text() == Some(data.trim_ascii()))
        };
        let response_at = events.iter().position(carries)?;
        events.iter().find(|event| is_named(event))?;
        let token = request
            .params()
            .map(|params| &params["_meta"]["progressToken"]);
        Some(Finished {
            turn: turn.clone(),
            id: request.id.clone()?,
            token: token.filter(|token| !token.is_null()).map(Id::of),
            events,
            response_at,
            is_ambiguous: false,
        })
    }

    /// The places of the events that have an id to come back with.
    fn named(&self) -> impl Iterator<Item = usize> {
        let events = self.events.iter().enumerate();
        events
            .filter(|(_, event)| is_named(event))
            .map(|(at, _)| at)
    }

    /// How many messages come behind the first id.
    pub(super) fn behind(&self) -> usize {
        let first = self.named().next().map_or(self.events.len(), |at| at + 1);
        let behind = self.events.iter().skip(first);
        behind
            .filter(|event| event.dispatched && event.len > 0)
            .count()
    }

    /// Whether a message belongs to another request than that of the stream.
    pub(super) fn is_foreign(&self, message: &Message) -> bool {
        match message.kind() {
            Kind::Response => message.id.as_ref() != Some(&self.id),
            Kind::Notification if message.method.as_deref() == Some("notifications/progress") => {
                let params = message.params();
                let token = params.and_then(|params| params.get("progressToken"));
                // Tokens that nobody gave out belong to no stream.
                let given = matches!(token, Some(Value::String(token)) if token.starts_with(TOKEN));
                given && token.map(Id::of) != self.token
            }
            _ => false,
        }
    }

    /// Whether a message came on the stream, of those that a request id or token tells apart.
    pub(super) fn has_said(&self, message: &Message) -> bool {
        let told_apart = matches!(message.kind(), Kind::Response)
            || message.method.as_deref() == Some("notifications/progress");
        told_apart
            && self.events.iter().any(|event| {
                let data = event.data.as_deref().map(<[u8]>::trim_ascii);
                data.is_some() && data == message.text()
            })
    }
}

impl Look {
    /// GETs with the id of the event at that place; reads until the stream ends, or two sentinels
    /// were answered.
    async fn take(client: &Client, stream: &Finished, place: usize) -> Result<Look, Stop> {
        let id = stream
            .events
            .get(place)
            .and_then(|event| event.id.as_deref());
        let draft = client
            .talk
            .get()?
            .header("Last-Event-ID", id.unwrap_or_default());
        let turn = client.talk.turn(draft).await;
        if turn.is_stream() {
            client.read(&turn).await?;
        }
        turn.posting.disconnect();
        let (events, messages) = (turn.events(), turn.posting.messages());
        Ok(Look {
            turn,
            events,
            messages,
            known: place + 1,
        })
    }

    /// An event that is at or before the one that the GET names, and came again.
    pub(super) fn repeated<'a>(&'a self, stream: &Finished) -> Option<&'a SseEvent> {
        let known = &stream.events[..self.known];
        self.events.iter().find(|event| {
            let id = event.id.as_deref().filter(|id| !id.is_empty());
            id.is_some() && known.iter().any(|known| known.id.as_deref() == id)
        })
    }

    /// The response of the stream, come again behind it.
    pub(super) fn responds_again(&self, stream: &Finished) -> Option<&Message> {
        let over = stream.response_at < self.known;
        self.messages.iter().find(|message| {
            over && message.kind() == Kind::Response && message.id.as_ref() == Some(&stream.id)
        })
    }
}

fn is_named(event: &SseEvent) -> bool {
    event.id.as_deref().is_some_and(|id| !id.is_empty())
}

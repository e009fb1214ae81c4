//! What a probe has in its hands: the session that it runs in, and a record of its own.

mod arguments;
mod http;
mod lane;
mod opening;
mod reply;
mod survey;
mod tasks;
mod turn;
mod versions;

use std::{
    any::Any,
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::{sync::Notify, time::Instant};

use crate::{
    case::{Stop, unverified},
    session::{Answer, Broken, End, How, Newline, OpenFailure, Seen, Session, Stray},
    spec::{Revision, Transport},
    tape::{Excerpt, Id, Message, Stream, escaped},
};

pub(crate) use http::Draft;
pub(crate) use lane::{Conversation, Curtain, Ending, Lane, Scene};
use lane::{Held, Played};
use reply::Missing;
pub(crate) use reply::{Patience, Reply, Waiting};
pub(crate) use survey::{Call, Called, Common, SLOW_FROM, survey};
pub(crate) use tasks::supports_tasks;
pub(crate) use turn::Turn;
pub(crate) use versions::{Offered, Versions};

/// How much of what a probe sent and got is kept as evidence.
const LOG_LIMIT: usize = 24;
/// The lane of sessions that belong to a single case: the evidence of the others goes first.
const ANOTHER: usize = usize::MAX;
/// How long a probe keeps the floor for answers that are on their way.
const PATIENCE: Duration = Duration::from_millis(300);

/// See the module.
pub struct Talk {
    pub(crate) session: Rc<Session>,
    lane: Rc<Lane>,
    curtain: Rc<Curtain>,
    common: Rc<Common>,
    id: &'static str,
    log: Rc<RefCell<Vec<Excerpt>>>,
    /// Sessions that the case has opened besides its own.
    others: Rc<RefCell<Vec<Rc<Session>>>>,
    remarks: RefCell<Vec<String>>,
    /// Whether the server was too busy for a part of a scene that the case has looked at.
    saw_busy: Cell<bool>,
    /// Answers that had not come when they were waited for, in the scenes that the case has
    /// looked at too.
    missing: RefCell<Vec<Missing>>,
    floor_left: Cell<bool>,
    left: Notify,
    damage_before: usize,
    /// Which turn of the session the case has.
    turn: usize,
    /// Whether the case wants nothing of the session any more but its end.
    pub(crate) waits_for_end: Cell<bool>,
    /// Set by an opening case: whether the session may serve others.
    pub(crate) opened: Cell<bool>,
}

impl Talk {
    pub(crate) fn new(
        session: Rc<Session>,
        lane: Rc<Lane>,
        curtain: Rc<Curtain>,
        common: Rc<Common>,
        id: &'static str,
    ) -> Talk {
        let turn = session.begin_turn();
        let damage_before = session.with_state(|state| state.damage.len());
        Talk {
            session,
            lane,
            curtain,
            common,
            id,
            log: Rc::default(),
            others: Rc::default(),
            remarks: RefCell::default(),
            saw_busy: Cell::new(false),
            missing: RefCell::default(),
            floor_left: Cell::new(false),
            left: Notify::new(),
            damage_before,
            turn,
            waits_for_end: Cell::new(false),
            opened: Cell::new(false),
        }
    }

    /// The revision that is in force.
    pub fn revision(&self) -> Revision {
        self.session.revision
    }

    /// An id that nobody has used: it names the case, so that a transcript can be read.
    pub fn fresh_id(&self) -> String {
        self.session
            .fresh_id(self.id.rsplit('/').next().unwrap_or(self.id))
    }

    /// 32 hex digits that no other run has.
    pub(crate) fn nonce(&self) -> &str {
        self.session.nonce()
    }

    /// Over which transport the session runs.
    pub(crate) fn transport(&self) -> Transport {
        self.common.launcher.transport()
    }

    /// H, the harmless request: a `ping` with this id, without its line feed.
    pub fn ping(&self, id: &str) -> String {
        json!({ "jsonrpc": "2.0", "id": id, "method": "ping" }).to_string()
    }

    /// Adds text beside the verdict that never changes it.
    pub fn remark(&self, text: impl Into<String>) {
        self.remarks.borrow_mut().push(text.into());
    }

    /// Sends a request and waits for its answer.
    pub async fn request(&self, method: &str, params: Value) -> Result<Message, Stop> {
        let id = self.fresh_id();
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let line = format!("{request}\n");
        let mut answers = self.exchange_any(line.as_bytes(), &[Id::Text(id)]).await?;
        match answers.pop().flatten() {
            Some(answer) => Ok(answer.message),
            None => Err(self.unanswered(method)),
        }
    }

    /// Writes requests of any kind and waits until each id is answered, or is not within the
    /// limit for one answer: lists and calls may be slow where pings are quick.
    pub(crate) async fn exchange_any(
        &self,
        bytes: &[u8],
        ids: &[Id],
    ) -> Result<Vec<Option<Answer>>, Stop> {
        self.say(&[bytes], Duration::ZERO, ids, false).await
    }

    /// Writes pings and waits until each id is answered, or the server is silent about it: two
    /// sentinels were answered and the window for silence is over, or the limit for one answer
    /// has passed. A missing answer is the caller's to judge, unless stdout holds something that
    /// nobody can read: then that is what broke it.
    pub(crate) async fn exchange(
        &self,
        bytes: &[u8],
        ids: &[Id],
    ) -> Result<Vec<Option<Answer>>, Stop> {
        self.say(&[bytes], Duration::ZERO, ids, true).await
    }

    /// [`Talk::exchange`] with the bytes cut in pieces and a pause between them.
    pub(crate) async fn exchange_pieces(
        &self,
        pieces: &[&[u8]],
        pause: Duration,
        ids: &[Id],
    ) -> Result<Vec<Option<Answer>>, Stop> {
        self.say(pieces, pause, ids, true).await
    }

    async fn say(
        &self,
        pieces: &[&[u8]],
        pause: Duration,
        ids: &[Id],
        pings: bool,
    ) -> Result<Vec<Option<Answer>>, Stop> {
        let receivers: Vec<_> = ids
            .iter()
            .map(|id| self.session.expect(id.clone()))
            .collect();
        self.write(pieces, pause).await?;
        let (sent, at) = (Instant::now(), self.session.now());
        let mut answers: Vec<Option<Answer>> = Vec::with_capacity(ids.len());
        for mut receiver in receivers {
            let patience = sent + PATIENCE;
            let mut answer = self.session.answer(&mut receiver, patience).await;
            if answer.is_none() && !self.session.has_ended() {
                // Others may go on while this answer is late.
                self.leave_floor();
                answer = tokio::select! {
                    biased;
                    answer = self.session.answer_in_turn(&mut receiver, sent) => answer,
                    () = self.session.silence(sent), if pings => None,
                };
            }
            if let Some(answer) = &answer {
                if pings {
                    self.session.note_ping(at, answer);
                }
                self.note(Excerpt::of_message(answer.at, &answer.message));
            } else {
                self.missing.borrow_mut().push(Missing::new(receiver));
            }
            answers.push(answer);
        }
        if answers.iter().any(Option::is_none) {
            self.blame_damage()?;
        }
        Ok(answers)
    }

    /// Writes bytes as they are.
    pub(crate) async fn write(&self, pieces: &[&[u8]], pause: Duration) -> Result<(), Stop> {
        self.note(Excerpt::new(
            Stream::Stdin,
            self.session.now(),
            &pieces.concat(),
        ));
        Ok(self.session.write(pieces, pause).await?)
    }

    /// Sends a notification.
    pub(crate) async fn notify(&self, message: Value) -> Result<(), Stop> {
        self.write(&[format!("{message}\n").as_bytes()], Duration::ZERO)
            .await
    }

    /// The sentinel: shows that the server lives and has read what was sent before.
    pub(crate) async fn sentinel(&self) -> Result<Answer, Stop> {
        match self.session.sentinel().await {
            Ok(answer) => Ok(answer),
            // The session broke in the turn of another case.
            Err(_) if self.session.is_ending() => Err(Stop::Interrupted),
            Err(broken) => {
                self.blame_damage()?;
                Err(broken.into())
            }
        }
    }

    /// Two sentinels in turn: what answers the stimulus has most likely come. Proof of silence
    /// is [`Talk::ended`] alone.
    pub(crate) async fn fence(&self) -> Result<(), Stop> {
        self.sentinel().await?;
        self.sentinel().await?;
        Ok(())
    }

    /// Whether the server still answers: for cases in which its silence is the offence.
    pub(crate) async fn survives(&self) -> Result<(), Broken> {
        self.session.sentinel().await.map(drop)
    }

    /// Lets the next case have its turn and waits until the session has ended in order, with
    /// everything read. An `Err` if another case broke it.
    pub(crate) async fn ended(&self) -> Result<Rc<End>, Stop> {
        self.leave_floor();
        self.waits_for_end.set(true);
        self.curtain.waits.notify_one();
        match self.curtain.wait().await {
            Ending::Done(end) => Ok(end),
            Ending::Broke(_) => Err(Stop::Interrupted),
        }
    }

    /// Ends the session: for cases with a process of their own.
    pub(crate) async fn end(&self, how: How) -> End {
        self.session.end(how).await
    }

    /// A further session that nobody has opened, for this case alone. It is ended with the case.
    pub(crate) fn another(&self) -> Result<Talk, Stop> {
        self.another_in(self.revision())
    }

    /// The same for another revision than that of the case: what is said in it is not judged.
    pub(crate) fn another_in(&self, revision: Revision) -> Result<Talk, Stop> {
        self.beside(revision, Seen::InLane(ANOTHER))
    }

    /// The same for what may reach somebody else than the server: no rule sees it.
    pub(crate) fn another_unjudged(&self) -> Result<Talk, Stop> {
        self.beside(self.revision(), Seen::ByNobody)
    }

    fn beside(&self, revision: Revision, seen: Seen) -> Result<Talk, Stop> {
        let session = match self.common.launcher.launch_in(revision, seen) {
            Ok(session) => session,
            Err(error) => return unverified(error.to_string()),
        };
        self.others.borrow_mut().push(Rc::clone(&session));
        let (lane, curtain) = (Rc::default(), Rc::default());
        let common = Rc::clone(&self.common);
        let mut talk = Talk::new(session, lane, curtain, common, self.id);
        talk.log = Rc::clone(&self.log);
        talk.others = Rc::clone(&self.others);
        Ok(talk)
    }

    /// What was said so far is no evidence: it is about to be repeated in another way.
    pub(crate) fn forget_log(&self) {
        self.log.borrow_mut().clear();
    }

    /// Ends the sessions that the case has opened besides its own.
    pub(crate) async fn end_others(&self) {
        let others = self.others.take();
        join_all(others.iter().map(|session| session.end(How::Quickly))).await;
    }

    /// Does the handshake: for cases that open the session themselves.
    pub(crate) async fn open(&self, newline: Newline) -> Result<(), OpenFailure> {
        let request = newline.end(&self.session.initialize());
        self.note(Excerpt::new(
            Stream::Stdin,
            self.session.now(),
            request.as_bytes(),
        ));
        self.session
            .handshake(newline, self.session.limits.first_answer)
            .await
    }

    /// The outcome of a scene, played now if nobody has played it in this lane. What is said in
    /// it counts as said by every case that looks at it.
    pub(crate) async fn scene<S: Scene>(&self) -> Result<Rc<S>, Stop> {
        let place = self.lane.place::<S>();
        let mut here = false;
        let played = place
            .get_or_try_init(async || {
                here = true;
                let before = self.log.borrow().len();
                let missed = self.missing.borrow().len();
                let outcome: Rc<dyn Any> = Rc::new(S::play(self).await?);
                // A scene may have put aside what was said in it.
                let log = self.log.borrow().get(before..).unwrap_or_default().to_vec();
                let too_busy = self.too_busy();
                let missing = self.missing.borrow();
                Ok::<_, Stop>(Played {
                    outcome,
                    log,
                    missing: missing.get(missed..).unwrap_or_default().to_vec(),
                    too_busy,
                })
            })
            .await?;
        if !here {
            played.log.iter().for_each(|said| self.note(said.clone()));
            self.missing
                .borrow_mut()
                .extend(played.missing.iter().cloned());
        }
        self.saw_busy.set(self.saw_busy.get() || played.too_busy);
        match Rc::clone(&played.outcome).downcast::<S>() {
            Ok(scene) => Ok(scene),
            Err(_) => unreachable!("a scene stands at the place of its own type"),
        }
    }

    /// What a conversation showed, held now if nobody has held it in this lane.
    pub(crate) async fn held<T: Conversation>(&self) -> Result<Rc<T>, Stop> {
        self.scene::<Held<T>>().await?.0.clone()
    }

    /// The responses that answer nothing, of the whole session.
    pub(crate) fn strays(&self) -> Vec<Stray> {
        self.session.with_state(|state| state.strays.clone())
    }

    /// The responses that answer nothing and came before the second case of the session began:
    /// what the first one sends is well-formed.
    pub(crate) fn strays_of_handshake(&self) -> Vec<Stray> {
        let first = self.session.turn(0).end;
        let mut strays = self.strays();
        strays.retain(|stray| stray.at < first && stray.message.is_without_id());
        strays
    }

    /// The responses that answer nothing and came in this case's turn.
    pub(crate) fn strays_of_turn(&self) -> Vec<Stray> {
        let turn = self.session.turn(self.turn);
        let mut strays = self.strays();
        strays.retain(|stray| turn.contains(&stray.at));
        strays
    }

    /// The responses that answer nothing and came since this case's turn began, in the turns of
    /// others too.
    pub(crate) fn strays_since_turn(&self) -> Vec<Stray> {
        let begin = self.session.turn(self.turn).start;
        let mut strays = self.strays();
        strays.retain(|stray| begin <= stray.at);
        strays
    }

    /// The responses to a request of ours that came after its first one.
    pub(crate) fn repeats_of(&self, id: &Id) -> Vec<Stray> {
        let mut repeats = self.session.with_state(|state| state.repeats.clone());
        repeats.retain(|repeat| repeat.message.id.as_ref() == Some(id));
        repeats
    }

    /// The arrays that came in this case's turn.
    pub(crate) fn arrays_of_turn(&self) -> Vec<Excerpt> {
        let turn = self.session.turn(self.turn);
        let mut arrays = self.session.with_state(|state| state.arrays.clone());
        arrays.retain(|array| turn.contains(&array.at));
        arrays
    }

    /// The verdict on a request that was not answered.
    pub(crate) fn unanswered(&self, method: &str) -> Stop {
        self.session.broken(method).into()
    }

    /// If something unreadable has come since the case began, that is the cause.
    pub(crate) fn blame_damage(&self) -> Result<(), Stop> {
        let damage = self
            .session
            .with_state(|state| state.damage.get(self.damage_before).cloned());
        match damage {
            Some(damage) => unverified(format!(
                "the server wrote what is no message (`{}`), see {}",
                escaped(&damage.excerpt.text[..damage.excerpt.text.len().min(80)]),
                damage.clause,
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn note(&self, excerpt: Excerpt) {
        let mut log = self.log.borrow_mut();
        if log.len() < LOG_LIMIT {
            log.push(excerpt);
        }
    }

    /// What the case sent and got.
    pub(crate) fn log(&self) -> Vec<Excerpt> {
        self.log.borrow().clone()
    }

    pub(crate) fn remarks(&self) -> Vec<String> {
        self.remarks.borrow().clone()
    }

    pub(crate) fn leave_floor(&self) {
        self.floor_left.set(true);
        self.left.notify_waiters();
    }

    /// Completes when the case has left the floor.
    pub(crate) async fn floor_left(&self) {
        loop {
            let left = self.left.notified();
            if self.floor_left.get() {
                return;
            }
            left.await;
        }
    }

    /// Waits until the line that is being read has ended, or the window for silence is over.
    pub(crate) async fn line_ended(&self) -> bool {
        tokio::select! {
            biased;
            () = self.session.until(|state| state.lines.pending().is_none()) => true,
            () = tokio::time::sleep(self.session.silence_window()) => false,
        }
    }

    /// What has not been answered by now has been waited for long enough: what comes later, because
    /// the case lets it, changes nothing.
    pub(crate) fn waits_no_longer(&self) {
        self.missing.borrow_mut().clear();
    }

    /// What a violation comes to where the server was too busy for a part of the conversation: what
    /// was missed then proves nothing.
    pub(crate) fn unless_too_busy(&self, result: Result<(), Stop>) -> Result<(), Stop> {
        match result {
            Err(Stop::Violated(_) | Stop::Broke(_)) if self.saw_busy.get() || self.too_busy() => {
                unverified(
                    "the server was too busy for a part of the conversation (HTTP status 429 or 503)",
                )
            }
            result => result,
        }
    }

    /// What a violation comes to in a session of the case's own: nothing, where a plain handshake
    /// fails there too. Some servers serve one process, or one session, at a time.
    pub(crate) async fn controlled(&self, result: Result<(), Stop>) -> Result<(), Stop> {
        if !matches!(result, Err(Stop::Violated(_))) {
            return result;
        }
        let control = self.another()?;
        match control.open(Newline::Lf).await {
            Ok(()) => result,
            Err(failure) => unverified(format!(
                "in a further session a plain handshake fails as well: {}",
                failure.describe()
            )),
        }
    }

    /// Whether the server was too busy for something in the turn of this case, or in a session that
    /// the case has opened.
    fn too_busy(&self) -> bool {
        let was_busy = |session: &Session, since: Duration| {
            session.with_state(|state| state.busy.is_some_and(|at| since <= at))
        };
        let others = self.others.borrow();
        was_busy(&self.session, self.session.turn(self.turn).start)
            || others
                .iter()
                .any(|session| was_busy(session, Duration::ZERO))
    }

    /// What a violation comes to once the session is over: an answer that was missed may have
    /// come until then, and then nothing is proven.
    pub(crate) async fn confirmed(&self, result: Result<(), Stop>) -> Result<(), Stop> {
        let settled = self.missing.borrow().is_empty() || self.session.has_ended();
        if settled || !matches!(result, Err(Stop::Violated(_))) {
            return result;
        }
        self.leave_floor();
        self.waits_for_end.set(true);
        self.curtain.waits.notify_one();
        if matches!(self.curtain.wait().await, Ending::Broke(by) if by != self.id) {
            return Err(Stop::Interrupted);
        }
        let missing = self.missing.borrow();
        if missing.iter().all(Missing::has_come) {
            return unverified("the answer came late, after others that were asked for behind it");
        }
        result
    }
}

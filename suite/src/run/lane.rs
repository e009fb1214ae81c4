//! A lane: cases that share a session one after the other. A case that waits (for a late answer,
//! or for the session's end) leaves the floor to the next; a session that broke is replaced.

use std::{cell::Cell, collections::VecDeque, future::Future, pin::Pin, rc::Rc};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::SemaphorePermit;

use super::live::Revisioned;
use crate::{
    case::{Case, Probe, Stage, Stop},
    session::{How, Newline, Seen, Session},
    talk::{Curtain, Ending, Lane, Talk, survey},
    tape::Excerpt,
};

/// What came of the probe of one case.
#[derive(Clone)]
pub(super) struct Probed {
    pub(super) case: &'static Case,
    pub(super) result: Result<(), Stop>,
    pub(super) log: Vec<Excerpt>,
    pub(super) remarks: Vec<String>,
}

/// A case at work, or the survey, which has no verdict.
type Probing = Pin<Box<dyn Future<Output = Option<Probed>>>>;

/// A session that is open, and its leave to run.
pub(super) struct Open<'a> {
    pub(super) session: Rc<Session>,
    pub(super) permit: SemaphorePermit<'a>,
}

/// One lane of a revision.
pub(super) struct LaneRun<'a> {
    pub(super) revised: &'a Revisioned<'a>,
    /// The place among the lanes: the evidence of the first one counts.
    pub(super) number: usize,
    /// How its sessions are ended.
    pub(super) how: How,
    /// How many sessions are reserved for it.
    pub(super) reserved: Cell<u32>,
    /// Whether its cases want their session as bare as can be: no stream is opened with it.
    pub(super) alone: bool,
    /// Whether it begins with a look at what the server offers.
    pub(super) survey: Cell<bool>,
}

impl<'a> LaneRun<'a> {
    /// Runs the cases, in the order given; `open` is the session to begin with.
    pub(super) async fn run(
        self,
        cases: Vec<&'static Case>,
        open: Option<Open<'a>>,
    ) -> Vec<Probed> {
        let mut results = Vec::with_capacity(cases.len());
        let mut queue: VecDeque<&'static Case> = cases.into();
        let mut interrupted: Vec<&'static str> = Vec::new();
        let lane = Rc::new(Lane::default());
        let mut open = open;
        let mut broken_by: Option<&'static str> = None;
        loop {
            // A session that is open is ended in order, also if no case wants it.
            let session = match (open.take(), queue.front()) {
                (Some(open), _) => open,
                (None, None) => break,
                (None, Some(first)) => match self.open(first, broken_by).await {
                    Ok(open) => open,
                    Err(reason) => {
                        self.no_control(&mut results, &reason);
                        results.extend(queue.drain(..).map(|case| unseen(case, &reason)));
                        break;
                    }
                },
            };
            let (mut done, broken) = self.session(&lane, session, &mut queue).await;
            broken_by = broken.or(broken_by);
            // What the break of the session has cost gets a second chance, once.
            for probed in
                done.extract_if(.., |probed| matches!(probed.result, Err(Stop::Interrupted)))
            {
                let id = probed.case.clause.id;
                if interrupted.contains(&id) || broken == Some(id) {
                    let by = broken.unwrap_or("another case");
                    let reason = format!("the session was broken by {by}");
                    results.push(unseen(probed.case, &reason));
                } else {
                    interrupted.push(id);
                    queue.push_back(probed.case);
                }
            }
            results.append(&mut done);
        }
        results
    }

    /// A session that was opened in an unusual way has its control in the next one, opened the
    /// usual way: if that fails too, nothing is known.
    fn no_control(&self, results: &mut [Probed], reason: &str) {
        for probed in results {
            let opening = probed.case.stage() == Some(Stage::Opening);
            if opening && matches!(probed.result, Err(Stop::Violated(_))) {
                probed.result = Err(Stop::Unverified(reason.to_owned()));
            }
        }
    }

    /// Opens a session; an opening case does the handshake itself.
    async fn open(&self, first: &Case, broken_by: Option<&str>) -> Result<Open<'a>, String> {
        let reserved = self.reserved.get();
        if reserved > 0 {
            self.reserved.set(reserved - 1);
        } else if !self.revised.common.launcher.take_spare() {
            return Err(match broken_by {
                Some(id) => format!("no session is left after those that broke, the last by {id}"),
                None => "no session is left".to_owned(),
            });
        }
        let permit = self.revised.live.permit().await;
        let session = self
            .revised
            .common
            .launcher
            .launch(Seen::InLane(self.number))
            .map_err(|error| error.to_string())?;
        let opens_itself = matches!(
            first.stage(),
            Some(Stage::Opening | Stage::Unopened(_) | Stage::Once(_))
        );
        if matches!(first.stage(), Some(Stage::Unopened(_) | Stage::Once(_))) {
            session.share_turn();
        }
        if !opens_itself {
            if !self.alone {
                session.set_listens();
            }
            let limit = session.limits.first_answer;
            if let Err(failure) = session.handshake(Newline::Lf, limit).await {
                session.end(How::Quickly).await;
                return Err(format!(
                    "another session could not be opened: {}",
                    failure.describe()
                ));
            }
        }
        Ok(Open { session, permit })
    }

    /// One session, until its cases are through or it breaks; the case that broke it.
    async fn session(
        &self,
        lane: &Rc<Lane>,
        open: Open<'a>,
        queue: &mut VecDeque<&'static Case>,
    ) -> (Vec<Probed>, Option<&'static str>) {
        let Open { session, permit } = open;
        let curtain = Rc::new(Curtain::default());
        let mut results = Vec::new();
        let mut background: FuturesUnordered<Probing> = FuturesUnordered::new();
        let mut permit = Some(permit);
        curtain.runs.set(true);
        let mut talks: Vec<Rc<Talk>> = Vec::new();
        let mut broken_by = None;
        if self.survey.take() {
            let talk = self.talk(&session, lane, &curtain, "survey/survey");
            let survey = Rc::clone(&talk);
            // What it could not do the cases will meet.
            let survey: Probing = Box::pin(async move {
                survey_of(&survey).await;
                None
            });
            self.floor(survey, &talk, &mut background, &mut results)
                .await;
            talks.push(talk);
        }
        while let Some(case) = queue.pop_front() {
            let Some((stage, probe)) = case.probe else {
                continue;
            };
            if stage == Stage::Last {
                // From here on whatever comes is this case's doing; one that only waits for the
                // others leaves room for another session.
                give_back(permit.take(), &curtain);
                self.wait_for_late(&talks, &mut background, &curtain, &mut results)
                    .await;
            }
            let talk = self.talk(&session, lane, &curtain, case.clause.id);
            let probing: Probing = Box::pin(probed(case, (stage, probe), Rc::clone(&talk)));
            let before = results.len();
            let through = self
                .floor(probing, &talk, &mut background, &mut results)
                .await;
            let doubtful = match through {
                true => results[before..].iter().any(|probed| {
                    probed.case.clause.id == case.clause.id && probed.result.is_err()
                }),
                false => !talk.waits_for_end.get(),
            };
            if !through {
                talks.push(Rc::clone(&talk));
            }
            match stage {
                Stage::Own => break,
                // The others of the group look at what the first one has seen.
                Stage::Together(_) | Stage::Unopened(_) | Stage::Once(_) => continue,
                _ => {}
            }
            let unopened = stage == Stage::Opening && !talk.opened.get();
            let alive = async { !doubtful || session.sentinel().await.is_ok() };
            if unopened
                || session.has_ended()
                || !self.meanwhile(alive, &mut background, &mut results).await
            {
                broken_by = Some(case.clause.id);
                break;
            }
        }
        // What only waits leaves the others room to begin.
        give_back(permit, &curtain);
        self.wait_for_late(&talks, &mut background, &curtain, &mut results)
            .await;
        if broken_by.is_none() && !background.is_empty() {
            // Settle: two sentinels in turn, then the end. A server that falls silent here is
            // read to its end all the same.
            let settle =
                async { session.sentinel().await.is_ok() && session.sentinel().await.is_ok() };
            self.meanwhile(settle, &mut background, &mut results).await;
        }
        let how = if broken_by.is_some() {
            How::Quickly
        } else {
            self.how
        };
        let end = self
            .meanwhile(session.end(how), &mut background, &mut results)
            .await;
        curtain.fall(match broken_by {
            None => Ending::Done(Rc::new(end)),
            Some(id) => Ending::Broke(id),
        });
        while let Some(done) = background.next().await {
            self.through(&mut results, done);
        }
        (results, broken_by)
    }

    fn talk(
        &self,
        session: &Rc<Session>,
        lane: &Rc<Lane>,
        curtain: &Rc<Curtain>,
        id: &'static str,
    ) -> Rc<Talk> {
        Rc::new(Talk::new(
            Rc::clone(session),
            Rc::clone(lane),
            Rc::clone(curtain),
            Rc::clone(&self.revised.common),
            id,
        ))
    }

    /// Gives a case the floor until it is through, or leaves it and goes on in the background.
    /// True if it is through.
    async fn floor(
        &self,
        mut probing: Probing,
        talk: &Talk,
        background: &mut FuturesUnordered<Probing>,
        results: &mut Vec<Probed>,
    ) -> bool {
        loop {
            tokio::select! {
                biased;
                done = &mut probing => {
                    self.through(results, done);
                    return true;
                }
                Some(other) = background.next(), if !background.is_empty() => {
                    self.through(results, other);
                }
                () = talk.floor_left() => break,
            }
        }
        background.push(probing);
        false
    }

    /// Waits for something while the cases in the background go on: one of them may hold what it
    /// waits for.
    async fn meanwhile<T>(
        &self,
        something: impl Future<Output = T>,
        background: &mut FuturesUnordered<Probing>,
        results: &mut Vec<Probed>,
    ) -> T {
        let mut something = std::pin::pin!(something);
        loop {
            tokio::select! {
                biased;
                outcome = &mut something => return outcome,
                Some(done) = background.next(), if !background.is_empty() => {
                    self.through(results, done);
                }
            }
        }
    }

    /// Late answers need the session; the end is waited for by those who want nothing else.
    async fn wait_for_late(
        &self,
        talks: &[Rc<Talk>],
        background: &mut FuturesUnordered<Probing>,
        curtain: &Curtain,
        results: &mut Vec<Probed>,
    ) {
        while !talks.iter().all(|talk| talk.waits_for_end.get()) {
            tokio::select! {
                biased;
                Some(done) = background.next() => self.through(results, done),
                () = curtain.someone_waits() => {}
            }
        }
    }

    /// A case is through, for now at least.
    fn through(&self, results: &mut Vec<Probed>, probed: Option<Probed>) {
        let Some(probed) = probed else {
            return;
        };
        if !matches!(probed.result, Err(Stop::Interrupted)) {
            self.revised.live.tick();
        }
        results.push(probed);
    }
}

/// Gives the leave to run back, unless a case has given it away already.
fn give_back(permit: Option<SemaphorePermit<'_>>, curtain: &Curtain) {
    if let Some(permit) = permit
        && !curtain.runs.replace(false)
    {
        permit.forget();
    }
}

/// A case that could not be looked at, for this reason.
pub(super) fn unseen(case: &'static Case, reason: &str) -> Probed {
    Probed {
        case,
        result: Err(Stop::Unverified(reason.to_owned())),
        log: Vec::new(),
        remarks: Vec::new(),
    }
}

async fn survey_of(talk: &Talk) {
    // A server that breaks under it is the business of the cases that follow.
    survey(talk).await.ok();
    talk.waits_for_end.set(true);
}

async fn probed(
    case: &'static Case,
    (stage, probe): (Stage, Probe),
    talk: Rc<Talk>,
) -> Option<Probed> {
    let result = talk.unless_too_busy(probe(&talk).await);
    let result = match stage {
        Stage::Opening | Stage::Unopened(_) | Stage::Once(_) => talk.controlled(result).await,
        _ => result,
    };
    talk.end_others().await;
    let result = talk.confirmed(result).await;
    talk.waits_for_end.set(true);
    Some(Probed {
        case,
        result,
        log: talk.log(),
        remarks: talk.remarks(),
    })
}

//! A run against a live server: which revisions it speaks is found out by asking, then the lanes
//! of all revisions run side by side.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    sync::{OnceCell, Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{
    Judgement, Options, Run, Spoken,
    ask::Asked,
    detect::Detective,
    judge::{Findings, Judge},
    lane::{LaneRun, Open, Probed, unseen},
    launched::Launched,
    plan::Planned,
    revisions::judge_all,
    verdict::Outcome,
};
use crate::{
    case::{Case, Env, Probe, Stage},
    session::{
        How, Launcher, Limits, Neighbours, Newline, Observer, OpenFailure, Recorder, Seen, Session,
    },
    spec::{Clause, Gate, Revision, Transport},
    talk::{Common, Curtain, Lane, Talk, Versions},
    tape::{Excerpt, TRANSCRIPT_VERSION, Transcript, TranscriptError},
    target::{LaunchError, Target, adopt_orphans, end_orphans},
    transport::{Client, ClientSetupError},
};

/// How many sessions of a revision may be replaced because they broke.
const REPLACEMENTS: u32 = 4;
/// What a server declares that makes tasks of calls.
const TASK_CALLS: &str = "tasks.requests.tools.call";
/// So long the other transport is asked for, where that only makes a remark.
const ASIDE: Duration = Duration::from_millis(500);

/// Is told how many cases are through, and of how many.
pub type Watch<'a> = &'a dyn Fn(usize, usize);

/// There was no server to judge, or the run could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum NoServer {
    /// It could not be launched.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// It answers `initialize` in no revision that was asked for.
    #[error("{reason}{}", tail(stderr, stdout))]
    NotOpened {
        /// What happened.
        reason: String,
        /// The last lines of its stderr, escaped.
        stderr: Vec<String>,
        /// What stands on its stdout instead of a message, escaped.
        stdout: Option<String>,
    },
    /// What answers at the address is something else, or nothing does.
    #[error("{0}")]
    Address(String),
    /// The transcript could not be written.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// What the user gave for HTTP cannot be used.
    #[error(transparent)]
    Client(#[from] ClientSetupError),
}

fn tail(stderr: &[String], stdout: &Option<String>) -> String {
    let mut text = String::new();
    if let Some(stdout) = stdout {
        text += &format!("\nits stdout holds: {stdout}");
    }
    match stderr {
        [] => text += "\nits stderr is empty",
        lines => {
            text += "\nits stderr ends with:";
            for line in &lines[lines.len().saturating_sub(10)..] {
                text += &format!("\n  {line}");
            }
        }
    }
    text
}

/// What all revisions of a run share.
pub(super) struct Live<'a> {
    pub(super) options: &'a Options,
    pub(super) client: Option<Rc<Client>>,
    pub(super) limits: Rc<Cell<Limits>>,
    pub(super) recorder: Rc<Recorder>,
    pub(super) jobs: Rc<Semaphore>,
    pub(super) watch: Watch<'a>,
    pub(super) done: Cell<usize>,
    pub(super) total: Cell<usize>,
    pub(super) server: RefCell<Option<(String, String)>>,
    /// What is known of the versions that the server offers.
    pub(super) versions: Rc<Versions>,
    /// What a second session does to the first one.
    pub(super) neighbours: OnceCell<Neighbours>,
    /// Whether the server is known to answer only once its stdin is closed.
    pub(super) held_back: Cell<bool>,
}

impl Live<'_> {
    pub(super) fn tick(&self) {
        self.done.set(self.done.get() + 1);
        (self.watch)(self.done.get(), self.total.get());
    }

    pub(super) async fn permit(&self) -> SemaphorePermit<'_> {
        match self.jobs.acquire().await {
            Ok(permit) => permit,
            Err(_) => unreachable!("the semaphore is never closed"),
        }
    }
}

impl<'a> Live<'a> {
    /// Who finds out what else there is at the address, where the target is one.
    fn detective(&'a self, limit: Duration) -> Option<Detective<'a>> {
        Detective::new(&self.options.target, self.client.as_ref()?, limit)
    }

    /// Why no session could be opened, where that is no matter of a clause.
    pub(super) async fn explain(&self, asked: &Asked<'_>) -> Option<NoServer> {
        let is_strange = match asked {
            Asked::Open(_) => false,
            Asked::Unreadable(_) => true,
            Asked::Failed(failure, _) => !matches!(
                failure,
                OpenFailure::OtherRevision(_) | OpenFailure::NoVersion | OpenFailure::Refused(_)
            ),
        };
        let detective = self.detective(self.limits.get().answer)?;
        let reason = match is_strange {
            true => detective.explain().await?,
            false => return None,
        };
        let reason = self.options.secrets.redact_text(&reason);
        Some(NoServer::Address(reason))
    }
}

/// One revision of a run.
pub(super) struct Revisioned<'a> {
    pub(super) live: &'a Live<'a>,
    pub(super) revision: Revision,
    pub(super) planned: Planned,
    pub(super) findings: Rc<RefCell<Findings>>,
    pub(super) common: Rc<Common>,
    /// The cases that do not apply, and the capability that is missing.
    pub(super) absent: RefCell<HashMap<&'static str, &'static str>>,
}

impl<'a> Revisioned<'a> {
    fn new(live: &'a Live<'a>, revision: Revision) -> Revisioned<'a> {
        let planned = live
            .options
            .cases(revision, live.options.target.transport());
        let findings = Findings::new(planned.selected.iter().copied());
        let seen = Rc::clone(&findings);
        let launcher = Launcher::new(
            Rc::clone(&live.options.target),
            Rc::clone(&live.options.permissions),
            live.client.clone(),
            revision,
            Rc::clone(&live.limits),
            Rc::clone(&live.recorder),
            Box::new(move |how| match how {
                Seen::Leading => Judge::observer((0, true), revision, Rc::clone(&seen)),
                Seen::InLane(lane) => Judge::observer((lane, false), revision, Rc::clone(&seen)),
                Seen::ByNobody => nobody(revision),
            }),
        );
        Revisioned {
            live,
            revision,
            findings,
            planned,
            common: Rc::new(Common::new(
                launcher,
                Rc::clone(&live.versions),
                Rc::clone(&live.jobs),
            )),
            absent: RefCell::default(),
        }
    }

    /// A session that nobody judges.
    pub(super) fn launch_unseen(&self, env: Env) -> Result<Rc<Session>, LaunchError> {
        let launcher = &self.common.launcher;
        launcher.launch_seen_by(self.revision, nobody(self.revision), env)
    }

    /// The same in another revision.
    pub(super) fn launch_unseen_in(&self, revision: Revision) -> Result<Rc<Session>, LaunchError> {
        let launcher = &self.common.launcher;
        launcher.launch_seen_by(revision, nobody(self.revision), &[])
    }

    /// The first clause that a rule has found broken, the duties first.
    pub(super) fn broken(&self) -> Option<&'static Clause> {
        self.findings.borrow().gravest()
    }

    /// Whether the case has a verdict in the report.
    pub(super) fn selects(&self, case: &Case) -> bool {
        let mut selected = self.planned.selected.iter();
        selected.any(|selected| selected.clause.id == case.clause.id)
    }

    /// Runs the lanes of the revision.
    pub(super) async fn judge(&self, open: Open<'a>, newest: bool) -> Vec<Probed> {
        let (open, neighbours) = self.beside(open).await;
        let of = |stages: &[Stage]| -> Vec<&'static Case> {
            stages
                .iter()
                .flat_map(|stage| {
                    self.planned
                        .run
                        .iter()
                        .filter(move |case| case.stage() == Some(*stage) && self.applies(case))
                })
                .copied()
                .collect()
        };
        *self.absent.borrow_mut() = self.absent(&open.session);
        self.common.opened(&open.session);
        let own = of(&[Stage::Own]);
        self.common.launcher.set_spare(REPLACEMENTS);
        let surveyed = self.planned.run.iter().any(|case| case.is_about_messages());
        let lane = |number, how, reserved| LaneRun {
            revised: self,
            number,
            how,
            reserved: Cell::new(reserved),
            alone: number > 1,
            survey: Cell::new(number == 0 && surveyed),
        };
        let shared = lane(0, How::Orderly, 0).run(of(&[Stage::Shared, Stage::Last]), Some(open));
        let mut rough = of(&[Stage::Opening, Stage::Rough]);
        let mut own: Vec<_> = own
            .into_iter()
            .map(|case| vec![case])
            .chain(self.labelled(newest))
            .collect();
        let mut lost = Vec::new();
        if let Some(reason) = neighbours.reason() {
            let others = own
                .extract_if(.., |cases| !sees_neighbours(cases))
                .flatten();
            lost.extend(
                rough
                    .drain(..)
                    .chain(others)
                    .map(|case| unseen(case, reason)),
            );
            lost.iter().for_each(|_| self.live.tick());
        }
        let rough = lane(1, How::Quickly, 1).run(rough, None);
        // What takes its time begins first.
        own.sort_by_key(|cases| !matches!(cases[0].stage(), Some(Stage::Together(_))));
        let own = own
            .into_iter()
            .enumerate()
            .map(|(number, cases)| lane(2 + number, How::Quickly, 1).run(cases, None));
        let (shared, own, rough) = futures_util::join!(shared, join_all(own), rough);
        let mut probed: Vec<Probed> = shared
            .into_iter()
            .chain(rough)
            .chain(own.into_iter().flatten())
            .chain(lost)
            .collect();
        if newest {
            for probed in &mut probed {
                if let Some((env, remark)) = probed.case.remark {
                    probed
                        .remarks
                        .extend(self.remark(probed.case, env, remark).await);
                }
            }
        }
        probed
    }

    /// What a second session does to the first one: looked at once in a run. Where the first one
    /// does not outlive it, there is a new one in its place.
    async fn beside(&self, open: Open<'a>) -> (Open<'a>, Neighbours) {
        let first = &open.session;
        if first.transport() != Transport::StreamableHttp || first.is_stateless() {
            return (open, Neighbours::Apart);
        }
        let look = async || match self.launch_unseen(&[]) {
            Ok(second) => Neighbours::of(first, &second).await,
            Err(_) => Neighbours::Apart,
        };
        let neighbours = self.live.neighbours.get_or_init(look).await.clone();
        self.common.beside(&neighbours);
        if matches!(neighbours, Neighbours::EndTogether(_)) {
            // From here on no session is ended but at the end of the run, with the server.
            self.live.recorder.ids.keep_all();
            if let Ok(session) = self.common.launcher.launch(Seen::InLane(0)) {
                session.set_listens();
                let limit = session.limits.answer;
                if session.handshake(Newline::Lf, limit).await.is_ok() {
                    open.session.end(How::Quickly).await;
                    let permit = open.permit;
                    return (Open { session, permit }, neighbours);
                }
                session.end(How::Quickly).await;
            }
        }
        (open, neighbours)
    }

    /// The cases whose clause is about what the server does not declare, and what that is.
    fn absent(&self, session: &Session) -> HashMap<&'static str, &'static str> {
        let declared = |path: &str| {
            // 2024-11-05 has completions, but nothing to declare them with.
            let undeclarable = path == "completions" && self.revision == Revision::V2024_11_05;
            undeclarable || path.split(" | ").any(|path| session.declares(path))
        };
        let missing = |case: &&'static Case| {
            case.clause.needs.iter().find_map(|gate| match gate {
                Gate::Declared(path) if !declared(path) => Some(*path),
                // No tool can be a task then, and no session is wanted to find out.
                Gate::Met("task-tool") if !declared(TASK_CALLS) => Some(TASK_CALLS),
                _ => None,
            })
        };
        let all = self.planned.run.iter();
        all.filter_map(|case| Some((case.clause.id, missing(case)?)))
            .collect()
    }

    /// Whether the server declares what the case is about.
    fn applies(&self, case: &Case) -> bool {
        !self.absent.borrow().contains_key(case.clause.id)
    }

    /// The groups of cases that share a session by its label.
    fn labelled(&self, newest: bool) -> Vec<Vec<&'static Case>> {
        let mut groups: Vec<(Stage, Vec<&'static Case>)> = Vec::new();
        for &case in self.planned.run.iter().filter(|case| self.applies(case)) {
            let Some(stage) = case.stage() else {
                continue;
            };
            let wanted = match stage {
                Stage::Together(_) | Stage::Unopened(_) => true,
                Stage::Once(_) => newest,
                _ => false,
            };
            if !wanted {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| *known == stage) {
                Some((_, cases)) => cases.push(case),
                None => groups.push((stage, vec![case])),
            }
        }
        groups.into_iter().map(|(_, cases)| cases).collect()
    }

    /// What a look in a process of its own adds to a verdict; nothing if the processes are used up.
    async fn remark(&self, case: &'static Case, env: Env, remark: Probe) -> Vec<String> {
        if !self.common.launcher.take_spare() {
            return Vec::new();
        }
        let permit = self.live.permit().await;
        let Ok(session) = self.launch_unseen(env) else {
            return Vec::new();
        };
        let talk = Talk::new(
            Rc::clone(&session),
            Rc::<Lane>::default(),
            Rc::<Curtain>::default(),
            Rc::clone(&self.common),
            case.clause.id,
        );
        // A remark that could not be looked at is none.
        remark(&talk).await.ok();
        drop(permit);
        session.end(How::Quickly).await;
        talk.remarks()
    }

    /// The verdicts, in the order of the registry.
    pub(super) fn fold(&self, mut probed: Vec<Probed>, unreadable: Option<&str>) -> Vec<Judgement> {
        let findings = self.findings.borrow();
        let absent = self.absent.borrow();
        let judged = self.planned.selected.iter().map(|&case| {
            if let Some(path) = absent.get(case.clause.id) {
                let reason = format!("the server does not declare `{path}`");
                return self.judgement(
                    case,
                    Outcome::NotApplicable(reason),
                    Vec::new(),
                    Vec::new(),
                );
            }
            let probe = probed
                .iter()
                .position(|probed| probed.case.clause.id == case.clause.id)
                .map(|at| probed.swap_remove(at));
            let (log, remarks, probe) = match probe {
                Some(probed) => (probed.log, probed.remarks, Outcome::of(probed.result)),
                None if case.probe.is_some() => {
                    let clause = unreadable.unwrap_or("another case");
                    let reason = format!("the session could not be opened, see {clause}");
                    (Vec::new(), Vec::new(), Some(Outcome::Unseen(reason)))
                }
                None => (Vec::new(), Vec::new(), None),
            };
            let rule = findings.outcome(case);
            let by_rule = matches!(rule, Some(Outcome::Broken(_)));
            self.judgement(
                case,
                Outcome::fold(probe, rule),
                if by_rule { Vec::new() } else { log },
                remarks,
            )
        });
        judged
            .filter(|judgement| self.planned.reports(judgement))
            .collect()
    }

    /// Nothing secret is told.
    fn judgement(
        &self,
        case: &'static Case,
        outcome: Outcome,
        log: Vec<Excerpt>,
        remarks: Vec<String>,
    ) -> Judgement {
        let secrets = &self.live.options.secrets;
        let hide = |text: &str| secrets.redact_text(text);
        let transport = self.common.launcher.transport();
        let mut judgement = Judgement::of(case, self.revision, transport, outcome, log);
        judgement.remarks = remarks.iter().map(|remark| hide(remark)).collect();
        if secrets.is_empty() {
            return judgement;
        }
        judgement.message = judgement.message.map(|message| hide(&message));
        let evidence = &mut judgement.evidence;
        let compared = evidence.compared.take();
        evidence.compared = compared.map(|(a, b)| (hide(&a), hide(&b)));
        for excerpt in &mut evidence.exchange {
            let redacted = secrets.redact(&excerpt.text);
            if *redacted != *excerpt.text {
                excerpt.text = redacted.into();
                excerpt.mark = None;
            }
        }
        judgement
    }
}

/// Whether cases are made to see how sessions stand side by side: what is asked once about HTTP
/// itself takes that into account.
fn sees_neighbours(cases: &[&Case]) -> bool {
    let sees = |case: &&Case| {
        matches!(case.stage(), Some(Stage::Once(_))) && case.clause.area() == "streamable-http"
    };
    cases.iter().all(sees)
}

/// Judges the server over its transport. No two runs at a time in one process: the end of one ends
/// every process that has been started since the first.
///
/// # Errors
/// There is no server to judge, or the transcript cannot be written.
pub async fn run(options: &Options, watch: Watch<'_>) -> Result<Run, NoServer> {
    adopt_orphans();
    let result = tokio::task::LocalSet::new()
        .run_until(run_here(options, watch))
        .await;
    end_orphans();
    result
}

/// Ends what an interrupted run has left behind.
pub fn clean_up() {
    end_orphans();
}

async fn run_here(options: &Options, watch: Watch<'_>) -> Result<Run, NoServer> {
    let started = jiff::Timestamp::now();
    let mut revisions = match options.revisions.as_slice() {
        [] => options.target.transport().revisions().to_vec(),
        asked => asked.to_vec(),
    };
    revisions.sort_unstable_by(|a, b| b.cmp(a));
    revisions.dedup();
    let transcript = match &options.transcript {
        None => None,
        Some(path) => {
            let head = json!({
                "transcript": TRANSCRIPT_VERSION,
                "tool": concat!("mcp-conform ", env!("CARGO_PKG_VERSION")),
                "transport": options.target.transport().as_str(),
                "started": started.to_string(),
            });
            Some(Transcript::create(path, options.secrets.clone(), &head)?)
        }
    };
    let client = match &*options.target {
        Target::Stdio(_) => None,
        Target::Http(endpoint) | Target::Sse(endpoint) => Some(Rc::new(Client::new(endpoint)?)),
    };
    let live = Live {
        options,
        client,
        limits: Rc::new(Cell::new(Limits {
            answer: options.timeout,
            first_answer: Limits::default().first_answer.max(options.timeout),
            long_wait: options.long_wait,
            ..Limits::default()
        })),
        recorder: Rc::new(Recorder::new(Instant::now(), transcript)),
        jobs: Rc::new(Semaphore::new(options.jobs.max(1))),
        watch,
        done: Cell::new(0),
        total: Cell::new(0),
        server: RefCell::default(),
        versions: Rc::default(),
        neighbours: OnceCell::new(),
        held_back: Cell::new(false),
    };
    let launched = match (&*options.target, &live.client) {
        (Target::Http(endpoint) | Target::Sse(endpoint), Some(client)) => match &endpoint.launch {
            Some(command) => {
                Some(Launched::start(command, endpoint, client, &live.limits.get()).await?)
            }
            None => None,
        },
        _ => None,
    };
    let revised: Vec<Revisioned<'_>> = revisions
        .iter()
        .map(|revision| Revisioned::new(&live, *revision))
        .collect();
    let mut judged = judge_all(&live, &revised).await;
    let mut remarks = Vec::new();
    if judged.is_ok()
        && let Some(detective) = live.detective(ASIDE)
    {
        remarks.extend(detective.remark().await);
    }
    if let Some(launched) = launched {
        if let Err(NoServer::Address(reason)) = judged {
            judged = Err(NoServer::NotOpened {
                reason,
                stderr: launched.tail(),
                stdout: None,
            });
        }
        launched.stop(&live.limits.get()).await;
    }
    let judged = judged?;
    let hide = |text: &str| options.secrets.redact_text(text);
    let command = options.target.command();
    let mut run = Run {
        started: started.to_string(),
        duration: live.recorder.now(),
        target: hide(&options.target.name()),
        command_line: (options.target.subcommand(), hide(&options.target.shell())),
        transport: options.target.transport(),
        file: command
            .and_then(|command| command.file())
            .map(|file| hide(&file)),
        // A path that holds a secret cannot be told.
        artifact: command
            .and_then(|command| command.artifact())
            .filter(|path| hide(&path.to_string_lossy()) == path.to_string_lossy()),
        server: live
            .server
            .borrow()
            .clone()
            .map(|(name, version)| (hide(&name), hide(&version))),
        options: options.shell.clone(),
        filtered: !options.selection.is_whole(),
        shard: options.selection.shard(),
        finished: true,
        processes: live.recorder.sessions(),
        revisions: Vec::new(),
        judgements: Vec::new(),
        remarks: remarks.iter().map(|remark| hide(remark)).collect(),
        unreadable: Vec::new(),
        baseline: None,
    };
    for (revised, (spoken, judgements)) in revised.iter().zip(judged) {
        let spoken = match spoken {
            Spoken::Yes => Spoken::Yes,
            Spoken::Other(offered) => Spoken::Other(hide(&offered)),
            Spoken::No(reason) => Spoken::No(hide(&reason)),
        };
        run.revisions.push((revised.revision, spoken));
        run.judgements.extend(judgements);
    }
    if let Some(transcript) = &live.recorder.transcript {
        transcript.finish()?;
    }
    Ok(run)
}

/// An observer that judges nothing.
fn nobody(revision: Revision) -> Rc<RefCell<dyn Observer>> {
    Judge::observer((0, false), revision, Findings::new(std::iter::empty()))
}

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
    time::{Instant, sleep},
};

use super::{
    Evidence, Judgement, Options, Run, Spoken,
    detect::Detective,
    judge::{Findings, Judge},
    lane::{LaneRun, Open, Probed, unseen},
    launched::Launched,
    plan::Planned,
    refused, refused_http, unopened,
    verdict::{Outcome, Verdict},
};
use crate::{
    case::{Case, Env, Probe, Stage},
    session::{
        How, Launcher, Limits, Neighbours, Newline, Observer, OpenFailure, Recorder, Session,
    },
    spec::{Clause, Gate, Revision, Transport},
    talk::{Common, Curtain, Lane, Offered, Talk, Versions},
    tape::{Id, TRANSCRIPT_VERSION, Transcript, TranscriptError, escaped},
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
    options: &'a Options,
    client: Option<Rc<Client>>,
    limits: Rc<Cell<Limits>>,
    recorder: Rc<Recorder>,
    jobs: Rc<Semaphore>,
    watch: Watch<'a>,
    done: Cell<usize>,
    total: Cell<usize>,
    server: RefCell<Option<(String, String)>>,
    /// What is known of the versions that the server offers.
    versions: Rc<Versions>,
    /// What a second session does to the first one.
    neighbours: OnceCell<Neighbours>,
    /// Whether the server is known to answer only once its stdin is closed.
    held_back: Cell<bool>,
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
    async fn explain(&self, asked: &Asked<'_>) -> Option<NoServer> {
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
    revision: Revision,
    planned: Planned,
    findings: Rc<RefCell<Findings>>,
    pub(super) common: Rc<Common>,
    /// The cases that do not apply, and the capability that is missing.
    absent: RefCell<HashMap<&'static str, &'static str>>,
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
            Box::new(move |lane| Judge::observer(lane, revision, Rc::clone(&seen))),
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
    fn launch_unseen(&self, env: Env) -> Result<Rc<Session>, LaunchError> {
        let launcher = &self.common.launcher;
        launcher.launch_seen_by(self.revision, self.nobody(), env)
    }

    /// The same in another revision.
    pub(super) fn launch_unseen_in(&self, revision: Revision) -> Result<Rc<Session>, LaunchError> {
        let launcher = &self.common.launcher;
        launcher.launch_seen_by(revision, self.nobody(), &[])
    }

    fn nobody(&self) -> Rc<RefCell<dyn Observer>> {
        Judge::observer(0, self.revision, Findings::new(std::iter::empty()))
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

    /// Opens the first session, which shows whether the revision is spoken.
    async fn ask(&self) -> Result<Asked<'a>, LaunchError> {
        let permit = self.live.permit().await;
        self.live.versions.claim(self.revision);
        let asked = self.ask_now(permit).await;
        let offered = match &asked {
            Ok(Asked::Open(_)) => Offered::Version(self.revision.to_string()),
            Ok(Asked::Failed(failure, _)) => Offered::of_failure(failure),
            Ok(Asked::Unreadable(_)) | Err(_) => Offered::Nothing,
        };
        self.live.versions.tell(self.revision, offered);
        asked
    }

    async fn ask_now(&self, permit: SemaphorePermit<'a>) -> Result<Asked<'a>, LaunchError> {
        let session = self.common.launcher.launch(0)?;
        session.set_listens();
        let begin = Instant::now();
        let opened = tokio::select! {
            biased;
            opened = session.handshake(Newline::Lf, session.limits.first_answer) => opened,
            () = self.holds_back() => Err(OpenFailure::Silent),
        };
        let Err(failure) = opened else {
            self.note_server(&session, begin.elapsed());
            return Ok(Asked::Open(Open { session, permit }));
        };
        if failure == OpenFailure::Silent {
            session.give_up();
        }
        session.end(How::Quickly).await;
        let said = session.with_state(|state| state.messages > 0 || state.garbled);
        let broken = self.findings.borrow().broken();
        Ok(match (&failure, broken) {
            // There is an endpoint, and it takes no POST.
            (OpenFailure::Status(405 | 501, _), Some(clause)) => Asked::Unreadable(clause),
            // It speaks a revision, and does not say which: that is a verdict.
            (OpenFailure::NoVersion, Some(clause)) => Asked::Unreadable(clause),
            (
                OpenFailure::OtherRevision(_)
                | OpenFailure::NoVersion
                | OpenFailure::Refused(_)
                | OpenFailure::Status(..),
                _,
            ) => Asked::Failed(failure, session),
            // It speaks, but in a way that no client can read: that is a verdict.
            (_, Some(clause)) if said || failure == OpenFailure::OnStderr => {
                Asked::Unreadable(clause)
            }
            _ => Asked::Failed(failure, session),
        })
    }

    /// Completes when it is clear that the server answers only once its stdin is closed: a
    /// second process, whose stdin is closed soon, answers then and long before the first.
    async fn holds_back(&self) {
        if !self.live.held_back.get() {
            sleep(self.live.limits.get().answer).await;
        }
        let begin = Instant::now();
        if self.trial().await.is_none() {
            std::future::pending::<()>().await;
        }
        sleep(begin.elapsed() * 2 + Duration::from_secs(1)).await;
        self.live.held_back.set(true);
    }

    async fn trial(&self) -> Option<()> {
        let session = self.launch_unseen(&[]).ok()?;
        let mut receiver = session.expect(Id::Text("initialize".to_owned()));
        let request = Newline::Lf.end(&session.initialize());
        session
            .write(&[request.as_bytes()], Duration::ZERO)
            .await
            .ok()?;
        // An answer that comes while stdin is open says that the first process is only slow.
        let open = Instant::now() + session.limits.quiet * 2;
        let early = session.answer(&mut receiver, open).await;
        session.close_stdin().await;
        if early.is_some() {
            session.end(How::Quickly).await;
            return None;
        }
        let deadline = Instant::now() + session.limits.answer;
        let answer = session.answer(&mut receiver, deadline).await;
        session.end(How::Quickly).await;
        answer.map(drop)
    }

    fn note_server(&self, session: &Session, startup: Duration) {
        let mut limits = self.live.limits.get();
        // What has started once starts again in about the time, a busy machine allowed for.
        limits.first_answer = limits.first_answer.min(limits.answer + startup * 5);
        self.live.limits.set(limits);
        let info = session.initialized().unwrap_or_default()["serverInfo"].clone();
        let text = |name: &str| escaped(info[name].as_str().unwrap_or_default());
        self.live
            .server
            .borrow_mut()
            .get_or_insert_with(|| (text("name"), text("version")));
    }

    /// Runs the lanes of the revision.
    async fn judge(&self, open: Open<'a>, newest: bool) -> Vec<Probed> {
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
            if let Ok(session) = self.common.launcher.launch(0) {
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

    fn judgement(
        &self,
        case: &'static Case,
        outcome: Outcome,
        log: Vec<crate::tape::Excerpt>,
        remarks: Vec<String>,
    ) -> Judgement {
        let secrets = &self.live.options.secrets;
        let hide = |text: &str| secrets.redact_text(text);
        let mut evidence = Evidence::default();
        let (verdict, message) = match outcome {
            Outcome::Kept => (Verdict::Pass, None),
            Outcome::Unseen(reason) => (Verdict::Unverified, Some(reason)),
            Outcome::NotApplicable(reason) => (Verdict::NotApplicable, Some(reason)),
            Outcome::Error(reason) => {
                evidence.exchange = log;
                (Verdict::Error, Some(reason))
            }
            Outcome::Broken(violation) => {
                evidence.exchange = log;
                // The case's own log may hold what it shows.
                let shown = violation.evidence.into_iter().filter(|shown| {
                    !evidence
                        .exchange
                        .iter()
                        .any(|known| known.at == shown.at && known.text == shown.text)
                });
                let shown: Vec<_> = shown.collect();
                evidence.exchange.extend(shown);
                evidence.compared = violation.compared.map(|(a, b)| (hide(&a), hide(&b)));
                (
                    Verdict::of_violation(case.clause.level_in(self.revision)),
                    Some(violation.message),
                )
            }
        };
        if !secrets.is_empty() {
            for excerpt in &mut evidence.exchange {
                let redacted = secrets.redact(&excerpt.text);
                if *redacted != *excerpt.text {
                    excerpt.text = redacted.into();
                    excerpt.mark = None;
                }
            }
        }
        Judgement {
            case,
            revision: self.revision,
            transport: self.common.launcher.transport(),
            verdict,
            message: message.map(|message| hide(&message)),
            remarks,
            evidence,
        }
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

/// What came of asking for a revision.
enum Asked<'a> {
    Open(Open<'a>),
    /// It answers, but in a way that breaks this clause and leaves no session.
    Unreadable(&'static str),
    Failed(OpenFailure, Rc<Session>),
}

/// Judges the server over stdio.
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
    drop(revised);
    let recorder = Rc::into_inner(live.recorder);
    if let Some(transcript) = recorder.and_then(|recorder| recorder.transcript) {
        transcript.finish()?;
    }
    Ok(run)
}

/// What a revision came to.
pub(super) type Judged = (Spoken, Vec<Judgement>);

/// A revision whose cases were run, or which could not be opened because of a clause.
enum Tried {
    Judged(Vec<Probed>),
    Unreadable(&'static str),
    Failed(Spoken),
}

impl Tried {
    fn probed(&self) -> &[Probed] {
        match self {
            Tried::Judged(probed) => probed,
            _ => &[],
        }
    }
}

/// Asks for the newest revision first: a launcher that downloads does so once. The others follow
/// side by side.
async fn judge_all<'a>(
    live: &'a Live<'a>,
    revised: &'a [Revisioned<'a>],
) -> Result<Vec<Judged>, NoServer> {
    let Some((first_asked, others)) = revised.split_first() else {
        return Ok(Vec::new());
    };
    let newest = Cell::new(true);
    let failed = RefCell::new(Vec::new());
    let probes = |revised: &Revisioned<'_>| {
        revised
            .planned
            .run
            .iter()
            .filter(|case| case.probe.is_some())
            .count()
    };
    let go = async |revised: &'a Revisioned<'a>, asked: Asked<'a>| match asked {
        Asked::Open(open) => {
            live.total.set(live.total.get() + probes(revised));
            Tried::Judged(revised.judge(open, newest.replace(false)).await)
        }
        Asked::Unreadable(clause) => Tried::Unreadable(clause),
        Asked::Failed(failure, session) => {
            let spoken = match &failure {
                OpenFailure::OtherRevision(offered) => Spoken::Other(offered.clone()),
                failure => Spoken::No(failure.describe()),
            };
            failed.borrow_mut().push((failure, session));
            Tried::Failed(spoken)
        }
    };
    let asked = first_asked.ask().await?;
    if let Some(elsewhere) = live.explain(&asked).await {
        return Err(elsewhere);
    }
    if matches!(asked, Asked::Failed(OpenFailure::Silent, _)) {
        // It has had the time to download; from now on it is only asked.
        let mut limits = live.limits.get();
        limits.first_answer = limits.answer;
        live.limits.set(limits);
    }
    let rest = join_all(
        others
            .iter()
            .map(async |revised| match revised.ask().await {
                Ok(asked) => go(revised, asked).await,
                Err(error) => Tried::Failed(Spoken::No(error.to_string())),
            }),
    );
    // The others ask before the lanes of the first take the leave to run.
    let (rest, first) = futures_util::join!(rest, go(first_asked, asked));
    let tried: Vec<Tried> = std::iter::once(first).chain(rest).collect();
    let once: Vec<Probed> = tried
        .iter()
        .flat_map(Tried::probed)
        .filter(|probed| matches!(probed.case.stage(), Some(Stage::Once(_))))
        .cloned()
        .collect();
    let judged: Vec<Judged> = revised
        .iter()
        .zip(tried)
        .map(|(revised, tried)| match tried {
            Tried::Judged(mut probed) => {
                probed.retain(|probed| !matches!(probed.case.stage(), Some(Stage::Once(_))));
                probed.extend(once.iter().cloned());
                (Spoken::Yes, revised.fold(probed, None))
            }
            Tried::Unreadable(clause) => (Spoken::Yes, revised.fold(Vec::new(), Some(clause))),
            Tried::Failed(spoken) => (spoken, Vec::new()),
        })
        .collect();
    if judged.iter().all(|(spoken, _)| *spoken != Spoken::Yes) {
        let mut failed = failed.into_inner();
        let mut refusal = None;
        if failed.len() == revised.len() {
            refusal = match refused_http::judged(first_asked, &failed).await {
                None => refused::judged(first_asked, &failed).await,
                probed => probed,
            };
        }
        if let Some(probed) = refusal {
            let clause = probed.case.clause.id;
            let judged = revised.iter().map(|revised| {
                let fold = revised.fold(vec![probed.clone()], Some(clause));
                (Spoken::Yes, fold)
            });
            return Ok(judged.collect());
        }
        if let Some(judged) = unopened::judged(revised) {
            return Ok(judged);
        }
        // The most telling failure: an answer, then a death, then silence.
        failed.sort_by_key(|(failure, _)| match failure {
            OpenFailure::OtherRevision(_) => 0,
            OpenFailure::NoVersion => 1,
            OpenFailure::Refused(_) => 2,
            OpenFailure::Died => 3,
            _ => 4,
        });
        if let Some((failure, session)) = failed.first() {
            let asked: Vec<_> = revised
                .iter()
                .map(|revised| revised.revision.as_str())
                .collect();
            let reason = match failure {
                OpenFailure::OtherRevision(offered) => format!(
                    "the server speaks none of the revisions {}: it offers `{offered}`; choose with --revision",
                    asked.join(", ")
                ),
                failure => format!("no server to judge: {}", failure.describe()),
            };
            let hide = |text: String| live.options.secrets.redact_text(&text);
            if live.client.is_some() {
                return Err(NoServer::Address(hide(reason)));
            }
            return Err(NoServer::NotOpened {
                reason: hide(reason),
                stderr: session.stderr_tail().into_iter().map(hide).collect(),
                stdout: session.stdout_noise().map(hide),
            });
        }
    }
    Ok(judged)
}

impl OpenFailure {
    pub(super) fn describe(&self) -> String {
        match self {
            OpenFailure::OtherRevision(offered) => {
                format!("`initialize` is answered with revision `{offered}`")
            }
            OpenFailure::NoVersion => {
                "the answer to `initialize` names no protocol version".to_owned()
            }
            OpenFailure::Refused(told) => format!("`initialize` is refused: {}", told.error),
            OpenFailure::Status(401 | 403, _) => {
                "`initialize` is refused for lack of credentials; \
                 give them with --header 'Authorization: Bearer …'"
                    .to_owned()
            }
            OpenFailure::Status(status, None) => {
                format!("`initialize` is answered with HTTP status {status}")
            }
            OpenFailure::Status(status, Some(told)) => {
                format!(
                    "`initialize` is answered with HTTP status {status}: {}",
                    told.error
                )
            }
            OpenFailure::Closed(reason) => reason.clone(),
            OpenFailure::Died => "the process ended before it answered `initialize`".to_owned(),
            OpenFailure::Flood(flood) => format!("the server floods its stdout: {flood}"),
            OpenFailure::Silent => "`initialize` was not answered; does the command start an MCP \
                 server on stdio?"
                .to_owned(),
            OpenFailure::OnStderr => "`initialize` is answered on stderr".to_owned(),
        }
    }
}

//! The ids of tasks.

use super::{
    TASKS,
    life::{Life, Role, life, proposal},
    objects::{UNSEEN, each, required},
    prelude::*,
    step::{Step, broken},
};
use crate::tape::{Shows, time};

pub(super) const CASES: &[Case] = &[CREATE_RESULT, ID, ID_UNIQUE, ID_ENTROPY];

const CREATE_RESULT: Case = Case::probe(
    Clause {
        id: "utilities/task-create-result",
        title: "An accepted task call returns a task",
        statement: "A task-augmented request that the server accepts is answered with a result that \
            has an object `task` instead of the operation's own result.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#result-retrieval")],
        fault: "task-call-answered-inline",
    },
    Advice {
        why: "The client looks for a task id to ask with, and finds none: the result is lost to \
            it.",
        how: "Calls a permitted tool that supports tasks with `task`, several times side by \
            side.",
        mend: "Answer with `{\"task\": {...}}` as soon as the task is created, and keep the \
            tool's own result for `tasks/result`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let mut refused = None;
            for made in life.calls() {
                life.came(s, &made.call)?;
                // A server may look at the arguments before it makes a task of the call.
                let refuses = |result: &Value| result["isError"] == true;
                let is_refusal = made.call.result().is_some_and(refuses);
                if made.call.reply.is_result() && made.task().is_none() && !is_refusal {
                    return broken(
                        s,
                        "a call with `task` is answered with a result without an object `task`",
                        &[&made.call],
                    );
                }
                if made.task().is_none() {
                    refused = Some(match is_refusal {
                        true => "is answered with a tool error".to_owned(),
                        false => made.call.reply.to_string(),
                    });
                }
            }
            match refused {
                Some(told) if life.calls().all(|made| made.task().is_none()) => {
                    unverified(format!("`tools/call` with `task` {told}"))
                }
                _ => Ok(()),
            }
        })
    },
)
.with_rule(Rule {
    subject: |event, past| created(event, past).is_some(),
    holds: |event, past| match created(event, past) {
        // What a server gives that takes no tasks is a tool result, which other clauses judge.
        Some((message, result))
            if !result["task"].is_object()
                && (result.get("task").is_some() || result.get("content").is_none()) =>
        {
            broken_by(
                "a call with `task` is answered with neither an object `task` nor a tool result",
                message,
                past,
            )
        }
        _ => Ok(()),
    },
    unseen: "no call with `task` was answered with a result",
});

/// The answer to a call with `task`, and its result.
fn created<'a>(event: &Event<'a>, past: &Past) -> Option<(&'a Message, &'a Value)> {
    let answer = message(event).filter(|_| past.shows == Some(Shows::Created))?;
    Some((answer, answer.result()?))
}

const ID: Case = Case::probe(
    Clause {
        id: "utilities/task-id",
        title: "Task ids are strings the server made",
        statement: "`taskId` is a string that the server generated.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-id-requirements")],
        fault: "task-id-number",
    },
    Advice {
        why: "An id that the client chose can be the id of somebody else's task; one that is no \
            string cannot be asked with.",
        how: "Proposes a `taskId` in the `task` of a call, as early drafts allowed, and reads \
            the one that comes back.",
        mend: "Make the id yourself, as a random string, and ignore any `taskId` in `task`.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let proposed = life
                .made(Role::Proposal)
                .filter(|made| made.task().is_some());
            // A server may refuse the odd member; then any other call shows its ids.
            let Some(made) = proposed.or_else(|| life.calls().find(|made| made.task().is_some()))
            else {
                life.task(s, Role::Proposal)?;
                return unverified("no task was created");
            };
            let proposal = proposal(s);
            let text = match made.task().and_then(|task| task.get("taskId")) {
                None => "the task has no `taskId`".to_owned(),
                Some(Value::String(id)) if id.is_empty() => "`taskId` is empty".to_owned(),
                Some(Value::String(id)) if *id == proposal => {
                    "`taskId` is the one that the client proposed".to_owned()
                }
                Some(Value::String(_)) => return Ok(()),
                Some(id) => format!("`taskId` is {id} instead of a string"),
            };
            broken(s, text, &[&made.call])
        })
    },
)
.with_rule(Rule {
    subject: |_, past| past.shows.is_some(),
    holds: |event, past| {
        each(event, past, |shows, task| {
            let text = match required(shows, task, "taskId") {
                Ok(Value::String(id)) if id.is_empty() => "`taskId` is empty".to_owned(),
                Ok(Value::String(_)) => return None,
                Ok(id) => format!("`taskId` is {id} instead of a string"),
                Err(text) => return text,
            };
            Some(text)
        })
    },
    unseen: UNSEEN,
});

/// The ids of all tasks, with the calls that they were given to.
fn ids(life: &Life) -> Vec<(&str, &Step)> {
    let stranger = life.stranger.iter().flat_map(|stranger| &stranger.tasks);
    let own = life
        .calls()
        .filter_map(|made| Some((made.id()?, &made.call)));
    let others = stranger.filter_map(|made| Some((made.id()?, &made.call)));
    own.chain(others).collect()
}

const ID_UNIQUE: Case = Case::probe(
    Clause {
        id: "utilities/task-id-unique",
        title: "Task ids are unique",
        statement: "No two tasks of the server have the same id.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(V2025_11_25, "basic/utilities/tasks#task-id-requirements")],
        fault: "task-id-reused",
    },
    Advice {
        why: "Two tasks under one id are one to every client: the result of the first is lost, \
            or is given to somebody else.",
        how: "Makes several tasks in one session, and over HTTP two more in another; compares \
            the ids.",
        mend: "Use a random id, a UUID for instance.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            let ids = ids(&life);
            if ids.len() < 2 {
                life.task(s, Role::First)?;
                return unverified("fewer than two tasks were created");
            }
            for (number, (id, call)) in ids.iter().enumerate() {
                if let Some((_, before)) = ids[..number].iter().find(|(known, _)| known == id) {
                    let text = format!("two tasks have the id `{}`", escaped(id));
                    return broken(s, text, &[before, call]);
                }
            }
            Ok(())
        })
    },
);

const ID_ENTROPY: Case = Case::probe(
    Clause {
        id: "utilities/task-id-entropy",
        title: "Task ids cannot be guessed",
        statement: "Where tasks are not bound to an authorization context, ids are cryptographically \
            secure with enough entropy.",
        level: Level::Must,
        levels: &[],
        since: V2025_11_25,
        until: V2025_11_25,
        transports: Transport::ALL,
        needs: &[Gate::Met("task-tool")],
        anchors: &[(
            V2025_11_25,
            "basic/utilities/tasks#task-isolation-and-access-control",
        )],
        fault: "task-id-sequential",
    },
    Advice {
        why: "Whoever guesses an id can read the result of the task and cancel it, since nothing \
            but the id guards it.",
        how: "Compares the ids of several tasks without what they have in common at both ends: \
            too few characters, a counter or the time of creation can be guessed. Over stdio, \
            where there is one client only, it matters little.",
        mend: "Use at least 128 bits from a cryptographically secure source.",
    },
    TASKS,
    |s| {
        Box::pin(async {
            let life = life(s).await?;
            if s.has_credentials() {
                return unverified("the headers that were given may bind tasks to their owner");
            }
            let all = ids(&life);
            let mut ids: Vec<&str> = all.iter().map(|(id, _)| *id).collect();
            ids.sort_unstable();
            ids.dedup();
            if ids.len() < 3 {
                life.task(s, Role::First)?;
                return unverified("fewer than three different ids were given");
            }
            let created = life
                .calls()
                .filter_map(|made| time(made.task()?, "createdAt"));
            match weakness(&ids, &created.collect::<Vec<_>>()) {
                None => Ok(()),
                Some(text) => {
                    let steps: Vec<&Step> = all.iter().map(|(_, step)| *step).take(3).collect();
                    broken(s, text, &steps)
                }
            }
        })
    },
);

/// What makes ids easy to guess, if that shows.
fn weakness(ids: &[&str], created: &[i128]) -> Option<String> {
    let varying = varying(ids);
    let longest = varying.iter().map(|part| part.chars().count()).max()?;
    if longest < 8 {
        let characters = if longest == 1 {
            "character"
        } else {
            "characters"
        };
        return Some(format!(
            "the ids of {} tasks differ in {longest} {characters} only",
            ids.len()
        ));
    }
    if [10, 16].iter().any(|radix| is_sequence(&varying, *radix)) {
        return Some("the ids count up".to_owned());
    }
    let is_time = |id: &&str| {
        let number = id.parse::<i128>().unwrap_or_default();
        let near = |unit: i128| created.iter().any(|at| (at / unit - number).abs() <= 1);
        near(1_000_000) || near(1_000_000_000)
    };
    let digits = |id: &&str| id.trim_matches(|c: char| !c.is_ascii_digit()).to_owned();
    let numbers: Vec<String> = ids.iter().map(digits).collect();
    let all = numbers.iter().all(|number| is_time(&number.as_str()));
    all.then(|| "the ids are the times of creation".to_owned())
}

/// The ids without what all of them begin and end with.
fn varying<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let first = ids.first().copied().unwrap_or_default();
    let shared = |of: &dyn Fn(&str) -> Vec<char>| {
        let first = of(first);
        let common = ids.iter().map(|id| {
            let same = of(id).into_iter().zip(&first).take_while(|(a, b)| a == *b);
            same.count()
        });
        common.min().unwrap_or_default()
    };
    let start = shared(&|id| id.chars().collect());
    let strip = |id: &'a str| id.char_indices().nth(start).map_or("", |(at, _)| &id[at..]);
    let rest: Vec<&str> = ids.iter().map(|id| strip(id)).collect();
    let first_rest: Vec<char> = rest
        .first()
        .map_or_else(Vec::new, |id| id.chars().rev().collect());
    let end = rest.iter().map(|id| {
        let same = id
            .chars()
            .rev()
            .zip(&first_rest)
            .take_while(|(a, b)| a == *b);
        same.count()
    });
    let end = end.min().unwrap_or_default();
    let cut = |id: &'a str| {
        let kept = id.chars().count().saturating_sub(end);
        id.char_indices().nth(kept).map_or(id, |(at, _)| &id[..at])
    };
    rest.into_iter().map(cut).collect()
}

/// Whether the parts are numbers at equal distances.
fn is_sequence(parts: &[&str], radix: u32) -> bool {
    let numbers = parts
        .iter()
        .map(|part| u128::from_str_radix(part, radix).ok());
    let Some(mut numbers) = numbers.collect::<Option<Vec<u128>>>() else {
        return false;
    };
    numbers.sort_unstable();
    let steps: Vec<u128> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.iter().all(|step| Some(step) == steps.first())
}

#[cfg(test)]
mod tests {
    use super::{varying, weakness};

    #[test]
    fn ids_that_can_be_guessed_are_told() {
        for ids in [
            vec!["1", "2", "3"],
            vec!["task-00000001", "task-00000002", "task-00000010"],
            vec!["10000000", "20000000", "30000000"],
            vec!["a9000000", "b9000000", "c9000000"],
            vec!["t-17640288000001", "t-17640288000002", "t-17640288000103"],
        ] {
            assert!(weakness(&ids, &[]).is_some(), "{ids:?}");
        }
        let created = [
            1_764_028_800_123_000_000,
            1_984_028_800_123_000_000,
            3_004_028_800_123_000_000,
        ];
        let times = ["1764028800123", "1984028800123", "3004028800124"];
        assert!(weakness(&times, &created).is_some());
        for ids in [
            vec!["0c7be04a1d6f4f5c", "9a83e2b75d19c6f0", "5c1f7a90be33d284"],
            vec!["s:0c7be04a:end", "s:9a83e2b7:end", "s:5c1f7a90:end"],
        ] {
            assert_eq!(weakness(&ids, &[]), None, "{ids:?}");
        }
    }

    #[test]
    fn what_ids_have_in_common_is_left_out() {
        assert_eq!(
            varying(&["ab-1-z", "ab-22-z", "ab-13-z"]),
            ["1", "22", "13"]
        );
        assert_eq!(varying(&["é1", "é2"]), ["1", "2"]);
        assert_eq!(varying(&["a", "aa", "aaa"]), ["", "a", "aa"]);
    }
}

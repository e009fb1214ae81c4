use mcp_conform::{
    cases,
    report::FormatName,
    run::{Run, Verdict},
    tape::escaped,
};

use super::{
    NEW, PLAIN,
    hostile::{HOSTILE, hostile},
    judgement, made_up, whole, written,
};

fn text(run: &Run) -> String {
    written(run, FormatName::Github, PLAIN)
}

/// A command as the runner reads it: name, title and message.
fn parsed(line: &str) -> (String, String, String) {
    let rest = line.strip_prefix("::").unwrap();
    let (head, message) = rest.split_once("::").unwrap();
    let (command, title) = head.split_once(" title=").unwrap();
    assert!(!title.contains([',', ':']), "{line}");
    let plain = |text: &str| {
        text.replace("%2C", ",")
            .replace("%3A", ":")
            .replace("%0A", "\n")
            .replace("%0D", "\r")
            .replace("%25", "%")
    };
    (command.into(), plain(title), plain(message))
}

#[test]
fn a_step_is_annotated_with_what_is_broken() {
    insta::assert_snapshot!("github", text(&made_up()));
    assert_eq!(text(&whole()), "");
}

#[test]
fn a_case_is_annotated_once_for_all_revisions() {
    let text = text(&made_up());
    let commands: Vec<_> = text.lines().map(parsed).collect();
    let names: Vec<_> = commands.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        names,
        ["error", "error", "error", "error", "warning", "notice"]
    );
    assert_eq!(
        commands[0].1,
        "stdio/stdout-no-ansi in 2025-11-25, 2025-06-18"
    );
}

#[test]
fn what_github_would_drop_is_named_in_the_last_annotation() {
    let with = |count: usize| {
        let mut run = whole();
        for case in cases::all().take(count) {
            let id = case.clause.id;
            run.judgements
                .push(judgement(id, NEW, Verdict::Fail, "broken"));
        }
        text(&run)
    };
    assert_eq!(with(10).lines().count(), 10);
    let text = with(12);
    assert_eq!(text.lines().count(), 10);
    let (_, title, message) = parsed(text.lines().last().unwrap());
    assert_eq!(title, "3 more");
    let named: Vec<_> = cases::all()
        .skip(9)
        .take(3)
        .map(|case| format!("{} in 2025-11-25", case.clause.id))
        .collect();
    assert_eq!(message, named.join("\n"));
}

#[test]
fn text_of_the_server_is_no_command_and_no_property() {
    let text = text(&hostile());
    let commands: Vec<_> = text.lines().map(parsed).collect();
    assert_eq!(commands.len(), 4);
    let (_, title, message) = &commands[0];
    assert_eq!(title, "stdio/stdout-only-messages in 2025-11-25");
    assert!(
        message.starts_with(&format!("{}\nMUST NOT: ", escaped(HOSTILE))),
        "{message}"
    );
}

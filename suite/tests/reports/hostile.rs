//! A run with a server that writes to break out of whatever it is quoted in.

use std::time::Duration;

use mcp_conform::{
    run::{Baseline, Run, Spoken, Verdict},
    spec::Revision,
    tape::Stream,
};

use super::{MIDDLE, NEW, judgement, made_up, said};

/// Ends and begins of every format, letters that terminals obey, and letters that hide.
pub(crate) const HOSTILE: &str = "]]></failure></script><img src=x onerror=alert(1)> | `a` ```` ~~~~ \
    ::error::owned ##[error]owned %0A::warning::owned @everyone [link](https://example.org) {0} \
    [[ATTACHMENT|/etc/passwd]] \\ud800 '\"\n::stop-commands::x\r\n# SKIP\n\n</details>\n```\n  ...\n\
    not ok 1 # TODO\nBail out!\n1..0\0\u{7f}\u{85}\x1b[31m\u{202e}\u{2066}\u{2028}\u{feff}\u{fffe}";

/// A run in which the server had its say wherever a server has one.
pub(crate) fn hostile() -> Run {
    let mut run = made_up();
    run.server = Some((HOSTILE.into(), HOSTILE.into()));
    run.target = format!("node '{HOSTILE}'");
    run.file = None;
    run.duration = Duration::from_secs(3601);
    run.revisions = vec![
        (NEW, Spoken::Yes),
        (MIDDLE, Spoken::Other(HOSTILE.into())),
        (Revision::V2024_11_05, Spoken::No(HOSTILE.into())),
    ];
    run.judgements = [
        ("stdio/stdout-only-messages", Verdict::Fail),
        ("stdio/stdout-no-preamble", Verdict::Error),
        ("stdio/stdout-clean-at-shutdown", Verdict::Warn),
        ("stdio/stdout-json-is-jsonrpc", Verdict::Note),
        ("stdio/stdout-no-bom", Verdict::Unverified),
        ("stdio/stdout-no-ansi", Verdict::NotApplicable),
        ("stdio/stdout-no-blank-lines", Verdict::Pass),
    ]
    .into_iter()
    .map(|(id, verdict)| {
        let mut judgement = judgement(id, NEW, verdict, HOSTILE);
        judgement.remarks = vec![HOSTILE.into()];
        judgement.evidence.exchange = vec![
            said(Stream::Stdin, 1, HOSTILE),
            said(Stream::Stdout, 2, HOSTILE),
            // Each row of a long line begins with what the server put there.
            said(Stream::Stdout, 3, "::error::owned ".repeat(40)),
            said(Stream::Stderr, 4, b"\xff\xed\xa0\x80```"),
        ];
        judgement.evidence.compared = Some((HOSTILE.into(), format!("{HOSTILE}\n```\n")));
        judgement
    })
    .collect();
    run
}

/// The same run, with all of it known, for a reason that was copied from the server.
pub(crate) fn hostile_and_known() -> Run {
    let reason = toml::Value::from(HOSTILE);
    let text = format!("[[known]]\ncase = \"*\"\nreason = {reason}\nissue = {reason}\n");
    Run {
        baseline: Some(Baseline::read(HOSTILE, &text).unwrap()),
        ..hostile()
    }
}

/// No letter moves a cursor, reorders its neighbours, hides, or is none at all.
pub(crate) fn assert_plain(text: &str) {
    let bad = text.find(|letter: char| {
        (letter.is_control() && letter != '\n')
            || matches!(
                letter,
                '\u{202a}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{2028}'
                    | '\u{2029}'
                    | '\u{feff}'
                    | '\u{fffe}'
                    | '\u{ffff}'
            )
    });
    assert_eq!(bad, None, "{text}");
}

/// The text without its code: what is left is read as Markdown.
pub(crate) fn without_code(text: &str) -> String {
    let mut rest = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        match &fence {
            Some(mark) if line == mark => fence = None,
            Some(_) => {}
            // A row of backticks with others behind it is no fence.
            None if line.starts_with("```") && !line.trim_start_matches('`').contains('`') => {
                let mark: String = line.chars().take_while(|letter| *letter == '`').collect();
                fence = Some(mark);
            }
            None => {
                rest += &without_spans(line);
                rest.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a block of code does not end");
    rest
}

/// The line without what stands between rows of backticks of one length.
fn without_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out += &rest[..at];
        let mark: String = rest[at..]
            .chars()
            .take_while(|letter| *letter == '`')
            .collect();
        let inside = &rest[at + mark.len()..];
        let mut from = 0;
        let end = loop {
            let begin = from + inside[from..].find('`').unwrap_or_else(|| panic!("{line}"));
            let row = inside[begin..]
                .chars()
                .take_while(|letter| *letter == '`')
                .count();
            if row == mark.len() {
                break begin;
            }
            from = begin + row;
        };
        rest = &inside[end + mark.len()..];
    }
    out + rest
}

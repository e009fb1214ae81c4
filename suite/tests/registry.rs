//! The registry of cases: what the compiler cannot see of it.

use std::collections::HashSet;

use mcp_conform::{cases, report::catalogue, spec::Revision};
use mock_servers::Transport;

#[test]
fn ids_are_unique_and_titles_are_short() {
    let mut ids = HashSet::new();
    for case in cases::all() {
        let clause = &case.clause;
        assert!(ids.insert(clause.id), "{} stands twice", clause.id);
        assert!(
            clause.title.chars().count() < 70,
            "{}: the title is long",
            clause.id
        );
        assert!(
            !clause.title.ends_with('.'),
            "{}: the title ends with a period",
            clause.id
        );
        for text in [
            clause.statement,
            case.advice.why,
            case.advice.how,
            case.advice.mend,
        ] {
            assert!(
                text.trim() == text && !text.is_empty(),
                "{}: `{text}`",
                clause.id
            );
            assert!(
                text.trim_end().ends_with('.'),
                "{}: no whole sentence: `{text}`",
                clause.id
            );
        }
    }
}

#[test]
fn every_case_has_a_fault_and_every_fault_a_case() {
    for case in cases::all() {
        let fault = mock_servers::fault(case.clause.fault).unwrap_or_else(|| {
            panic!(
                "{}: there is no fault {}",
                case.clause.id, case.clause.fault
            )
        });
        assert_eq!(fault.violates, case.clause.id);
    }
    for fault in mock_servers::faults() {
        // A fault may be there before its case.
        let Some(case) = cases::find(fault.violates) else {
            continue;
        };
        assert_eq!(case.clause.fault, fault.name);
        for (clause, reason) in fault.drags {
            assert!(
                cases::find(clause).is_some(),
                "{}: drags {clause}",
                fault.name
            );
            assert!(!reason.is_empty());
        }
    }
}

#[test]
fn the_command_that_explain_prints_serves_a_fault_that_shows() {
    for case in cases::all() {
        let command = catalogue::example(case);
        let served = [
            ("stdio", Transport::Stdio),
            ("http", Transport::StreamableHttp),
            ("sse", Transport::HttpSse),
        ];
        let (_, transport) = served
            .into_iter()
            .find(|(kind, _)| {
                command.starts_with(&format!("mcp-conform {kind} --revision "))
                    && command.contains(&format!(" mock {kind} "))
            })
            .unwrap_or_else(|| panic!("{command}"));
        let shows =
            mock_servers::fault(case.clause.fault).is_some_and(|fault| fault.shows_on(transport));
        assert!(shows, "{command}");
    }
}

#[test]
fn anchors_rise_and_links_are_whole() {
    for case in cases::all() {
        let clause = &case.clause;
        assert!(
            clause.anchors.is_sorted_by_key(|(revision, _)| *revision),
            "{}",
            clause.id
        );
        for revision in Revision::ALL
            .into_iter()
            .filter(|revision| clause.holds_in(*revision))
        {
            let link = clause.link(revision);
            assert!(link.starts_with("https://") && link.contains('#'), "{link}");
        }
    }
}

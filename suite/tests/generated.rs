//! What is made of the command line: completions and manual pages.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

const TOOL: &str = env!("CARGO_BIN_EXE_mcp-conform");

fn tool(args: &[&str]) -> Output {
    Command::new(TOOL)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(args: &[&str]) -> String {
    let output = tool(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that have a page, `mock http` as `mock-http`.
fn commands() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut todo = vec![(String::new(), mcp_conform::cli::command())];
    while let Some((name, command)) = todo.pop() {
        for below in command.get_subcommands() {
            todo.push((format!("{name}-{}", below.get_name()), below.clone()));
        }
        names.insert(name);
    }
    names
}

#[test]
fn every_shell_has_completions_that_know_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        for command in mcp_conform::cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {command}");
        }
        assert!(script.contains("update-baseline"), "{shell}");
    }
    let refused = tool(&["completions", "tcsh"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn bash_reads_its_completions_and_completes_with_them() {
    let script = stdout(&["completions", "bash"]);
    let mut bash = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = bash.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let read = bash.wait_with_output().unwrap();
    assert!(read.status.success(), "{read:?}");

    for (words, options) in [
        ("stdio --fail-on sh", "should"),
        ("mock http --po", "--port"),
        ("compl", "completions"),
    ] {
        assert_eq!(completed(&script, words), options, "{words}");
    }
}

/// What bash puts in the place of the last of these words.
fn completed(script: &str, words: &str) -> String {
    let ask = "eval \"$1\"; COMP_WORDS=(mcp-conform $2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); \
               _mcp__conform mcp-conform \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
               echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash")
        .args(["-c", ask, "bash", script, words])
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn every_command_has_a_page_with_name_and_synopsis() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    fs::remove_dir_all(&folder).ok();
    let refused = tool(&["man", "--out", folder.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");

    fs::create_dir_all(&folder).unwrap();
    assert_eq!(stdout(&["man", "--out", folder.to_str().unwrap()]), "");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        for part in [".SH NAME\n", ".SH SYNOPSIS\n"] {
            assert!(page.contains(part), "{}: {part}", path.display());
        }
        assert_eq!(path.extension().unwrap(), "1");
        let name = path.file_stem().unwrap().to_str().unwrap();
        names.insert(name.strip_prefix("mcp-conform").unwrap().to_owned());
    }
    assert_eq!(names, commands());

    let first = fs::read_to_string(folder.join("mcp-conform.1")).unwrap();
    assert_eq!(stdout(&["man"]), first);
}

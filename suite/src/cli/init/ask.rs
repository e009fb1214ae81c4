//! What a person is asked.

use std::io::{BufRead, Write};

use anyhow::anyhow;
use clap::ValueEnum;

use super::{Args, Draft, Reached, word};
use crate::cli::Failure;

/// Asks a person for what the options leave open.
pub(super) fn asked(
    args: &Args,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> Result<Draft, Failure> {
    let transport = match args.transport {
        Some(transport) => transport,
        None => loop {
            let said = answer(input, out, "Transport (stdio, http or sse) [stdio]: ")?;
            let said = if said.is_empty() { "stdio" } else { &said };
            match Reached::from_str(said, true) {
                Ok(transport) => break transport,
                Err(_) => tell(out, "There are stdio, http and sse.")?,
            }
        },
    };
    let url = match transport {
        Reached::Stdio => None,
        Reached::Http | Reached::Sse => Some(needed(input, out, "Address of the endpoint: ")?),
    };
    let command = match &url {
        None => needed(input, out, "Command that launches the server: ")?,
        Some(_) => answer(
            input,
            out,
            "Command that starts the server (none if it runs): ",
        )?,
    };
    Ok(Draft {
        name: args.name.clone().unwrap_or_else(|| word(transport)),
        transport,
        url,
        command: words(&command),
    })
}

fn needed(input: &mut dyn BufRead, out: &mut dyn Write, question: &str) -> Result<String, Failure> {
    loop {
        let said = answer(input, out, question)?;
        if !words(&said).is_empty() {
            return Ok(said);
        }
    }
}

fn answer(input: &mut dyn BufRead, out: &mut dyn Write, question: &str) -> Result<String, Failure> {
    let mut line = String::new();
    write!(out, "{question}")
        .and_then(|()| out.flush())
        .and_then(|()| input.read_line(&mut line))
        .map_err(anyhow::Error::from)?;
    match line.ends_with('\n') {
        true => Ok(line.trim().to_owned()),
        false => Err(Failure::Usage(anyhow!("no answer; nothing is written"))),
    }
}

fn tell(out: &mut dyn Write, text: &str) -> anyhow::Result<()> {
    Ok(writeln!(out, "{text}")?)
}

/// The words of a command; quotes hold together what belongs together.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::{Args, Draft, Reached, asked, words};
    use crate::cli::config::FILE;

    fn args() -> Args {
        Args {
            transport: None,
            url: None,
            name: None,
            config: FILE.into(),
            force: false,
            command: Vec::new(),
        }
    }

    fn told(answers: &str) -> (Option<Draft>, String) {
        let mut out = Vec::new();
        let draft = asked(&args(), &mut answers.as_bytes(), &mut out).ok();
        (draft, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_person_is_asked_until_the_answer_is_one() {
        let (draft, said) = told("tcp\n\n\nnode 'my server.js'\n");
        let draft = draft.unwrap();
        assert_eq!(draft.transport, Reached::Stdio);
        assert_eq!(draft.command, ["node", "my server.js"]);
        assert!(said.contains("There are stdio, http and sse."), "{said}");
        assert_eq!(said.matches("Command that launches").count(), 2, "{said}");

        let (draft, _) = told("http\nhttp://127.0.0.1:3000/mcp\n\n");
        let text = draft.unwrap().text();
        assert!(
            text.contains("url = \"http://127.0.0.1:3000/mcp\""),
            "{text}"
        );
        assert!(!text.contains("command ="), "{text}");
        assert!(told("stdio\n").0.is_none());
    }

    #[test]
    fn words_are_parted_as_a_shell_parts_them() {
        assert_eq!(words(" a  'b c'\"d\" '' "), ["a", "b cd", ""]);
        assert_eq!(words(r"C:\a\b.exe -x"), [r"C:\a\b.exe", "-x"]);
        assert!(words("  ").is_empty());
    }
}

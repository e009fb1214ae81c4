//! Text on a terminal: colours, columns, and words in lines.

use std::{
    fmt::Display,
    io::{self, Write},
};

use super::Look;
use crate::run::Verdict;

/// What a piece of text is; its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Heading,
    Faint,
    Good,
    Bad,
    Broken,
    Wary,
    Minor,
    Offending,
}

impl Tone {
    pub(super) fn of(verdict: Verdict) -> Tone {
        match verdict {
            Verdict::Fail => Tone::Bad,
            Verdict::Error => Tone::Broken,
            Verdict::Warn => Tone::Wary,
            Verdict::Note => Tone::Minor,
            Verdict::Unverified | Verdict::NotApplicable => Tone::Faint,
            Verdict::Pass => Tone::Good,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Tone::Heading => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Broken => "1;35",
            Tone::Wary => "1;33",
            Tone::Minor => "36",
            Tone::Offending => "1;4;31",
        }
    }
}

/// A page that is written on. Colour is decided by its [`Look`] alone, which is why the codes
/// stand here: a crate that asks the environment would be a second judge.
pub(super) struct Page<'a> {
    pub(super) look: Look,
    out: &'a mut dyn Write,
}

/// Columns below which nothing would fit.
const LEAST_WIDTH: usize = 40;

impl<'a> Page<'a> {
    pub(super) fn new(look: Look, out: &'a mut dyn Write) -> Page<'a> {
        Page {
            look: Look {
                width: look.width.max(LEAST_WIDTH),
                ..look
            },
            out,
        }
    }

    pub(super) fn paint(&self, tone: Tone, text: impl Display) -> String {
        if self.look.color {
            format!("\x1b[{}m{text}\x1b[0m", tone.code())
        } else {
            text.to_string()
        }
    }

    pub(super) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.line("")
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.blank()?;
        let text = self.paint(Tone::Heading, text);
        self.line(text)
    }

    /// Words in lines, `indent` columns from the left.
    pub(super) fn prose(
        &mut self,
        indent: usize,
        tone: Option<Tone>,
        text: &str,
    ) -> io::Result<()> {
        for line in wrap(text, self.look.width.saturating_sub(indent)) {
            let line = tone.map_or(line.clone(), |tone| self.paint(tone, &line));
            self.line(format_args!("{:indent$}{line}", ""))?;
        }
        Ok(())
    }

    /// Words in lines beside a label.
    pub(super) fn labelled(&mut self, column: Column, label: &str, text: &str) -> io::Result<()> {
        let Column { indent, width } = column;
        let room = self.look.width.saturating_sub(indent + width);
        self.beside(column, label, &wrap(text, room))
    }

    /// Lines as they are beside a label: links and commands are to be copied whole.
    pub(super) fn beside(
        &mut self,
        column: Column,
        label: &str,
        lines: &[String],
    ) -> io::Result<()> {
        let Column { indent, width } = column;
        for (at, line) in lines.iter().enumerate() {
            let label = match at {
                0 => self.paint(Tone::Faint, format_args!("{label:width$}")),
                _ => " ".repeat(width),
            };
            self.line(
                format_args!("{:indent$}{label}{line}", "")
                    .to_string()
                    .trim_end(),
            )?;
        }
        Ok(())
    }
}

/// Where labels stand, and how wide their column is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) indent: usize,
    pub(super) width: usize,
}

/// Breaks text into lines between words; a word that is too long stands alone. Several spaces
/// stay several, since quoted text may have them.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for (at, word) in text.split(' ').enumerate() {
        let columns = columns(word);
        if at > 0 && used + 1 + columns <= width {
            line.push(' ');
            used += 1;
        } else if at > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        line.push_str(word);
        used += columns;
    }
    lines.push(line);
    lines
}

/// The text, cut off at `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |letter: &char| {
        used += breadth(*letter);
        used < width
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// How many columns the text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(breadth).sum()
}

/// How many columns a letter takes on most terminals.
fn breadth(letter: char) -> usize {
    match letter as u32 {
        0x300..=0x36f
        | 0x483..=0x489
        | 0x591..=0x5bd
        | 0x64b..=0x65f
        | 0x1ab0..=0x1aff
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// `1 failure`, `2 failures`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_lines_keep_the_width() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap("a https://example.org/long b", 5),
            ["a", "https://example.org/long", "b"]
        );
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("`a  b`", 9), ["`a  b`"]);
    }

    #[test]
    fn wide_letters_take_two_columns_and_combining_ones_none() {
        assert_eq!(columns("漢字"), 4);
        assert_eq!(columns("e\u{301}"), 1);
        assert_eq!(cut("漢字漢字", 6), "漢字…");
        assert_eq!(cut("abc", 3), "abc");
    }
}

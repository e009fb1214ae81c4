use std::fmt;

/// How strongly a clause binds (RFC 2119 and RFC 8174).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// An absolute requirement; breaking it is a failure.
    Must,
    /// An absolute prohibition; breaking it is a failure.
    MustNot,
    /// A recommendation; not following it is a warning.
    Should,
    /// A discouragement; doing it all the same is a warning.
    ShouldNot,
    /// A permission or an advisory; what is seen of it is a note.
    May,
}

impl Level {
    /// The keyword as the specification writes it.
    pub fn keyword(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::MustNot => "MUST NOT",
            Level::Should => "SHOULD",
            Level::ShouldNot => "SHOULD NOT",
            Level::May => "MAY",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

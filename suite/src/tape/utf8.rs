/// Checks a stream of bytes for UTF-8, however it is cut.
#[derive(Clone, Debug, Default)]
pub(crate) struct Utf8 {
    read: u64,
    /// The start of a character whose other bytes have not arrived.
    partial: Vec<u8>,
    bad: Option<u64>,
    beyond_ascii: bool,
}

impl Utf8 {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.beyond_ascii |= !bytes.is_ascii();
        if self.bad.is_none() && (!self.partial.is_empty() || !bytes.is_ascii()) {
            let start = self.read - self.partial.len() as u64;
            let joined;
            let text = if self.partial.is_empty() {
                bytes
            } else {
                joined = [self.partial.as_slice(), bytes].concat();
                &joined
            };
            match std::str::from_utf8(text) {
                Ok(_) => self.partial = Vec::new(),
                Err(error) if error.error_len().is_none() => {
                    self.partial = text[error.valid_up_to()..].to_vec();
                }
                Err(error) => self.bad = Some(start + error.valid_up_to() as u64),
            }
        }
        self.read += bytes.len() as u64;
    }

    /// Where the first byte stands that is not UTF-8, a character cut off at the end included.
    pub(crate) fn end(&self) -> Option<u64> {
        self.bad
            .or_else(|| (!self.partial.is_empty()).then(|| self.read - self.partial.len() as u64))
    }

    /// Where the first byte stands that no further byte can mend.
    pub(crate) fn bad(&self) -> Option<u64> {
        self.bad
    }

    pub(crate) fn is_ascii(&self) -> bool {
        !self.beyond_ascii
    }
}

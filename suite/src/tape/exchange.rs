use super::{Kind, Message};

/// One HTTP request of ours and the head of its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Which one of the run it is, from 1.
    pub number: u32,
    /// The method of the request.
    pub method: String,
    /// The address, as far as it was sent.
    pub url: String,
    /// The headers of the request that were set on purpose, names as written.
    pub sent: Vec<(String, String)>,
    /// The messages in its body.
    pub posted: Vec<Message>,
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
}

/// Whether a status by itself says that a request was turned away for want of credentials, or because
/// the server is too busy.
pub(crate) fn turns_away(status: u16) -> bool {
    matches!(status, 401 | 429 | 503)
}

/// The same, or one by which servers withhold leave with good reason and with none.
pub(crate) fn says_nothing(status: u16) -> bool {
    turns_away(status) || status == 403
}

impl Exchange {
    /// Whether the request was turned away for want of credentials, or because the server is too
    /// busy: that says nothing about what was sent.
    pub fn turns_away(&self) -> bool {
        let lacks_leave = self.status == 403 && self.header("www-authenticate").is_some();
        lacks_leave || turns_away(self.status)
    }

    /// Whether the server says that it is too busy, or was asked too often (RFC 6585, section 4).
    pub fn is_too_busy(&self) -> bool {
        matches!(self.status, 429 | 503)
    }

    /// The first value of a header of the answer.
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// A header of the request.
    pub fn sent_header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .sent
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The media type of the answer in lower case, without its parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let essence = value.split(';').next().unwrap_or_default();
        Some(essence.trim().to_ascii_lowercase())
    }

    /// The charset parameter of its type in lower case, if it has one.
    pub fn charset(&self) -> Option<String> {
        let label = self.header("content-type")?;
        let parameters = label.split(';').skip(1);
        let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        let (_, charset) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
        Some(charset.trim().trim_matches('"').to_ascii_lowercase())
    }

    /// Whether the answer is an event stream.
    pub fn is_stream(&self) -> bool {
        self.media_type().as_deref() == Some("text/event-stream")
    }

    /// Whether a single request was posted, and its id.
    pub fn request(&self) -> Option<&Message> {
        match self.posted.as_slice() {
            [message] if message.kind() == Kind::Request && message.batch.is_none() => {
                Some(message)
            }
            _ => None,
        }
    }

    /// Whether it is a stream that stands by itself, opened by a GET.
    pub fn is_standing(&self) -> bool {
        self.method == "GET" && self.is_stream()
    }

    /// The id from which it goes on with a stream that was let go.
    pub fn resumes(&self) -> Option<&str> {
        self.sent_header("last-event-id")
    }

    /// Whether it is a stream opened by GET that goes on with no other.
    pub fn stands_apart(&self) -> bool {
        self.is_standing() && self.resumes().is_none()
    }

    /// Whether a body that begins like this is read as an event stream although its label is
    /// another: the label is the finding then, and not that nothing could be read.
    pub(crate) fn is_stream_by(&self, begin: &[u8]) -> bool {
        let text = begin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(begin);
        let starts = [b"event:".as_slice(), b"data:", b"id:", b"retry:", b":"];
        self.status < 400
            && self.media_type().as_deref() != Some("application/json")
            && starts.iter().any(|start| text.starts_with(start))
    }
}

//! The data of the `endpoint` event of HTTP+SSE.

use std::fmt;

use url::Url;

/// Why the data of an `endpoint` event is no address to post to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointFlaw {
    Empty,
    Json,
    LineBreak,
    Space,
    Control,
    NoUri,
    Scheme,
}

impl fmt::Display for EndpointFlaw {
    /// To stand behind "the data of the `endpoint` event".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EndpointFlaw::Empty => "is empty",
            EndpointFlaw::Json => "is JSON, and not a URI",
            EndpointFlaw::LineBreak => "has a line break, and is no URI",
            EndpointFlaw::Space => "has a space in it, and is no URI",
            EndpointFlaw::Control => "has a control character in it, and is no URI",
            EndpointFlaw::NoUri => "is no URI",
            EndpointFlaw::Scheme => "is a URI of another scheme than http and https",
        })
    }
}

/// Where messages are posted by the data of an `endpoint` event, given the address of its stream.
/// White space at both ends is dropped, as readers of addresses do; a fragment is ignored.
pub(crate) fn endpoint_of(stream: &Url, data: &[u8]) -> Result<Url, EndpointFlaw> {
    let text = std::str::from_utf8(data).map_err(|_| EndpointFlaw::NoUri)?;
    let text = text.trim();
    if text.is_empty() {
        return Err(EndpointFlaw::Empty);
    }
    if text.starts_with(['"', '{', '[']) {
        return Err(EndpointFlaw::Json);
    }
    for (wrong, flaw) in [
        (&['\n', '\r'] as &[char], EndpointFlaw::LineBreak),
        (&[' '], EndpointFlaw::Space),
    ] {
        if text.contains(wrong) {
            return Err(flaw);
        }
    }
    if text.chars().any(char::is_control) {
        return Err(EndpointFlaw::Control);
    }
    let mut target = stream.join(text).map_err(|_| EndpointFlaw::NoUri)?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(EndpointFlaw::Scheme);
    }
    target.set_fragment(None);
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(data: &str) -> Result<String, EndpointFlaw> {
        let stream = Url::parse("http://127.0.0.1:3000/mcp/sse?a=1").unwrap();
        endpoint_of(&stream, data.as_bytes()).map(|url| url.to_string())
    }

    #[test]
    fn every_form_of_a_uri_is_resolved() {
        for (data, expected) in [
            ("/messages?id=1", "http://127.0.0.1:3000/messages?id=1"),
            ("message?id=1", "http://127.0.0.1:3000/mcp/message?id=1"),
            ("?id=1", "http://127.0.0.1:3000/mcp/sse?id=1"),
            (" https://a.example/m#part\t", "https://a.example/m"),
        ] {
            assert_eq!(at(data).as_deref(), Ok(expected), "{data}");
        }
    }

    #[test]
    fn what_is_no_uri_is_told() {
        for (data, expected) in [
            ("", EndpointFlaw::Empty),
            ("  ", EndpointFlaw::Empty),
            ("\"/messages\"", EndpointFlaw::Json),
            ("{\"uri\":\"/messages\"}", EndpointFlaw::Json),
            ("/mess ages", EndpointFlaw::Space),
            ("/mess\nages", EndpointFlaw::LineBreak),
            ("/mess\u{1}ages", EndpointFlaw::Control),
            ("http://", EndpointFlaw::NoUri),
            ("ws://127.0.0.1/", EndpointFlaw::Scheme),
        ] {
            assert_eq!(at(data), Err(expected), "{data}");
        }
    }
}

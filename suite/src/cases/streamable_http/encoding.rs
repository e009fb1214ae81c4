//! Bytes of requests and answers: UTF-8, long bodies, chunks.

use super::{post::is_json, prelude::*};

pub(super) const CASES: &[Case] = &[BODY_UTF8, REQUEST_UTF8, LARGE_BODY, CHUNKED_BODY];

/// Letters of one, two, three and four bytes.
const LETTERS: &str = "zażółć-漢字-😀";

/// What came back as the id of a `ping`, for two ways to write one with letters beyond ASCII.
struct Echo {
    sent: String,
    raw: Option<String>,
    escaped: Option<String>,
}

impl Scene for Echo {
    async fn play(s: &Talk) -> Result<Echo, Stop> {
        plain(s).await?;
        let sent = format!("{LETTERS}-{}", s.fresh_id());
        let raw = echo(s, &sent, |text| text).await?;
        let escaped = echo(s, &format!("{sent}-2"), |text| ascii(&text)).await?;
        if let Some(list) = s.list_method() {
            // A list may come on a stream where a ping does not.
            let id = format!("{sent}-3");
            let message = json!({ "jsonrpc": "2.0", "id": id, "method": list });
            post(s, s.post(&message)?).await?;
        }
        Ok(Echo { sent, raw, escaped })
    }
}

impl Echo {
    fn raw_returns(&self) -> bool {
        self.raw.as_ref() == Some(&self.sent)
    }

    fn escaped_returns(&self) -> bool {
        self.escaped == Some(format!("{}-2", self.sent))
    }
}

/// The id with which a `ping` comes back; none if it has no response.
async fn echo(s: &Talk, id: &str, write: fn(String) -> String) -> Result<Option<String>, Stop> {
    let ping = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let text = write(ping.to_string());
    let posted = post(s, s.post(&ping)?.body(text)).await?;
    Ok(match posted.response {
        Some(response) if !posted.head.is_ok_and(|head| head.status >= 400) => {
            response.id.and_then(|id| match id {
                Id::Text(text) => Some(text),
                _ => None,
            })
        }
        _ => None,
    })
}

/// The same JSON with every letter beyond ASCII escaped.
fn ascii(text: &str) -> String {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => escaped += &format!("\\u{unit:04x}"),
        }
    }
    escaped
}

const BODY_UTF8: Case = Case::probe(
    Clause {
        id: "streamable-http/body-utf8",
        title: "answers are UTF-8",
        statement: "Messages in JSON bodies and in event streams are UTF-8.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (V2025_03_26, "basic/transports#streamable-http"),
            (V2026_07_28, "basic/transports/index#messages"),
        ],
        fault: "http-latin1-answer",
    },
    Advice {
        why: "Names, texts and ids beyond ASCII are lost or mangled for every client.",
        how: "Every JSON body is decoded strictly, its charset parameter read; a `ping` has an \
            id of letters beyond ASCII, once as they are and once escaped, which have to come \
            back.",
        mend: "Encode answers as UTF-8, whatever the platform's default is.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            let echo = s.scene::<Echo>().await?;
            if echo.raw_returns() || echo.escaped_returns() {
                return Ok(());
            }
            match (&echo.raw, &echo.escaped) {
                (Some(raw), Some(_)) => differs(
                    "an id beyond ASCII comes back as another, escaped or not",
                    echo.sent.clone(),
                    raw.clone(),
                ),
                _ => {
                    s.blame_damage()?;
                    unverified("requests with an id beyond ASCII are not answered")
                }
            }
        })
    },
)
.with_rule(Rule {
    // What a gateway says of a request that it refuses need be no JSON-RPC.
    subject: |event, _| {
        matches!(event, Event::Body { exchange, body, .. } if is_json(exchange)
            && (exchange.status < 300 && exchange.method == "POST" || names_json_rpc(body)))
    },
    holds: |event, past| {
        let Event::Body { exchange, body, .. } = event else {
            return Ok(());
        };
        if let Some(charset) = other_charset(exchange) {
            return violated_by(
                format!(
                    "a JSON body is labelled with the charset `{}`",
                    escaped(&charset)
                ),
                answer_of(exchange, &[], past),
            );
        }
        match std::str::from_utf8(body) {
            // What breaks off at the end was cut by the limit.
            Err(error) if error.error_len().is_some() => violated_by(
                format!("a JSON body is not UTF-8 at byte {}", error.valid_up_to()),
                answer_of(exchange, body, past),
            ),
            _ => Ok(()),
        }
    },
    unseen: "no JSON body was read",
});

/// The charset parameter of an answer, if it is not UTF-8.
pub(super) fn other_charset(exchange: &Exchange) -> Option<String> {
    let label = exchange.header("content-type")?;
    let parameters = label.split(';').skip(1);
    let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, charset) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    let charset = charset.trim().trim_matches('"');
    let is_utf8 = ["utf-8", "utf8"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name));
    (!is_utf8).then(|| charset.to_owned())
}

const REQUEST_UTF8: Case = Case::probe(
    Clause {
        id: "streamable-http/request-utf8",
        title: "request bodies are read as UTF-8",
        statement: "The server decodes the messages posted to it as UTF-8, with or without a charset \
            parameter.",
        level: Level::Must,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (V2025_03_26, "basic/transports#streamable-http"),
            (V2026_07_28, "basic/transports/index#messages"),
        ],
        fault: "http-decodes-latin1",
    },
    Advice {
        why: "Arguments beyond ASCII reach tools mangled, and nobody notices where.",
        how: "A `ping` whose id has letters beyond ASCII as they are, then escaped: if only the \
            escaped one comes back as it was, the body was read as another encoding.",
        mend: "Decode bodies as UTF-8; JSON has no other encoding, with or without a charset \
            parameter.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            let echo = s.scene::<Echo>().await?;
            match &echo.raw {
                _ if echo.raw_returns() => Ok(()),
                Some(raw) if echo.escaped_returns() => differs(
                    "an id beyond ASCII comes back as another, though not when it is escaped",
                    echo.sent.clone(),
                    raw.clone(),
                ),
                Some(_) => unverified(
                    "the escaped id comes back mangled too, see streamable-http/body-utf8",
                ),
                None => {
                    s.blame_damage()?;
                    unverified("a request with an id beyond ASCII is not answered")
                }
            }
        })
    },
);

/// A long body, in bytes.
const LARGE: usize = 256 * 1024;

const LARGE_BODY: Case = Case::probe(
    Clause {
        id: "streamable-http/large-body",
        title: "a request of a few hundred kilobytes is accepted",
        statement: "A body longer than a network buffer is read whole and answered.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-rejects-256k",
    },
    Advice {
        why: "Arguments hold documents: a limit of some kilobytes cuts clients off where nobody \
            expects it.",
        how: "A `ping` with 256 KiB of padding in its `params._meta`; 413 is a limit set on \
            purpose.",
        mend: "Raise the limit of your framework for bodies (100 KiB in some), and read a body to \
            its end before you parse it.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            let padded = |padding: usize| {
                let (id, mut ping) = request(s, "ping");
                let meta = json!({ "com.example/padding": "x".repeat(padding) });
                ping["params"] = json!({ "_meta": meta });
                (id, ping)
            };
            let (id, small) = padded(1);
            let control = post(s, s.post(&small)?).await?;
            if !control.serves(&id) {
                return unverified(format!("a small `ping` of this kind {control} as well"));
            }
            let (id, ping) = padded(LARGE);
            let posted = post(s, s.post(&ping)?).await?;
            if posted.serves(&id) {
                return Ok(());
            }
            s.blame_damage()?;
            if posted.status() == Some(413) {
                s.remark("a body of 256 KiB is refused with 413, a limit set on purpose");
                return unverified("a body of 256 KiB is refused with HTTP status 413");
            }
            violated(format!(
                "a `ping` of 256 KiB {posted}, though a small one is served"
            ))
        })
    },
);

const CHUNKED_BODY: Case = Case::probe(
    Clause {
        id: "streamable-http/chunked-body",
        title: "a request body in chunks is accepted",
        statement: "A post without Content-Length, sent with chunked transfer coding over HTTP/1.1, is \
            read like any other.",
        level: Level::Should,
        levels: &[],
        since: V2025_03_26,
        until: V2026_07_28,
        transports: &[Transport::StreamableHttp],
        needs: &[],
        anchors: &[
            (
                V2025_03_26,
                "basic/transports#sending-messages-to-the-server",
            ),
            (
                V2026_07_28,
                "basic/transports/streamable-http#sending-messages",
            ),
        ],
        fault: "http-rejects-chunked",
    },
    Advice {
        why: "Clients and proxies that do not know the length in advance send chunks, and \
            HTTP/1.1 obliges a server to read them.",
        how: "A `ping` in three chunks without Content-Length, one cut inside a letter. 411 is \
            allowed by HTTP.",
        mend: "Read the body as your HTTP library gives it, and not as many bytes as \
            Content-Length says; decode it when it is whole.",
    },
    Stage::Together("http-posts"),
    |s| {
        Box::pin(async {
            let (id, ping) = request(s, "ping");
            let control = post(s, s.post(&ping)?.body(cut_inside(&ping))).await?;
            if !control.serves(&id) {
                return unverified(format!(
                    "a `ping` of this kind with a length {control} as well"
                ));
            }
            let (id, ping) = request(s, "ping");
            let posted = post(s, s.post(&ping)?.body(cut_inside(&ping)).chunked()).await?;
            if posted.serves(&id) {
                return Ok(());
            }
            s.blame_damage()?;
            if posted.status() == Some(411) {
                return unverified(
                    "a body in chunks is refused with HTTP status 411, as HTTP allows",
                );
            }
            violated(format!(
                "a `ping` in chunks {posted}, though one with a length is served"
            ))
        })
    },
);

fn names_json_rpc(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"jsonrpc\"").is_some()
}

/// A message padded so that a third of it ends inside a letter.
fn cut_inside(message: &Value) -> String {
    let padded = |letters: usize| {
        let mut message = message.clone();
        let padding = format!("{}{}", "x".repeat(letters), "漢".repeat(100));
        message["params"] = json!({ "_meta": { "com.example/padding": padding } });
        message.to_string()
    };
    let mut texts = (0..9).map(padded);
    let cut = texts.find(|text| !text.is_char_boundary(text.len().div_ceil(3)));
    cut.unwrap_or_else(|| padded(0))
}

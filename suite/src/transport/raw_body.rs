//! The body of a raw response, in the pieces in which it arrives.

use std::{fmt, io};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, ReadHalf},
    task::JoinSet,
};

use super::raw::{READ_BYTES, RawError, Stream, malformed};

/// The longest line with the size of a chunk, and the longest trailer line, in bytes.
const LINE_LIMIT: usize = 8 * 1024;
/// How many trailer lines are read over.
const TRAILER_LINES: usize = 1024;

/// What follows the head, as it arrives. Dropping it closes the connection.
pub struct RawBody {
    reader: ReadHalf<Box<dyn Stream>>,
    buffer: BytesMut,
    framing: Framing,
    /// Writes what is left of the request, until this is dropped.
    _writing: JoinSet<io::Result<()>>,
}

impl RawBody {
    pub(super) fn new(
        reader: ReadHalf<Box<dyn Stream>>,
        buffer: BytesMut,
        framing: Framing,
        writing: JoinSet<io::Result<()>>,
    ) -> RawBody {
        RawBody {
            reader,
            buffer,
            framing,
            _writing: writing,
        }
    }

    /// The next piece, never empty; none at the end. It waits as long as it takes, and a wait that
    /// is given up loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, RawError> {
        loop {
            match self.framing.take(&mut self.buffer)? {
                Step::Piece(piece) => return Ok(Some(piece)),
                Step::End => return Ok(None),
                Step::More => {}
            }
            self.buffer.reserve(READ_BYTES);
            match self.reader.read_buf(&mut self.buffer).await {
                Ok(0) => return self.closed(),
                Ok(_) => {}
                // TLS without its farewell is an end like that of TCP.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return self.closed(),
                Err(_) => return Err(RawError::Cut),
            }
        }
    }

    /// The body up to its end, or its first `most` bytes. What was read is lost if the wait is
    /// given up.
    pub async fn up_to(&mut self, most: usize) -> Result<Vec<u8>, RawError> {
        let mut bytes = Vec::new();
        while bytes.len() < most
            && let Some(piece) = self.chunk().await?
        {
            bytes.extend_from_slice(&piece[..piece.len().min(most - bytes.len())]);
        }
        Ok(bytes)
    }

    fn closed(&self) -> Result<Option<Bytes>, RawError> {
        match self.framing {
            Framing::UntilClose => Ok(None),
            Framing::Length(_) | Framing::Chunked(_) => Err(RawError::Cut),
        }
    }
}

impl fmt::Debug for RawBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawBody")
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

/// Where the body ends.
#[derive(Debug)]
pub(super) enum Framing {
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunk),
    UntilClose,
}

#[derive(Debug)]
pub(super) enum Chunk {
    Size,
    Data(u64),
    /// The line end behind the data.
    DataEnd,
    /// So many lines may follow.
    Trailers(usize),
    End,
}

/// What the bytes so far give.
enum Step {
    Piece(Bytes),
    More,
    End,
}

impl Framing {
    /// By RFC 9112, section 6.3.
    pub(super) fn of(
        method: &str,
        status: u16,
        headers: &[(String, Vec<u8>)],
    ) -> Result<Framing, RawError> {
        if method == "HEAD" || matches!(status, 204 | 304) {
            return Ok(Framing::Length(0));
        }
        if let Some(last) = elements(headers, "transfer-encoding").last() {
            return Ok(if last.eq_ignore_ascii_case(b"chunked") {
                Framing::Chunked(Chunk::Size)
            } else {
                Framing::UntilClose
            });
        }
        let mut lengths = elements(headers, "content-length");
        let Some(length) = lengths.next() else {
            return Ok(Framing::UntilClose);
        };
        if lengths.any(|other| other != length) {
            return malformed("it has two values of Content-Length");
        }
        match number(length, 10) {
            Some(length) => Ok(Framing::Length(length)),
            None => malformed("its Content-Length is no number"),
        }
    }

    fn take(&mut self, buffer: &mut BytesMut) -> Result<Step, RawError> {
        match self {
            Framing::Length(0) => Ok(Step::End),
            Framing::Length(left) => Ok(piece(left, buffer)),
            Framing::Chunked(chunk) => chunk.take(buffer),
            Framing::UntilClose if buffer.is_empty() => Ok(Step::More),
            Framing::UntilClose => Ok(Step::Piece(buffer.split().freeze())),
        }
    }
}

impl Chunk {
    fn take(&mut self, buffer: &mut BytesMut) -> Result<Step, RawError> {
        loop {
            if let Chunk::End = self {
                return Ok(Step::End);
            }
            if let Chunk::Data(left) = self {
                if *left > 0 {
                    return Ok(piece(left, buffer));
                }
                *self = Chunk::DataEnd;
            }
            let Some(line) = line(buffer)? else {
                return Ok(Step::More);
            };
            *self = match self {
                Chunk::DataEnd if line.is_empty() => Chunk::Size,
                Chunk::DataEnd => return malformed("a chunk is longer than its size"),
                Chunk::Trailers(_) if line.is_empty() => Chunk::End,
                Chunk::Trailers(0) => return malformed("its trailers do not end"),
                Chunk::Trailers(left) => Chunk::Trailers(*left - 1),
                Chunk::Size | Chunk::Data(_) | Chunk::End => {
                    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
                    match number(size.trim_ascii(), 16) {
                        Some(0) => Chunk::Trailers(TRAILER_LINES),
                        Some(size) => Chunk::Data(size),
                        None => return malformed("the size of a chunk is no number"),
                    }
                }
            };
        }
    }
}

/// The elements of all headers of that name.
fn elements<'a>(
    headers: &'a [(String, Vec<u8>)],
    name: &'static str,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |(written, _)| written.eq_ignore_ascii_case(name))
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// As much as there is of the bytes that are left.
fn piece(left: &mut u64, buffer: &mut BytesMut) -> Step {
    if buffer.is_empty() {
        return Step::More;
    }
    let size = usize::try_from(*left).map_or(buffer.len(), |left| left.min(buffer.len()));
    *left -= size as u64;
    Step::Piece(buffer.split_to(size).freeze())
}

/// Takes a line, without its end.
fn line(buffer: &mut BytesMut) -> Result<Option<Bytes>, RawError> {
    let end = memchr::memchr(b'\n', buffer);
    if end.unwrap_or(buffer.len()) > LINE_LIMIT {
        return malformed("a line between its chunks is longer than 8 KiB");
    }
    let Some(end) = end else { return Ok(None) };
    let mut line = buffer.split_to(end).freeze();
    buffer.advance(1);
    if line.ends_with(b"\r") {
        line.truncate(end - 1);
    }
    Ok(Some(line))
}

/// Digits only: no sign, which `from_str_radix` would take.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.chars().all(|digit| digit.is_digit(radix));
    u64::from_str_radix(digits, radix).ok().filter(|_| plain)
}

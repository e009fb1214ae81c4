//! Points in time as RFC 3339 writes them.

/// The nanoseconds since 1970 that a text names, if it is a date and a time with a zone, with any
/// number of fractional digits. A space may stand between the two, as RFC 3339 allows.
pub fn instant(text: &str) -> Option<i128> {
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let (whole, rest) = bytes.split_at_checked(shape.len())?;
    let fits = whole.iter().zip(shape).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        mark => byte == mark,
    });
    let (fraction, zone) = fraction(rest)?;
    if !fits || !is_zone(zone) {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_uppercase();
    let (date, time) = (text(&whole[..10]), text(&whole[11..]));
    let whole: jiff::Timestamp = format!("{date}T{time}{}", text(zone)).parse().ok()?;
    Some(whole.as_nanosecond() + fraction)
}

/// The nanoseconds of a fraction, and what stands behind it.
fn fraction(rest: &[u8]) -> Option<(i128, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, zone) = digits.split_at(end);
    let places = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanos = places.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    (!digits.is_empty()).then_some((nanos, zone))
}

fn is_zone(zone: &[u8]) -> bool {
    match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hour @ .., b':', m, n] => {
            hour.len() == 2 && hour.iter().chain([m, n]).all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn times_are_read_as_rfc_3339_writes_them() {
        let second = 1_764_028_800_i128 * 1_000_000_000;
        for (text, nanos) in [
            ("2025-11-25T00:00:00Z", 0),
            ("2025-11-25t00:00:00z", 0),
            ("2025-11-25 00:00:00Z", 0),
            ("2025-11-25T01:30:00+01:30", 0),
            ("2025-11-24T23:00:00-01:00", 0),
            ("2025-11-25T00:00:00.5Z", 500_000_000),
            ("2025-11-25T00:00:00.123456789123+00:00", 123_456_789),
        ] {
            assert_eq!(instant(text), Some(second + nanos), "{text}");
        }
        for text in [
            "2025-11-25",
            "2025-11-25T00:00:00",
            "2025-11-25T00:00Z",
            "2025-11-25T00:00:00.Z",
            "2025-11-25T00:00:00+0100",
            "2025-13-25T00:00:00Z",
            "2025-11-25T25:00:00Z",
            "1764028800",
            "25 November 2025",
            "",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}

//! Whether session ids look as if they could be guessed: few samples show weakness, never strength.

/// Ids that differ in fewer characters than this can be tried out.
const VARIED: usize = 8;
/// Shorter ids can be tried out whatever they are made of.
const SHORTEST: usize = 8;
/// From so long on an id is long enough if nothing else speaks against it.
const LONG: usize = 16;

/// What ids look like.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// They can be guessed, for this reason.
    Weak(String),
    /// No weakness was seen; a remark may say how far that goes.
    Fair(Option<&'static str>),
}

/// Looks at ids that differ, in the order in which they were given.
pub(super) fn look(ids: &[String]) -> Look {
    let shortest = ids.iter().map(|id| id.chars().count()).min().unwrap_or(0);
    if shortest < SHORTEST {
        return Look::Weak(format!("they have {shortest} characters only"));
    }
    if let Some(version) = clocked(ids) {
        return Look::Weak(format!(
            "they are UUIDs of version {version}, which are made from a clock"
        ));
    }
    let rests = rests(ids);
    if is_rising(&rests) {
        return Look::Weak("they differ in a number only, which rises".to_owned());
    }
    let is_number = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
    if shortest < LONG && ids.iter().all(is_number) {
        return Look::Weak("they are short integers".to_owned());
    }
    let varied = rests.iter().map(|rest| rest.len()).max().unwrap_or(0);
    if varied < VARIED {
        return Look::Weak(format!("they differ in {varied} characters only"));
    }
    if ids.iter().all(|id| id.split('.').count() == 3) {
        return Look::Fair(Some(
            "the session ids look like signed tokens, whose strength cannot be seen",
        ));
    }
    if shortest < LONG && !is_varied(ids) {
        return Look::Fair(Some(
            "the session ids are shorter than 16 characters of a small alphabet",
        ));
    }
    Look::Fair(None)
}

/// The version of UUIDs that are made from a clock and little else, if all are such.
fn clocked(ids: &[String]) -> Option<char> {
    let versions: Option<Vec<char>> = ids.iter().map(|id| uuid_version(id)).collect();
    let versions = versions?;
    let first = *versions.first()?;
    let same = versions.iter().all(|version| *version == first);
    (same && matches!(first, '1' | '2' | '6')).then_some(first)
}

/// The version of a UUID at the end of an id.
fn uuid_version(id: &str) -> Option<char> {
    let uuid = id.get(id.len().checked_sub(36)?..)?;
    let dashes = [8, 13, 18, 23];
    let has_form = uuid
        .char_indices()
        .all(|(at, letter)| match dashes.contains(&at) {
            true => letter == '-',
            false => letter.is_ascii_hexdigit(),
        });
    has_form.then(|| uuid.chars().nth(14))?
}

/// What is left of the ids without the characters at their begin and end that all share.
fn rests(ids: &[String]) -> Vec<&str> {
    let Some((first, others)) = ids.split_first() else {
        return Vec::new();
    };
    let shared = |length: &dyn Fn(&str) -> usize| others.iter().map(|id| length(id)).min();
    let prefix = shared(&|id| same(first.char_indices().map(|(_, c)| c), id.chars()));
    let prefix: usize = first
        .chars()
        .take(prefix.unwrap_or(0))
        .map(char::len_utf8)
        .sum();
    let suffix = shared(&|id| same(first[prefix..].chars().rev(), id[prefix..].chars().rev()));
    let suffix: usize = first
        .chars()
        .rev()
        .take(suffix.unwrap_or(0))
        .map(char::len_utf8)
        .sum();
    ids.iter()
        .map(|id| &id[prefix..id.len() - suffix])
        .collect()
}

/// How many characters are the same from the start.
fn same(a: impl Iterator<Item = char>, b: impl Iterator<Item = char>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// Whether these are decimal numbers, each greater than the one before.
fn is_rising(rests: &[&str]) -> bool {
    let numbers: Option<Vec<u128>> = rests.iter().map(|rest| rest.parse().ok()).collect();
    numbers.is_some_and(|numbers| numbers.windows(2).all(|pair| pair[0] < pair[1]))
}

/// Whether the ids are made of letters of both cases, or of letters beyond hexadecimal ones, and
/// long enough for that.
fn is_varied(ids: &[String]) -> bool {
    let all = || ids.iter().flat_map(|id| id.chars());
    let has_case = all().any(|c| c.is_ascii_uppercase()) && all().any(|c| c.is_ascii_lowercase());
    let beyond_hex = all().any(|c| c.is_ascii_alphanumeric() && !c.is_ascii_hexdigit());
    (has_case || beyond_hex) && ids.iter().all(|id| id.len() >= 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eight(make: impl Fn(u64) -> String) -> Look {
        look(&(0..8).map(make).collect::<Vec<_>>())
    }

    /// Digits as from a good source.
    fn random(number: u64) -> u64 {
        (number + 1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(29)
            ^ 0x5DEE_CE66_D1CE_4E5B
    }

    #[test]
    fn counters_time_stamps_and_short_ids_are_weak() {
        let weak = |look: Look| assert!(matches!(look, Look::Weak(_)), "{look:?}");
        weak(eight(|n| format!("session-{:08}", n + 5)));
        weak(eight(|n| format!("{n}")));
        weak(eight(|n| format!("{:x}", random(n) >> 40)));
        weak(eight(|n| format!("{}", 1_712_345_678_000 + n * 7)));
        weak(eight(|n| {
            format!("1712345678901234567-{:04x}", random(n) >> 48)
        }));
        weak(eight(|n| {
            format!("{:08x}-cafe-11ef-8123-0242ac120002", random(n) >> 32)
        }));
    }

    #[test]
    fn random_ids_are_fair() {
        let fair = |look: Look| assert_eq!(look, Look::Fair(None));
        fair(eight(|n| {
            format!("{:016x}{:016x}", random(n), random(n + 99))
        }));
        let version_7 = |n: u64| {
            let (a, b) = (random(n), random(n + 99));
            format!(
                "0190aaaa-bb{n:02x}-7{:03x}-8{:03x}-{:012x}",
                a & 0xfff,
                b & 0xfff,
                a >> 16
            )
        };
        fair(eight(version_7));
        fair(eight(|n| format!("Zz{:012x}", random(n) >> 16)));
    }

    #[test]
    fn what_cannot_be_judged_passes_with_a_remark() {
        let token = |n: u64| format!("eyJhbGciOiJIUzI1NiJ9.{:016x}.{:016x}", random(n), random(n));
        assert!(matches!(eight(token), Look::Fair(Some(_))));
    }
}

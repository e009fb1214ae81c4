use std::{fmt, str::FromStr};

/// One share of a run that is split over several machines: the cases whose id falls to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// The text names no shard.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; give I/N with I from 1 to N, as in `2/4`")]
pub struct NoShard(String);

impl Shard {
    /// The share `index` of `count`, counted from 1; none if there is no such share.
    pub fn new(index: u32, count: u32) -> Option<Shard> {
        (1..=count)
            .contains(&index)
            .then_some(Shard { index, count })
    }

    /// Which share it is, from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many shares there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether the case with this id falls to the shard. That hangs on the id alone, so new cases
    /// move no others.
    pub fn holds(self, id: &str) -> bool {
        hash(id) % u64::from(self.count) == u64::from(self.index - 1)
    }
}

/// FNV-1a with 64 bits: the hashes of the standard library may change from one version to the next.
fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        text.split_once('/')
            .and_then(|(index, count)| Shard::new(index.parse().ok()?, count.parse().ok()?))
            .ok_or_else(|| NoShard(text.to_owned()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    #[test]
    fn every_case_falls_to_exactly_one_shard() {
        for count in 1..=7 {
            let shards: Vec<_> = (1..=count)
                .filter_map(|index| Shard::new(index, count))
                .collect();
            for case in cases::all() {
                let takers = shards.iter().filter(|shard| shard.holds(case.clause.id));
                assert_eq!(takers.count(), 1, "{} of {count}", case.clause.id);
            }
        }
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // From the test vectors of FNV-1a: machines with different builds must agree.
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_shard_is_written_as_a_fraction() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, count: 4 }));
        for text in ["0/4", "5/4", "1/0", "1", "/", "a/b", "-1/2", ""] {
            assert_eq!(text.parse::<Shard>(), Err(NoShard(text.to_owned())));
        }
    }
}

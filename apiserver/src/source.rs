//! Names, uids and times that are the same in every run: counted from a seed, not drawn.
//!
//! Upstream draws suffixes in `k8s.io/apimachinery/pkg/util/rand` and uids in
//! `k8s.io/apimachinery/pkg/util/uuid`.

use std::fmt;
use std::sync::Arc;

use podgate_admission::request::Source;

/// The letters of generated names: no vowels, so no words, and nothing that looks like another.
const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: u32 = 5;
const SUFFIXES: u64 = 27_u64.pow(SUFFIX_LENGTH);
/// Prime to 27, so that stepping by it meets every suffix once before it repeats.
const STEP: u64 = 8_867_513;

/// What time it is for a server.
#[derive(Clone)]
pub enum Clock {
    /// Always that time, as RFC 3339 in whole seconds with `Z`.
    Fixed(Arc<str>),
    /// The time that the function says, in the same shape.
    Live(Arc<dyn Fn() -> String + Send + Sync>),
}

impl Clock {
    /// What time it is.
    pub(crate) fn time(&self) -> String {
        match self {
            Self::Fixed(time) => time.to_string(),
            Self::Live(now) => now(),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::Fixed("2026-01-01T00:00:00Z".into())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(time) => f.debug_tuple("Fixed").field(time).finish(),
            Self::Live(_) => f.write_str("Live"),
        }
    }
}

/// A [`Source`] whose names and uids follow from a seed. Suffixes do not repeat within the first
/// fourteen million.
#[derive(Clone, Debug, Default)]
pub struct Seeded {
    seed: u64,
    suffixes: u64,
    uids: u64,
    clock: Clock,
}

impl Seeded {
    /// A source that counts from `seed`.
    #[must_use]
    pub fn new(seed: u64, clock: Clock) -> Self {
        Self {
            seed,
            suffixes: 0,
            uids: 0,
            clock,
        }
    }

    /// What time it is.
    pub(crate) fn time(&self) -> String {
        self.clock.time()
    }

    /// What tells the time.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl Source for Seeded {
    fn suffix(&mut self) -> String {
        self.suffixes += 1;
        let mut number = (mix(self.seed) % SUFFIXES + self.suffixes % SUFFIXES * STEP) % SUFFIXES;
        let mut suffix = String::with_capacity(SUFFIX_LENGTH as usize);
        for _ in 0..SUFFIX_LENGTH {
            // The remainder is below 27, so it fits.
            suffix.push(char::from(ALPHABET[(number % 27) as usize]));
            number /= 27;
        }
        suffix
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        let high = mix(self.seed ^ self.uids.rotate_left(32));
        let low = mix(high ^ self.uids);
        // A uid is a UUID of version 4 and of the variant of RFC 4122.
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    fn now(&mut self) -> String {
        self.time()
    }
}

/// The finalizer of `SplitMix64`, which spreads neighbouring numbers over all bits.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn two_sources_of_one_seed_say_the_same_and_nothing_twice() {
        let mut one = Seeded::new(7, Clock::default());
        let mut other = one.clone();
        let mut suffixes = BTreeSet::new();
        let mut uids = BTreeSet::new();
        for _ in 0..10_000 {
            let suffix = one.suffix();
            assert_eq!(suffix, other.suffix());
            assert!(suffix.len() == 5 && suffix.bytes().all(|b| ALPHABET.contains(&b)));
            assert!(suffixes.insert(suffix));
            let uid = one.uid();
            assert_eq!(uid, other.uid());
            assert!(uid.len() == 36 && &uid[14..15] == "4" && "89ab".contains(&uid[19..20]));
            assert!(uids.insert(uid));
        }
        assert_ne!(
            Seeded::new(8, Clock::default()).uid(),
            Seeded::default().uid()
        );
    }

    #[test]
    fn the_clock_is_the_one_that_was_handed_in() {
        let clock = Clock::Live(Arc::new(|| "2030-02-03T04:05:06Z".to_owned()));
        assert_eq!(Seeded::new(0, clock).now(), "2030-02-03T04:05:06Z");
        assert_eq!(Seeded::default().now(), "2026-01-01T00:00:00Z");
    }
}

//! Randomness as a parameter: incarnations and jitter are drawn from a seed.

use std::time::Duration;

/// A small generator (`SplitMix64`). Not for secrets: it spreads retries and, seeded by the
/// operating system, tells coordinator starts apart.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator seeded by the operating system.
    ///
    /// # Errors
    /// What the operating system says if it has no randomness.
    pub fn from_system() -> Result<Self, std::io::Error> {
        getrandom::u64()
            .map(Self)
            .map_err(|error| std::io::Error::other(error.to_string()))
    }

    /// The next 64 bits.
    #[must_use]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// `wait`, shortened or lengthened by up to half, so that retries spread.
    #[must_use]
    pub fn jitter(&mut self, wait: Duration) -> Duration {
        // 0 to 1023 of 1024.
        let part = u32::try_from(self.bits() & 1023).unwrap_or(0);
        wait / 2 + wait * part / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_half_of_the_wait() {
        let mut random = Random::seeded(1);
        let wait = Duration::from_secs(10);
        let drawn: Vec<_> = (0..1_000).map(|_| random.jitter(wait)).collect();
        assert!(
            drawn
                .iter()
                .all(|drawn| (wait / 2..wait * 3 / 2).contains(drawn))
        );
        assert!(drawn.iter().any(|drawn| *drawn < wait * 3 / 4));
        assert!(drawn.iter().any(|drawn| *drawn > wait * 5 / 4));
    }
}

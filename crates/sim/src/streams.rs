//! Seeded random numbers: one portable generator per purpose, so that a draw more for one purpose shifts no other.

use rand::Rng;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use setpoint_api::Micros;

/// What randomness is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Suffixes of generated names.
    Names,
    /// Ties that upstream leaves to chance.
    Ties,
    /// How long watches, pulls, starts and exits take.
    Delays,
    /// When requests arrive.
    Arrivals,
    /// Which endpoint a request is sent to.
    Routing,
    /// In which order requests arrive that are sent side by side.
    Order,
}

/// All generators of a run.
#[derive(Clone, Debug)]
pub struct Streams([Pcg64Mcg; 6]);

impl Streams {
    /// The generators of a seed.
    pub fn new(seed: u64) -> Self {
        Self([0u64, 1, 2, 3, 4, 5].map(|purpose| {
            // Distinct odd multiples keep the streams of one seed, and of neighbouring seeds, apart.
            Pcg64Mcg::seed_from_u64(
                seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03),
            )
        }))
    }
    /// 64 random bits.
    pub fn word(&mut self, purpose: Purpose) -> u64 {
        self.0[purpose as usize].next_u64()
    }
    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&mut self, purpose: Purpose, bound: u64) -> u64 {
        ((u128::from(self.word(purpose)) * u128::from(bound)) >> 64) as u64
    }
    /// A time between two, both included.
    pub fn between(&mut self, purpose: Purpose, low: Micros, high: Micros) -> Micros {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or(0);
        low + self.below(purpose, span.saturating_add(1)) as i64
    }
    /// Time to the next of events that come at random, `per_second` on average.
    pub fn exponential(&mut self, purpose: Purpose, per_second: u32) -> Micros {
        // 53 bits give a uniform fraction in (0, 1]; `libm` gives the same bits on every target.
        let uniform = ((self.word(purpose) >> 11) + 1) as f64 / 9_007_199_254_740_992.0;
        let seconds = -libm::log(uniform) / f64::from(per_second.max(1));
        ((seconds * 1e6) as i64).max(1)
    }
    /// Five letters as the API server appends them to `generateName`.
    pub fn name_suffix(&mut self) -> String {
        const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5).map(|_| LETTERS[self.below(Purpose::Names, 27) as usize] as char).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_seed_and_purpose_alone() {
        let (mut a, mut b) = (Streams::new(7), Streams::new(7));
        a.word(Purpose::Names);
        assert_eq!(a.word(Purpose::Ties), b.word(Purpose::Ties));
        assert_ne!(Streams::new(7).word(Purpose::Ties), Streams::new(8).word(Purpose::Ties));
        let mean: i64 = (0..10_000).map(|_| a.exponential(Purpose::Arrivals, 100)).sum::<i64>() / 10_000;
        assert!((9_700..10_300).contains(&mean), "{mean}");
        assert!((0..1000).all(|_| (3..=5).contains(&a.between(Purpose::Delays, 3, 5))));
    }
}

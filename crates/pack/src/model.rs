//! How likely the next bit is a 1: several guesses, each from what followed in a like place before, mixed by how right they
//! have been.
//!
//! Packer and unpacker must guess the same to the bit, on every machine: so these are integers, but for a table that is made
//! of products and quotients of floats, which are the same everywhere.

use crate::place::{KINDS, Kind, Place};

/// Guesses from slots; one more comes from the longest match.
const GUESSES: usize = 6;
/// Slots of each guess. Twice as many would pack 1.5 % better, and take a third longer to unpack, for caches are small.
const SLOTS: usize = 1 << 18;
/// Times after which a slot goes on learning at the same rate.
const PATIENCE: i32 = 8;
/// An error, in 65,536ths, that the mixing does not learn from: to be this right is right enough.
const SMALL: i32 = 4096;
/// Places that matches are looked up by.
const MATCHES: usize = 1 << 18;
/// Bytes that a match must have in common.
const SHORTEST: u32 = 5;
/// Length from which on a match is asked for the whole byte, which is quicker.
const SURE: u32 = 20;
/// Where the length of a match no longer tells more.
const LONGEST: u32 = 31;
/// Sets of weights for each kind of byte: one for each of the first bits of a code.
const SETS: usize = 256;

/// The big tables; all zero at first.
pub struct Tables {
    /// For each guess and place, 12 bits of how likely a 1 is, half being 0, and 4 bits of how often it was seen.
    slots: [[i16; SLOTS]; GUESSES],
    /// Behind which byte each run of bytes stood last.
    matches: [u32; MATCHES],
}

impl Tables {
    /// Tables that have seen nothing.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new() -> Box<Self> {
        // SAFETY: tables of zeros are valid.
        unsafe { Box::new_zeroed().assume_init() }
    }
}

/// The model's state.
pub struct Model {
    /// Likelihoods by their logarithmic odds, in 256ths from -8 on.
    squash: [u16; 4096],
    /// Logarithmic odds by how often a slot was seen and the upper bits of how likely it says a 1 is; the less it was seen,
    /// the less it says.
    stretch: [i16; 512 * 16],
    /// How far a slot moves, by how often it was seen.
    rates: [i32; 16],
    weights: [[i32; GUESSES + 1]; SETS * KINDS],
    /// How likely a match goes on, by its length: for a bit, and for the whole byte. The first is of expected bytes.
    going_on: [i32; LONGEST as usize + 1],
    surely: [i32; LONGEST as usize + 1],
    /// Where each guess's slots for this byte are.
    bases: [u32; GUESSES],
    /// Where the longest match stands, and how long it is.
    matched: u32,
    length: u32,
    /// The code of the byte that the match foretells, and how many bits of it are left.
    foretold: u32,
    left: u32,
    /// Which of `going_on` says how likely that is.
    trust: usize,
    set: usize,
}

impl Model {
    /// One that has seen nothing.
    pub fn new() -> Self {
        let mut squash = [0; 4096];
        // e^-8, to which each step adds 1/256.
        let mut odds = 3.354_626_279_025_118_5e-4_f64;
        for entry in &mut squash {
            let likely = 65_536.0 * odds / (1.0 + odds);
            *entry = (likely as u16).clamp(24, u16::MAX - 24);
            odds *= 1.003_913_889_338_347_5;
        }
        let mut stretch = [0; 512 * 16];
        let mut rates = [0; 16];
        for seen in 0..16 {
            rates[seen as usize] = 8192 / (2 * seen + 3);
            let mut at = 0;
            for likely in 0..512 {
                while at < 4095 && usize::from(squash[at]) < likely * 128 + 64 {
                    at += 1;
                }
                // Half stands for 0, and what is less likely for less.
                let place = (likely ^ 256) << 4 | seen as usize;
                stretch[place] = ((at as i32 - 2048) * 295 * seen / (256 * (seen + 1))) as i16;
            }
        }
        Self {
            squash,
            stretch,
            rates,
            weights: [[4915; GUESSES + 1]; SETS * KINDS],
            going_on: [0x4000; LONGEST as usize + 1],
            surely: [0x4000; LONGEST as usize + 1],
            bases: [0; GUESSES],
            matched: 0,
            length: 0,
            foretold: 0,
            left: 0,
            trust: 0,
            set: 0,
        }
    }

    /// Finds the longest match, or goes on with it. Where it is long, the byte that it foretells is returned, if that is it.
    pub fn foretell(
        &mut self,
        before: &[u8],
        tables: &mut Tables,
        tell: impl FnOnce(u32, Option<u8>) -> u32,
    ) -> Option<u8> {
        let run = before.last_chunk::<6>()?;
        let key = run.iter().fold(0, |key: u32, byte| (key ^ u32::from(*byte)).wrapping_mul(0x2c1b_3c6d));
        let entry = &mut tables.matches[(key >> 14) as usize % MATCHES];
        if self.length > 0 {
            self.length += 1;
            self.matched += 1;
        } else if *entry > 0 {
            self.matched = *entry;
            let old = before.get(..self.matched as usize)?.iter().rev();
            let same = old.zip(before.iter().rev()).take(LONGEST as usize).take_while(|(a, b)| a == b);
            self.length = same.count() as u32;
            if self.length < SHORTEST {
                self.length = 0;
            }
        }
        *entry = before.len() as u32;
        if self.length < SURE {
            return None;
        }
        let byte = *before.get(self.matched as usize)?;
        let going_on = &mut self.surely[self.length.min(LONGEST) as usize];
        let likely = (*going_on + 0x8000).clamp(24, 0xffff - 24) as u32;
        let is_right = tell(likely, Some(byte)) == 1;
        let goal = if is_right { 0x7fff } else { -0x8000 };
        *going_on += (goal - *going_on) / 32;
        if !is_right {
            self.length = 0;
        }
        is_right.then_some(byte)
    }

    /// Looks at the place of the next byte, which follows `before`; `code` gives a byte's code, led by a 1.
    pub fn turn(&mut self, place: &Place, before: &[u8], code: impl Fn(u8) -> u32) {
        let kind = place.kind as u32;
        let back = |distance: usize| {
            u32::from(before.len().checked_sub(distance).and_then(|at| before.get(at)).copied().unwrap_or(0))
        };
        let part = place.number << 3 | place.length.min(7);
        let [new, old] = place.operators;
        let start = |guess: u32| guess << 8 | kind;
        let late = mix(mix(start(4), part), new);
        // Data is tables of words of four bytes, and text.
        let (five, six) = if place.kind == Kind::Data {
            ((start(5), back(4) << 2 | before.len() as u32 & 3), (start(6), back(4) << 8 | back(3)))
        } else {
            let last = new << 16 | place.last[place.kind as usize] & 0xffff;
            ((late, old ^ start(5)), (mix(start(6), part), last))
        };
        self.bases = [
            mix(start(1), back(1)),
            mix(start(2), back(1) << 8 | back(2)),
            mix(start(3), back(2) << 8 | back(3)),
            late,
            mix(five.0, five.1),
            mix(six.0, six.1),
        ];
        self.set = SETS * kind as usize;
        self.left = 0;
        let matched = before.get(self.matched as usize).filter(|_| self.length > 0);
        let expected = place.expected();
        if let Some(next) = expected.or(matched.copied()) {
            self.foretold = code(next);
            self.left = self.foretold.max(1).ilog2();
            self.trust = if expected.is_some() { 0 } else { self.length.min(LONGEST) as usize };
        }
    }

    /// The logarithmic odds that a slot says.
    fn odds(&self, slot: i32) -> i32 {
        let place = (slot.cast_unsigned() >> 3) & 0x1ff0 | slot.cast_unsigned() & 15;
        self.stretch[place as usize].into()
    }

    /// Guesses the bit that follows those in `path`, which begins with a 1, and learns it from `tell`, which gets how likely a
    /// 1 is, in 65,536ths.
    pub fn bit(&mut self, path: u32, tables: &mut Tables, tell: impl FnOnce(u32) -> u32) -> u32 {
        let mut inputs = [0; GUESSES + 1];
        let mut slots = [0; GUESSES];
        for guess in 0..GUESSES {
            let slot = i32::from(tables.slots[guess][(self.bases[guess] ^ path) as usize % SLOTS]);
            slots[guess] = slot;
            inputs[guess] = self.odds(slot);
        }
        let trust = self.trust % (LONGEST as usize + 1);
        let has_match = self.left > 0;
        let mut foretold = 0;
        if has_match {
            self.left -= 1;
            foretold = self.foretold >> self.left & 1;
            let sure = self.odds(self.going_on[trust] | 15);
            inputs[GUESSES] = if foretold == 1 { sure } else { -sure };
        }
        let weights = &mut self.weights[(self.set + (path as usize & 255)) % (SETS * KINDS)];
        let sum: i32 = weights.iter().zip(&inputs).map(|(weight, input)| weight * input).sum();
        let likely = u32::from(self.squash[((sum >> 14) + 2048).clamp(0, 4095) as usize]);
        let bit = tell(likely);
        let error = (bit << 16) as i32 - likely as i32;
        if error.abs() > SMALL {
            for (weight, input) in weights.iter_mut().zip(&inputs) {
                *weight += (error * input + (1 << 15)) >> 16;
            }
        }
        let goal = if bit == 1 { 0x7fff } else { -0x8000 };
        for (guess, old) in slots.into_iter().enumerate() {
            let seen = old & 15;
            let moved = old + (((goal - old) * self.rates[seen as usize]) >> 12);
            tables.slots[guess][(self.bases[guess] ^ path) as usize % SLOTS] =
                (moved & !15 | (seen + 1).min(PATIENCE)) as i16;
        }
        if has_match {
            let goal = if bit == foretold { 0x7fff } else { -0x8000 };
            self.going_on[trust] += (goal - self.going_on[trust]) / 50;
            if bit != foretold {
                self.left = 0;
                if trust > 0 {
                    self.length = 0;
                }
            }
        }
        bit
    }
}

/// A number for a number and one more.
fn mix(hash: u32, word: u32) -> u32 {
    let hash = (hash.wrapping_mul(0x2c1b_3c6d) ^ word).wrapping_mul(0x9e37_79b1);
    hash ^ hash >> 15
}

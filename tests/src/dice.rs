//! Chance from a seed: the same seed throws the same dice for ever, on every machine. Never used where chance must be
//! hard to guess.

/// A throw of dice that can be repeated (xorshift64*).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed; neighbouring seeds throw unlike each other.
    pub fn new(seed: u64) -> Dice {
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Dice((mixed ^ (mixed >> 31)) | 1)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number of `0..end`.
    ///
    /// # Panics
    /// When `end` is zero.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "a die has sides");
        (self.number() >> 11) % end
    }

    /// A number of `from..=through`.
    pub fn between(&mut self, from: i64, through: i64) -> i64 {
        from + self.below((through - from + 1).unsigned_abs()) as i64
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// Dice of their own for one part of a world, so that what one part throws moves no other.
    pub fn fork(&mut self) -> Dice {
        Dice::new(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_dice_for_ever() {
        let mut dice = Dice::new(7);
        let thrown: Vec<i64> = (0..5).map(|_| dice.between(1, 6)).collect();
        let mut again = Dice::new(7);
        assert_eq!(thrown, (0..5).map(|_| again.between(1, 6)).collect::<Vec<_>>());
        assert!(thrown.iter().all(|eyes| (1..=6).contains(eyes)), "{thrown:?}");
    }
}

//! Amounts of bytes, as people read them.

use std::fmt;

/// A number of bytes that is shown in decimal units, with at most three digits: `0 B`, `999 B`, `1.1 GB`, `430 MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
        if self.0 < 1000 {
            return write!(f, "{} B", self.0);
        }
        let mut amount = self.0 as f64 / 1000.0;
        let mut unit = 0;
        // What would be rounded to 1000 belongs to the next unit.
        while amount >= 999.5 && unit + 1 < UNITS.len() {
            amount /= 1000.0;
            unit += 1;
        }
        let digits = usize::from(amount < 9.95);
        write!(f, "{amount:.digits$} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_round_to_what_fits_a_column() {
        let sizes = [0, 999, 1000, 9_949, 9_960, 999_499, 999_600, 430_000_000, 1_100_000_000, u64::MAX];
        let wanted =
            ["0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "430 MB", "1.1 GB", "18 EB"];
        assert_eq!(sizes.map(|size| Bytes(size).to_string()), wanted);
    }
}

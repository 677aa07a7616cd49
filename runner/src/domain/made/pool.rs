//! Address ranges: cut into pieces of one size, of which each environment that is made has one.

use core::net::Ipv4Addr;
use std::fmt;
use std::str::FromStr;

use crate::domain::ids::PoolName;

/// A range of IPv4 addresses: `10.64.0.0/12`. Its first address is a multiple of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    first: u32,
    prefix: u8,
}

/// Why a text is no range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Not of the form.
    #[error("it is written like `10.64.0.0/12`")]
    Form,
    /// Longer than an address.
    #[error("a prefix is 0 to 32")]
    Prefix,
    /// It begins within a range of its size.
    #[error("it begins at {0}")]
    Inside(String),
}

impl FromStr for Range {
    type Err = RangeError;
    fn from_str(text: &str) -> Result<Self, RangeError> {
        let (address, prefix) = text.split_once('/').ok_or(RangeError::Form)?;
        let digits = !prefix.is_empty() && prefix.len() <= 2 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u8 =
            if digits { prefix.parse().map_err(|_| RangeError::Form)? } else { return Err(RangeError::Form) };
        if prefix > 32 {
            return Err(RangeError::Prefix);
        }
        let first: Ipv4Addr = address.parse().map_err(|_| RangeError::Form)?;
        let range = Self { first: u32::from(first) & mask(prefix), prefix };
        if range.first == u32::from(first) { Ok(range) } else { Err(RangeError::Inside(range.to_string())) }
    }
}

impl TryFrom<String> for Range {
    type Error = RangeError;
    fn try_from(text: String) -> Result<Self, RangeError> {
        text.parse()
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

/// The bits of an address that a prefix fixes.
fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl Range {
    /// How many addresses a range of this prefix has.
    fn size(prefix: u8) -> u64 {
        1 << (32 - u32::from(prefix.min(32)))
    }

    /// How many bits of an address it fixes, 0 to 32.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// True when both have an address in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let shorter = mask(self.prefix.min(other.prefix));
        self.first & shorter == other.first & shorter
    }

    /// Its pieces of a size, in order; none where it is smaller than one.
    pub fn pieces(self, prefix: u8) -> impl Iterator<Item = Self> {
        let count = if prefix >= self.prefix && prefix <= 32 { 1_u64 << (prefix - self.prefix) } else { 0 };
        let first = u64::from(self.first);
        // The last piece begins within the range, so that it is an address.
        (0..count).filter_map(move |at| {
            let first = u32::try_from(first + at * Self::size(prefix)).ok()?;
            Some(Self { first, prefix })
        })
    }
}

/// `[pools.NAME]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: PoolName,
    /// What it consists of, in the order in which it is given out.
    pub ranges: Vec<Range>,
    /// How many bits of an address each piece fixes.
    pub prefix: u8,
}

impl Pool {
    /// The first piece that has no address in common with any of these.
    #[must_use]
    pub fn free(&self, taken: &[Range]) -> Option<Range> {
        self.ranges
            .iter()
            .flat_map(|range| range.pieces(self.prefix))
            .find(|piece| !taken.iter().any(|taken| taken.overlaps(*piece)))
    }

    /// How many pieces it has.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| if self.prefix >= range.prefix { 1_u64 << (self.prefix - range.prefix) } else { 0 })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Range {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_range_is_read_as_it_is_written_and_nothing_else_is_one() {
        for text in ["10.64.0.0/12", "0.0.0.0/0", "255.255.255.255/32", "10.64.16.0/20"] {
            assert_eq!(range(text).to_string(), text);
        }
        for text in
            ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/24", "10.0.0/24", "::/0", "10.0.0.0/+8", "日本/8"]
        {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        assert_eq!("10.0.1.0/16".parse::<Range>(), Err(RangeError::Inside("10.0.0.0/16".to_owned())));
    }

    #[test]
    fn pieces_are_given_in_order_and_none_that_has_an_address_in_common_with_another() {
        let pool = |ranges: &[&str], prefix| Pool {
            name: "vpc".parse().expect("a name"),
            ranges: ranges.iter().map(|text| range(text)).collect(),
            prefix,
        };
        let small = pool(&["10.0.0.0/30", "10.0.1.0/31"], 31);
        assert_eq!(small.pieces(), 3);
        let mut taken = Vec::new();
        let mut given = Vec::new();
        while let Some(free) = small.free(&taken) {
            taken.push(free);
            given.push(free.to_string());
        }
        assert_eq!(given, ["10.0.0.0/31", "10.0.0.2/31", "10.0.1.0/31"]);
        // A piece of another size, or of another pool, is in the way too.
        let wide = pool(&["10.0.0.0/8"], 16);
        assert_eq!(wide.free(&[range("10.0.0.0/20"), range("10.1.128.0/17")]), Some(range("10.2.0.0/16")));
        assert_eq!(wide.free(&[range("0.0.0.0/0")]), None);
        assert_eq!(pool(&["0.0.0.0/0"], 32).pieces(), 1 << 32);
        assert_eq!(
            pool(&["255.255.255.255/32"], 32).free(&[]).map(|free| free.to_string()),
            Some("255.255.255.255/32".to_owned())
        );
        assert_eq!(pool(&["10.0.0.0/24"], 20).free(&[]), None);
    }
}

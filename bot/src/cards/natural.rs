//! The order in which addresses are listed: as people count, `slave[2]` before `slave[10]`.

use std::cmp::Ordering;

/// Sorts what has an address; what is alike keeps its order.
pub(super) fn naturally<'a, T>(items: impl IntoIterator<Item = T>, address: impl Fn(&T) -> &'a str) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_by(|a, b| compare(address(a), address(b)));
    items
}

/// The same within each group, such as a stack; the groups in the order in which they came.
pub(super) fn naturally_in<'a, T, G: PartialEq>(
    items: impl IntoIterator<Item = T>,
    group: impl Fn(&T) -> G,
    address: impl Fn(&T) -> &'a str,
) -> Vec<T> {
    let items: Vec<T> = items.into_iter().collect();
    let mut groups: Vec<G> = items.iter().map(&group).collect();
    groups.dedup();
    let mut items = naturally(items, address);
    items.sort_by_key(|item| groups.iter().position(|other| *other == group(item)));
    items
}

/// Numbers inside of the texts by their value, everything else by its characters.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let ((one, after_one), (other, after_other)) = (piece(left), piece(right));
        if one.is_empty() || other.is_empty() {
            // Equal but for zeros in front, or one is where the other begins.
            return one.len().cmp(&other.len()).then_with(|| a.cmp(b));
        }
        let order = match (value(one), value(other)) {
            (Some(one), Some(other)) => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
            (None, _) | (_, None) => one.cmp(other),
        };
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (after_one, after_other);
    }
}

/// The number or the single character with which a text begins, and the rest.
fn piece(text: &str) -> (&str, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let first = text.chars().next().map_or(0, char::len_utf8);
    text.split_at_checked(digits.max(first)).unwrap_or((text, ""))
}

/// The digits of a number without zeros in front; `None` for any other text.
fn value(piece: &str) -> Option<&str> {
    piece.starts_with(|c: char| c.is_ascii_digit()).then(|| piece.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_as_people_count() {
        let sorted = [
            "",
            "a.b",
            "a.b2",
            "a.b10",
            "a.b[\"x10y\"]",
            "a.b[0]",
            "a.b[2]",
            "a.b[02]",
            "a.b[10]",
            "a.b[100000000000000000000000000000]",
            "module.m[2].a.b[10]",
            "module.m[10].a.b[2]",
            "日本[2]",
            "日本[10]",
        ];
        let mut given = sorted.to_vec();
        given.reverse();
        let again = naturally(given, |text| text);
        // Of two ways to write a number the order does not matter, only that it is always the same.
        let told: Vec<&str> = again.iter().copied().filter(|text| *text != "a.b[02]").collect();
        assert_eq!(told, sorted.iter().copied().filter(|text| *text != "a.b[02]").collect::<Vec<_>>());
        assert_eq!(naturally(again.clone(), |text| text), again);
    }
}

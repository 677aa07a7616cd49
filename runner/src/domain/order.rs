//! In which order stacks are worked on: along `needs` going up, against it going down.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::StackName;

/// Stacks that need each other in a circle: the circle, first stack repeated at the end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stacks need each other in a circle: {}", .0.iter().map(StackName::as_str).collect::<Vec<_>>().join(" -> "))]
pub struct Circle(pub Vec<StackName>);

/// Finds a circle in `needs`, if there is one. Names that are not keys are ignored.
pub fn find_circle(needs: &BTreeMap<StackName, Vec<StackName>>) -> Result<(), Circle> {
    fn visit(
        stack: &StackName,
        needs: &BTreeMap<StackName, Vec<StackName>>,
        path: &mut Vec<StackName>,
        done: &mut BTreeSet<StackName>,
    ) -> Result<(), Circle> {
        if done.contains(stack) {
            return Ok(());
        }
        if let Some(at) = path.iter().position(|s| s == stack) {
            let mut circle = path.split_off(at);
            circle.push(stack.clone());
            return Err(Circle(circle));
        }
        path.push(stack.clone());
        for needed in needs.get(stack).into_iter().flatten().filter(|n| needs.contains_key(*n)) {
            visit(needed, needs, path, done)?;
        }
        path.pop();
        done.insert(stack.clone());
        Ok(())
    }
    let mut done = BTreeSet::new();
    needs.keys().try_for_each(|stack| visit(stack, needs, &mut Vec::new(), &mut done))
}

/// All stacks that `stack` needs, directly or through others. Circles end the walk, they do not hang it.
#[must_use]
pub fn upstream_of(stack: &StackName, needs: &BTreeMap<StackName, Vec<StackName>>) -> BTreeSet<StackName> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&StackName> = needs.get(stack).into_iter().flatten().collect();
    while let Some(next) = open.pop() {
        if next != stack && found.insert(next.clone()) {
            open.extend(needs.get(next).into_iter().flatten());
        }
    }
    found
}

/// Which way a stack moves in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It rises, or stays as it is.
    Rise,
    /// It falls.
    Fall,
}

/// Stacks that must have been applied before `stack` may be: for a rising stack, the rising stacks that it needs; for a
/// falling one, every rising stack and the falling ones that need it.
#[must_use]
pub fn waits_for(
    stack: &StackName,
    directions: &BTreeMap<StackName, Direction>,
    needs: &BTreeMap<StackName, Vec<StackName>>,
) -> BTreeSet<StackName> {
    let Some(own) = directions.get(stack) else { return BTreeSet::new() };
    directions
        .iter()
        .filter(|(other, direction)| {
            *other != stack
                && match (own, direction) {
                    (Direction::Rise, Direction::Rise) => upstream_of(stack, needs).contains(*other),
                    (Direction::Rise, Direction::Fall) => false,
                    (Direction::Fall, Direction::Rise) => true,
                    (Direction::Fall, Direction::Fall) => upstream_of(other, needs).contains(stack),
                }
        })
        .map(|(other, _)| other.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> StackName {
        text.parse().expect("a valid name")
    }

    fn needs(pairs: &[(&str, &[&str])]) -> BTreeMap<StackName, Vec<StackName>> {
        pairs.iter().map(|(s, n)| (name(s), n.iter().map(|n| name(n)).collect())).collect()
    }

    fn shop() -> BTreeMap<StackName, Vec<StackName>> {
        needs(&[("monitoring", &[]), ("app", &["monitoring"]), ("jmeter", &["app"])])
    }

    fn all(direction: Direction) -> BTreeMap<StackName, Direction> {
        shop().into_keys().map(|s| (s, direction)).collect()
    }

    #[test]
    fn a_circle_is_shown_as_a_circle() {
        let circle = find_circle(&needs(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]));
        assert_eq!(circle.unwrap_err().to_string(), "stacks need each other in a circle: a -> b -> c -> a");
        assert!(find_circle(&shop()).is_ok());
        assert!(find_circle(&needs(&[("a", &["a"])])).is_err());
    }

    #[test]
    fn going_up_waits_for_what_is_needed_also_indirectly() {
        let waits = waits_for(&name("jmeter"), &all(Direction::Rise), &shop());
        assert_eq!(waits, [name("app"), name("monitoring")].into());
        assert!(waits_for(&name("monitoring"), &all(Direction::Rise), &shop()).is_empty());
    }

    #[test]
    fn going_down_waits_for_those_that_need_it() {
        assert!(waits_for(&name("jmeter"), &all(Direction::Fall), &shop()).is_empty());
        let waits = waits_for(&name("monitoring"), &all(Direction::Fall), &shop());
        assert_eq!(waits, [name("app"), name("jmeter")].into());
    }

    #[test]
    fn what_rises_goes_before_what_falls() {
        let directions = [(name("app"), Direction::Fall), (name("jmeter"), Direction::Rise)].into();
        assert!(waits_for(&name("jmeter"), &directions, &shop()).is_empty());
        assert_eq!(waits_for(&name("app"), &directions, &shop()), [name("jmeter")].into());
    }
}

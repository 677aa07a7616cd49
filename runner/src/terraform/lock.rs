//! Who holds a state lock, read from the "Lock Info" block of Terraform's error.

use crate::domain::failure::LockHolder;

/// The holder named in `detail`; `None` when it has no "Lock Info" block with an id.
///
/// Source: `LockInfo.String()` in Terraform's `internal/states/statemgr/locker.go`.
#[must_use]
pub fn lock_holder(detail: &str) -> Option<LockHolder> {
    let mut holder = LockHolder::default();
    let block = detail.lines().skip_while(|line| line.trim() != "Lock Info:").skip(1);
    for line in block.take_while(|line| line.starts_with("  ")) {
        // The time has colons of its own: only the first one separates.
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim().to_owned();
        match key.trim() {
            "ID" => holder.id = value,
            "Who" => holder.who = value,
            "Operation" => holder.operation = value,
            "Created" => holder.created = value,
            _ => {}
        }
    }
    (!holder.id.is_empty()).then_some(holder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read_from_the_block_and_from_nowhere_else() {
        let detail = "Error message: x\nLock Info:\n  ID:        fd11\n  Path:      p\n  Operation: OperationTypeApply\n  \
                      Who:       root@vm\n  Version:   1.11.4\n  Created:   2026-11-21 01:31:07.8 +0000 UTC\n  Info:      \n\n\n\
                      Terraform acquires a state lock\n  ID: not this\n";
        let holder = lock_holder(detail).expect("a holder");
        assert_eq!(holder.id, "fd11");
        assert_eq!(holder.who, "root@vm");
        assert_eq!(holder.operation, "OperationTypeApply");
        assert_eq!(holder.created, "2026-11-21 01:31:07.8 +0000 UTC");
        assert_eq!(lock_holder("  ID: 7"), None);
        assert_eq!(lock_holder("Lock Info:\n"), None);
    }
}

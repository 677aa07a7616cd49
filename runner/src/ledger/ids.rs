//! Keys made by us: UUIDv7 on the database's clock, so that keys sort by time.

use std::sync::{Mutex, PoisonError};

use uuid::{ContextV7, Uuid};

use crate::domain::ids::{RunId, Timestamp};

// Keys made within one millisecond still come out in order.
static COUNTER: Mutex<Option<ContextV7>> = Mutex::new(None);

/// A key for a run accepted at `now`.
#[must_use]
pub fn run_id(now: Timestamp) -> RunId {
    RunId(key(now))
}

pub(super) fn key(now: Timestamp) -> Uuid {
    let ms = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(ms % 1000).unwrap_or(0) * 1_000_000;
    let mut counter = COUNTER.lock().unwrap_or_else(PoisonError::into_inner);
    let counter = counter.get_or_insert_with(ContextV7::new);
    Uuid::new_v7(uuid::Timestamp::from_unix(&*counter, ms / 1000, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_millisecond_are_in_order_and_unique() {
        let keys: Vec<_> = (0..1000).map(|_| key(Timestamp(1_700_000_000_123))).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(key(Timestamp(1_700_000_009_000)) > keys[0]);
    }
}

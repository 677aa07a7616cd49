//! Which code a stack runs: the accepted commit in a checkout of its own, or a hashed copy.

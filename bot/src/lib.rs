//! The conversation of Tidegate.

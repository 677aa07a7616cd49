//! `tidegate.toml` to valid domain values; errors with file, line, column and a suggestion.

//! The one redaction layer before every sink.

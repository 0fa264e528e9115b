//! The conformance suite of podgate; everything is in `tests/`.

//! The embedded API server: storage and HTTP over the admission chain, as a tower Service.

//! Where a run's API servers come from.

pub mod embedded;
pub mod kind;

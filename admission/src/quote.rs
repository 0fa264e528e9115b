//! Go's `%q`: how servers quote texts in their messages. The policies print it too, and have it.

pub use podgate_policy::quote;

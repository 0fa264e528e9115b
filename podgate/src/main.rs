//! The command line of podgate.

fn main() {}

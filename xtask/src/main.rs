//! The tasks of this workspace: codegen, tidy, conformance, ci.

fn main() {}

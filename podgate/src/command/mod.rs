//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod review;
pub(crate) mod serve;
mod servers;
pub(crate) mod test;
pub(crate) mod versions;

use podgate_harness::error::Error;
use podgate_harness::snapshot::Writing;
use podgate_harness::versions::MinorRange;

/// In CI nothing is written: a run there judges, it does not record.
pub(crate) fn writing() -> Writing {
    match std::env::var("CI").as_deref() {
        Ok("" | "0" | "false") | Err(_) => Writing::Allowed,
        Ok(_) => Writing::Forbidden,
    }
}

/// Reads the value of `--kubernetes`.
pub(crate) fn range(text: &str) -> Result<MinorRange, Error> {
    text.parse().map_err(|error: podgate_harness::versions::RangeError| {
        Error::input(format!("--kubernetes: {error}"))
            .hint("write it like 1.36, v1.36, 1.36.2, 1.23..1.36, 1.29.. or all; podgate versions lists them")
    })
}

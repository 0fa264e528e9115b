//! The recorded answers of real servers, for tests: files of requests and answers, one a line.
//!
//! They lie in the folder that `PODGATE_TRUTH` names, else beside the checkout. A test that finds
//! none says loudly that it looked at nothing.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use podgate_policy::Minor;

fn folder() -> PathBuf {
    std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    )
}

/// The lines of `1.NN/NAME.ndjson.gz`, each with its minor, of every minor that has the file. `None`
/// where there is no truth at all.
pub(crate) fn lines(name: &str) -> Option<Vec<(Minor, String)>> {
    let folder = folder();
    if !folder.is_dir() {
        eprintln!("LEFT OUT: no recorded answers; PODGATE_TRUTH names their folder");
        return None;
    }
    let mut lines = Vec::new();
    for minor in Minor::all() {
        let path = folder.join(format!("{minor}/{name}.ndjson.gz"));
        if let Ok(file) = File::open(&path) {
            for line in BufReader::new(GzDecoder::new(file)).lines() {
                lines.push((minor, line.expect("recorded answers are gzipped UTF-8")));
            }
        }
    }
    assert!(!lines.is_empty(), "{} has no {name}", folder.display());
    Some(lines)
}

//! What real servers recorded, as far as it can be judged without a decoder of pods. The rest is
//! the matter of the tests of podgate-admission.
#![expect(
    clippy::disallowed_methods,
    reason = "the recordings are files; evaluators read none"
)]

use flate2::read::GzDecoder;
use podgate_policy::Minor;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

mod labels;
mod messages;

/// Visits the lines of the recordings whose file is named `name`, or of all where that is empty,
/// with the minor of the server. Returns false, and says so loudly, where they are not at hand.
fn visit(name: &str, mut line: impl FnMut(Minor, &Value)) -> bool {
    let folder = std::env::var_os("PODGATE_TRUTH").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/truth")),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!(
            "LEFT OUT: no recorded answers at {} (set PODGATE_TRUTH)",
            folder.display()
        );
        return false;
    }
    for minor in Minor::all() {
        // Not every minor was recorded.
        let Ok(files) = fs::read_dir(folder.join(minor.to_string())) else {
            continue;
        };
        for file in files {
            let path = file.expect("a readable folder").path();
            if path.ends_with(name) || name.is_empty() {
                read(&path, |value| line(minor, value));
            }
        }
    }
    true
}

fn read(path: &Path, mut line: impl FnMut(&Value)) {
    let file = File::open(path).expect("a readable file");
    for text in BufReader::new(GzDecoder::new(file)).lines() {
        let text = text.expect("gzip");
        line(&serde_json::from_str(&text).expect("a JSON value a line"));
    }
}

//! Reads manifests as kubectl reads them, with positions.
//!
//! [`walk()`] expands the files and folders of a command line, [`read_documents`] takes a [`Source`]
//! apart into [`Document`]s, [`Document::items`] takes lists apart, and [`from_document`] reads
//! podgate's own files into Rust types. Whatever cannot be read is an [`Error`] that shows the line.
//!
//! ```
//! use podgate_manifest::{FieldPath, Source, read_documents};
//!
//! let source = Source::new("pod.yaml", "kind: Pod\nspec:\n  hostNetwork: yes\n");
//! let pod = read_documents(&source).next().unwrap()?;
//! assert_eq!(pod.body(), r#"{"kind":"Pod","spec":{"hostNetwork":true}}"#);
//!
//! let field = pod.position(&FieldPath::parse("spec.hostNetwork").0).unwrap();
//! assert_eq!(field.position().to_string(), "3:3");
//! # Ok::<(), podgate_manifest::Error>(())
//! ```
//!
//! # Why a YAML reader of its own
//!
//! A verdict is about the object that reaches the server, and between the file and the server
//! stands go-yaml v2: `defaultMode: 0644` is 420 there, `hostNetwork: yes` is true, `runAsUser: 08`
//! is 8. No Rust library reads like that. Of 20,000 made texts (those of `tests/differential.rs`)
//! kubectl reads 5,235 single documents and refuses 6,940 (the rest is left out here):
//!
//! | | of those that kubectl reads | of those that kubectl refuses |
//! | --- | --- | --- |
//! | `serde_yaml` 0.9.34 (unmaintained) | 2,607 read differently, 881 refused | 839 read |
//! | `serde-saphyr` 2.1 | 1,882 read differently, 1,645 refused | 363 read |
//! | events of `libyaml-safer` 0.3, resolved here | 209 refused | 586 read, 76 panics |
//! | this crate | none | none |
//!
//! For example `0644` is `"0644"` to `serde_yaml` and `644.0` to `serde-saphyr`; `yes` is a string to
//! `serde_yaml`, and merge keys are plain keys; a duplicate key is an error to `serde-saphyr`.
//! `libyaml-safer` follows a later libyaml than go-yaml, and panics on a tag before a comma and on
//! a backslash at the end of the text. So the crate has a scanner that follows go-yaml's, and
//! the comparison with kubectl's own code, the Go module `upstream/yaml`, is a test.
//!
//! What kubectl does and this crate does not: it stops at the first document of a file that it
//! cannot read (see [`Documents`]). Where two keys of a mapping have one name in JSON (`1` and
//! `"1"`) kubectl takes a random one, and this crate the last.

mod bridge;
mod check;
mod document;
mod documents;
pub mod edit;
mod encode;
mod error;
mod header;
mod hints;
mod items;
mod json;
mod metadata;
mod number;
mod path;
mod rendered;
mod resolve;
mod source;
mod tree;
mod walk;
mod write;
mod yaml;

pub use bridge::from_document;
pub use document::Document;
pub use documents::{Documents, read_documents, read_json_lines};
pub use error::Error;
pub use items::Items;
pub use path::{FieldPath, Location, Segment};
pub use rendered::Rendered;
pub use source::{Position, Source};
pub use walk::{Input, WalkOptions, walk};
pub use write::to_yaml;

/// The name that is likely meant by one that is unknown, if any is near.
#[must_use]
pub fn nearest_name<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

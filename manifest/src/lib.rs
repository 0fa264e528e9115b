//! Reads manifests as kubectl reads them, with positions.
//!
//! [`walk`] expands the files and folders of a command line, [`read_documents`] takes a [`Source`]
//! apart into [`Document`]s, and [`from_document`] reads podgate's own files into Rust types:
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

mod bridge;
mod check;
mod document;
mod documents;
mod encode;
mod error;
mod header;
mod hints;
mod items;
mod json;
mod metadata;
mod number;
mod path;
mod resolve;
mod source;
mod tree;
mod walk;
mod yaml;

pub use bridge::from_document;
pub use document::Document;
pub use documents::{Documents, read_documents, read_json_lines};
pub use error::Error;
pub use items::Items;
pub use path::{FieldPath, Location, Segment};
pub use source::{Position, Source};
pub use walk::{Input, WalkOptions, walk};

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

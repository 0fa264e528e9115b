//! Where the parts of a YAML text end: the tree knows only where they begin.

use std::collections::BTreeMap;

use crate::{error::Flaw, yaml};

/// The ends of scalars and aliases, and of collections in brackets, by their beginnings. Of JSON
/// there are none: there the reader finds an end as fast.
#[derive(Debug, Default)]
pub(super) struct Spans {
    scalars: BTreeMap<usize, usize>,
    flow: BTreeMap<usize, usize>,
}

impl Spans {
    pub(super) fn of_json() -> Self {
        Self::default()
    }

    pub(super) fn of_yaml(text: &str) -> Result<Self, Flaw> {
        let mut spans = Self::default();
        let mut open = Vec::new();
        yaml::parts(text, |part, range| match part {
            yaml::Part::Scalar => {
                spans.scalars.insert(range.start, range.end);
            }
            yaml::Part::Open => open.push(range.start),
            yaml::Part::Close => {
                if let Some(start) = open.pop() {
                    spans.flow.insert(start, range.end);
                }
            }
        })?;
        Ok(spans)
    }

    pub(super) fn scalar_end(&self, at: usize) -> Option<usize> {
        self.scalars.get(&at).copied()
    }

    pub(super) fn flow_end(&self, at: usize) -> Option<usize> {
        self.flow.get(&at).copied()
    }
}

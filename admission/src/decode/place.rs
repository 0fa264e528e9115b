//! Where in the object the decoder is: a list of steps up to the root, on the decoder's own stack,
//! so that only errors pay for it.

use std::fmt::Write as _;

use podgate_policy::Minor;

use super::error::Segment;
use crate::schema::{Field, Struct};

/// One step of the way to a value, and the place above.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    above: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'p> {
    Root,
    Field(&'static Struct, &'static Field),
    Key(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// The whole document.
    pub(super) const ROOT: Self = Self {
        above: None,
        step: Step::Root,
    };

    pub(super) fn field(&'p self, schema: &'static Struct, field: &'static Field) -> Self {
        self.below(Step::Field(schema, field))
    }

    pub(super) fn key(&'p self, key: &'p str) -> Self {
        self.below(Step::Key(key))
    }

    pub(super) fn index(&'p self, index: usize) -> Self {
        self.below(Step::Index(index))
    }

    fn below(&'p self, step: Step<'p>) -> Self {
        Self {
            above: Some(self),
            step,
        }
    }

    /// The steps from the root down.
    pub(super) fn steps(&self) -> Vec<Step<'p>> {
        let mut steps: Vec<_> = std::iter::successors(Some(self), |place| place.above)
            .map(|place| place.step)
            .collect();
        steps.reverse();
        steps
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        let segment = |step| match step {
            Step::Root => None,
            Step::Field(_, field) => Some(Segment::Key(field.name.to_owned())),
            Step::Key(key) => Some(Segment::Key(key.to_owned())),
            Step::Index(index) => Some(Segment::Index(index)),
        };
        self.steps().into_iter().filter_map(segment).collect()
    }

    /// The path of the key below this place in an error about unknown and duplicate fields:
    /// `spec.containers[0].foo`.
    pub(super) fn strict_path(&self, key: &str) -> String {
        let mut path = String::new();
        for step in self.steps() {
            let name = match step {
                Step::Root => continue,
                Step::Index(index) => {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "[{index}]");
                    continue;
                }
                Step::Field(_, field) => field.name,
                Step::Key(key) => key,
            };
            join(&mut path, name);
        }
        join(&mut path, key);
        path
    }

    /// How Go names this place in a type error: the innermost struct, then the names of all fields
    /// on the way, `Container.spec.containers.image`. Keys of maps and indexes are not in it.
    pub(super) fn go_field(&self, minor: Minor) -> Option<String> {
        let mut inner = None;
        let mut path = String::new();
        for step in self.steps() {
            if let Step::Field(schema, field) = step {
                inner = Some(schema.name);
                if minor >= Minor::known(35)
                    && let Some(embedded) = embedded(schema, field)
                {
                    join(&mut path, embedded);
                }
                join(&mut path, field.name);
            }
        }
        inner.map(|inner| format!("{inner}.{path}"))
    }
}

fn join(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

/// The embedded Go struct through which `schema` has `field`. The decoder of 1.35 names it on the
/// way to the field (`sigs.k8s.io/json` since its update to Go 1.24); the schema unfolds it.
pub(super) fn embedded(schema: &Struct, field: &Field) -> Option<&'static str> {
    match (schema.name, field.name) {
        ("Volume", name) if name != "name" => Some("VolumeSource"),
        ("EphemeralContainer", name) if name != "targetContainerName" => {
            Some("EphemeralContainerCommon")
        }
        ("Probe", "exec" | "httpGet" | "tcpSocket" | "grpc") => Some("ProbeHandler"),
        (
            "ConfigMapEnvSource"
            | "ConfigMapKeySelector"
            | "ConfigMapProjection"
            | "ConfigMapVolumeSource"
            | "SecretEnvSource"
            | "SecretKeySelector"
            | "SecretProjection",
            "name",
        ) => Some("LocalObjectReference"),
        (_, "kind" | "apiVersion") if schema.fields.iter().any(|f| f.name == "metadata") => {
            Some("TypeMeta")
        }
        _ => None,
    }
}

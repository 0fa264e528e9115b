//! JSON Schemas of the files of a suite, for editors: made from the types that read them.
//!
//! A schema tells what an editor can tell while somebody types: names, types and ranges. What needs
//! other files or the rest of the document is told by podgate alone.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::cluster::ClusterDocument;
use super::project::ProjectDocument;
use super::scenario::ScenarioDocument;

/// The schemas, each with the name of its file: `cluster.schema.json`.
#[must_use]
pub fn schemas() -> [(&'static str, Value); 3] {
    [
        (
            "cluster.schema.json",
            of::<ClusterDocument>("A cluster file of podgate", "Cluster"),
        ),
        (
            "scenario.schema.json",
            of::<ScenarioDocument>("A scenario file of podgate", "Scenario"),
        ),
        (
            "project.schema.json",
            of::<ProjectDocument>("podgate.yaml", "Project"),
        ),
    ]
}

/// The schema of each document of a file: podgate's own is a `T`, the others are objects of
/// Kubernetes, which are not looked into. An editor applies one schema to all of them.
fn of<T: JsonSchema>(title: &str, kind: &str) -> Value {
    // What editors know best.
    let settings = SchemaSettings::draft07().for_deserialize();
    let mut own = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    let definitions = own.as_object_mut().and_then(|own| {
        own.remove("$schema");
        own.remove("definitions")
    });
    let mut definitions = definitions.unwrap_or_else(|| json!({}));
    definitions[kind] = own;
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "required": ["apiVersion", "kind"],
        "if": {
            "properties": {"apiVersion": {"pattern": "^podgate[.]dev/"}, "kind": {"const": kind}},
        },
        "then": {"$ref": format!("#/definitions/{kind}")},
        "definitions": definitions,
    })
}

//! The JSON Schemas for editors: those that are committed are what the types say, every file of this
//! repository validates, and what podgate would refuse does not.

use std::fs;
use std::path::{Path, PathBuf};

use boon::{Compiler, SchemaIndex, Schemas};
use podgate_harness::suite::schema::schemas;
use podgate_harness::suite::{Project, Suite};
use podgate_manifest::{Input, Source, WalkOptions};
use rstest::rstest;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A compiled schema.
struct Schema(Schemas, SchemaIndex);

impl Schema {
    fn named(name: &str) -> Self {
        let (_, schema) = schemas().into_iter().find(|it| it.0 == name).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(name, schema).unwrap();
        let index = compiler.compile(name, &mut schemas).unwrap();
        Self(schemas, index)
    }

    /// What it has against the documents of a file; an editor asks it about each.
    fn refuses(&self, source: &Source) -> Vec<String> {
        let documents = podgate_manifest::read_documents(source);
        let errors = documents.filter_map(|document| {
            let body: Value = serde_json::from_str(&document.unwrap().body()).unwrap();
            self.0.validate(&body, self.1).err().map(|e| e.to_string())
        });
        errors.collect()
    }
}

#[test]
fn those_that_are_committed_are_current() {
    for (name, schema) in schemas() {
        let file = root().join("docs/schemas").join(name);
        let committed = fs::read_to_string(&file).unwrap_or_default();
        let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
        assert!(
            committed == schema,
            "docs/schemas/{name} is out of date: cargo run -p podgate -- schemas docs/schemas"
        );
    }
}

#[rstest]
#[case("cluster.schema.json", "clusters")]
#[case("cluster.schema.json", "podgate/templates/clusters")]
#[case("scenario.schema.json", "scenarios")]
#[case("scenario.schema.json", "podgate/templates/scenarios")]
fn every_file_validates(#[case] schema: &str, #[case] folder: &str) {
    let schema = Schema::named(schema);
    let mut count = 0;
    for input in podgate_manifest::walk(
        [root().join(folder)],
        WalkOptions {
            recursive: true,
            dumps: false,
        },
    ) {
        let (Input::Named(file) | Input::Found(file)) = input.unwrap() else {
            panic!("standard input");
        };
        let refused = schema.refuses(&Source::open(&file).unwrap());
        assert!(refused.is_empty(), "{}: {refused:#?}", file.display());
        count += 1;
    }
    assert!(count > 0);
}

const CLUSTER: &str = "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: c}\n";
const SCENARIO: &str = "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\n";
const PROJECT: &str = "apiVersion: podgate.dev/v1alpha1\nkind: Project\n";
const POD: &str = "---\n{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}\n";

/// Loads a suite of one cluster and one scenario.
fn loads(cluster: &str, scenario: &str, project: Option<&str>) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("clusters/c.yaml", cluster);
    write("scenarios/s.yaml", scenario);
    if let Some(project) = project {
        write("podgate.yaml", project);
    }
    let suite = Project::load(folder.path()).and_then(|project| Suite::load(&project));
    // Seen where a test fails.
    eprintln!("{:?}", suite.as_ref().err().map(ToString::to_string));
    suite.is_ok()
}

/// Of each file one that both take, then some that neither does.
#[rstest]
#[case::all(
    "spec: {kubernetes: \"1.23..\", as: {user: u, groups: [g]}, apiServer: {enableAdmissionPlugins: [NodeRestriction], featureGates: {}}, namespace: {labels: {a: b}}, objects: []}",
    true
)]
#[case::misspelt("spec: {kubernets: \"1.23..\"}", false)]
#[case::a_number_for_a_range("spec: {kubernetes: 1.25}", false)]
#[case::no_range("spec: {kubernetes: \"1.25-1.27\"}", false)]
#[case::a_flag_in_the_wrong_place("spec: {enableAdmissionPlugins: [NodeRestriction]}", false)]
#[case::a_text_for_a_list("spec: {apiServer: {enableAdmissionPlugins: NodeRestriction}}", false)]
#[case::a_text_for_a_gate("spec: {apiServer: {featureGates: {PodSecurity: \"true\"}}}", false)]
#[case::a_number_for_a_label("spec: {namespace: {labels: {a: 1}}}", false)]
#[case::nobody("spec: {as: {groups: [g]}}", false)]
#[case::a_field_beside("specs: {}", false)]
fn clusters(#[case] rest: &str, #[case] fine: bool) {
    let text = format!("{CLUSTER}{rest}\n{POD}");
    let refused = Schema::named("cluster.schema.json").refuses(&Source::new("c.yaml", &text));
    assert_eq!(refused.is_empty(), fine, "{refused:?}");
    assert_eq!(loads(&text, POD, None), fine);
}

#[rstest]
#[case::all(
    "spec: {description: d, clusters: [c], namespace: {name: web, labels: {a: null}}, steps: [{apply: [Pod/p]}, {as: {user: u}, delete: Pod/p}], expect: [{object: Pod/p, step: 1, admitted: true, warnings: []}]}",
    true
)]
#[case::rejected(
    "spec: {expect: [{object: Pod/p, kubernetes: \"..1.25\", rejected: PodSecurity, checks: [privileged]}]}",
    true
)]
#[case::by_nobody(
    "spec: {expect: [{object: Pod/p, rejected: PodSecurityAdmission}]}",
    false
)]
#[case::about_nothing("spec: {expect: [{rejected: PodSecurity}]}", false)]
#[case::misspelt("spec: {expect: [{object: Pod/p, reject: PodSecurity}]}", false)]
#[case::two_things_in_a_step("spec: {steps: [{apply: [Pod/p], delete: Pod/p}]}", false)]
#[case::nothing_in_a_step("spec: {steps: [{as: {user: u}}]}", false)]
#[case::no_such_patch(
    "spec: {steps: [{patch: {object: Pod/p, type: apply, body: {}}}]}",
    false
)]
#[case::a_patch_of_nothing("spec: {steps: [{patch: {type: merge, body: {}}}]}", false)]
#[case::not_admitted("spec: {expect: [{object: Pod/p, admitted: false}]}", false)]
#[case::step_zero("spec: {expect: [{object: Pod/p, step: 0, admitted: true}]}", false)]
#[case::a_text_for_clusters("spec: {clusters: c}", false)]
fn scenarios(#[case] rest: &str, #[case] fine: bool) {
    let text = format!("{SCENARIO}{rest}\n{POD}");
    let refused = Schema::named("scenario.schema.json").refuses(&Source::new("s.yaml", &text));
    assert_eq!(refused.is_empty(), fine, "{refused:?}");
    assert_eq!(loads(CLUSTER, &text, None), fine);
}

#[rstest]
#[case::all(
    "metadata: {name: p}\nspec: {kubernetes: 1.30..1.36, clusters: clusters, scenarios: scenarios, snapshots: snaps}",
    true
)]
#[case::misspelt("spec: {cluster: clusters}", false)]
#[case::no_minor("spec: {kubernetes: latest}", false)]
fn projects(#[case] rest: &str, #[case] fine: bool) {
    let text = format!("{PROJECT}{rest}\n");
    let refused = Schema::named("project.schema.json").refuses(&Source::new("podgate.yaml", &text));
    assert_eq!(refused.is_empty(), fine, "{refused:?}");
    assert_eq!(loads(CLUSTER, POD, Some(&text)), fine);
}

#[test]
fn other_versions_and_what_is_no_object_are_refused() {
    let schema = Schema::named("cluster.schema.json");
    for text in [
        "apiVersion: podgate.dev/v1\nkind: Cluster\nmetadata: {name: c}\n",
        "kind: Cluster\nmetadata: {name: c}\n",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {}\n",
    ] {
        assert!(!schema.refuses(&Source::new("c.yaml", text)).is_empty());
        assert!(!loads(text, POD, None));
    }
}

/// The reference has every field that the schemas have.
#[test]
fn docs_name_every_field() {
    fn names(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(fields) => {
                if let Some(Value::Object(properties)) = fields.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                fields.values().for_each(|value| names(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let reference = fs::read_to_string(root().join("docs/files.md")).unwrap();
    let words: Vec<&str> = reference.split(|c: char| !c.is_alphanumeric()).collect();
    let mut found = Vec::new();
    for (_, schema) in schemas() {
        names(&schema, &mut found);
    }
    assert!(found.len() > 30, "{found:?}");
    for name in found {
        assert!(
            words.contains(&name.as_str()),
            "docs/files.md does not have `{name}`"
        );
    }
}

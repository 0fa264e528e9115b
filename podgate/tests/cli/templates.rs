//! `--template` and `spec.templates` of podgate.yaml: pod templates in objects that are not Kubernetes' own.

use rstest::rstest;
use serde_json::{Value, json};

use crate::folder::Folder;

const ROLLOUT: &str = "apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      containers: [{name: web, image: web}]
";

const TEMPLATE: [&str; 2] = ["--template", "argoproj.io/Rollout=spec.template"];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("rollout.yaml", ROLLOUT);
    folder
}

fn project(spec: &str) -> Folder {
    let folder = folder();
    let head = "apiVersion: podgate.dev/v1alpha1\nkind: Project\nspec:";
    folder.write("podgate.yaml", &format!("{head} {spec}\n"));
    folder
}

const CHECK: [&str; 4] = ["check", "rollout.yaml", "--enforce", "baseline"];

#[test]
fn without_a_template_it_is_not_judged() {
    folder().podgate(&CHECK).ends(4).says(&[
        "not judged: Rollout/web (rollout.yaml:1): it has a pod template, which --template argoproj.io/Rollout=spec.template judges\n",
    ]);
    folder()
        .podgate(&["audit", "rollout.yaml", "--enforce", "baseline"])
        .ends(4)
        .says(&["not judged: 1 Rollout"]);
}

#[rstest]
#[case::flag(folder(), &TEMPLATE)]
#[case::project(project("{templates: {argoproj.io/Rollout: spec.template}}"), &[])]
fn check_judges_the_pods(#[case] folder: Folder, #[case] flags: &[&str]) {
    folder.podgate(&[&CHECK[..], flags].concat()).ends(1).says(&[
        "✗ Rollout/shop/web  rollout.yaml:1\n  admitted\n  pods (created by replicaset-controller): rejected 403 by PodSecurity\n",
        "at rollout.yaml:8:7\n",
    ]);
    let privileged = ["check", "rollout.yaml", "--enforce", "privileged"];
    folder.podgate(&[&privileged[..], flags].concat()).ends(0);
    let audit = ["audit", "rollout.yaml", "--enforce", "baseline"];
    folder
        .podgate(&[&audit[..], flags].concat())
        .ends(1)
        .says(&[
            "Rollout/web  breaks at the next restart",
            "spec.template.spec.hostNetwork",
            "1 pod template, 1 breaking",
        ]);
    let diff = [
        "diff",
        "rollout.yaml",
        "--from",
        "@1.21",
        "--to",
        "@1.25",
        "--enforce",
        "baseline",
    ];
    folder
        .podgate(&[&diff[..], flags].concat())
        .ends(1)
        .says(&["✗ Rollout/shop/web  rollout.yaml:1", "pods newly rejected"]);
}

/// The lines of check and of an audit of a dump say the same.
#[test]
fn lines() {
    let folder = folder();
    let dump = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"hostNetwork": true, "containers": [{"name": "web", "image": "web"}]}}}});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web-1", "namespace": "shop",
        "ownerReferences": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u", "controller": true}]},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"hostNetwork": true, "containers": [{"name": "web", "image": "web"}]}}}});
    folder.write("dump.jsonl", &format!("{dump}\n{set}\n"));
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let run = folder.podgate(&[arguments, &TEMPLATE, &["-o", "jsonl"]].concat());
        run.ends(1).json_lines()
    };
    let audited = lines(&["audit", "dump.jsonl", "--enforce", "baseline"]);
    // The replica set's template is that of the Rollout.
    assert_eq!(audited.len(), 1, "{audited:?}");
    let (mut audited, mut checked) = (audited[0].clone(), lines(&CHECK)[0].clone());
    assert_eq!(
        (
            &checked["admitted"],
            &checked["ok"],
            &checked["pods"][0]["checks"]
        ),
        (&json!(true), &json!(false), &json!(["hostNamespaces"]))
    );
    audited["file"].take();
    checked["file"].take();
    assert_eq!(audited, checked);
}

#[test]
fn an_object_without_the_template() {
    let folder = folder();
    folder.write(
        "rollout.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: {workloadRef: {name: web}}\n",
    );
    folder
        .podgate(&[&CHECK[..], &TEMPLATE].concat())
        .ends(2)
        .tells(&[
            "error: there is no pod template at spec.template",
            " --> rollout.yaml:4:1",
            "hint: the object may refer to one elsewhere",
        ]);
    folder
        .podgate(
            &[
                &["audit", "rollout.yaml", "--enforce", "baseline"][..],
                &TEMPLATE,
            ]
            .concat(),
        )
        .ends(2)
        .tells(&["there is no pod template at spec.template"]);
}

#[test]
fn a_template_that_no_server_reads() {
    let folder = folder();
    folder.edit("rollout.yaml", "hostNetwork: true", "hostNetwork: 'yes'");
    folder
        .podgate(&[&CHECK[..], &TEMPLATE].concat())
        .ends(2)
        .tells(&[
            " --> rollout.yaml:8:20",
            "hint: spec.template.spec.hostNetwork of a Pod is true or false",
        ]);
}

#[test]
fn templates_that_name_none() {
    let with = |template| [&CHECK[..], &["--template", template]].concat();
    folder()
        .podgate(&with("Rollout=spec.template"))
        .ends(2)
        .tells(&["error: --template: `Rollout=spec.template` names no template; write it as GROUP/KIND=PATH"]);
    folder()
        .podgate(&with("apps/Deployment=spec.template"))
        .ends(2)
        .tells(&["error: --template: apps/Deployment is a kind of Kubernetes"]);
    project("\n  templates:\n    Rollout: spec.template")
        .podgate(&CHECK)
        .ends(2)
        .tells(&[
            "error: `Rollout=spec.template` names no template",
            " --> podgate.yaml:5:5",
            "hint: write it like `argoproj.io/Rollout: spec.template`",
        ]);
}

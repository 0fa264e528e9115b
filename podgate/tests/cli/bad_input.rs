//! Mistakes in files and flags: each is told with the file, the line, a caret under the column and
//! what to do about it, and ends with 2.

use rstest::rstest;

use crate::folder::Folder;

/// The manifests of `check`, with the place and the hint that are told.
#[rstest]
#[case::broken_yaml(
    "metadata: {name: a\nspec: {}\n",
    "p.yaml:3:11",
    "a bracket that opens here or before is never closed, or a comma is missing"
)]
#[case::tab(
    "metadata:\n\tname: a\n",
    "p.yaml:4:1",
    "YAML is indented with spaces: replace the tab"
)]
#[case::wrong_type(
    "metadata: {name: a}\nspec:\n  hostNetwork: \"yes\"\n  containers: [{name: a, image: a}]\n",
    "p.yaml:5:16",
    "spec.hostNetwork of a Pod is true or false, without quotes"
)]
#[case::number_for_text(
    "metadata: {name: a}\nspec:\n  containers: [{name: a, image: 5}]\n",
    "p.yaml:5:33",
    "spec.containers[0].image of a Pod is a text: put it in quotes"
)]
#[case::text_for_number(
    "metadata: {name: a}\nspec:\n  containers: [{name: a, image: a, securityContext: {runAsUser: '0'}}]\n",
    "p.yaml:5:65",
    "spec.containers[0].securityContext.runAsUser of a Pod is a whole number, without quotes"
)]
#[case::mapping_for_list(
    "metadata: {name: a}\nspec:\n  containers: {name: a, image: a}\n",
    "p.yaml:5:15",
    "spec.containers of a Pod is a list"
)]
fn manifests(#[case] rest: &str, #[case] place: &str, #[case] hint: &str) {
    let folder = Folder::new();
    folder.write("p.yaml", &format!("apiVersion: v1\nkind: Pod\n{rest}"));
    for kubernetes in ["1.20", "1.37"] {
        let run = folder
            .podgate(&[
                "check",
                "p.yaml",
                "--enforce",
                "restricted",
                "--kubernetes",
                kubernetes,
            ])
            .ends(2)
            .tells(&[
                "error: ",
                &format!(" --> {place}\n"),
                " | ",
                "^\n",
                &format!("hint: {hint}"),
            ]);
        let column: usize = place.rsplit(':').next().unwrap().parse().unwrap();
        let caret = run.stderr.lines().find(|line| line.ends_with('^')).unwrap();
        let margin = caret.find("| ").unwrap() + 2;
        assert_eq!(caret.len() - margin, column, "{}", run.stderr);
    }
    // A scenario is no better place for it.
    let suite = Folder::suite();
    suite.write(
        "scenarios/p.yaml",
        &format!("apiVersion: v1\nkind: Pod\n{rest}"),
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        &format!(" --> scenarios/{place}\n"),
        &format!("hint: {hint}"),
    ]);
}

#[rstest]
#[case::empty(
    "empty.yaml",
    "there is no object in it",
    "the file is empty, or holds only comments"
)]
#[case::missing("nothing.yaml", "the path \"nothing.yaml\" does not exist", "")]
#[case::near(
    "emty.yaml",
    "the path \"emty.yaml\" does not exist",
    "hint: did you mean `empty.yaml`?"
)]
#[case::no_manifests(
    "texts",
    "no manifests: recognized file extensions are [.json .yaml .yml]",
    "hint: "
)]
#[case::no_object(
    "values.yaml",
    "neither apiVersion nor kind",
    "hint: in a folder such a file is skipped with a notice"
)]
#[case::no_kind(
    "kindless.yaml",
    "Object 'Kind' is missing",
    "hint: a manifest has apiVersion and kind"
)]
fn files(#[case] file: &str, #[case] message: &str, #[case] hint: &str) {
    let folder = Folder::new();
    folder
        .write("empty.yaml", "# nothing\n")
        .write("texts/readme.md", "text\n")
        .write("values.yaml", "replicas: 2\n")
        .write("kindless.yaml", "apiVersion: v1\nmetadata: {name: a}\n");
    folder
        .podgate(&["check", file, "--enforce", "restricted"])
        .ends(2)
        .tells(&[message, &format!(" --> {file}"), hint]);
}

#[rstest]
#[case(&["--kubernetes", "1.19"], "Kubernetes 1.19 is not one that podgate knows (1.20 to 1.37)", "podgate versions")]
#[case(&["--kubernetes", "1.38"], "Kubernetes 1.38 is not one that podgate knows", "hint: ")]
#[case(&["--kubernetes", "latest"], "`latest` is no Kubernetes version", "hint: ")]
#[case(&["--kubernetes", "1.30..1.25"], "ends before it starts", "hint: ")]
#[case(&["--cluster", "psa-restrictd"], "there is no cluster `psa-restrictd`", "hint: did you mean `psa-restricted`?")]
fn versions_and_clusters(#[case] flags: &[&str], #[case] message: &str, #[case] hint: &str) {
    let suite = Folder::suite();
    for command in [&["test"][..], &["check", "scenarios/hello.yaml"]] {
        let arguments: Vec<&str> = command.iter().chain(flags).copied().collect();
        suite.podgate(&arguments).ends(2).tells(&[message, hint]);
    }
}

#[rstest]
#[case("restrictive", "restricted")]
#[case("restricted:1.29", "v1.29")]
#[case("restricted:latest:x", "")]
fn levels(#[case] level: &str, #[case] hint: &str) {
    let folder = Folder::new();
    folder.write("p.yaml", "{}");
    for flag in ["--enforce", "--warn", "--audit"] {
        folder
            .podgate(&["check", "p.yaml", flag, level])
            .ends(2)
            .tells(&[&format!("{flag} {level}: "), "hint: ", hint]);
    }
}

/// What stands in a cluster file behind `spec:`, with the place, the message and the hint.
#[rstest]
#[case::unknown_field(
    "  apiSever: {}\n",
    "5:3",
    "unknown field `apiSever`",
    "did you mean `apiServer`?"
)]
#[case::unknown_flag(
    "  apiServer: {auditLogPath: x}\n",
    "5:15",
    "unknown field `auditLogPath`",
    "known here: enableAdmissionPlugins, disableAdmissionPlugins, featureGates, admissionControlConfigFile"
)]
#[case::version(
    "  kubernetes: \"1.19..\"\n",
    "5:15",
    "Kubernetes 1.19 is not one",
    "write it like \"1.25\""
)]
#[case::version_is_a_number(
    "  kubernetes: 1.36\n",
    "5:15",
    "expected a string",
    "put the value in quotes"
)]
#[case::plugin(
    "  apiServer: {enableAdmissionPlugins: [PodSecurty]}\n",
    "5:40",
    "enable-admission-plugins plugin \"PodSecurty\" is unknown",
    "did you mean `PodSecurity`?"
)]
#[case::plugin_of_other_versions(
    "  kubernetes: \"1.36\"\n  apiServer: {enableAdmissionPlugins: [PodSecurityPolicy]}\n",
    "6:40",
    "plugin \"PodSecurityPolicy\" is unknown to Kubernetes 1.36: it was removed in 1.25",
    "limit the cluster to Kubernetes 1.24 and older"
)]
#[case::plugin_not_built(
    "  apiServer: {enableAdmissionPlugins: [ImagePolicyWebhook]}\n",
    "5:40",
    "podgate cannot act on admission plugin \"ImagePolicyWebhook\"",
    "a plugin that is ignored could admit what the cluster rejects"
)]
#[case::gate(
    "  apiServer: {featureGates: {NoSuchGate: true}}\n",
    "5:42",
    "podgate does not know the feature gate NoSuchGate",
    "leave it out"
)]
#[case::no_file(
    "  apiServer: {admissionControlConfigFile: none.yaml}\n",
    "5:43",
    "the path \"clusters/none.yaml\" does not exist",
    ""
)]
#[case::no_objects(
    "  objects: [../none]\n",
    "5:13",
    "the path \"clusters/../none\" does not exist",
    ""
)]
#[case::label(
    "  namespace: {labels: {pod-security.kubernetes.io/enforce: restrictive}}\n",
    "5:60",
    "must be one of privileged, baseline, restricted",
    "every namespace carries what the cluster file and the scenario say under spec.namespace"
)]
#[case::object(
    "  {}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: UPPER}\n",
    "7:1",
    "the server refuses ServiceAccount/UPPER",
    "objects of a cluster must be admitted before its scenarios run"
)]
#[case::name_twice(
    "  {}\n",
    "3:18",
    "the cluster in clusters/psa-restricted.yaml is called `psa-restricted`, too",
    "the name tells clusters apart"
)]
fn cluster_files(
    #[case] rest: &str,
    #[case] place: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let suite = Folder::suite();
    let name = if place == "3:18" {
        "psa-restricted"
    } else {
        "x"
    };
    suite.write(
        "clusters/x.yaml",
        &format!("apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: {name}}}\nspec:\n{rest}"),
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        message,
        &format!(" --> clusters/x.yaml:{place}\n"),
        "^\n",
        hint,
    ]);
}

/// An `AdmissionConfiguration` behind line 5 of a cluster file.
#[rstest]
#[case::plugin(
    "- name: PodSecurty\n  configuration: {}\n",
    "9:9",
    "admission plugin \"PodSecurty\" is unknown",
    "did you mean `PodSecurity`?"
)]
#[case::plugins_field(
    "- nam: PodSecurity\n",
    "9:3",
    "strict decoding error: unknown field \"plugins[0].nam\"",
    "hint: "
)]
#[case::level(
    &CONFIGURATION.replace("RULES", "defaults: {enforce: restrictive}"),
    "13:25",
    "enforce: must be one of privileged, baseline, restricted",
    "kube-apiserver 1.36 would not start with this configuration"
)]
#[case::version(
    &CONFIGURATION.replace("RULES", "defaults: {enforce: restricted, enforce-version: '1.29'}"),
    "13:54",
    "enforce-version: must be \"latest\" or \"v1.x\"",
    "would not start"
)]
#[case::field(
    &CONFIGURATION.replace("RULES", "defaults: {enforced: restricted}"),
    "13:16",
    "strict decoding error: unknown field \"defaults.enforced\"",
    "would not start"
)]
#[case::exemption(
    &CONFIGURATION.replace("RULES", "exemptions: {namespaces: [Bad_]}"),
    "13:31",
    "exemptions.namespaces[0]: Invalid value: \"Bad_\"",
    "would not start"
)]
#[case::exempt_twice(
    &CONFIGURATION.replace("RULES", "exemptions: {namespaces: [a, b, a], usernames: [u, u]}"),
    "13:37",
    "failed to initialize admission plugin \"PodSecurity\": PodSecurity invalid: [exemptions.namespaces[2]: \
     Duplicate value: \"a\", exemptions.usernames[1]: Duplicate value: \"u\"]",
    "kube-apiserver 1.36 would not start with this configuration"
)]
#[case::nested(
    "- name: PodSecurity\n  configuration:\n    apiVersion: apiserver.config.k8s.io/v1\n    kind: AdmissionConfiguration\n    plugins: []\n",
    "11:17",
    "couldn't init admission plugin \"PodSecurity\": no kind \"AdmissionConfiguration\" is registered for version \
     \"apiserver.config.k8s.io/v1\" in scheme",
    "would not start"
)]
#[case::no_such_version(
    &CONFIGURATION.replace("config.k8s.io/v1", "config.k8s.io/v1beta2").replace("RULES", "defaults: {}"),
    "11:17",
    "no kind \"PodSecurityConfiguration\" is registered for version \"pod-security.admission.config.k8s.io/v1beta2\"",
    "would not start"
)]
#[case::no_file(
    "- {name: PodSecurity, path: none.yaml}\n",
    "9:29",
    "the path \"clusters/none.yaml\" does not exist",
    ""
)]
fn admission_configurations(
    #[case] rest: &str,
    #[case] place: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let head = "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: x}\nspec: {kubernetes: \"1.36\"}\n---\n";
    let kind = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n";
    let suite = Folder::suite();
    suite.write("clusters/x.yaml", &format!("{head}{kind}{rest}"));
    suite.podgate(&["test", "--cluster", "x"]).ends(2).tells(&[
        message,
        &format!(" --> clusters/x.yaml:{place}\n"),
        "^\n",
        hint,
    ]);
    // The same in a file of its own, as it ships.
    let line = |place: &str| -> (usize, String) {
        let (line, column) = place.split_once(':').unwrap();
        (line.parse().unwrap(), column.to_owned())
    };
    let (line, column) = line(place);
    suite.write("infra/admission.yaml", &format!("{kind}{rest}")).write(
        "clusters/x.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: x}\n\
         spec: {kubernetes: \"1.36\", apiServer: {admissionControlConfigFile: ../infra/admission.yaml}}\n",
    );
    suite
        .podgate(&["test", "--cluster", "x"])
        .ends(2)
        .tells(&[&format!(
            " --> clusters/../infra/admission.yaml:{}:{column}\n",
            line - 5
        )]);
}

const CONFIGURATION: &str = "\
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    RULES
";

/// What stands behind `spec:` in the first document of a scenario that has a pod, with the place,
/// the message and the hint.
#[rstest]
#[case::field(
    "  descripton: x\n",
    "4:3",
    "unknown field `descripton`",
    "did you mean `description`?"
)]
#[case::no_such_object(
    "  expect:\n  - {object: Pod/wep, admitted: true}\n",
    "5:14",
    "`Pod/wep` is no object of this scenario",
    "did you mean `Pod/web`?"
)]
#[case::no_reason(
    "  expect:\n  - {object: Pod/web, admitted: false}\n",
    "5:5",
    "a rejection is expected, but not by whom",
    "say `rejected: PodSecurity`"
)]
#[case::nothing(
    "  expect:\n  - {object: Pod/web}\n",
    "5:5",
    "this expectation expects nothing",
    "hint: "
)]
#[case::no_such_check(
    "  expect:\n  - {object: Pod/web, rejected: PodSecurity, checks: [privilegd]}\n",
    "5:55",
    "there is no check `privilegd`",
    "did you mean `privileged`?"
)]
#[case::no_such_rejecter(
    "  expect:\n  - {object: Pod/web, rejected: PodSecurty}\n",
    "5:33",
    "PodSecurty",
    "hint: "
)]
#[case::no_such_step(
    "  expect:\n  - {object: Pod/web, step: 2, admitted: true}\n",
    "5:29",
    "there is no step 2",
    "hint: "
)]
#[case::no_such_cluster(
    "  clusters: [psa-restrictd]\n",
    "4:14",
    "there is no cluster `psa-restrictd`",
    "did you mean `psa-restricted`?"
)]
#[case::no_such_cluster_expected(
    "  expect:\n  - {object: Pod/web, clusters: [psa], admitted: true}\n",
    "5:34",
    "there is no cluster `psa`",
    "the clusters are: psa-baseline-warn-restricted, psa-restricted"
)]
#[case::never(
    "  expect:\n  - {object: Pod/web, kubernetes: \"..1.22\", admitted: true}\n",
    "5:5",
    "this expectation is for no cluster and version on which the scenario runs",
    "hint: "
)]
#[case::version(
    "  kubernetes: \"1.25..1.24\"\n",
    "4:15",
    "ends before it starts",
    "write it like \"1.25\""
)]
#[case::no_manifests(
    "  manifests: [../apps]\n",
    "4:15",
    "the path \"scenarios/../apps\" does not exist",
    ""
)]
#[case::step_of_nothing(
    "  steps:\n  - {as: {user: bob}}\n",
    "5:5",
    "this step does nothing",
    "a step has exactly one of apply, patch, restart and delete"
)]
#[case::step_of_another(
    "  steps:\n  - {apply: [Pod/wep]}\n",
    "5:5",
    "no manifest of this scenario is `Pod/wep`",
    "did you mean `Pod/web`?"
)]
#[case::label(
    "  namespace: {labels: {pod-security.kubernetes.io/warn-version: \"1.29\"}}\n",
    "4:65",
    "must be \"latest\" or \"v1.x\"",
    "spec.namespace"
)]
fn scenario_files(
    #[case] rest: &str,
    #[case] place: &str,
    #[case] message: &str,
    #[case] hint: &str,
) {
    let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: a}]}\n";
    let suite = Folder::suite();
    suite.write(
        "scenarios/x.yaml",
        &format!("apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec:\n{rest}{pod}"),
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        message,
        &format!(" --> scenarios/x.yaml:{place}\n"),
        "^\n",
        hint,
    ]);
}

#[test]
fn a_namespace_that_nobody_declares() {
    let suite = Folder::suite();
    suite.write(
        "scenarios/x.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: other\nspec: {containers: [{name: a, image: a}]}\n",
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        "namespace `other` is declared neither in the cluster file nor in the scenario",
        " --> scenarios/x.yaml:5:",
        "hint: drop metadata.namespace, or set spec.namespace.name of the scenario",
    ]);
}

#[test]
fn two_files_of_one_scenario() {
    let suite = Folder::suite();
    suite.write(
        "scenarios/hello.json",
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}",
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        "scenarios/hello.json and scenarios/hello.yaml are both scenario `hello`",
        "hint: ",
    ]);
}

#[test]
fn a_scenario_that_applies_nothing() {
    let suite = Folder::suite();
    suite.write(
        "scenarios/x.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Scenario\nspec: {description: nothing}\n",
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        "scenarios/x.yaml: the scenario applies nothing",
        "hint: add manifests",
    ]);
}

#[rstest]
#[case("clusters")]
#[case("scenarios")]
fn a_suite_without_a_folder(#[case] name: &str) {
    let suite = Folder::suite();
    suite.remove(name);
    suite.podgate(&["test"]).ends(2).tells(&[
        &format!("the path \"{name}\" does not exist"),
        "hint: podgate init writes an example",
    ]);
}

#[test]
fn a_file_where_the_snapshots_go() {
    let suite = Folder::suite();
    suite.remove("snapshots").write("snapshots", "");
    suite.podgate(&["test"]).ends(2).tells(&[
        "error: cannot ",
        "snapshots/",
        "hint: podgate keeps its snapshots there",
    ]);
}

#[test]
fn a_snapshot_that_is_none() {
    let suite = Folder::suite();
    suite.edit(
        "snapshots/psa-restricted/hello.snap",
        "Pod/root   applied by admin",
        "Pod/root   applid by admin",
    );
    suite.podgate(&["test"]).ends(2).tells(&[
        "snapshots/psa-restricted/hello.snap is no snapshot: line ",
        "hint: ",
    ]);
}

#[test]
fn a_folder_that_is_not_there() {
    Folder::new()
        .podgate(&["-C", "nowhere", "test"])
        .ends(2)
        .tells(&["cannot change to nowhere", "hint: "]);
}

//! Helm against `podgate serve` of four minors: the chart in `web` is installed, upgraded, rolled back,
//! tested and removed, in a namespace that is restricted. The texts are those of Helm 3.22 and 4.3, which
//! applies on the server's side.
//!
//! `HELM` names the program, else the search path has it; where it is not there, that is said. No kubelet
//! runs here, so what Helm waits for does not come: pods that are ready, jobs that are done.

use rstest::rstest;

use crate::client::{Client, Serving, Step, refused, step};

fn steps(minor: u8) -> Vec<Step> {
    let pod_security = minor >= 23;
    let forbidden = "is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false \
                     (container \"bare\" must set securityContext.allowPrivilegeEscalation=false)";
    vec![
        step("install site web", &["STATUS: deployed\n", "REVISION: 1\n"]),
        step("list", &["site\tdefault  \t1 ", "deployed\tweb-0.1.0"]),
        // What a chart asks of the cluster: its version, and what it serves.
        step(
            "get manifest site",
            &[
                match minor {
                    20 => "kubernetes: v1.20.0",
                    23 => "kubernetes: v1.23.0",
                    29 => "kubernetes: v1.29.0",
                    _ => "kubernetes: v1.37.0",
                },
                if minor >= 21 {
                    "cronJobs: \"true\"\n"
                } else {
                    "cronJobs: \"false\"\n"
                },
                "key: Zmlyc3Q=\n",
            ],
        ),
        step(
            "upgrade site web --set replicas=2,key=second",
            &[
                "Release \"site\" has been upgraded. Happy Helming!\n",
                "REVISION: 2\n",
            ],
        ),
        // The Secret was looked up, and has the key that it was made with.
        step("get manifest site", &["replicas: 2\n", "key: Zmlyc3Q=\n"]),
        step(
            "rollback site 1",
            &["Rollback was a success! Happy Helming!\n"],
        ),
        step("history site", &["superseded", "Rollback to 1"]),
        step("test site", &["Phase:          Succeeded\n"]),
        step(
            "upgrade site web --set restricted=false",
            if pod_security {
                &[
                    "would violate PodSecurity",
                    "Release \"site\" has been upgraded. Happy Helming!\n",
                ]
            } else {
                &["Release \"site\" has been upgraded. Happy Helming!\n"]
            },
        ),
        refused(
            "upgrade site web --wait --timeout 1s --set replicas=3",
            &["UPGRADE FAILED", "context deadline exceeded"],
        ),
        refused(
            "install job web --timeout 1s --set migrate=true",
            &["INSTALLATION FAILED", "post-install"],
        ),
        if pod_security {
            refused(
                "install bare web --set bare=true",
                &["INSTALLATION FAILED", forbidden],
            )
        } else {
            step("install bare web --set bare=true", &["STATUS: deployed\n"])
        },
        step(
            "uninstall site job bare",
            &["release \"site\" uninstalled\n"],
        ),
        step("list --output json", &["[]\n"]),
    ]
}

#[rstest]
#[case(20)]
#[case(23)]
#[case(29)]
#[case(37)]
fn the_life_of_a_release(#[case] minor: u8) {
    let Some(helm) = Client::find("HELM", "helm") else {
        return;
    };
    let cluster = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/restricted.yaml");
    let minor_flag = format!("1.{minor}");
    let server = Serving::start(&["--cluster", cluster, "--kubernetes", &minor_flag]);
    helm.follow(&server, &steps(minor));
}

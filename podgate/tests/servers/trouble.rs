//! What goes well, and what goes wrong: the exit code, one sentence of cause, one of what to do, and
//! nothing left.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use libtest_mimic::Trial;

use crate::folder::{Folder, text};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let fails = |name: &str, stand_in: &'static str, words: &'static [&'static str]| {
        trial(format!("trouble::{name}"), move || fails(stand_in, words))
    };
    vec![
        trial("trouble::none", none),
        trial("trouble::a_slow_boot", a_slow_boot),
        trial(
            "trouble::a_port_that_is_taken_once",
            a_port_that_is_taken_once,
        ),
        fails(
            "a_port_that_is_always_taken",
            "port taken",
            &[
                "etcd ended",
                "address already in use",
                "hint: ",
                "try again",
            ],
        ),
        fails(
            "etcd_dies",
            "etcd dies",
            &[
                "etcd ended",
                "cannot access data directory",
                "last lines of etcd",
                "hint: ",
            ],
        ),
        fails(
            "the_server_refuses_its_configuration",
            "refuses",
            &[
                "kube-apiserver ended",
                "no such \"plugin\"",
                "last lines of kube-apiserver",
                "hint: ",
            ],
        ),
        fails(
            "a_configuration_that_did_not_take",
            "ignores files",
            &[
                "by-file on 1.36",
                "the configuration did not take",
                "`privileged`",
                "hint: ",
            ],
        ),
        trial(
            "trouble::a_plugin_that_is_not_loaded",
            a_plugin_that_is_not_loaded,
        ),
        trial("trouble::no_binaries", no_binaries),
        trial(
            "trouble::a_minor_without_binaries",
            a_minor_without_binaries,
        ),
        trial("trouble::logs", logs),
        trial("trouble::plan", plan),
        trial("trouble::keep", keep),
        trial("trouble::verify", verify),
        trial(
            "trouble::flags_that_would_do_nothing",
            flags_that_would_do_nothing,
        ),
    ]
}

fn fails(stand_in: &str, words: &[&str]) {
    let folder = Folder::new();
    let output = folder.test(&[], stand_in);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in:\n{said}");
    }
    folder.is_clean();
}

fn none() {
    let folder = Folder::new();
    let output = folder.test(&[], "");
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{printed}{said}");
    assert!(printed.contains("all 2 snapshots agree"), "{printed}");
    for boot in ["by-label on 1.36", "by-file on 1.36"] {
        for stage in [
            "starting etcd and kube-apiserver",
            "v1.36",
            "1 of 1 cell",
            "gone after",
        ] {
            let told = said
                .lines()
                .any(|line| line.contains(boot) && line.contains(stage));
            assert!(told, "{boot}: {stage} is not in:\n{said}");
        }
    }
    folder.is_clean();
}

/// What a real server confirmed is told, until it changes or somebody edits it.
fn verify() {
    const FILE: &str = "snapshots/verified.yaml";
    const VERIFY: [&str; 5] = ["verify", "--backend", "apiserver", "--assets", "assets"];
    let folder = Folder::new();
    let verify = || folder.run(&VERIFY, &[("STAND_IN", "")]);
    let tells = |line: &str| {
        let printed = text(
            &folder
                .run(&["test", "-q", "--kubernetes", "1.36"], &[])
                .stdout,
        );
        assert!(printed.contains(line), "`{line}` is not in:\n{printed}");
    };
    tells("1.36: 8 outcomes, embedded only\n");

    let output = verify();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("real servers confirm 2 of 2 snapshots"),
        "{said}"
    );
    folder.is_clean();
    tells("1.36: 8 outcomes, confirmed on kube-apiserver 1.36.");
    let written = fs::read_to_string(folder.path(FILE)).expect(FILE);
    assert_eq!(verify().status.code(), Some(0));
    assert_eq!(fs::read_to_string(folder.path(FILE)).expect(FILE), written);

    folder.write(
        FILE,
        &written.replace("backend: apiserver", "backend: kind"),
    );
    tells("1.36: 8 outcomes, embedded only\n");
    tells("verified.yaml was edited");
    folder.write(FILE, &written);
    // Another answer, that a person accepts: no server has confirmed it.
    let label = "pod-security.kubernetes.io/enforce: ";
    let cluster = fs::read_to_string(folder.path("clusters/by-label.yaml")).expect("a cluster");
    let strict = cluster.replace(&format!("{label}baseline"), &format!("{label}restricted"));
    folder.write("clusters/by-label.yaml", &strict);
    folder.run(&["test", "--kubernetes", "1.36"], &[]);
    folder.run(&["review", "--accept"], &[]);
    tells("1.36: 8 outcomes, 4 confirmed on kube-apiserver 1.36.");
    tells("changed since a real server confirmed it: by-label/pods; podgate verify asks again");

    let output = folder.run(&VERIFY[..1], &[]);
    assert_eq!(output.status.code(), Some(2));
    let output = folder.run(&VERIFY, &[("CI", "true"), ("STAND_IN", "")]);
    let said = text(&output.stderr);
    assert!(said.contains("nothing is written in CI"), "{said}");
    assert_eq!(fs::read_to_string(folder.path(FILE)).expect(FILE), written);
}

fn a_slow_boot() {
    let folder = Folder::new();
    let go = folder.path("go");
    let mut run = folder.start(&[], &format!("waits for:{}", go.display()));
    run.until("waiting for /readyz");
    fs::write(&go, "").expect("a file");
    let (status, said) = run.ended();
    assert_eq!(status.code(), Some(0), "{said}");
    folder.is_clean();
}

fn a_port_that_is_taken_once() {
    let folder = Folder::new();
    let first = folder.path("first");
    let output = folder.test(&[], &format!("port taken once:{}", first.display()));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(first.exists());
    folder.is_clean();
}

fn a_plugin_that_is_not_loaded() {
    let folder = Folder::new();
    folder.write(
        "clusters/by-plugin.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: by-plugin}\n\
         spec: {apiServer: {enableAdmissionPlugins: [PodSecurity]}, kubernetes: '1.36'}\n",
    );
    let output = folder.test(&["--cluster", "by-plugin"], "ignores plugins");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the configuration did not take"), "{said}");
    assert!(said.contains("admission plugin PodSecurity"), "{said}");
    folder.is_clean();
}

fn no_binaries() {
    let folder = Folder::new();
    let assets = folder.path("assets");
    let fails = |words: &[&str]| {
        let output = folder.test(&[], "");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        for word in words {
            assert!(said.contains(word), "`{word}` is not in:\n{said}");
        }
        folder.is_clean();
    };
    fs::remove_file(assets.join("etcd")).expect("etcd");
    fails(&["there is no etcd beside", "hint: ", "setup-envtest"]);
    fs::remove_file(assets.join("kube-apiserver")).expect("kube-apiserver");
    fails(&["there is no kube-apiserver", "hint: ", "setup-envtest"]);
    folder.write(
        "assets/kube-apiserver",
        "#!/bin/sh\necho Kubernetes v0.0.0-master\n",
    );
    fails(&["is not executable", "hint: chmod +x"]);
    let program = assets.join("kube-apiserver");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
    fails(&["--version says no version of Kubernetes", "hint: "]);
    folder.write("assets/kube-apiserver", "no program at all");
    fails(&["cannot run", "hint: "]);
    fs::remove_dir_all(&assets).expect("the folder");
    fails(&["is no folder", "hint: "]);
}

fn a_minor_without_binaries() {
    let folder = Folder::new();
    // As setup-envtest keeps them.
    folder.assets("envtest/k8s/1.36.9-linux-amd64");
    let test = |args: &[&str]| {
        let base = ["test", "--backend", "apiserver", "--assets", "envtest"];
        folder.run(&[&base, args].concat(), &[])
    };
    // The minors of the clusters that there are binaries for; the rest is said to be left out.
    let output = test(&[]);
    let (printed, said) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{printed}{said}");
    assert!(
        printed.contains("not run by-label: 1.30..1.35"),
        "{printed}"
    );
    assert!(printed.contains("no kube-apiserver"), "{printed}");
    // One that was asked for.
    let output = test(&["--kubernetes", "1.35..1.36"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("there is no kube-apiserver of 1.35"),
        "{said}"
    );
    assert!(said.contains("setup-envtest use 1.35"), "{said}");
    // One that cannot be run is in nobody's way, and is told to who asks for what is not there.
    folder.write(
        "envtest/k8s/1.35.1-linux-amd64/kube-apiserver",
        "no program at all",
    );
    let output = test(&["--kubernetes", "1.36"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let broken = "1.35.1-linux-amd64/kube-apiserver is not executable";
    let said = text(&test(&["--kubernetes", "1.35"]).stderr);
    assert!(said.contains(broken), "{said}");
    let printed = text(&test(&[]).stdout).replace('\n', " ");
    assert!(printed.contains(broken), "{printed}");
    // None at all.
    folder.write(
        "clusters/by-label.yaml",
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {name: by-label}\n\
         spec: {kubernetes: '1.30'}\n",
    );
    let output = test(&["--cluster", "by-label"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    folder.is_clean();
}

fn logs() {
    let folder = Folder::new();
    let output = folder.test(&["--logs", "logs"], "refuses");
    assert_eq!(output.status.code(), Some(3));
    let boots = folder.names("logs");
    assert_eq!(boots.len(), 2, "{boots:?}");
    for boot in boots {
        let log = folder.path("logs").join(boot).join("kube-apiserver.log");
        let said = fs::read_to_string(&log).expect("a log");
        assert!(said.contains("command failed"), "{said}");
    }
    folder.is_clean();
}

fn plan() {
    let folder = Folder::new();
    // A server that is started would fail.
    let output = folder.test(&["--plan"], "etcd dies");
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for word in ["by-label", "by-file", "2 boots, 2 cells"] {
        assert!(printed.contains(word), "{printed}");
    }
    folder.is_clean();
}

fn flags_that_would_do_nothing() {
    let folder = Folder::new();
    for (args, words) in [
        (
            &["test", "--assets", "assets"][..],
            "--assets is for --backend apiserver",
        ),
        (
            &["test", "--keep"],
            "--keep is for --backend apiserver and --backend kind",
        ),
        (
            &["test", "--backend", "apiserver", "--image", "i"],
            "--image is for --backend kind",
        ),
    ] {
        let output = folder.run(args, &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }
    folder.is_clean();
}

fn keep() {
    let folder = Folder::new();
    let output = folder.test(&["--keep", "--cluster", "by-label"], "");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(folder.processes().len(), 2, "{said}");
    let kubeconfig = said
        .split("--kubeconfig ")
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    assert!(
        fs::read_to_string(kubeconfig.expect("a kubeconfig")).is_ok(),
        "{said}"
    );
    // It was kept on purpose: only who names it removes it.
    let output = folder.run(&["clean"], &[]);
    let said = text(&output.stderr);
    assert_eq!(folder.processes().len(), 2, "{said}");
    let id = said
        .split("podgate clean ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let output = folder.run(&["clean", id.expect("an id")], &[]);
    let printed = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{printed}{}",
        text(&output.stderr)
    );
    for thing in ["removed etcd", "removed kube-apiserver", "removed folder"] {
        assert!(printed.contains(thing), "{printed}");
    }
    folder.is_clean();
}

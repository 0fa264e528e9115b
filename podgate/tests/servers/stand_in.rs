//! What poses as etcd and as kube-apiserver. The variable `STAND_IN` says what goes wrong, or what is
//! waited for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use podgate_apiserver::serve::{self, Credentials, Options};
use podgate_apiserver::{ApiServer, Clock, Seeded};
use podgate_harness::lifecycle::{self, Run};
use podgate_harness::suite::Cluster;
use podgate_policy::Minor;

/// What to do; a word, and a path behind a colon where it is about one.
fn told() -> (String, String) {
    let told = std::env::var("STAND_IN").unwrap_or_default();
    let (what, path) = told.split_once(':').unwrap_or((&told, ""));
    (what.to_owned(), path.to_owned())
}

/// Poses as etcd: it does nothing until it is killed.
pub(crate) fn etcd() -> ExitCode {
    match told() {
        (what, _) if what == "etcd dies" => {
            eprintln!(
                r#"{{"level":"fatal","msg":"etcd failed","error":"cannot access data directory"}}"#
            );
            ExitCode::FAILURE
        }
        (what, first) if what == "port taken once" && fs::File::create_new(&first).is_ok() => {
            taken()
        }
        (what, _) if what == "port taken" => taken(),
        (what, path) if what == "etcd dies when" => {
            wait_for(Path::new(&path));
            ExitCode::FAILURE
        }
        _ => loop {
            thread::park();
        },
    }
}

/// Poses as a podgate that panics in the middle of a run: with a process, a folder and a thread.
pub(crate) fn panics() -> ExitCode {
    let run = Run::start(&lifecycle::Options::default()).expect("a run");
    let scratch = run.scratch("boot").expect("a folder");
    let etcd = std::env::args_os().nth(1).expect("the stand-in of etcd");
    let mut command = Command::new(etcd);
    command.arg(scratch.path());
    let log = run.log("boot", "etcd").expect("a log");
    let etcd = run.spawn("etcd", command, &log).expect("a process");
    println!("ready");
    thread::scope(|scope| {
        scope.spawn(|| {
            // The test looks at what is there before it goes on.
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).expect("a line");
            assert!(etcd.exited().is_some(), "a panic on purpose");
        });
    });
    ExitCode::SUCCESS
}

fn taken() -> ExitCode {
    eprintln!(
        r#"{{"level":"fatal","msg":"discovery failed","error":"listen tcp 127.0.0.1:1: bind: address already in use"}}"#
    );
    ExitCode::FAILURE
}

/// A stand-in waits for a file, as the other side of a test makes it.
fn wait_for(path: &Path) {
    while !path.exists() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Poses as kube-apiserver: the embedded server behind the flags of the real one.
pub(crate) fn kube_apiserver() -> ExitCode {
    let minor = std::env::var("STAND_IN_MINOR").unwrap_or_else(|_| "1.36".to_owned());
    let flags: BTreeMap<String, String> = std::env::args()
        .skip(1)
        .filter_map(|arg| {
            let (name, value) = arg.strip_prefix("--")?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect();
    if std::env::args().any(|arg| arg == "--version") {
        println!("Kubernetes v{minor}.9");
        return ExitCode::SUCCESS;
    }
    let (what, path) = told();
    if what == "refuses" {
        eprintln!(r#"E1123 13:00:00.1 7 run.go:72] "command failed" err="no such \"plugin\"""#);
        return ExitCode::FAILURE;
    }
    if what == "waits for" {
        wait_for(Path::new(&path));
    }
    serve(&minor, &flags, &what)
}

fn serve(minor: &str, flags: &BTreeMap<String, String>, what: &str) -> ExitCode {
    let flag = |name: &str| flags.get(name).map(String::as_str);
    let text = |name: &str| fs::read_to_string(flag(name).expect(name)).expect(name);
    let enabled = flag("enable-admission-plugins").unwrap_or_default();
    let loaded: Vec<&str> = enabled
        .split(',')
        .filter(|_| what != "ignores plugins")
        .collect();
    eprintln!(
        "I1123 plugins.go:157] Loaded {} validating admission controller(s) successfully in the following order: {}.",
        loaded.len(),
        loaded.join(",")
    );
    let minor: Minor = minor.parse().expect("a minor");
    let admission = flag("admission-control-config-file").filter(|_| what != "ignores files");
    let cluster = cluster(admission);
    let server = cluster.server(minor).expect("a configuration");
    let server = ApiServer::new(server, Seeded::new(1, Clock::default()));
    let tokens = text("token-auth-file");
    let options = Options {
        address: (
            [127, 0, 0, 1],
            flag("secure-port")
                .expect("a port")
                .parse()
                .expect("a port"),
        )
            .into(),
        credentials: Some(Credentials {
            certificate: text("tls-cert-file"),
            key: text("tls-private-key-file"),
            token: tokens.split(',').next().expect("a token").to_owned(),
        }),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listening = serve::listen(server, options).await.expect("it listens");
        listening.serve(std::future::pending()).await;
    });
    ExitCode::SUCCESS
}

/// A cluster with that admission configuration and nothing else. Its file goes with the run: a stand-in
/// is started in a folder of the run.
fn cluster(admission: Option<&str>) -> Cluster {
    let file = Path::new("stand-in.yaml");
    let api_server = admission.map_or_else(String::new, |path| {
        format!("spec: {{apiServer: {{admissionControlConfigFile: {path}}}}}\n")
    });
    let text = format!(
        "apiVersion: podgate.dev/v1alpha1\nkind: Cluster\nmetadata: {{name: c}}\n{api_server}"
    );
    fs::write(file, text).expect("written");
    Cluster::load(file).expect("a cluster")
}

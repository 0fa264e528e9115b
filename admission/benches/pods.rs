//! What reading a stored pod costs, and one request through the whole chain:
//! `cargo bench -p podgate-admission`. The pods are some of those that `cargo xtask bench` generates.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use podgate_admission::chain::{Server, admit};
use podgate_admission::decode::decode;
use podgate_admission::encode::encode;
use podgate_admission::json::Lexer;
use podgate_admission::request::{Body, FieldValidation, Operation, Request, User};
use podgate_admission::resource;
use podgate_admission::scan::{Scanned, Scanner, Spare};
use podgate_admission::schema::roots;
use podgate_policy::Minor;
use serde_json::json;

#[path = "../tests/truth/world.rs"]
mod world;

use world::{Names, Objects};

const PODS: &str = include_str!("pods.jsonl");
const MINOR: Minor = Minor::NEWEST;

fn pods() -> Vec<&'static [u8]> {
    PODS.lines().map(str::as_bytes).collect()
}

fn read(criterion: &mut Criterion) {
    let pods = pods();
    let bytes = pods.iter().map(|pod| pod.len() as u64).sum();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("skip", |bencher| {
        bencher.iter(|| {
            for pod in &pods {
                Lexer::new(black_box(pod)).skip().expect("it is JSON");
            }
        });
    });
    let scanner = Scanner::new(MINOR);
    group.bench_function("scan", |bencher| {
        let mut spare = Spare::default();
        bencher.iter(|| {
            for pod in &pods {
                let read = scanner.pod(black_box(pod), &mut spare);
                spare.take_back(black_box(read.expect("the scan reads it")));
            }
        });
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| {
            for pod in &pods {
                black_box(decode(black_box(pod), &roots::POD, MINOR).expect("a pod"));
            }
        });
    });
    let decoded: Vec<_> = pods
        .iter()
        .map(|pod| decode(pod, &roots::POD, MINOR).expect("a pod").object)
        .collect();
    group.bench_function("view of the decoded", |bencher| {
        bencher.iter(|| {
            for pod in &decoded {
                black_box(Scanned::of(black_box(pod)));
            }
        });
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            for pod in &decoded {
                black_box(encode(black_box(pod), &roots::POD, MINOR));
            }
        });
    });
    group.finish();
}

fn chain(criterion: &mut Criterion) {
    let server = Server::new(MINOR);
    let user = User::default();
    let mut group = criterion.benchmark_group("a request through the chain");
    for (level, code) in [("privileged", 201), ("restricted", 403)] {
        let mut objects = Objects::default();
        let labels = json!({"pod-security.kubernetes.io/enforce": level});
        objects.namespace("n", &labels);
        let mut create = || {
            let request = Request {
                operation: Operation::Create,
                resource: resource::by_kind("v1", "Pod", MINOR).expect("pods are served"),
                subresource: None,
                namespace: "n",
                name: "",
                user: &user,
                dry_run: true,
                field_validation: FieldValidation::Warn,
                body: Body::Json(black_box(POD.as_bytes())),
                old: None,
            };
            admit(&server, &objects, &mut Names::default(), request)
        };
        let found = match create().outcome {
            Ok(_) => 201,
            Err(status) => status.code,
        };
        assert_eq!(found, code);
        group.bench_function(BenchmarkId::new("create a pod", level), |bencher| {
            bencher.iter(&mut create);
        });
    }
    group.finish();
}

/// As somebody applies it: restricted does not admit it.
const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"app":"web"}},"spec":{"containers":[
    {"name":"app","image":"registry.example.com/app:1","ports":[{"containerPort":8080}],"env":[{"name":"A","value":"b"}],
    "resources":{"limits":{"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"100m","memory":"256Mi"}},
    "livenessProbe":{"httpGet":{"path":"/healthz","port":8080}},"volumeMounts":[{"name":"tmp","mountPath":"/tmp"}]}],
    "volumes":[{"name":"tmp","emptyDir":{}}]}}"#;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    read(&mut criterion);
    chain(&mut criterion);
    criterion.final_summary();
}

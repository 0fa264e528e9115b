//! What the loop of `podgate audit` costs, one chunk of it: `cargo bench -p podgate-harness`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use podgate_harness::audit::{Chunk, Detail, Judge, Namespaces};
use podgate_harness::check::{Policy, Target};
use podgate_policy::Minor;

/// The pods that `podgate-admission` is measured with, twenty times each.
fn chunk() -> Chunk {
    let pods = Path::new(env!("CARGO_MANIFEST_DIR")).join("../admission/benches/pods.jsonl");
    Chunk {
        file: "pods.jsonl".into(),
        bytes: std::fs::read(pods).expect("the pods").repeat(20),
        line: 1,
        ..Chunk::default()
    }
}

fn judge(minor: Minor, detail: Detail) -> Judge {
    let target = Target {
        cluster: None,
        minor,
    };
    let flags = Policy {
        enforce: "restricted".parse().ok(),
        ..Policy::default()
    };
    Judge::new(&target, flags, None, detail).expect("a judge")
}

fn judged(criterion: &mut Criterion) {
    let chunk = chunk();
    let mut group = criterion.benchmark_group("audit");
    group.throughput(Throughput::Bytes(chunk.bytes.len() as u64));
    // Where there is no Pod Security, what is left is the scan and the lines.
    for (name, minor, detail) in [
        ("scan, a line each", Minor::OLDEST, Detail::Lines),
        ("scan, evaluate, a line each", Minor::NEWEST, Detail::Lines),
        ("scan, evaluate, a report", Minor::NEWEST, Detail::Groups),
    ] {
        let judge = judge(minor, detail);
        let mut namespaces = Namespaces::default();
        judge.namespace(&mut namespaces, "team-1", &BTreeMap::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| judge.judge(black_box(&chunk), &namespaces));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    judged(&mut criterion);
    criterion.final_summary();
}

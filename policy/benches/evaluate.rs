//! What a policy costs for a pod that is there already: `cargo bench -p podgate-policy`.

use std::hint::black_box;

use criterion::Criterion;
use podgate_policy::view::{Capabilities, Container, Pod, SecurityContext, Volume};
use podgate_policy::{Level, LevelVersion, Minor, Server, evaluate, text};

const CONTAINERS: usize = 3;

/// A pod with what restricted asks for, or without any of it.
fn pod(hardened: bool) -> Pod<'static> {
    let container = |index| Container {
        index,
        name: "app",
        host_ports: vec![0],
        security_context: if hardened {
            SecurityContext {
                allow_privilege_escalation: Some(false),
                capabilities: Some(Capabilities {
                    add: Vec::new(),
                    drop: vec!["ALL"],
                }),
                ..SecurityContext::default()
            }
        } else {
            SecurityContext::default()
        },
        ..Container::default()
    };
    let source = |source| Volume {
        name: "volume",
        source: Some(source),
    };
    Pod {
        security_context: SecurityContext {
            run_as_non_root: hardened.then_some(true),
            seccomp: hardened.then_some("RuntimeDefault"),
            ..SecurityContext::default()
        },
        containers: (0..CONTAINERS).map(container).collect(),
        volumes: ["configMap", "emptyDir", "projected"].map(source).into(),
        ..Pod::default()
    }
}

fn policies(criterion: &mut Criterion) {
    let server = Server::new(Minor::NEWEST);
    let latest = |level: Level| -> LevelVersion { level.to_string().parse().expect("a level") };
    let mut group = criterion.benchmark_group("evaluate");
    for (name, level, hardened) in [
        ("baseline, admitted", Level::Baseline, true),
        ("restricted, admitted", Level::Restricted, true),
        ("restricted, rejected", Level::Restricted, false),
    ] {
        let (policy, pod) = (latest(level), pod(hardened));
        assert_eq!(evaluate(server, policy, &pod).is_empty(), hardened);
        group.bench_function(name, |bencher| {
            bencher.iter(|| evaluate(server, policy, black_box(&pod)));
        });
    }
    group.finish();

    let policy = latest(Level::Restricted);
    let violations = evaluate(server, policy, &pod(false));
    criterion.bench_function("the message of a denial", |bencher| {
        bencher.iter(|| text::deny(server, policy, black_box(&violations)));
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    policies(&mut criterion);
    criterion.final_summary();
}

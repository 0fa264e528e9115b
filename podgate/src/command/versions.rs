//! `podgate versions`: the Kubernetes versions that podgate answers for.

use std::fmt::Write;

use podgate_harness::backend::k3s::images as k3s;
use podgate_harness::backend::kind::images::{CgroupV1, NodeImage};
use podgate_harness::error::Error;
use podgate_policy::{Minor, Server};
use serde_json::{Value, json};

use crate::args::VersionsArgs;
use crate::exit::Exit;
use crate::show;
use crate::show::style::{FAINT, Painted, STRONG};
use crate::show::verdicts;

pub(crate) fn run(args: &VersionsArgs) -> Result<Exit, Error> {
    let versions: Vec<Value> = Minor::all().map(version).collect();
    let text = match show::serialized(&versions, args.output)? {
        Some(text) => text,
        None => table(&versions),
    };
    show::data(&text)?;
    Ok(Exit::Expected)
}

/// Minors whose recorded answers no build of podgate was compared with: none were to be had.
const FROM_SOURCE_ONLY: [u8; 4] = [20, 22, 24, 37];

/// Whether there are no recorded answers of a real server of `minor`.
pub(crate) fn from_source_only(minor: Minor) -> bool {
    FROM_SOURCE_ONLY.contains(&minor.number())
}

fn version(minor: Minor) -> Value {
    let server = Server::new(minor);
    let image = NodeImage::of(minor);
    json!({
        "kubernetes": minor.to_string(),
        "podSecurity": match minor.number() {
            ..=21 => "absent",
            22 => "alpha, off by default",
            23 | 24 => "beta, on by default",
            _ => "stable",
        },
        "podSecurityPolicy": match minor.number() {
            ..=24 => "off by default",
            _ => "removed",
        },
        "newestPolicy": server.newest_policy().map(|number| format!("v1.{number}")),
        "compared": if from_source_only(minor) { "from source only" } else { "with a real server's answers" },
        "kind": {
            "image": image.to_string(),
            "pinned": image.digest.is_some(),
            "oldestKind": image.built_for.to_string(),
            "cgroupV1": image.on_cgroup_v1().to_string(),
            "source": image.source(),
        },
        "k3s": {"image": k3s::image(minor), "pinned": false},
    })
}

fn table(versions: &[Value]) -> String {
    const HEADER: [&str; 5] = [
        "Kubernetes",
        "Pod Security Admission",
        "newest policy",
        "PodSecurityPolicy",
        "compared",
    ];
    const KEYS: [&str; 5] = [
        "kubernetes",
        "podSecurity",
        "newestPolicy",
        "podSecurityPolicy",
        "compared",
    ];
    let rows: Vec<[String; 5]> = versions
        .iter()
        .map(|row| KEYS.map(|key| row[key].as_str().unwrap_or("-").to_owned()))
        .collect();
    let mut text = columns(&HEADER, &rows);
    let note = "One minor stands for all its patch releases: none of them changed a verdict.";
    let note = verdicts::filled(note, "", "", show::width());
    let _ = write!(text, "\n{}\n", Painted(FAINT, &note));
    text + &kind()
}

/// What a kind cluster of each minor needs, and the images of k3s.
fn kind() -> String {
    const HEADER: [&str; 5] = [
        "Kubernetes",
        "node image of kind",
        "digest",
        "oldest kind",
        "on cgroup v1",
    ];
    let rows: Vec<[String; 5]> = Minor::all()
        .map(|minor| {
            let image = NodeImage::of(minor);
            [
                minor.to_string(),
                format!("kindest/node:{}", image.tag),
                // Enough to recognize it; -o json has all of it.
                image.digest.map_or("unpinned", |d| &d[..12]).to_owned(),
                image.built_for.to_string(),
                match image.on_cgroup_v1() {
                    CgroupV1::Runs => String::new(),
                    constraint => constraint.to_string(),
                },
            ]
        })
        .collect();
    let note = "Pulled by digest, as the release notes of that kind list it; -o json names the page of each. \
        `--image` puts another in its place.";
    let note = verdicts::filled(note, "", "", show::width());
    let tags: Vec<&str> = Minor::all().map(k3s::tag).collect();
    let k3s = format!("Images of k3s, rancher/k3s, unpinned: {}.", tags.join(", "));
    let note = note + &verdicts::filled(&k3s, "", "", show::width());
    format!("{}\n{}", columns(&HEADER, &rows), Painted(FAINT, &note))
}

/// A table without wrapping.
fn columns<const N: usize>(header: &[&str; N], rows: &[[String; N]]) -> String {
    let mut widths = header.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    let line = |cells: &[&str]| -> String {
        let padded = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = String::new();
    let _ = writeln!(text, "{}", Painted(STRONG, &line(header)));
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let _ = writeln!(text, "{}", line(&cells));
    }
    text
}

//! Files of a volume that hide each other (`warningsForOverlappingVirtualPaths`).

use super::Warnings;
use crate::quote::quote;
use crate::value::Value;
use crate::versions;

/// A file, and what it comes from; nothing where there is only one source.
#[derive(Clone, PartialEq)]
struct File {
    path: String,
    source: String,
}

impl File {
    fn told(&self) -> String {
        let path = quote(&self.path);
        match self.source.as_str() {
            "" => path,
            source => format!("{path} ({source})"),
        }
    }
}

pub(super) fn overlaps(out: &mut Warnings, spec: &Value<'_>) {
    for volume in spec.list_at(&["volumes"]) {
        let name = volume.text_at(&["name"]);
        for (source, label, of) in [
            ("configMap", "ConfigMap", Some("name")),
            ("secret", "Secret", Some("secretName")),
            ("downwardAPI", "DownwardAPI", None),
        ] {
            let Some(source) = volume.get(source) else {
                continue;
            };
            let what = match of {
                Some(of) => format!("{label} {}", quote(source.text_at(&[of]))),
                None => label.to_owned(),
            };
            let mut before = Vec::new();
            tell(out, name, &what, &mut before, items(source, ""));
        }
        if let Some(projected) = volume.get("projected") {
            projection(out, name, projected);
        }
    }
}

fn projection(out: &mut Warnings, name: &str, projected: &Value<'_>) {
    let (mut before, mut files) = (Vec::new(), Vec::new());
    for source in projected.list_at(&["sources"]) {
        if source
            .as_object()
            .is_none_or(crate::value::Object::is_empty)
        {
            out.add(format!(
                "volume {} (Projected) has no sources provided",
                quote(name)
            ));
            continue;
        }
        match files_of(source) {
            Some(found) => files = found,
            // Until 1.33 the paths of the source before are looked at again.
            None if versions::OVERLAPPING_PATHS_CARRIED.contain(out.minor) => {}
            None => files.clear(),
        }
        tell(out, name, "Projected", &mut before, files.clone());
    }
}

/// The files of one projection; `None` where it names none.
fn files_of(source: &Value<'_>) -> Option<Vec<File>> {
    let named = |kind: &str, name: &str| format!("{kind} {}", quote(name));
    let file = |path: &str, source: &str| File {
        path: path.to_owned(),
        source: source.to_owned(),
    };
    let listed = |key: &str| source.get(key).filter(|s| s.get("items").is_some());
    if let Some(map) = listed("configMap") {
        return Some(items(map, &named("ConfigMap", map.text_at(&["name"]))));
    }
    if let Some(secret) = listed("secret") {
        return Some(items(secret, &named("Secret", secret.text_at(&["name"]))));
    }
    if let Some(downward) = listed("downwardAPI") {
        return Some(items(downward, "DownwardAPI"));
    }
    if let Some(token) = source.get("serviceAccountToken") {
        return Some(vec![file(token.text_at(&["path"]), "ServiceAccountToken")]);
    }
    if let Some(bundle) = source.get("clusterTrustBundle") {
        let name = bundle.get("name").or_else(|| bundle.get("signerName"));
        let name = name.and_then(Value::as_str).unwrap_or_default();
        let source = named("ClusterTrustBundle", name);
        return Some(vec![file(bundle.text_at(&["path"]), &source)]);
    }
    let certificate = source.get("podCertificate")?;
    let parts = [
        ("certificateChainPath", "PodCertificate chain"),
        ("keyPath", "PodCertificate key"),
        ("credentialBundlePath", "PodCertificate credential bundle"),
    ];
    let files = parts.into_iter().filter_map(|(key, what)| {
        let path = certificate.text_at(&[key]);
        (!path.is_empty()).then(|| file(path, what))
    });
    Some(files.collect())
}

fn items(source: &Value<'_>, what: &str) -> Vec<File> {
    let items = source.list_at(&["items"]).iter();
    items
        .map(|item| File {
            path: item.text_at(&["path"]).to_owned(),
            source: what.to_owned(),
        })
        .collect()
}

fn tell(out: &mut Warnings, name: &str, what: &str, before: &mut Vec<File>, files: Vec<File>) {
    for mut file in files {
        file.path.truncate(file.path.trim_end_matches('/').len());
        for other in before.iter().filter(|other| collide(other, &file)) {
            out.add(format!(
                "volume {} ({what}): overlapping paths: {} with {}",
                quote(name),
                file.told(),
                other.told()
            ));
        }
        before.push(file);
    }
}

/// Whether one is the other, or lies below it.
fn collide(one: &File, other: &File) -> bool {
    if one.path.is_empty() || other.path.is_empty() {
        return false;
    }
    let (a, b) = (format!("{}/", one.path), format!("{}/", other.path));
    a.starts_with(&b) || b.starts_with(&a)
}

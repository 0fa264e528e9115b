//! Merges the types of all minors: each field with the minors that have it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};

use super::defaults::Default;
use super::go::{self, Kind, Types};

/// What is written to the tables.
#[derive(Debug)]
pub(super) struct Tables {
    /// The newest and the oldest minor.
    pub oldest: u8,
    pub newest: u8,
    /// Every struct by ID.
    pub structs: BTreeMap<String, Struct>,
    /// The IDs of the served kinds' structs.
    pub roots: BTreeSet<String>,
}

/// A struct over all minors.
#[derive(Debug)]
pub(super) struct Struct {
    pub go: String,
    /// The first minor in which server-side apply takes it as a whole.
    pub atomic_since: Option<u8>,
    pub fields: Vec<Field>,
}

/// A field with the minors that have it.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The Go field; its markers are in `apply`.
    pub go: go::Field,
    pub apply: Apply,
    pub since: u8,
    pub until: u8,
    /// The value in Rust, of type `Scalar`.
    pub default: Option<String>,
}

/// The variants of the tables' `Apply`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Apply {
    Granular,
    Atomic,
    Set,
    Map(Vec<String>),
}

impl Apply {
    /// From the markers; for a list without one from the patch strategy, as
    /// `getListElementRelationship` in `k8s.io/kube-openapi/pkg/schemaconv` has it.
    fn of(field: &go::Field, structs: &BTreeMap<&str, &go::Struct>) -> Result<Self> {
        let go::Markers {
            list_type,
            list_map_keys,
            map_type,
            struct_type,
        } = &field.markers;
        let strategy = field.patch_strategy.as_deref().unwrap_or_default();
        let key = &field.patch_merge_key;
        let marker = match field.ty.kind {
            Kind::List => match list_type.as_str() {
                "map" if !list_map_keys.is_empty() => return Ok(Self::Map(list_map_keys.clone())),
                "set" => return Ok(Self::Set),
                "" if strategy.iter().any(|s| s == "merge") && key.is_empty() => {
                    return Ok(Self::Set);
                }
                "" if strategy.iter().any(|s| s == "merge") => {
                    return Ok(Self::Map(vec![key.clone()]));
                }
                "" => "atomic",
                list_type => list_type,
            },
            Kind::Map => map_type,
            Kind::Struct if struct_type.is_empty() => {
                let id = field.ty.id.as_deref().unwrap_or_default();
                structs.get(id).map_or("", |s| &s.markers.struct_type)
            }
            Kind::Struct => struct_type,
            _ => "",
        };
        match marker {
            "" | "granular" => Ok(Self::Granular),
            "atomic" => Ok(Self::Atomic),
            other => bail!("{}: {other:?} is no way to merge it", field.name),
        }
    }
}

/// Merges the types of the minors, which stand oldest first.
pub(super) fn merge(minors: &[(u8, Types)]) -> Result<Tables> {
    let (oldest, newest) = match minors {
        [(oldest, _), .., (newest, _)] => (*oldest, *newest),
        _ => bail!("codegen needs two minors or more"),
    };
    let mut by_id: BTreeMap<&str, Vec<(u8, &go::Struct)>> = BTreeMap::new();
    let mut roots = BTreeSet::new();
    for (minor, types) in minors {
        roots.extend(types.roots.values().cloned());
        for s in &types.structs {
            by_id.entry(&s.id).or_default().push((*minor, s));
        }
    }
    let types_of: BTreeMap<u8, BTreeMap<&str, &go::Struct>> = minors
        .iter()
        .map(|(minor, types)| {
            let by_id = types.structs.iter().map(|s| (s.id.as_str(), s));
            (*minor, by_id.collect())
        })
        .collect();
    let mut structs = BTreeMap::new();
    for (id, minors) in by_id {
        let s = Struct {
            go: minors[0].1.go.clone(),
            atomic_since: atomic_since(&minors).with_context(|| id.to_owned())?,
            fields: merge_fields(&minors, &types_of).with_context(|| id.to_owned())?,
        };
        structs.insert(id.to_owned(), s);
    }
    Ok(Tables {
        oldest,
        newest,
        structs,
        roots,
    })
}

/// The fields of one struct in the order of the newest minor that has it; a field that only older
/// ones have stands behind the field that it followed there.
fn merge_fields(
    minors: &[(u8, &go::Struct)],
    types_of: &BTreeMap<u8, BTreeMap<&str, &go::Struct>>,
) -> Result<Vec<Field>> {
    let mut names: Vec<&str> = Vec::new();
    for (_, s) in minors.iter().rev() {
        let mut at = 0;
        for field in &s.fields {
            if let Some(known) = names.iter().position(|n| *n == field.name) {
                at = known + 1;
            } else {
                names.insert(at, &field.name);
                at += 1;
            }
        }
    }
    let mut fields = Vec::new();
    for name in names {
        let mut entries: Vec<Field> = Vec::new();
        for (minor, s) in minors {
            let Some(field) = s.fields.iter().find(|f| f.name == name) else {
                continue;
            };
            let apply = Apply::of(field, &types_of[minor])?;
            let field = go::Field {
                markers: go::Markers::default(),
                ..field.clone()
            };
            match entries.last_mut() {
                Some(last)
                    if last.until + 1 == *minor && last.go == field && last.apply == apply =>
                {
                    last.until = *minor;
                }
                _ => entries.push(Field {
                    go: field,
                    apply,
                    since: *minor,
                    until: *minor,
                    default: None,
                }),
            }
        }
        fields.extend(entries.into_iter().rev());
    }
    Ok(fields)
}

/// The first minor in which the struct is atomic; it must stay so.
fn atomic_since(minors: &[(u8, &go::Struct)]) -> Result<Option<u8>> {
    let is_atomic = |s: &go::Struct| s.markers.struct_type == "atomic";
    let first = minors.iter().position(|(_, s)| is_atomic(s));
    if let Some(first) = first {
        ensure!(
            minors[first..].iter().all(|(_, s)| is_atomic(s)),
            "it was atomic, and then no more"
        );
    }
    Ok(first.map(|first| minors[first].0))
}

/// Puts the defaults into the fields that they name, splitting a field where only some of its
/// minors have the default.
pub(super) fn apply_defaults(tables: &mut Tables, defaults: &[Default]) -> Result<()> {
    for default in defaults {
        let since = default.since.unwrap_or(tables.oldest);
        let until = default.until.unwrap_or(tables.newest);
        let mut named = false;
        for s in tables.structs.values_mut() {
            if unqualified(&s.go) != default.structure {
                continue;
            }
            let mut fields = Vec::with_capacity(s.fields.len());
            for field in s.fields.drain(..) {
                let from = field.since.max(since);
                let to = field.until.min(until);
                if field.go.name != default.field || from > to {
                    fields.push(field);
                    continue;
                }
                named = true;
                ensure!(
                    field.default.is_none(),
                    "{default}: two defaults for one minor"
                );
                let value = default
                    .value_for(&field.go)
                    .with_context(|| default.to_string())?;
                if to < field.until {
                    fields.push(Field {
                        since: to + 1,
                        ..field.clone()
                    });
                }
                fields.push(Field {
                    since: from,
                    until: to,
                    default: Some(value),
                    ..field.clone()
                });
                if field.since < from {
                    fields.push(Field {
                        until: from - 1,
                        ..field
                    });
                }
            }
            s.fields = fields;
        }
        ensure!(named, "{default}: there is no such field");
    }
    Ok(())
}

/// `PodSpec` of `v1.PodSpec`.
pub(super) fn unqualified(go: &str) -> &str {
    go.rsplit_once('.').map_or(go, |(_, name)| name)
}

#[cfg(test)]
mod tests;

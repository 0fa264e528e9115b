//! The phrases that details are made of.
//!
//! Upstream: `policy/helpers.go`, and the texts that its checks repeat.

use crate::view::Container;

/// `"a", "b"`: raw texts in quotes, nothing escaped (`joinQuote`).
pub(super) fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut list = String::new();
    for item in items {
        list.push_str(if list.is_empty() { "\"" } else { ", \"" });
        list.push_str(item.as_ref());
        list.push('"');
    }
    list
}

/// The word for `count` things (`pluralize`).
pub(super) const fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

/// `container "a"` or `containers "a", "b"`, in the order given.
pub(super) fn containers(bad: &[&Container<'_>]) -> String {
    let names = quoted(bad.iter().map(|container| container.name));
    format!("{} {names}", plural(bad.len(), "container", "containers"))
}

/// Who set something: `pod`, `containers "a", "b"`, or both joined by ` and `.
pub(super) fn setters(pod: bool, bad: &[&Container<'_>]) -> String {
    match (pod, bad) {
        (true, []) => "pod".to_owned(),
        (true, bad) => format!("pod and {}", containers(bad)),
        (false, bad) => containers(bad),
    }
}

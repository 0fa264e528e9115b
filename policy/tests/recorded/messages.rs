//! Every message of Pod Security, read back as checks.

use podgate_policy::{Check, Server, checks_in_message};
use serde_json::Value;

/// Every text of a JSON value.
fn texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, visit)),
        Value::Object(fields) => fields.values().for_each(|item| texts(item, visit)),
        _ => {}
    }
}

/// The reasons of a detail. In the recordings no name holds a parenthesis, so they are what stands
/// outside of parentheses; a last one that is not followed by a parenthesis was cut off.
fn reasons(detail: &str) -> Vec<&str> {
    let pieces = detail
        .split_inclusive(')')
        .filter_map(|piece| piece.split_once(" ("));
    pieces
        .map(|(reason, _)| reason.trim_start_matches(", "))
        .collect()
}

/// The ids must account for every reason of the message, in order.
#[track_caller]
fn check(server: Server, message: &str) -> bool {
    let Some((_, rest)) = message.split_once("PodSecurity \"") else {
        return false;
    };
    let Some((_, detail)) = rest.split_once("\": ") else {
        return false;
    };
    // Where the warnings of one answer are too long together, each is cut to 256 characters.
    let is_cut = message.chars().count() == 256;
    assert!(is_cut || detail.ends_with(')'), "{message}");

    let ids = checks_in_message(server, message);
    let named = ids
        .iter()
        .map(|id| Check::find(id).expect("an id of the table"));
    let reasons = reasons(detail);
    assert_eq!(
        ids.len(),
        reasons.len(),
        "{} {message}: {ids:?}",
        server.minor()
    );
    assert!(
        named
            .zip(reasons)
            .all(|(check, reason)| check.reasons.contains(&reason)),
        "{} {message}: {ids:?}",
        server.minor()
    );
    true
}

#[test]
fn account_for_every_reason() {
    let mut count = 0;
    let at_hand = super::visit("", |minor, line| {
        texts(line, &mut |text| {
            count += usize::from(check(Server::new(minor), text));
        });
    });
    assert!(!at_hand || count > 10_000, "only {count} messages");
}

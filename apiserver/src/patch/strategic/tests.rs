//! Strategic merge patches of pods, from upstream's rules.

use podgate_admission::resource::by_kind;
use rstest::rstest;
use serde_json::json;

use super::*;

fn merged(original: &Json, patch: &Json) -> Result<Json, Status> {
    let minor = Minor::known(36);
    let schema = by_kind("v1", "Pod", minor).expect("pods").schema;
    let object = |json: &Json| json.as_object().expect("an object").clone();
    merge(object(original), object(patch), Some(schema), minor).map(Json::Object)
}

fn containers(names: &[&str]) -> Json {
    json!(
        names
            .iter()
            .map(|name| json!({"name": name}))
            .collect::<Vec<_>>()
    )
}

#[rstest]
#[case::maps_are_merged(json!({"a": "1", "b": "2"}), json!({"b": null, "c": "3"}), json!({"a": "1", "c": "3"}))]
#[case::maps_are_replaced(json!({"a": "1"}), json!({"$patch": "replace", "c": "3"}), json!({"c": "3"}))]
#[case::maps_are_deleted(json!({"a": "1"}), json!({"$patch": "delete"}), json!({}))]
fn labels(#[case] original: Json, #[case] patch: Json, #[case] expected: Json) {
    let nested = |labels: Json| json!({"metadata": {"labels": labels}});
    let found = merged(&nested(original), &nested(patch)).expect("merged");
    assert_eq!(found, nested(expected));
}

#[rstest]
#[case::new_items_go_first(&["a", "b"], json!({"containers": [{"name": "c"}]}), &["c", "a", "b"])]
#[case::items_stay_in_place(&["a", "b"], json!({"containers": [{"name": "b"}, {"name": "c"}]}), &["a", "b", "c"])]
#[case::the_patch_orders_its_own(&["a", "b"], json!({"containers": [{"name": "b"}, {"name": "a"}]}), &["b", "a"])]
#[case::items_are_deleted(&["a", "b"], json!({"containers": [{"name": "a", "$patch": "delete"}]}), &["b"])]
#[case::lists_are_replaced(&["a", "b"], json!({"containers": [{"name": "c"}, {"$patch": "replace"}]}), &["c"])]
#[case::order_alone(&["a", "b", "c"], json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]}), &["b", "c", "a"])]
#[case::order_with_items(&["a", "b"], json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}], "containers": [{"name": "c"}]}), &["c", "a", "b"])]
fn lists_by_key(#[case] original: &[&str], #[case] patch: Json, #[case] expected: &[&str]) {
    let original = json!({"spec": {"containers": containers(original)}});
    let found = merged(&original, &json!({"spec": patch})).expect("merged");
    assert_eq!(found, json!({"spec": {"containers": containers(expected)}}));
}

#[test]
fn an_item_is_merged_into_the_one_with_its_key() {
    let original = json!({"spec": {"containers": [{"name": "c", "image": "nginx", "tty": true}]}});
    let patch = json!({"spec": {"containers": [{"name": "c", "image": "nginx:2", "tty": null}]}});
    let found = merged(&original, &patch).expect("merged");
    assert_eq!(
        found,
        json!({"spec": {"containers": [{"name": "c", "image": "nginx:2"}]}})
    );
}

#[rstest]
#[case::merged(json!({"finalizers": ["b", "c"]}), json!(["a", "b", "c"]))]
#[case::deleted(json!({"$deleteFromPrimitiveList/finalizers": ["a"]}), json!(["b"]))]
#[case::ordered(json!({"$setElementOrder/finalizers": ["c", "a"], "finalizers": ["c"]}), json!(["c", "a", "b"]))]
fn lists_of_scalars(#[case] patch: Json, #[case] expected: Json) {
    let original = json!({"metadata": {"finalizers": ["a", "b"]}});
    let found = merged(&original, &json!({"metadata": patch})).expect("merged");
    assert_eq!(found["metadata"]["finalizers"], expected);
}

#[test]
fn lists_without_a_strategy_are_replaced() {
    let original = json!({"spec": {"containers": [{"name": "c", "command": ["a", "b"]}]}});
    let patch = json!({"spec": {"containers": [{"name": "c", "command": ["c"]}]}});
    let found = merged(&original, &patch).expect("merged");
    assert_eq!(found["spec"]["containers"][0]["command"], json!(["c"]));
}

#[test]
fn keys_that_are_not_retained_go() {
    let original = json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}});
    let patch = json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}});
    let found = merged(&original, &patch).expect("merged");
    assert_eq!(
        found["spec"]["volumes"],
        json!([{"name": "v", "hostPath": {"path": "/"}}])
    );
}

#[test]
fn what_is_new_has_neither_nulls_nor_directives() {
    let patch = json!({"spec": {"securityContext": {"runAsUser": null, "runAsGroup": 1, "seccompProfile": {"$patch": "delete"}}}});
    let found = merged(&json!({"spec": {}}), &patch).expect("merged");
    assert_eq!(
        found,
        json!({"spec": {"securityContext": {"runAsGroup": 1}}})
    );
}

// As 1.36 answered.
#[rstest]
#[case(json!({"spec": {"containers": [{"image": "y"}]}}), "map: map[image:y] does not contain declared merge key: name")]
#[case(json!({"spec": {"containers": [{"$patch": "foo", "name": "c"}]}}), "unknown patch type: foo in map: map[$patch:foo name:c]")]
#[case(json!({"spec": {"$setElementOrder/containers": [{"name": "zz"}], "containers": [{"name": "c", "image": "q"}]}}), "The order in patch list:\n[map[image:q name:c]]\n doesn't match $setElementOrder list:\n[map[name:zz]]\n")]
fn words_of_go(#[case] patch: Json, #[case] message: &str) {
    let original = json!({"spec": {"containers": [{"name": "c"}]}});
    let status = merged(&original, &patch).expect_err("refused");
    assert_eq!((status.code, status.message.as_str()), (500, message));
}

#[rstest]
#[case(json!({"$patch": "what"}), 500)]
#[case(json!({"spec": {"containers": [{"image": "nginx"}]}}), 500)]
#[case(json!({"spec": {"$retainKeys": ["containers"], "hostNetwork": true}}), 422)]
#[case(json!({"spec": {"$setElementOrder/containers": {}}}), 400)]
fn refusals(#[case] patch: Json, #[case] code: u16) {
    let original = json!({"spec": {"containers": [{"name": "c"}]}});
    assert_eq!(merged(&original, &patch).expect_err("refused").code, code);
}

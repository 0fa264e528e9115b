//! What is owned after writes, and what an apply changes, on objects as they are stored.

use podgate_admission::decode::decode_untyped;
use podgate_admission::encode::encode_untyped;
use podgate_admission::resource::{self, Resource};
use podgate_admission::value::Value;
use podgate_policy::Minor;
use rstest::rstest;

use super::set::Set;
use super::{Applied, Write};

fn value(json: &str) -> Value<'static> {
    decode_untyped(json.as_bytes()).expect("JSON").into_owned()
}

fn resource(name: &str, minor: Minor) -> &'static Resource {
    let (group, name) = name.split_once('/').unwrap_or(("", name));
    resource::by_path(group, "v1", name, minor).expect("served")
}

/// An object through a number of writes, at one second each.
struct Object {
    minor: Minor,
    resource: &'static Resource,
    live: Option<Value<'static>>,
    seconds: usize,
}

impl Object {
    fn new(name: &str, minor: u8) -> Self {
        let minor = Minor::known(minor);
        let resource = resource(name, minor);
        Self {
            minor,
            resource,
            live: None,
            seconds: 0,
        }
    }

    fn write<'a>(&self, manager: &'a str, now: &'a str) -> Write<'a> {
        Write {
            minor: self.minor,
            resource: self.resource,
            subresource: None,
            manager,
            now,
        }
    }

    fn now(&mut self) -> String {
        self.seconds += 1;
        format!("2026-01-01T00:00:{:02}Z", self.seconds)
    }

    fn store(&mut self, mut object: Value<'static>, entries: Vec<Value<'static>>) {
        let fields = object.as_object_mut().expect("an object");
        fields
            .object_mut("metadata")
            .insert("managedFields", entries);
        self.live = Some(object);
    }

    fn update(&mut self, manager: &str, json: &str) -> &mut Self {
        let (now, new) = (self.now(), value(json));
        let entries = self
            .write(manager, &now)
            .update(self.live.as_ref(), &new, None, true);
        self.store(new, entries);
        self
    }

    fn try_apply(&mut self, manager: &str, force: bool, json: &str) -> Result<(), String> {
        let now = self.now();
        let Applied { object, entries } = self
            .write(manager, &now)
            .apply(self.live.as_ref(), &value(json), force)
            .map_err(|status| format!("{} {}", status.code, status.message))?;
        self.store(object, entries);
        Ok(())
    }

    fn apply(&mut self, manager: &str, json: &str) -> &mut Self {
        self.try_apply(manager, false, json).expect("applied");
        self
    }

    /// Who owns what: a line for each entry.
    fn owners(&self) -> Vec<String> {
        let live = self.live.as_ref().expect("an object");
        let entries = live.list_at(&["metadata", "managedFields"]).iter();
        entries
            .map(|entry| {
                let fields = entry.get("fieldsV1").map(encode_untyped).expect("fields");
                let text = |key: &str| entry.text_at(&[key]).to_owned();
                format!("{} {} {fields}", text("manager"), text("operation"))
            })
            .collect()
    }

    fn at(&self, key: &str) -> String {
        let live = self.live.as_ref().expect("an object");
        live.get(key).map(encode_untyped).unwrap_or_default()
    }
}

const MAP: &str = r#""apiVersion":"v1","kind":"ConfigMap""#;

fn map(rest: &str) -> String {
    format!(r#"{{{MAP},"metadata":{{"name":"m"}}{rest}}}"#)
}

#[rstest]
#[case(r#"{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}"#)]
#[case(r#"{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{}}}}}"#)]
#[case(r#"{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}"#)]
#[case(r#"{"f:finalizers":{".":{},"v:\"a.io/b\"":{},"v:\"c.io/d\"":{}}}"#)]
#[case("{}")]
fn sets_are_written_as_they_are_read(#[case] json: &str) {
    let set = Set::parse(&value(json)).expect("a set");
    assert_eq!(encode_untyped(&set.to_value()), json);
}

#[rstest]
#[case(r#"{"x":{}}"#)]
#[case(r#"{"k:[]":{}}"#)]
#[case(r#"{"f:a":1}"#)]
fn what_is_no_set_is_refused(#[case] json: &str) {
    Set::parse(&value(json)).expect_err("no set");
}

#[test]
fn an_update_owns_what_it_changes() {
    let mut object = Object::new("configmaps", 36);
    object.update("one", &map(r#","data":{"a":"1","b":"1"}"#));
    assert_eq!(
        object.owners(),
        [r#"one Update {"f:data":{".":{},"f:a":{},"f:b":{}}}"#]
    );
    object.update("two", &map(r#","data":{"a":"2","b":"1","c":"1"}"#));
    assert_eq!(
        object.owners(),
        [
            r#"one Update {"f:data":{".":{},"f:b":{}}}"#,
            r#"two Update {"f:data":{"f:a":{},"f:c":{}}}"#,
        ]
    );
    // What is gone nobody owns.
    object.update("one", &map(""));
    assert_eq!(object.owners(), [""; 0]);
}

#[test]
fn what_is_not_applied_any_more_goes_unless_others_own_it() {
    let mut object = Object::new("configmaps", 36);
    object.apply("one", &map(r#","data":{"a":"1","b":"1","c":"1"}"#));
    object.apply("two", &map(r#","data":{"b":"1"}"#));
    object.apply("one", &map(r#","data":{"a":"1"}"#));
    assert_eq!(object.at("data"), r#"{"a":"1","b":"1"}"#);
    assert_eq!(
        object.owners(),
        [
            r#"two Apply {"f:data":{"f:b":{}}}"#,
            r#"one Apply {"f:data":{"f:a":{}}}"#,
        ]
    );
}

#[test]
fn a_conflict_names_who_owns_what() {
    let mut object = Object::new("configmaps", 36);
    object.apply("one", &map(r#","data":{"a":"1"}"#));
    let changed = map(r#","data":{"a":"2"}"#);
    assert_eq!(
        object.try_apply("two", false, &changed),
        Err(r#"409 Apply failed with 1 conflict: conflict with "one": .data.a"#.to_owned())
    );
    object.try_apply("two", true, &changed).expect("forced");
    assert_eq!(object.owners(), [r#"two Apply {"f:data":{"f:a":{}}}"#]);
}

#[test]
fn conflicts_with_updates_name_the_version() {
    let mut object = Object::new("configmaps", 36);
    object.update("one", &map(r#","data":{"a":"1","b":"1"}"#));
    assert_eq!(
        object.try_apply("two", false, &map(r#","data":{"a":"2","b":"2"}"#)),
        Err(
            "409 Apply failed with 2 conflicts: conflicts with \"one\" using v1:\n- .data.a\n- \
             .data.b"
                .to_owned()
        )
    );
}

#[test]
fn kubectl_takes_over_from_its_client_side_apply() {
    let last = r#"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"m\"},\"data\":{\"a\":\"1\"}}"#;
    let annotated = |value: &str| {
        format!(
            r#"{{{MAP},"metadata":{{"name":"m","annotations":{{"kubectl.kubernetes.io/last-applied-configuration":"{last}"}}}},"data":{{"a":"{value}"}}}}"#
        )
    };
    let mut object = Object::new("configmaps", 36);
    object.update("kubectl-client-side-apply", &annotated("1"));
    object.apply("kubectl", &map(r#","data":{"a":"2"}"#));
    assert_eq!(object.at("data"), r#"{"a":"2"}"#);
    // The annotation follows, sorted and with a line feed.
    let metadata = object.at("metadata");
    assert!(metadata.contains(r#"{\"apiVersion\":\"v1\",\"data\":{\"a\":\"2\"},\"kind\""#));
    let mut other = Object::new("configmaps", 36);
    other.update("kubectl-client-side-apply", &annotated("changed"));
    other
        .try_apply("kubectl", false, &map(r#","data":{"a":"2"}"#))
        .expect_err("somebody changed it since");
}

#[rstest]
#[case(
    r#","bogus":1"#,
    "500 failed to create typed patch object (/m; /v1, Kind=ConfigMap): .bogus: field not declared in schema"
)]
#[case(
    r#","data":"x""#,
    "500 failed to create typed patch object (/m; /v1, Kind=ConfigMap): .data: expected map, got &{x}"
)]
#[case(
    r#","data":{"a":1}"#,
    "500 failed to create typed patch object (/m; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}"
)]
#[case(
    r#","immutable":"x""#,
    "500 failed to create typed patch object (/m; /v1, Kind=ConfigMap): .immutable: expected boolean, got &{x}"
)]
fn what_does_not_fit_the_schema(#[case] rest: &str, #[case] expected: &str) {
    let mut object = Object::new("configmaps", 36);
    assert_eq!(
        object.try_apply("one", false, &map(rest)),
        Err(expected.to_owned())
    );
}

#[test]
fn items_stay_where_the_applied_list_and_the_live_one_have_them() {
    let pod = |containers: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[{containers}]}}}}"#
        )
    };
    let mut object = Object::new("pods", 36);
    object.update("one", &pod(r#"{"name":"a"},{"name":"b"},{"name":"c"}"#));
    object.apply("two", &pod(r#"{"name":"c"},{"name":"d"},{"name":"a"}"#));
    let spec = object.at("spec");
    let names: Vec<_> = spec
        .match_indices(r#""name":""#)
        .map(|(at, m)| &spec[at + m.len()..][..1])
        .collect();
    assert_eq!(names, ["b", "c", "d", "a"]);
}

#[test]
fn the_oldest_of_too_many_updaters_share_an_entry() {
    let mut object = Object::new("configmaps", 36);
    let mut data = Vec::new();
    for at in 0..12 {
        data.push(format!(r#""k{at:02}":"1""#));
        object.update(
            &format!("m{at:02}"),
            &map(&format!(r#","data":{{{}}}"#, data.join(","))),
        );
    }
    let owners = object.owners();
    assert_eq!(owners.len(), 10);
    assert_eq!(
        owners[0],
        r#"ancient-changes Update {"f:data":{".":{},"f:k00":{},"f:k01":{},"f:k02":{}}}"#
    );
}

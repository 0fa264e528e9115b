//! What an edit means, told of the value and not of its text: the measure of the text.

use serde_json::{Map, Value};

use super::{Edit, Leaf};
use crate::Segment;

/// A value after `edit` of what lies at `path`; `None` where the edit does not fit it.
pub(super) fn edited(mut value: Value, path: &[Segment], edit: &Edit) -> Option<Value> {
    let mut target = &mut value;
    for segment in path {
        target = match segment {
            Segment::Key(key) => target.get_mut(key)?,
            Segment::Index(index) => target.get_mut(index)?,
        };
    }
    change(target, edit)?;
    Some(value)
}

fn change(value: &mut Value, edit: &Edit) -> Option<()> {
    match edit {
        Edit::Set(leaf) => {
            if value.is_object() || value.is_array() {
                return None;
            }
            *value = scalar(leaf);
        }
        Edit::Append(items) => {
            if value.is_null() {
                *value = Value::Array(Vec::new());
            }
            value.as_array_mut()?.extend(items.iter().map(scalar));
        }
        Edit::Members(members) => {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            let object = value.as_object_mut()?;
            for (key, edit) in members {
                change(object.entry(key).or_insert(Value::Null), edit)?;
            }
        }
        Edit::Items(items) => {
            for (index, edit) in items {
                change(value.get_mut(index)?, edit)?;
            }
        }
    }
    Some(())
}

fn scalar(leaf: &Leaf) -> Value {
    match leaf {
        Leaf::Bool(value) => Value::Bool(*value),
        Leaf::Text(text) => Value::String(text.clone()),
    }
}

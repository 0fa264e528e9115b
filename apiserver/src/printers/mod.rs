//! The rows of tables: what `kubectl get` shows of an object.
//!
//! The columns of each kind are data, in `columns`; what no path of the object says is a function
//! in `cells`, and the status of a pod is in `pod`.
//!
//! Upstream: `k8s.io/kubernetes/pkg/printers/internalversion/printers.go`, and for the kinds that it
//! has no printer for `k8s.io/apiserver/pkg/registry/rest/table.go`. The descriptions of columns are
//! left empty.

mod age;
mod cells;
mod columns;
mod pod;

use podgate_admission::resource::Resource;
use podgate_admission::value::{Object, Value};
use podgate_policy::Minor;

use cells::{labels, selector};

/// A path from the object's root.
type Path = &'static [&'static str];

/// A column of a table.
#[derive(Debug)]
struct Column {
    name: &'static str,
    /// `string`, `integer`, `boolean` or `date`
    ty: &'static str,
    /// `name` or nothing
    format: &'static str,
    /// Whether only `kubectl get -o wide` shows it.
    wide: bool,
    /// The first minor that has it (as the number behind the dot).
    since: u8,
    /// The last minor that has it.
    until: u8,
    cell: Cell,
}

/// What a column shows.
#[derive(Debug)]
enum Cell {
    /// The text at a path, or the other text where there is none.
    Text(Path, &'static str),
    /// The number at a path; 0 where there is none.
    Int(Path),
    /// The truth value at a path; false where there is none.
    Bool(Path),
    /// How long ago the time at a path was.
    Since(Path),
    /// How many entries the lists or maps at these paths have.
    Count(&'static [Path]),
    /// Two numbers: `1/3`.
    Ratio(Path, Path),
    /// One text of each container of the list at a path.
    Containers(Path, &'static str),
    /// The labels at a path.
    Labels(Path),
    /// The label selector at a path, and what is shown where it selects all.
    Selector(Path, &'static str),
    /// Anything else.
    With(fn(&Printed<'_>) -> Value<'static>),
}

/// An object that is printed, when and by which minor.
struct Printed<'p> {
    object: &'p Value<'p>,
    now: &'p str,
    minor: Minor,
}

/// The definitions of the columns of a table of `resource`.
pub(crate) fn column_definitions(resource: &Resource, minor: Minor) -> Value<'static> {
    let definitions = columns::of(resource, minor).map(|column| {
        let mut definition = Object::from_iter([
            ("name", column.name),
            ("type", column.ty),
            ("format", column.format),
            ("description", ""),
        ]);
        definition.insert("priority", i64::from(column.wide));
        Value::from(definition)
    });
    Value::from(definitions.collect::<Vec<_>>())
}

/// The cells of one row.
pub(crate) fn cells(
    resource: &Resource,
    object: &Value<'_>,
    now: &str,
    minor: Minor,
) -> Value<'static> {
    let printed = Printed { object, now, minor };
    let cells = columns::of(resource, minor).map(|column| printed.cell(&column.cell));
    Value::from(cells.collect::<Vec<_>>())
}

/// The conditions of one row, where it has some: that a pod is over.
pub(crate) fn row_conditions(resource: &Resource, object: &Value<'_>) -> Option<Value<'static>> {
    let pod = resource.group.is_empty() && resource.name == "pods";
    let (reason, message) = match object.text_at(&["status", "phase"]) {
        "Succeeded" if pod => ("Succeeded", "The pod has completed successfully."),
        "Failed" if pod => ("Failed", "The pod failed."),
        _ => return None,
    };
    let condition = Object::from_iter([
        ("type", "Completed"),
        ("status", "True"),
        ("reason", reason),
        ("message", message),
    ]);
    Some(Value::from(vec![Value::from(condition)]))
}

/// Whether the table of a list without items has no list of rows either, as the printer of upstream
/// that serves all kinds without their own leaves it.
pub(crate) fn empty_is_null(resource: &Resource) -> bool {
    columns::is_default(resource)
}

impl Printed<'_> {
    fn cell(&self, cell: &Cell) -> Value<'static> {
        match cell {
            Cell::Text(path, absent) => match self.object.text_at(path) {
                "" => Value::from(*absent),
                text => Value::from(text.to_owned()),
            },
            Cell::Int(path) => Value::from(self.int(path)),
            Cell::Bool(path) => Value::Bool(
                self.object
                    .at(path)
                    .and_then(Value::as_bool)
                    .unwrap_or_default(),
            ),
            Cell::Since(path) => Value::from(self.since(self.object.text_at(path))),
            Cell::Count(paths) => {
                Value::from(paths.iter().map(|path| self.count(path)).sum::<i64>())
            }
            Cell::Ratio(some, all) => Value::from(format!("{}/{}", self.int(some), self.int(all))),
            Cell::Containers(path, key) => {
                let texts = self.object.list_at(path).iter().map(|c| c.text_at(&[key]));
                Value::from(texts.collect::<Vec<_>>().join(","))
            }
            Cell::Labels(path) => Value::from(labels(self.object.at(path))),
            Cell::Selector(path, all) => match selector(self.object.at(path)) {
                text if text.is_empty() => Value::from(*all),
                text => Value::from(text),
            },
            Cell::With(cell) => cell(self),
        }
    }

    fn int(&self, path: &[&str]) -> i64 {
        self.object
            .at(path)
            .and_then(Value::as_int)
            .unwrap_or_default()
    }

    fn count(&self, path: &[&str]) -> i64 {
        let count = match self.object.at(path) {
            Some(Value::List(items)) => items.len(),
            Some(Value::Object(entries)) => entries.len(),
            _ => 0,
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    fn since(&self, time: &str) -> String {
        age::between(time, self.now)
    }
}

#[cfg(test)]
mod tests;

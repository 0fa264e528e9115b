//! One request, and what the admission chain answers to it.

use std::sync::Arc;

use crate::resource::Resource;
use crate::status::Status;
use crate::value::Value;

/// Who asks: `user.Info` after impersonation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The user's name; `system:serviceaccount:NAMESPACE:NAME` for service accounts.
    pub name: String,
    /// The groups, `system:authenticated` among them.
    pub groups: Vec<String>,
}

/// What is to be done with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// POST
    Create,
    /// PUT or PATCH
    Update,
    /// DELETE
    Delete,
}

/// How unknown and duplicate fields are treated (`?fieldValidation=`, from 1.25).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped in silence.
    Ignore,
    /// Each is a warning; the server's default since 1.25.
    #[default]
    Warn,
    /// Each is an error.
    Strict,
}

/// The object of a request.
#[derive(Debug)]
pub enum Body<'a> {
    /// As the client sent it, JSON.
    Json(&'a [u8]),
    /// Already decoded: the result of a patch.
    Decoded(Value<'a>),
}

/// One request to the API server, as far as admission is concerned.
#[derive(Debug)]
pub struct Request<'a> {
    /// Create, update or delete.
    pub operation: Operation,
    /// What kind of object.
    pub resource: &'static Resource,
    /// The subresource: `ephemeralcontainers`.
    pub subresource: Option<&'a str>,
    /// The namespace of the URL; empty for cluster-scoped resources.
    pub namespace: &'a str,
    /// The name in the URL; empty on create.
    pub name: &'a str,
    /// Who asks.
    pub user: &'a User,
    /// Whether nothing is to be stored.
    pub dry_run: bool,
    /// What to do about unknown and duplicate fields; without effect before 1.25.
    pub field_validation: FieldValidation,
    /// The object.
    pub body: Body<'a>,
    /// The stored object, on update and delete.
    pub old: Option<&'a Value<'static>>,
}

/// The other objects, as plugins look them up.
pub trait World {
    /// The object `name` of `resource` in `namespace` (empty for cluster-scoped resources).
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value<'static>>>;

    /// All objects of `resource` in `namespace` (empty: in all), oldest first.
    fn list(&self, resource: &str, namespace: &str) -> Vec<Arc<Value<'static>>>;
}

/// Where generated names, uids and times come from, so that a run can be repeated.
pub trait Source {
    /// A suffix of five characters for `generateName` and for the token volume.
    fn suffix(&mut self) -> String;
    /// A uid.
    fn uid(&mut self) -> String;
    /// Now, as RFC 3339 in whole seconds with `Z`.
    fn now(&mut self) -> String;
}

/// What the chain answers.
#[derive(Debug)]
pub struct Response<'a> {
    /// The object as it would be stored, or why not.
    pub outcome: Result<Value<'a>, Status>,
    /// The texts of the `Warning` headers, in order, as a client receives them.
    pub warnings: Vec<String>,
    /// The audit annotations with their keys, in the order in which they were made.
    pub audit: Vec<(String, String)>,
}

//! The Status object: what the server answers where it does not answer with the object.

/// `meta/v1.Status` of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP code.
    pub code: u16,
    /// `reason`: `Forbidden`, `Invalid`, `NotFound` ...
    pub reason: &'static str,
    /// `message`, as the user reads it.
    pub message: String,
    /// `details`
    pub details: Option<Box<Details>>,
}

/// `meta/v1.StatusDetails`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The name of the object; empty where it has none.
    pub name: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind, or the resource: upstream writes either here.
    pub kind: String,
    /// What exactly is wrong.
    pub causes: Vec<Cause>,
    /// After how many seconds a client may try again; zero where nothing is said.
    pub retry_after_seconds: u32,
}

/// `meta/v1.StatusCause`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid` and the like.
    pub reason: &'static str,
    /// The text behind the field's path.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

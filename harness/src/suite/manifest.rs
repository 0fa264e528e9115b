//! An object of a user's file: what is sent to the server, and where it stands.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use podgate_admission::decode::{self, decode};
use podgate_admission::resource::{self, Resource};
use podgate_manifest::{Document, FieldPath, Segment};
use podgate_policy::Minor;

use super::read;
use crate::error::Error;
use crate::template::Template;

/// An object as it will be sent, with the place where the user wrote it.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The document.
    pub document: Document,
    /// What kubectl would send: JSON.
    pub body: String,
    /// Its name, or what its generated name starts with; empty where it has neither.
    pub name: String,
    /// Whether the server makes up the rest of the name.
    pub generated_name: bool,
    /// Where it has a pod template, where its kind is not Kubernetes' own: a pod of that is asked about.
    pub template: Option<Arc<Template>>,
}

impl Manifest {
    /// Every object of a file, or of the files of a folder in the order of their names.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, Error> {
        let mut manifests = Vec::new();
        for file in read::files(path)? {
            for document in read::documents(&file)? {
                manifests.extend(Self::from_document(document)?);
            }
        }
        Ok(manifests)
    }

    /// The objects of a document: one, or the items of a list.
    pub fn from_document(document: Document) -> Result<Vec<Self>, Error> {
        let mut manifests = Vec::new();
        for document in document.flatten() {
            let document = document?;
            manifests.push(Self::new(document));
        }
        Ok(manifests)
    }

    /// The object in a document that is no list.
    #[must_use]
    pub fn new(document: Document) -> Self {
        let body = document.body().into_owned();
        let prefix = || {
            let object: serde_json::Value = serde_json::from_str(&body).ok()?;
            object["metadata"]["generateName"]
                .as_str()
                .map(str::to_owned)
        };
        let (name, generated_name) = match document.name() {
            Some(name) => (name.to_owned(), false),
            None => prefix().map_or((String::new(), false), |prefix| (prefix, true)),
        };
        Self {
            document,
            body,
            name,
            generated_name,
            template: None,
        }
    }

    /// The same object as one with a pod template. An error says that there is none.
    pub fn with_template(
        mut self,
        template: &Arc<Template>,
    ) -> Result<Self, podgate_manifest::Error> {
        let object: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        if template.pod(&object).is_none() {
            let message = format!("there is no pod template at {}", template.path.join("."));
            let hint =
                "the object may refer to one elsewhere; then that is to be judged".to_owned();
            let path = template.segments();
            return Err(self.document.error_at(&path, false, message, Some(hint)));
        }
        self.template = Some(Arc::clone(template));
        Ok(self)
    }

    /// What a server is asked about: the object, or a pod of its template.
    #[must_use]
    pub fn asked(&self) -> Cow<'_, str> {
        let pod = || {
            let object = serde_json::from_str(&self.body).ok()?;
            self.template.as_ref()?.pod(&object)
        };
        match &self.template {
            None => Cow::Borrowed(self.body.as_str()),
            Some(_) => Cow::Owned(pod().unwrap_or_default().to_string()),
        }
    }

    /// The resource of what a server is asked about; `None` where the minor has none.
    #[must_use]
    pub fn resource(&self, minor: Minor) -> Option<&'static Resource> {
        match &self.template {
            None => resource::by_kind(self.api_version(), self.kind(), minor),
            Some(_) => resource::by_kind("v1", "Pod", minor),
        }
    }

    /// Where what a server is asked about stands in the object.
    #[must_use]
    pub fn prefix(&self) -> Vec<Segment> {
        let template = self.template.as_ref();
        template.map(|it| it.segments()).unwrap_or_default()
    }

    /// Its kind; empty where it has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.document.kind().unwrap_or_default()
    }

    /// Its `apiVersion`; empty where it has none.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.document.api_version().unwrap_or_default()
    }

    /// `Kind/name`, as outcomes and expectations name it.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}/{}", self.kind(), self.name)
    }

    /// An error at one of its fields, with what to do about it.
    #[must_use]
    pub fn error_at(
        &self,
        path: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Error {
        read::at(&self.document, path, message, hint)
    }

    /// What is wrong with an object that a server of `minor` cannot read: its `message`, at the
    /// value in the user's file. `body` is the object as it was sent.
    #[must_use]
    pub fn unreadable(
        &self,
        body: &str,
        resource: &'static Resource,
        minor: Minor,
        message: &str,
    ) -> Error {
        let path: Vec<Segment> = match decode(body.as_bytes(), resource.schema, minor) {
            Ok(_) => Vec::new(),
            Err(error) => {
                let path = error.location.path.iter().map(segment);
                self.prefix().into_iter().chain(path).collect()
            }
        };
        let hint = match (path.is_empty(), wanted(message)) {
            (true, _) => format!("Kubernetes {minor} cannot read this as a {}", resource.kind),
            (false, wanted) => {
                let field = FieldPath(path.clone());
                format!("{field} of a {} {wanted}", resource.kind)
            }
        };
        self.document
            .error_at(&path, true, message, Some(hint))
            .into()
    }
}

fn segment(segment: &decode::Segment) -> Segment {
    match segment {
        decode::Segment::Key(key) => Segment::from(key.as_str()),
        decode::Segment::Index(index) => Segment::from(*index),
    }
}

/// What a field wants, by what the decoder says: `... of type bool` since 1.23, `ReadBool: ...`
/// before (json-iterator).
fn wanted(message: &str) -> &'static str {
    let r#type = message.rsplit_once(" of type ").map(|(_, name)| name);
    match r#type {
        Some("bool") => "is true or false, without quotes",
        Some("string") => "is a text: put it in quotes",
        Some("int32" | "int64") => "is a whole number, without quotes and without a fraction",
        Some(name) if name.starts_with("[]") => "is a list",
        Some(name) if name.starts_with("map[") => "is a mapping",
        None if message.contains("ReadBool") => "is true or false, without quotes",
        None if message.contains("ReadString") => "is a text: put it in quotes",
        None if message.contains("decode slice:") => "is a list",
        None if message.contains("readUint") || message.contains("ReadInt") => {
            "is a whole number, without quotes and without a fraction"
        }
        _ => "is of another type",
    }
}

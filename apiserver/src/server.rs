//! The server as a [`tower_service::Service`]: from a request to a verb, and back to a response.
//!
//! Upstream: `k8s.io/apiserver/pkg/server/config.go`, `DefaultBuildHandlerChain`, for the order of
//! the steps.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::request::Parts;
use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use percent_encoding::percent_decode_str;
use podgate_admission::chain::{self, Server};
use podgate_admission::plugins::pod_security_policy::Explanation;
use podgate_admission::quote::quote;
use podgate_admission::request::{
    Operation, Request as AdmissionRequest, Response as AdmissionResponse, User,
};
use podgate_admission::resource::Resource;
use podgate_admission::status::Status;

use crate::answer::{Answer, Body};
use crate::call::{self, Call, Route};
use crate::negotiation::negotiate;
use crate::options::Options;
use crate::path::{Path, ResourcePath, Verb};
use crate::selector::FieldSelector;
use crate::source::Seeded;
use crate::state::State;
use crate::watch::{Timer, Watches};
use crate::{
    authorize, bootstrap, controllers, discovery, failure, health, openapi, owned, protobuf,
    registry, user, verb, version,
};

/// How many bytes the body of a request may have (`MaxRequestBodyBytes`).
const LARGEST_BODY: usize = 3 * 1024 * 1024;
/// How much of a body that is too large is read all the same: a client that is cut off while it sends
/// does not see the answer.
const MOST_DISCARDED: usize = 64 * 1024 * 1024;

/// A body of more than [`LARGEST_BODY`] bytes.
struct TooLarge;

/// An API server in this process.
///
/// Clones are the same server, as a service's clones have to be; [`fork`](Self::fork) makes another.
#[derive(Clone, Debug)]
pub struct ApiServer {
    server: Arc<Server>,
    state: Arc<Mutex<State>>,
    /// What watches have in common; without it there are none.
    watches: Option<Watches>,
    /// Made when somebody asks for one of them.
    openapi: Arc<OnceLock<openapi::Documents>>,
}

impl ApiServer {
    /// Starts a server: its configuration, and where its names, uids and times come from.
    #[must_use]
    pub fn new(server: Server, source: Seeded) -> Self {
        let state = bootstrap::state(server.minor(), source);
        Self {
            server: Arc::new(server),
            state: Arc::new(Mutex::new(state)),
            watches: None,
            openapi: Arc::default(),
        }
    }

    /// The same server, keeping track of who owns which fields from now on (`managedFields`), as a
    /// real one always does. Without it only what was applied says so: tracking makes every write
    /// about twice as slow. What is there already belongs to the server itself.
    #[must_use]
    pub fn tracking_fields(self) -> Self {
        owned::start(self.server.minor(), &mut self.lock());
        self
    }

    /// Another server of the same configuration, with the objects that this one has now. It costs
    /// about nothing, and what happens to one from now on does not happen to the other. It cannot be
    /// watched, and knows nothing of the past.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            server: Arc::clone(&self.server),
            state: Arc::new(Mutex::new(self.lock().clone())),
            watches: None,
            openapi: Arc::clone(&self.openapi),
        }
    }

    /// Lets this server be watched, and the past be listed: it keeps the last `most` changes from now on.
    /// `timer` makes what is over after a time, on whatever runtime the answers are read. Forks of it
    /// know nothing of that.
    pub fn keep_history(&mut self, most: usize, timer: Timer) {
        self.lock().store.keep_history(most);
        self.watches = Some(Watches::new(timer));
    }

    /// Ends all watches, and those that are still to come.
    pub fn end_watches(&self) {
        if let Some(history) = self.lock().store.history() {
            history.close();
        }
    }

    /// Runs one request through the admission chain alone, for callers in this process that ask in
    /// bulk. It is not authorized, and nothing is stored, whatever the request says.
    #[must_use]
    pub fn admit<'a>(&self, request: AdmissionRequest<'a>) -> AdmissionResponse<'a> {
        let state = &mut *self.lock();
        if request.operation != Operation::Create {
            controllers::settle(&self.server, state);
        }
        let State { store, source, .. } = state;
        chain::admit(&self.server, store, source, request)
    }

    /// Does the same, and tells of every `PodSecurityPolicy` what came of it; `None` where that plugin
    /// did not look for one.
    #[must_use]
    pub fn admit_explained<'a>(
        &self,
        request: AdmissionRequest<'a>,
    ) -> (AdmissionResponse<'a>, Option<Explanation>) {
        let State { store, source, .. } = &mut *self.lock();
        chain::admit_explained(&self.server, store, source, request)
    }

    /// Whether `user` may create objects of `resource` in `namespace`, which is what the server asks
    /// before anything else; the failure is its answer where not.
    pub fn authorize_create(
        &self,
        user: &User,
        resource: &Resource,
        namespace: &str,
    ) -> Result<(), Status> {
        let path = ResourcePath {
            group: resource.group,
            version: resource.version,
            namespace: if resource.namespaced { namespace } else { "" },
            resource: resource.name,
            name: "",
            subresource: None,
            longer: false,
            watch: false,
        };
        authorize::resource(&self.lock().store, user, Some(Verb::Create), &path)
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &Server {
        &self.server
    }

    /// The state. A panic while it was held left it between two requests, since every write is one
    /// call.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, parts: &Parts, body: Result<&[u8], &TooLarge>) -> Answer {
        let impersonated = match user::of(&parts.headers) {
            Ok(user) => user,
            Err(status) => return status.into(),
        };
        let user = impersonated.unwrap_or_else(user::admin);
        let decoded = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        match Path::parse(&decoded) {
            Path::Other(path) => self.other(parts, path, &user),
            Path::Unclear => unclear(&parts.uri),
            Path::Resource(path) => {
                let answer = self.resource(parts, &path, &user, body);
                match negotiate(&parts.headers) {
                    Ok(wanted) if wanted.protobuf => answer.into_protobuf(self.server.minor()),
                    _ => answer,
                }
            }
        }
    }

    fn other(&self, parts: &Parts, path: &str, user: &User) -> Answer {
        let minor = self.server.minor();
        let method = &parts.method;
        let verb = method.as_str().to_ascii_lowercase();
        if let Err(status) = authorize::other(&self.lock().store, user, &verb, path) {
            return Answer::forbidden(&status);
        }
        let path = path.trim_end_matches('/');
        let found = if path == "/version" {
            Some(Answer::document(&version::document(minor)))
        } else if openapi::is_below(path, minor) {
            let documents = self.openapi.get_or_init(|| openapi::Documents::new(minor));
            Some(documents.answer(path, parts, minor))
        } else {
            health::answer(path, parts.uri.query().unwrap_or_default())
                .or_else(|| discovery::answer(path, parts, minor))
        };
        let Some(found) = found else {
            return no_document(path);
        };
        if matches!(*method, Method::GET | Method::HEAD) {
            found
        } else {
            failure::method_not_allowed().into()
        }
    }

    fn resource(
        &self,
        parts: &Parts,
        path: &ResourcePath<'_>,
        user: &User,
        body: Result<&[u8], &TooLarge>,
    ) -> Answer {
        let options = match Options::parse(parts.uri.query().unwrap_or_default()) {
            Ok(options) => options,
            Err(status) => return status.into(),
        };
        let minor = self.server.minor();
        let verb = Verb::of(&parts.method, path, options.watch);
        let state = &mut *self.lock();
        // Who lists by name asks for what a role may name.
        let asked = match verb {
            Some(Verb::List | Verb::Watch) if path.name.is_empty() => ResourcePath {
                name: FieldSelector::name_in(&options.field_selector).unwrap_or_default(),
                ..*path
            },
            _ => *path,
        };
        if let Err(status) = authorize::resource(&state.store, user, verb, &asked) {
            return Answer::forbidden(&status);
        }
        let (resource, subresource) = match call::route(path, verb, minor) {
            Route::To(resource, subresource) => (resource, subresource),
            Route::NoGroup => return Answer::no_page(),
            Route::Nothing => return Status::no_such_path().into(),
            Route::NotAllowed => return failure::method_not_allowed().into(),
        };
        if path.watch && parts.method != Method::GET {
            return failure::method_not_allowed().into();
        }
        if let Some(subresource) = subresource.filter(|name| registry::is_at_node(name)) {
            controllers::settle(&self.server, state);
            let query = parts.uri.query().unwrap_or_default();
            return verb::at_node(state, path, subresource, query, minor);
        }
        let Some(verb) = verb else {
            return failure::method_not_allowed().into();
        };
        // What is served in a version on its way out says so in every answer, refusals too.
        let warned = |answer: Answer| answer.warning_first(resource.deprecation_warning(minor));
        let representation = match negotiate(&parts.headers) {
            Ok(representation) => representation,
            Err(status) => return warned(status.into()),
        };
        let reads = matches!(verb, Verb::Get | Verb::List | Verb::Watch);
        let body = match body {
            Ok(body) => body,
            // A body that nobody asked for is not looked at.
            Err(TooLarge) if reads => &[],
            Err(TooLarge) => {
                let limit = format!("limit is {LARGEST_BODY}");
                return warned(Status::request_too_large(&limit).into());
            }
        };
        let content_type = call::content_type(&parts.headers);
        // What is sent as protobuf goes on as JSON. Of a patch it is no type.
        let deletes = matches!(verb, Verb::Delete | Verb::DeleteCollection);
        let read = content_type == protobuf::TYPE
            && !reads
            && verb != Verb::Patch
            && !(deletes && body.is_empty());
        let converted = read.then(|| call::json_of(body, resource, subresource, verb, minor));
        let converted = match converted.transpose() {
            Ok(converted) => converted,
            Err(status) => return warned(status.into()),
        };
        let (body, content_type) = match &converted {
            Some(json) => (&**json, "application/json"),
            None => (body, content_type),
        };
        let call = Call {
            minor,
            resource,
            subresource,
            namespace: if resource.namespaced {
                path.namespace
            } else {
                ""
            },
            name: path.name,
            user,
            field_manager: call::field_manager(&options, &parts.headers),
            options,
            representation,
            now: state.source.time(),
            content_type,
            body,
        };
        // The controllers have seen all that was written before, except for a question about what
        // would be created, which does not depend on what they make.
        if !(verb == Verb::Create && call.options.dry_run()) {
            controllers::settle(&self.server, state);
        }
        let answer = warned(match verb {
            Verb::Get | Verb::Update | Verb::Patch if subresource == Some("scale") => {
                verb::scale(&self.server, state, &call, verb)
            }
            Verb::Create if subresource == Some("eviction") => {
                verb::evict(&self.server, state, &call)
            }
            Verb::Create if subresource == Some("binding") => verb::bind(state, &call),
            Verb::Create if registry::is_review(resource) => verb::review(state, &call),
            Verb::Create => verb::create(&self.server, state, &call),
            Verb::Get => verb::get(state, &call),
            Verb::List => verb::list(state, &call),
            Verb::Watch => match &self.watches {
                Some(watches) => verb::watch(state, &self.state, watches, &call),
                None => failure::method_not_allowed().into(),
            },
            Verb::Update => verb::update(&self.server, state, &call),
            Verb::Patch => verb::patch(&self.server, state, &call),
            Verb::Delete => verb::delete(&self.server, state, &call),
            Verb::DeleteCollection => verb::delete_collection(&self.server, state, &call),
        });
        // Who watches sees what the controllers make of it without asking again.
        if self.watches.is_some() {
            controllers::settle(&self.server, state);
        }
        answer
    }
}

/// The failure of `WithRequestInfo`, before anybody asks who it is.
fn unclear(uri: &Uri) -> Answer {
    let uri = uri.path_and_query().map_or("", |uri| uri.as_str());
    let quoted = quote(uri);
    Answer::text(
        500,
        &format!(
            "Internal Server Error: {quoted}: failed to create RequestInfo: unable to determine kind and \
             namespace from url, {uri}\n"
        ),
    )
}

/// Reads a body to its end, and keeps what is not too much.
async fn read<B: http_body::Body>(body: B) -> Result<Result<Bytes, TooLarge>, B::Error> {
    let mut body = std::pin::pin!(body);
    let mut kept = BytesMut::new();
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        size = size.saturating_add(data.remaining());
        if size <= LARGEST_BODY {
            kept.put(data);
        } else if size > MOST_DISCARDED {
            break;
        }
    }
    Ok(if size > LARGEST_BODY {
        Err(TooLarge)
    } else {
        Ok(kept.freeze())
    })
}

/// Below `/api` and below a group that is served it is the API that says no, else the mux.
fn no_document(path: &str) -> Answer {
    let mut parts = path.trim_start_matches('/').split('/');
    let served = match (parts.next(), parts.next()) {
        (Some("api"), Some(_)) => true,
        (Some("apis"), Some(group)) => discovery::has_group(group),
        _ => false,
    };
    if served {
        Status::no_such_path().into()
    } else {
        Answer::no_page()
    }
}

impl<B> tower_service::Service<Request<B>> for ApiServer
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: std::fmt::Display,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let answer = match read(body).await {
                Ok(body) => server.answer(&parts, body.as_deref()),
                Err(error) => Status::bad_request(error.to_string()).into(),
            };
            Ok(answer.into_response())
        })
    }
}

//! One list of a live server, page by page: politely, and nothing left out in silence.
//!
//! Upstream's counterpart is `EachListItem` in `k8s.io/client-go/tools/pager/pager.go`. A page is asked
//! for again where the server is busy (`Retry-After` is honoured within bounds) or a connection
//! breaks, which a layer below a client does not see once the head of an answer is there.

use std::ops::Range;
use std::time::Duration;

use http::{Request, StatusCode};
use kube::Client;
use kube::api::ListParams;
use podgate_admission::decode::decode_untyped;
use podgate_admission::json::{Lexer, SyntaxError, Token};
use podgate_admission::value::Value;
use tokio::time::Instant;
use tower::retry::backoff::{Backoff, ExponentialBackoffMaker, MakeBackoff};
use tower::util::rng::HasherRng;

use crate::error::causes;

/// How many objects a page has, as kubectl asks for them.
const PAGE: u32 = 500;
/// How often a page is asked for.
const TRIES: u32 = 6;
/// How long is waited before it is asked for again: at first, and at most, whatever the server says.
const WAIT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// How often a list whose token has expired goes on.
const RESUMED: u32 = 10;

/// A part of a list.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The answer of the server.
    pub(super) bytes: Vec<u8>,
    /// Where in it the objects are.
    pub(super) items: Vec<Range<usize>>,
    /// How many objects of the list came before.
    pub(super) before: usize,
    /// The token of the next page; empty on the last one.
    resume: String,
    /// How many objects follow, where the server says so.
    remaining: Option<usize>,
}

impl Page {
    /// The objects.
    pub(super) fn objects(&self) -> impl Iterator<Item = &[u8]> {
        self.items.iter().map(|range| &self.bytes[range.clone()])
    }
}

/// Why a list was not read, or not to its end.
#[derive(Debug)]
pub(super) struct Broken {
    /// The code that the server answered; 0 where it did not.
    pub(super) code: u16,
    /// What it said, or what went wrong.
    pub(super) why: String,
    /// How many objects are left out at least.
    pub(super) missing: usize,
}

/// What is asked for, and what a reader should know of how it went.
pub(super) struct Lists<'c> {
    client: &'c Client,
    pub(super) notes: Vec<String>,
}

/// What came of one request.
enum Reply {
    Page(Page),
    /// The token has expired; the server may have sent another, for a later version of the list.
    Expired(String),
    Refused(StatusCode, String),
    /// It is worth asking again, after so long.
    Again(String, StatusCode, Option<Duration>),
}

impl<'c> Lists<'c> {
    pub(super) const fn new(client: &'c Client) -> Self {
        Self {
            client,
            notes: Vec::new(),
        }
    }

    /// Reads the list at `path` to its end, and hands out its pages; `take` says whether to go on.
    pub(super) async fn each(
        &mut self,
        path: &str,
        mut take: impl FnMut(Page) -> bool,
    ) -> Result<(), Broken> {
        let (mut token, mut last, mut before, mut left) = (String::new(), String::new(), 0, None);
        let (mut resumed, mut again) = (0, false);
        loop {
            let broken = |code, why| Broken {
                code,
                why,
                missing: left.unwrap_or(1),
            };
            match self.page(path, &token).await {
                Reply::Page(mut page) => {
                    page.before = before;
                    left = page.remaining;
                    if again {
                        // What was handed out is not handed out again: a list is in order of its keys.
                        let bytes = &page.bytes;
                        page.items.retain(|range| key(&bytes[range.clone()]) > last);
                    }
                    if let Some(item) = page.objects().last() {
                        (last, again) = (key(item), false);
                    }
                    before += page.items.len();
                    token = std::mem::take(&mut page.resume);
                    if !take(page) || token.is_empty() {
                        return Ok(());
                    }
                }
                Reply::Expired(fresh) if resumed < RESUMED && !token.is_empty() => {
                    resumed += 1;
                    again = fresh.is_empty();
                    self.notes.push(format!(
                        "{path}: the list expired after {before} objects and was read on at a later version: \
                         what came or went before that place meanwhile is not in this audit"
                    ));
                    token = fresh;
                }
                Reply::Expired(_) => {
                    let why = "the list expires faster than it can be read".to_owned();
                    return Err(broken(StatusCode::GONE.as_u16(), why));
                }
                Reply::Refused(code, why) | Reply::Again(why, code, _) => {
                    return Err(broken(code.as_u16(), why));
                }
            }
        }
    }

    /// One page; the last answer where it cannot be had.
    async fn page(&self, path: &str, token: &str) -> Reply {
        let params = ListParams {
            limit: Some(PAGE),
            continue_token: (!token.is_empty()).then(|| token.to_owned()),
            ..ListParams::default()
        };
        let backoff = ExponentialBackoffMaker::new(WAIT.0, WAIT.1, 0.5, HasherRng::new());
        let mut backoff = backoff.map(|mut maker| maker.make_backoff()).ok();
        let mut tries = 0;
        loop {
            let reply = self.ask(path, &params).await;
            tries += 1;
            let (Reply::Again(_, _, after), Some(backoff)) = (&reply, &mut backoff) else {
                return reply;
            };
            if tries == TRIES {
                return reply;
            }
            let after = after.unwrap_or_default().min(WAIT.1);
            let pause = backoff.next_backoff();
            tokio::time::sleep_until(pause.deadline().max(Instant::now() + after)).await;
        }
    }

    async fn ask(&self, path: &str, params: &ListParams) -> Reply {
        let broken = |why: String| Reply::Again(why, StatusCode::default(), None);
        let request = match kube::core::Request::new(path).list(params) {
            Ok(request) => request.map(kube::client::Body::from),
            Err(error) => return Reply::Refused(StatusCode::BAD_REQUEST, error.to_string()),
        };
        let (code, after, bytes) = match get(self.client, request).await {
            Ok(answer) => answer,
            Err(error) => return broken(error),
        };
        if code.is_success() {
            return match page(bytes) {
                Ok(page) => Reply::Page(page),
                // It was cut off on its way.
                Err(error) => broken(format!("the answer cannot be read: {error}")),
            };
        }
        let status: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let said = match status["message"].as_str() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_string(),
        };
        match code {
            StatusCode::GONE => {
                let fresh = status["metadata"]["continue"].as_str();
                Reply::Expired(fresh.unwrap_or_default().to_owned())
            }
            StatusCode::TOO_MANY_REQUESTS => Reply::Again(said, code, after),
            code if code.is_server_error() => Reply::Again(said, code, after),
            code => Reply::Refused(code, said),
        }
    }
}

/// Asks for something that is no list, once.
pub(super) async fn document(client: &Client, path: &str) -> Result<serde_json::Value, String> {
    let request = Request::get(path)
        .body(kube::client::Body::empty())
        .map_err(|error| error.to_string())?;
    let (code, _, bytes) = get(client, request).await?;
    if !code.is_success() {
        return Err(code.to_string());
    }
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

async fn get(
    client: &Client,
    mut request: Request<kube::client::Body>,
) -> Result<(StatusCode, Option<Duration>, Vec<u8>), String> {
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().insert(http::header::ACCEPT, json);
    let answer = client.send(request).await.map_err(|error| causes(&error))?;
    let code = answer.status();
    let after = answer.headers().get(http::header::RETRY_AFTER);
    let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = answer.into_body().collect_bytes().await;
    let bytes = bytes.map_err(|error| causes(&error))?;
    Ok((code, after.map(Duration::from_secs), bytes.to_vec()))
}

/// Finds the objects of a list, and what it says of the rest.
fn page(bytes: Vec<u8>) -> Result<Page, SyntaxError> {
    let (mut items, mut resume, mut remaining) = (Vec::new(), String::new(), None);
    let mut lexer = Lexer::new(&bytes);
    if lexer.peek()? != Token::Object {
        return Err(lexer.misplaced());
    }
    lexer.open_object()?;
    let mut first = true;
    while let Some(key) = lexer.key(first)? {
        first = false;
        let next = lexer.peek()?;
        match key.borrowed() {
            Some("items") if next == Token::List => {
                lexer.open_list()?;
                let mut first = true;
                while lexer.item(first)? {
                    first = false;
                    lexer.peek()?;
                    let start = lexer.offset();
                    lexer.skip()?;
                    items.push(start..lexer.offset());
                }
            }
            Some("metadata") => {
                let start = lexer.offset();
                lexer.skip()?;
                if let Ok(metadata) = decode_untyped(lexer.slice(start, lexer.offset())) {
                    metadata.text_at(&["continue"]).clone_into(&mut resume);
                    let count = metadata.at(&["remainingItemCount"]).and_then(Value::as_int);
                    remaining = count.and_then(|count| usize::try_from(count).ok());
                }
            }
            _ => lexer.skip()?,
        }
    }
    Ok(Page {
        bytes,
        items,
        before: 0,
        resume,
        remaining,
    })
}

/// The place of an object in its list: `NAMESPACE/NAME`.
fn key(object: &[u8]) -> String {
    let Ok(object) = decode_untyped(object) else {
        return String::new();
    };
    let of = |field| object.text_at(&["metadata", field]);
    match of("namespace") {
        "" => of("name").to_owned(),
        namespace => format!("{namespace}/{}", of("name")),
    }
}

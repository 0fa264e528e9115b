//! The watcher of `kube`, on which controllers in Rust stand: it lists, watches from there, begins again
//! where a watch has ended, and lists again where it is told that it is too late.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::{self, Config, Error, Event, watcher};
use kube::{Client, ResourceExt};
use rstest::rstest;
use serde_json::json;

use super::{pod, server, time};

/// How many changes the server keeps.
const KEPT: usize = 50;
/// The pod that is changed last each time, by which a store tells that it has seen everything.
const LAST: &str = "last";

/// The names and versions of pods.
type Versions = BTreeMap<String, Option<String>>;

fn versions<'p>(pods: impl IntoIterator<Item = &'p Pod>) -> Versions {
    let of = |pod: &Pod| (pod.name_any(), pod.resource_version());
    pods.into_iter().map(of).collect()
}

async fn listed(pods: &Api<Pod>) -> Versions {
    let list = pods.list(&ListParams::default()).await.expect("a list");
    versions(&list.items)
}

fn stored(store: &Store<Pod>) -> Versions {
    versions(store.state().iter().map(|pod| &**pod))
}

/// Creates a pod, or changes or deletes it where it is there. A deletion is two changes.
async fn change(pods: &Api<Pod>, name: &str, number: usize, delete: bool) {
    let there = pods.get_opt(name).await.expect("an answer").is_some();
    if !there {
        let pod = serde_json::from_value(pod(name)).expect("a pod");
        let created = pods.create(&PostParams::default(), &pod).await;
        created.expect("created");
    } else if delete {
        let deleted = pods.delete(name, &DeleteParams::default()).await;
        deleted.expect("deleted");
    } else {
        let patch = json!({"metadata": {"annotations": {"number": number.to_string()}}});
        let patch = Patch::Merge(patch);
        let patched = pods.patch(name, &PatchParams::default(), &patch).await;
        patched.expect("patched");
    }
}

/// A stream of what a reflector sees, and the store that it fills.
fn follow(pods: &Api<Pod>, config: Config) -> (Store<Pod>, impl Stream<Item = Seen> + use<>) {
    let (store, writer) = reflector::store();
    (
        store,
        reflector::reflector(writer, watcher(pods.clone(), config)),
    )
}

type Seen = watcher::Result<Event<Pod>>;

#[rstest]
#[case::a_list_then_a_watch(20, Config::default())]
#[case::in_pages(36, Config::default().page_size(3))]
#[case::any_version(36, Config::default().any_semantic())]
#[case::selected(36, Config::default().fields("metadata.namespace=default"))]
#[case::a_list_as_a_watch_in_beta(32, Config::default().streaming_lists())]
#[case::a_list_as_a_watch(36, Config::default().streaming_lists())]
#[tokio::test]
async fn a_store_is_what_is_listed(#[case] minor: u8, #[case] config: Config) {
    let pods = Api::default_namespaced(Client::new(server(minor, KEPT), "default"));
    let (store, events) = follow(&pods, config);
    let mut events = pin!(events);
    let (mut number, mut expired, mut lists) = (0, 0, 0);
    // Bursts that the history holds, and every fifth that it does not.
    for burst in 0..20 {
        let size = if burst % 5 == 4 { KEPT + 10 } else { burst };
        for _ in 0..size {
            number += 1;
            change(
                &pods,
                &format!("pod-{}", number * 7 % 13),
                number,
                number % 3 == 0,
            )
            .await;
        }
        change(&pods, LAST, number, false).await;
        let last = pods.get(LAST).await.expect("a pod").resource_version();
        loop {
            match events.next().await.expect("it never ends") {
                // The history has moved past it, and it lists again.
                Err(Error::WatchError(status)) if status.code == 410 => expired += 1,
                Err(error) => panic!("{error}"),
                Ok(Event::Init) => lists += 1,
                Ok(Event::InitDone) if stored(&store).get(LAST) == Some(&last) => break,
                Ok(Event::Apply(pod))
                    if pod.name_any() == LAST && pod.resource_version() == last =>
                {
                    break;
                }
                Ok(_) => {}
            }
        }
        assert_eq!(stored(&store), listed(&pods).await, "after burst {burst}");
    }
    assert!(number > 300, "{number} changes");
    assert_eq!((expired, lists), (4, 5));
}

/// Nothing happens to the pods, and so much to other objects that the version of the last pod is long
/// forgotten when the watch ends: only a bookmark tells the watcher from where to go on.
#[rstest]
#[case::with_bookmarks(Config::default(), 0)]
#[case::without(Config::default().disable_bookmarks(), 1)]
#[tokio::test]
async fn who_is_told_where_it_is_needs_no_new_list(#[case] config: Config, #[case] expired: usize) {
    let client = Client::new(server(36, KEPT), "default");
    let (maps, pods) = (
        Api::<ConfigMap>::default_namespaced(client.clone()),
        Api::default_namespaced(client),
    );
    change(&pods, "a", 0, false).await;
    let (store, events) = follow(&pods, config.timeout(290));
    let mut events = pin!(events);
    while !matches!(events.next().await, Some(Ok(Event::InitDone))) {}
    let mut found = 0;
    // The watch ends within that time, and the next one begins.
    for minute in 0..6 {
        for number in 0..KEPT * 2 / 3 {
            let map = json!({"metadata": {"name": format!("map-{minute}-{number}")}});
            let map = serde_json::from_value(map).expect("a map");
            let created = maps.create(&PostParams::default(), &map).await;
            created.expect("created");
        }
        time::pass(Duration::from_mins(1));
        // The client has a task of its own, which has its turn meanwhile.
        for _ in 0..20 {
            match events.next().now_or_never() {
                Some(Some(Err(Error::WatchError(status)))) if status.code == 410 => found += 1,
                Some(Some(Ok(Event::Init | Event::InitApply(_) | Event::InitDone)))
                    if found > 0 => {}
                None => {}
                Some(other) => panic!("{other:?}"),
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(found, expired);
    change(&pods, "b", 0, false).await;
    let added = events.next().await.expect("an event").expect("no error");
    assert!(matches!(added, Event::Apply(_)), "{added:?}");
    assert_eq!(stored(&store), listed(&pods).await);
}

//! The policies' view of a stored pod straight from its JSON: for runs over a million of them, where
//! a tree of each would cost ten times as much as the judgement.
//!
//! It gives what [`view::of`](crate::view::of) gives of the decoded pod, and skips the rest. What it
//! cannot be sure about it leaves to the decoder: another kind, keys that stand twice, texts with
//! escapes, values of a wrong type. It does not see type errors in fields that no policy reads, so it
//! is for objects that some server has stored, not for requests.

use podgate_policy::Minor;
use podgate_policy::view::{
    ANNOTATION_PREFIXES, Capabilities, Container, Pod, Role, SeLinuxOptions, SecurityContext,
    Volume,
};

use crate::json::{Lexer, Token};
use crate::schema::{Type, roots};
use crate::value::Value;
use crate::view::{HANDLERS, VOLUME_SOURCES};

mod reader;
mod spare;

use reader::{Once, Reader, Scan, Unclear};
pub use spare::Spare;

/// A pod with what a report says about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scanned<'a> {
    /// `metadata.namespace`; empty where there is none.
    pub namespace: &'a str,
    /// `metadata.name`; empty where there is none.
    pub name: &'a str,
    /// The owner among `metadata.ownerReferences` that is its controller, if it has one.
    pub controller: Option<Controller<'a>>,
    /// The label `pod-template-hash`, which the controller of deployments puts on their pods.
    pub template_hash: Option<&'a str>,
    /// What policies look at.
    pub pod: Pod<'a>,
}

/// The controller of a pod: `kind` and `name` of an owner reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controller<'a> {
    /// `kind`
    pub kind: &'a str,
    /// `name`
    pub name: &'a str,
}

impl<'a> Scanned<'a> {
    /// The same from the tree of a decoded pod.
    #[must_use]
    pub fn of(pod: &'a Value<'_>) -> Self {
        let owners = pod.list_at(&["metadata", "ownerReferences"]);
        let controls = |owner: &&Value<'_>| {
            let controls = owner.get("controller").and_then(Value::as_bool);
            controls == Some(true)
        };
        Self {
            namespace: pod.text_at(&["metadata", "namespace"]),
            name: pod.text_at(&["metadata", "name"]),
            controller: owners.iter().find(controls).map(|owner| Controller {
                kind: owner.text_at(&["kind"]),
                name: owner.text_at(&["name"]),
            }),
            template_hash: pod
                .at(&["metadata", "labels", TEMPLATE_HASH])
                .and_then(Value::as_str),
            pod: crate::view::of(pod),
        }
    }
}

/// Upstream: `DefaultDeploymentUniqueLabelKey` in `k8s.io/api/apps/v1/types.go`.
const TEMPLATE_HASH: &str = "pod-template-hash";

/// Scans pods as a server of one minor knows them.
#[derive(Clone, Copy, Debug)]
// Each says of one field whether the server has it: they are no states.
#[expect(clippy::struct_excessive_bools)]
pub struct Scanner {
    ephemeral_containers: bool,
    os: bool,
    host_users: bool,
    app_armor: bool,
    host_process: bool,
    /// The volume sources of [`VOLUME_SOURCES`] that the server knows, one bit each.
    sources: u32,
}

impl Scanner {
    /// A scanner for a server of `minor`.
    #[must_use]
    pub fn new(minor: Minor) -> Self {
        let known = |path: &[&str]| knows(path, minor);
        let source = |name: &str| known(&["spec", "volumes", name]);
        Self {
            ephemeral_containers: known(&["spec", "ephemeralContainers"]),
            os: known(&["spec", "os"]),
            host_users: known(&["spec", "hostUsers"]),
            app_armor: known(&["spec", "securityContext", "appArmorProfile"]),
            host_process: known(&["spec", "securityContext", "windowsOptions", "hostProcess"]),
            sources: VOLUME_SOURCES
                .iter()
                .enumerate()
                .map(|(at, name)| u32::from(source(name)) << at)
                .sum(),
        }
    }

    /// The pod in `json`; `None` where it takes the decoder to tell. Its lists are taken from `spare`.
    #[must_use]
    pub fn pod<'a>(&self, json: &'a [u8], spare: &mut Spare<'a>) -> Option<Scanned<'a>> {
        self.reader(json, spare).pod(false).ok()
    }

    /// The same of an item of a `PodList` as a server sends it: such items say neither `apiVersion`
    /// nor `kind`.
    #[must_use]
    pub fn item<'a>(&self, json: &'a [u8], spare: &mut Spare<'a>) -> Option<Scanned<'a>> {
        self.reader(json, spare).pod(true).ok()
    }

    fn reader<'a, 's>(&self, json: &'a [u8], spare: &'s mut Spare<'a>) -> Reader<'a, 's> {
        Reader {
            lexer: Lexer::new(json),
            known: *self,
            spare,
        }
    }
}

/// Whether a pod of that minor has the field at `path`, through lists.
fn knows(path: &[&str], minor: Minor) -> bool {
    let mut schema = &roots::POD;
    path.iter().all(|name| {
        let field = schema.field(name, minor);
        if let Some(Type::Struct(inner) | Type::List(Type::Struct(inner), _)) =
            field.map(|field| &field.ty)
        {
            schema = inner;
        }
        field.is_some()
    })
}

impl<'a> Reader<'a, '_> {
    fn pod(&mut self, of_list: bool) -> Scan<Scanned<'a>> {
        // Null is no pod, whatever an empty object is.
        if self.lexer.peek()? != Token::Object {
            return Err(Unclear);
        }
        let mut scanned = self.spare.scanned();
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"apiVersion" => once.then(0, || reader.expect("v1"))?,
                b"kind" => once.then(1, || reader.expect("Pod"))?,
                b"metadata" => once.then(2, || reader.metadata(&mut scanned))?,
                b"spec" => once.then(3, || reader.spec(&mut scanned.pod))?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        self.lexer.end()?;
        if once.has(0) == once.has(1) && (once.has(0) || of_list) {
            Ok(scanned)
        } else {
            Err(Unclear)
        }
    }

    fn metadata(&mut self, scanned: &mut Scanned<'a>) -> Scan<()> {
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"name" => scanned.name = once.then(0, || reader.text_or_empty())?,
                b"namespace" => scanned.namespace = once.then(1, || reader.text_or_empty())?,
                b"annotations" => {
                    once.then(2, || reader.annotations(&mut scanned.pod.annotations))?;
                }
                b"labels" => {
                    let hash = TEMPLATE_HASH.as_bytes();
                    scanned.template_hash = once.then(3, || reader.entry(hash))?;
                }
                b"ownerReferences" => {
                    scanned.controller = once.then(4, || reader.controller())?;
                }
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    fn controller(&mut self) -> Scan<Option<Controller<'a>>> {
        let mut found = None;
        self.list(|reader, _| {
            let mut owner = Controller::default();
            let mut controls = None;
            let mut once = Once::default();
            reader.object(|reader, key| {
                match key {
                    b"kind" => owner.kind = once.then(0, || reader.text_or_empty())?,
                    b"name" => owner.name = once.then(1, || reader.text_or_empty())?,
                    b"controller" => controls = once.then(2, || reader.flag())?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            if controls == Some(true) && found.is_none() {
                found = Some(owner);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn annotations(&mut self, annotations: &mut Vec<(&'a str, &'a str)>) -> Scan<()> {
        self.object(|reader, key| {
            let judged = |prefix: &&str| key.starts_with(prefix.as_bytes());
            if !ANNOTATION_PREFIXES.iter().any(judged) {
                return Ok(false);
            }
            let key = std::str::from_utf8(key).map_err(|_| Unclear)?;
            if annotations.iter().any(|(other, _)| *other == key) {
                return Err(Unclear);
            }
            annotations.push((key, reader.text_or_empty()?));
            Ok(true)
        })?;
        // The decoder sorts maps.
        annotations.sort_unstable();
        Ok(())
    }

    fn spec(&mut self, pod: &mut Pod<'a>) -> Scan<()> {
        let known = self.known;
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"hostNetwork" => {
                    pod.host_network = once.then(0, || reader.flag())?.unwrap_or_default();
                }
                b"hostPID" => pod.host_pid = once.then(1, || reader.flag())?.unwrap_or_default(),
                b"hostIPC" => pod.host_ipc = once.then(2, || reader.flag())?.unwrap_or_default(),
                b"hostUsers" if known.host_users => {
                    pod.host_users = once.then(3, || reader.flag())?;
                }
                b"runtimeClassName" => pod.runtime_class = once.then(4, || reader.text())?,
                b"os" if known.os => {
                    let name = once.then(5, || reader.member(b"name"))?;
                    pod.os = name.filter(|name| !name.is_empty());
                }
                b"securityContext" => once.then(6, || {
                    reader.security_context(&mut pod.security_context, Some(&mut pod.sysctls))
                })?,
                b"initContainers" => {
                    once.then(7, || reader.containers(Role::Init, &mut pod.containers))?;
                }
                b"containers" => {
                    once.then(8, || reader.containers(Role::Regular, &mut pod.containers))?;
                }
                b"ephemeralContainers" if known.ephemeral_containers => {
                    once.then(9, || {
                        reader.containers(Role::Ephemeral, &mut pod.containers)
                    })?;
                }
                b"volumes" => once.then(10, || reader.volumes(&mut pod.volumes))?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        // They may stand in another order than upstream visits them in.
        pod.containers.sort_by_key(|container| container.role);
        Ok(())
    }

    fn containers(&mut self, role: Role, containers: &mut Vec<Container<'a>>) -> Scan<()> {
        self.list(|reader, index| {
            let mut container = reader.spare.container(role, index);
            let mut hosts = [""; HANDLERS.len()];
            let mut once = Once::default();
            reader.object(|reader, key| {
                match key {
                    b"name" => container.name = once.then(0, || reader.text_or_empty())?,
                    b"securityContext" => once.then(1, || {
                        reader.security_context(&mut container.security_context, None)
                    })?,
                    b"ports" => {
                        once.then(2, || reader.host_ports(&mut container.host_ports))?;
                    }
                    b"livenessProbe" => once.then(3, || reader.hosts(0, &mut hosts))?,
                    b"readinessProbe" => once.then(4, || reader.hosts(2, &mut hosts))?,
                    b"startupProbe" => once.then(5, || reader.hosts(4, &mut hosts))?,
                    b"lifecycle" => once.then(6, || reader.lifecycle(&mut hosts))?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            let named = HANDLERS.iter().zip(hosts);
            let named = named.filter(|(_, host)| !host.is_empty());
            let named = named.map(|((_, name), host)| (*name, host));
            container.handler_hosts.extend(named);
            containers.push(container);
            Ok(())
        })
    }

    fn host_ports(&mut self, ports: &mut Vec<i64>) -> Scan<()> {
        self.list(|reader, _| {
            let mut once = Once::default();
            let mut port = 0;
            reader.object(|reader, key| {
                if key != b"hostPort" {
                    return Ok(false);
                }
                let read = once.then(0, || reader.int::<i32>())?;
                port = read.unwrap_or_default().into();
                Ok(true)
            })?;
            ports.push(port);
            Ok(())
        })
    }

    fn lifecycle(&mut self, hosts: &mut [&'a str; HANDLERS.len()]) -> Scan<()> {
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"postStart" => once.then(0, || reader.hosts(6, hosts))?,
                b"preStop" => once.then(1, || reader.hosts(8, hosts))?,
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// The hosts of a handler. [`HANDLERS`] has two entries for each, `httpGet` and `tcpSocket`, the
    /// first of them at `slot`.
    fn hosts(&mut self, slot: usize, hosts: &mut [&'a str; HANDLERS.len()]) -> Scan<()> {
        let mut once = Once::default();
        self.object(|reader, key| {
            let (bit, slot) = match key {
                b"httpGet" => (0, slot),
                b"tcpSocket" => (1, slot + 1),
                _ => return Ok(false),
            };
            hosts[slot] = once
                .then(bit, || reader.member(b"host"))?
                .unwrap_or_default();
            Ok(true)
        })
    }

    /// Reads a pod's security context with its `sysctls`, or a container's without.
    fn security_context(
        &mut self,
        context: &mut SecurityContext<'a>,
        mut sysctls: Option<&mut Vec<&'a str>>,
    ) -> Scan<()> {
        let known = self.known;
        let of_container = sysctls.is_none();
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"privileged" if of_container => {
                    context.privileged = once.then(0, || reader.flag())?;
                }
                b"allowPrivilegeEscalation" if of_container => {
                    context.allow_privilege_escalation = once.then(1, || reader.flag())?;
                }
                b"capabilities" if of_container => {
                    context.capabilities = once.then(2, || reader.capabilities())?;
                }
                b"procMount" if of_container => {
                    context.proc_mount = once.then(3, || reader.text())?;
                }
                b"runAsNonRoot" => context.run_as_non_root = once.then(4, || reader.flag())?,
                b"runAsUser" => context.run_as_user = once.then(5, || reader.int())?,
                b"seLinuxOptions" => context.se_linux = once.then(6, || reader.se_linux())?,
                b"seccompProfile" => context.seccomp = once.then(7, || reader.profile())?,
                b"appArmorProfile" if known.app_armor => {
                    context.app_armor = once.then(8, || reader.profile())?;
                }
                b"windowsOptions" => {
                    context.host_process = once.then(9, || reader.host_process())?;
                }
                b"sysctls" => match &mut sysctls {
                    Some(sysctls) => once.then(10, || reader.sysctls(sysctls))?,
                    None => return Ok(false),
                },
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    fn capabilities(&mut self) -> Scan<Option<Capabilities<'a>>> {
        if !self.present()? {
            return Ok(None);
        }
        let mut capabilities = Capabilities::default();
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"add" => capabilities.add = once.then(0, || reader.texts())?,
                b"drop" => capabilities.drop = once.then(1, || reader.texts())?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Some(capabilities))
    }

    fn se_linux(&mut self) -> Scan<Option<SeLinuxOptions<'a>>> {
        if !self.present()? {
            return Ok(None);
        }
        let mut options = SeLinuxOptions::default();
        let mut once = Once::default();
        self.object(|reader, key| {
            match key {
                b"type" => options.kind = once.then(0, || reader.text_or_empty())?,
                b"user" => options.user = once.then(1, || reader.text_or_empty())?,
                b"role" => options.role = once.then(2, || reader.text_or_empty())?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(Some(options))
    }

    /// The type of a profile; an empty text where it has none.
    fn profile(&mut self) -> Scan<Option<&'a str>> {
        if !self.present()? {
            return Ok(None);
        }
        let kind = self.member(b"type")?;
        Ok(Some(kind.unwrap_or_default()))
    }

    fn host_process(&mut self) -> Scan<Option<bool>> {
        let known = self.known.host_process;
        let mut once = Once::default();
        let mut host_process = None;
        self.object(|reader, key| {
            if key != b"hostProcess" || !known {
                return Ok(false);
            }
            host_process = once.then(0, || reader.flag())?;
            Ok(true)
        })?;
        Ok(host_process)
    }

    fn sysctls(&mut self, sysctls: &mut Vec<&'a str>) -> Scan<()> {
        self.list(|reader, _| {
            sysctls.push(reader.member(b"name")?.unwrap_or_default());
            Ok(())
        })
    }

    fn volumes(&mut self, volumes: &mut Vec<Volume<'a>>) -> Scan<()> {
        let known = self.known.sources;
        self.list(|reader, _| {
            let mut name = "";
            let mut once = Once::default();
            // The sources that are set, one bit each: of several the first of the type counts.
            let mut sources = 0_u32;
            reader.object(|reader, key| {
                if key == b"name" {
                    name = once.then(0, || reader.text_or_empty())?;
                    return Ok(true);
                }
                let source = VOLUME_SOURCES.iter().position(|s| s.as_bytes() == key);
                let Some(bit) = source.map(|at| 1 << at).filter(|bit| known & bit != 0) else {
                    return Ok(false);
                };
                if sources & bit != 0 {
                    return Err(Unclear);
                }
                if reader.present()? {
                    sources |= bit;
                    // It is there, whatever it says.
                    return match reader.lexer.peek()? {
                        Token::Object => Ok(false),
                        _ => Err(Unclear),
                    };
                }
                Ok(true)
            })?;
            volumes.push(Volume {
                name,
                source: VOLUME_SOURCES
                    .get(sources.trailing_zeros() as usize)
                    .copied(),
            });
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;

//! Lists of pods that were judged already, for those that are scanned next: of a million pods in a row
//! none but the first takes memory from the system.

use podgate_policy::view::{Container, Pod, Role};

use super::Scanned;

/// Lists that are used again. They are empty, and have room.
#[derive(Debug, Default)]
pub struct Spare<'a> {
    pod: Pod<'a>,
    containers: Vec<Container<'a>>,
    texts: Vec<Vec<&'a str>>,
}

impl<'a> Spare<'a> {
    /// Takes the lists of a pod that nobody needs any more.
    pub fn take_back(&mut self, scanned: Scanned<'a>) {
        let Pod {
            mut annotations,
            mut sysctls,
            mut containers,
            mut volumes,
            ..
        } = scanned.pod;
        annotations.clear();
        sysctls.clear();
        volumes.clear();
        for mut container in containers.drain(..) {
            if let Some(capabilities) = container.security_context.capabilities.take() {
                let lists = [capabilities.add, capabilities.drop];
                // One that has no room was never taken from here.
                for mut texts in lists.into_iter().filter(|texts| texts.capacity() > 0) {
                    texts.clear();
                    self.texts.push(texts);
                }
            }
            container.host_ports.clear();
            container.handler_hosts.clear();
            self.containers.push(container);
        }
        self.pod = Pod {
            annotations,
            sysctls,
            containers,
            volumes,
            ..Pod::default()
        };
    }

    /// A pod with empty lists.
    pub(super) fn scanned(&mut self) -> Scanned<'a> {
        Scanned {
            pod: std::mem::take(&mut self.pod),
            ..Scanned::default()
        }
    }

    /// A container with empty lists.
    pub(super) fn container(&mut self, role: Role, index: usize) -> Container<'a> {
        let spare = self.containers.pop().unwrap_or_default();
        Container {
            role,
            index,
            host_ports: spare.host_ports,
            handler_hosts: spare.handler_hosts,
            ..Container::default()
        }
    }

    /// An empty list of texts.
    pub(super) fn texts(&mut self) -> Vec<&'a str> {
        self.texts.pop().unwrap_or_default()
    }
}

//! The node image of each minor: what runs it, on which hosts, and where that was read.
//!
//! The digests are those that kind's own release notes list for the release that built the image. They were
//! read in kind's tags (pkg/apis/config/defaults/image.go has the default of each release), in the notes of
//! v0.17.0, v0.20.0 and v0.31.0, and in the table that Cluster API keeps of all of them
//! (kubernetes-sigs/cluster-api, test/infrastructure/kind/mapper.go). Of the images of a minor it is the newest
//! one: newer kind releases run it, and its patch release is the last or nearly so.

use std::fmt;

use podgate_policy::Minor;

use super::release::Release;

/// A node image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeImage {
    /// The minor of the Kubernetes in it.
    pub minor: Minor,
    /// Its tag: the Kubernetes in it.
    pub tag: &'static str,
    /// The digest of its list of platforms, 64 hexadecimal digits; `None`: nobody published one that could be
    /// cited, so the tag may change under one's feet.
    pub digest: Option<&'static str>,
    /// The release of kind that it was built for. Older ones are not promised to run it, newer ones do as far
    /// as they try (kind's documentation, *Node Image*).
    pub built_for: Release,
}

/// The control groups of the host that the nodes run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cgroup {
    /// Version 1, with a hierarchy for each controller.
    V1,
    /// Version 2, the unified hierarchy.
    V2,
}

/// From this release on kind gives every node a cgroup namespace of its own; on hosts with cgroup v1 it then
/// needs images that were built for it (kind's release notes of v0.20.0, *Breaking Changes*).
pub const PRIVATE_CGROUPS: Release = Release::new(20);

/// The first minor whose kubelet does not start on cgroup v1 unless its configuration says
/// `failCgroupV1: false` (KEP-5573; kind's release notes of v0.31.0).
pub const FAIL_CGROUP_V1: Minor = Minor::known(35);

impl NodeImage {
    /// The image of `minor`.
    #[must_use]
    pub fn of(minor: Minor) -> &'static Self {
        &IMAGES[usize::from(minor.number() - Minor::OLDEST.number())]
    }

    /// Where the digest was read.
    #[must_use]
    pub fn source(&self) -> String {
        format!(
            "https://github.com/kubernetes-sigs/kind/releases/tag/{}",
            self.built_for
        )
    }

    /// What a host with cgroup v1 has to do with.
    #[must_use]
    pub fn on_cgroup_v1(&self) -> CgroupV1 {
        if self.minor >= FAIL_CGROUP_V1 {
            CgroupV1::KubeletMustBeTold
        } else if self.built_for < PRIVATE_CGROUPS {
            CgroupV1::OlderKind
        } else {
            CgroupV1::Runs
        }
    }
}

/// How an image does on a host with cgroup v1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupV1 {
    /// As on any host.
    Runs,
    /// Only with a kind before [`PRIVATE_CGROUPS`].
    OlderKind,
    /// The kubelet has to be told to start all the same; podgate tells it.
    KubeletMustBeTold,
}

impl fmt::Display for CgroupV1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs => f.write_str("runs"),
            Self::OlderKind => write!(f, "only with kind before {PRIVATE_CGROUPS}"),
            Self::KubeletMustBeTold => f.write_str("runs with failCgroupV1: false"),
        }
    }
}

impl fmt::Display for NodeImage {
    /// The image as `docker pull` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kindest/node:{}", self.tag)?;
        match self.digest {
            Some(digest) => write!(f, "@sha256:{digest}"),
            None => Ok(()),
        }
    }
}

const fn image(minor: u8, tag: &'static str, built_for: u16, digest: &'static str) -> NodeImage {
    NodeImage {
        minor: Minor::known(minor),
        tag,
        digest: Some(digest),
        built_for: Release::new(built_for),
    }
}

/// One image for each minor, oldest first.
#[rustfmt::skip]
const IMAGES: [NodeImage; 18] = [
    image(20, "v1.20.15", 17, "a32bf55309294120616886b5338f95dd98a2f7231519c7dedcec32ba29699394"),
    image(21, "v1.21.14", 20, "8a4e9bb3f415d2bb81629ce33ef9c76ba514c14d707f9797a01e3216376ba093"),
    image(22, "v1.22.17", 20, "f5b2e5698c6c9d6d0adc419c0deae21a425c07d81bbf3b6a6834042f25d4fba2"),
    image(23, "v1.23.17", 22, "14d0a9a892b943866d7e6be119a06871291c517d279aedb816a4b4bc0ec0a5b3"),
    image(24, "v1.24.17", 22, "bad10f9b98d54586cba05a7eaa1b61c6b90bfc4ee174fdc43a7b75ca75c95e51"),
    image(25, "v1.25.16", 24, "6110314339b3b44d10da7d27881849a87e092124afab5956f2e10ecdb463b025"),
    image(26, "v1.26.15", 25, "c79602a44b4056d7e48dc20f7504350f1e87530fe953428b792def00bc1076dd"),
    image(27, "v1.27.16", 25, "2d21a61643eafc439905e18705b8186f3296384750a835ad7a005dceb9546d20"),
    image(28, "v1.28.15", 25, "a7c05c7ae043a0b8c818f5a06188bc2c4098f6cb59ca7d1856df00375d839251"),
    image(29, "v1.29.14", 27, "8703bd94ee24e51b778d5556ae310c6c0fa67d761fae6379c8e0bb480e6fea29"),
    image(30, "v1.30.13", 29, "397209b3d947d154f6641f2d0ce8d473732bd91c87d9575ade99049aa33cd648"),
    image(31, "v1.31.14", 31, "6f86cf509dbb42767b6e79debc3f2c32e4ee01386f0489b3b2be24b0a55aac2b"),
    image(32, "v1.32.11", 31, "5fc52d52a7b9574015299724bd68f183702956aa4a2116ae75a63cb574b35af8"),
    image(33, "v1.33.12", 32, "3f5c8443c620245e4d355cfe09e96a91ead32ceaa569d3f1ca9edf0cb2fe2ff4"),
    image(34, "v1.34.8", 32, "02722c2dedddcfc00febf5d27fbeb9b7b2c14294c82109ff4a85d89ac9ba3256"),
    image(35, "v1.35.5", 32, "ce977ae6d65918d0b58a5f8b5e940429c2ce42fa3a5619ec2bbc60b949c0ac95"),
    image(36, "v1.36.1", 32, "3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5"),
    image(37, "v1.37.0", 33, "a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_minor_has_one_image() {
        let minors: Vec<Minor> = IMAGES.iter().map(|image| image.minor).collect();
        assert_eq!(minors, Minor::all().collect::<Vec<_>>());
        for image in &IMAGES {
            let tag = format!("v{}.", image.minor);
            assert!(image.tag.starts_with(&tag), "{image}");
            let digest = image.digest.expect("all of them are pinned so far");
            assert!(digest.len() == 64, "{image}");
            assert!(digest.bytes().all(|b| b.is_ascii_hexdigit()), "{image}");
        }
        assert!(IMAGES.is_sorted_by_key(|image| image.built_for));
        let mut digests: Vec<_> = IMAGES.iter().map(|image| image.digest).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), IMAGES.len());
    }

    #[rstest]
    #[case(20, CgroupV1::OlderKind)]
    #[case(21, CgroupV1::Runs)]
    #[case(34, CgroupV1::Runs)]
    #[case(35, CgroupV1::KubeletMustBeTold)]
    #[case(37, CgroupV1::KubeletMustBeTold)]
    fn cgroups(#[case] minor: u8, #[case] expected: CgroupV1) {
        let image = NodeImage::of(Minor::known(minor));
        assert_eq!(image.on_cgroup_v1(), expected);
    }

    #[test]
    fn an_image_without_a_digest_is_its_tag() {
        let mut image = *NodeImage::of(Minor::known(36));
        assert!(
            image
                .to_string()
                .starts_with("kindest/node:v1.36.1@sha256:3489c")
        );
        image.digest = None;
        assert_eq!(image.to_string(), "kindest/node:v1.36.1");
    }
}

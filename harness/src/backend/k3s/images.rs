//! The k3s image of each minor.
//!
//! The tags are those of k3s' releases (docs.k3s.io/release-notes, one page for each minor;
//! github.com/k3s-io/k3s/releases for those before 1.24): the newest that was found of each minor. `+` in a
//! version is `-` in a tag. No digest is published along with them, so they are not pinned.

use podgate_policy::Minor;

/// The tag of the image of `minor`.
#[must_use]
pub const fn tag(minor: Minor) -> &'static str {
    TAGS[(minor.number() - Minor::OLDEST.number()) as usize]
}

/// The image of `minor`.
#[must_use]
pub fn image(minor: Minor) -> String {
    format!("rancher/k3s:{}", tag(minor))
}

const TAGS: [&str; 18] = [
    "v1.20.15-k3s1",
    "v1.21.14-k3s1",
    "v1.22.17-k3s1",
    "v1.23.17-k3s1",
    "v1.24.17-k3s1",
    "v1.25.16-k3s4",
    "v1.26.15-k3s1",
    "v1.27.16-k3s1",
    "v1.28.15-k3s1",
    "v1.29.15-k3s1",
    "v1.30.14-k3s2",
    "v1.31.14-k3s1",
    "v1.32.13-k3s1",
    "v1.33.13-k3s1",
    "v1.34.11-k3s1",
    "v1.35.8-k3s1",
    "v1.36.5-k3s1",
    "v1.37.1-k3s1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minor_has_an_image_of_its_own() {
        for minor in Minor::all() {
            let image = image(minor);
            assert!(
                image.starts_with(&format!("rancher/k3s:v{minor}.")),
                "{image}"
            );
        }
        assert_eq!(TAGS.len(), Minor::all().count());
    }
}

//! Names of container images, as far as defaulting looks at them: whether the tag is `latest`.
//!
//! Upstream's counterpart is `ParseImageName` in `pkg/util/parsers/parsers.go`, which is
//! `ParseNormalizedNamed` of `github.com/distribution/reference`. A name that cannot be parsed has
//! no tag, so it is not `latest` either.

/// Whether the image's tag is `latest`, written or implied (neither tag nor digest).
pub(crate) fn is_latest(image: &str) -> bool {
    match tag(image) {
        Some(Tag::Written(tag)) => tag == "latest",
        Some(Tag::Implied) => true,
        Some(Tag::None) | None => false,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Tag<'a> {
    Written(&'a str),
    Implied,
    /// There is a digest instead.
    None,
}

/// The tag of a well-formed name.
fn tag(image: &str) -> Option<Tag<'_>> {
    if image.len() == 64 && image.bytes().all(is_lower_hex) {
        // A bare identifier is no name.
        return None;
    }
    let (domain, rest) = split_domain(image);
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (rest, None),
    };
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (rest, None),
    };
    let library = if domain == "docker.io" && !path.contains('/') {
        "library/".len()
    } else {
        0
    };
    let well_formed = is_domain(domain)
        && path.split('/').all(is_path_component)
        && domain.len() + 1 + library + path.len() <= 255
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    if !well_formed {
        return None;
    }
    Some(match (tag, digest) {
        (Some(tag), _) => Tag::Written(tag),
        (None, Some(_)) => Tag::None,
        (None, None) => Tag::Implied,
    })
}

fn split_domain(image: &str) -> (&str, &str) {
    match image.split_once('/') {
        Some((domain, rest))
            if domain.contains(['.', ':'])
                || domain == "localhost"
                || domain.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            let domain = if domain == "index.docker.io" {
                "docker.io"
            } else {
                domain
            };
            (domain, rest)
        }
        _ => ("docker.io", image),
    }
}

fn is_lower_hex(b: u8) -> bool {
    b.is_ascii_digit() || (b'a'..=b'f').contains(&b)
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = if domain.starts_with('[') {
        match domain.split_once(']') {
            Some((host, port)) => {
                let inside = &host[1..];
                let ok = !inside.is_empty()
                    && inside.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
                if !ok {
                    return false;
                }
                (
                    "ipv6",
                    port.strip_prefix(':').or((!port.is_empty()).then_some("x")),
                )
            }
            None => return false,
        }
    } else {
        match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        }
    };
    host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    }) && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// `[a-z0-9]+` joined by one of `.`, `_`, `__` or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let mut rest = component.as_bytes();
    loop {
        let word = rest.iter().take_while(|b| alphanumeric(**b)).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        if rest.is_empty() {
            return true;
        }
        let separator = rest.iter().take_while(|b| !alphanumeric(**b)).count();
        let ok = match &rest[..separator] {
            b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|b| *b == b'-'),
        };
        if !ok {
            return false;
        }
        rest = &rest[separator..];
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = tag.as_bytes();
    (1..=128).contains(&bytes.len())
        && word(bytes[0])
        && bytes.iter().all(|b| word(*b) || matches!(b, b'.' | b'-'))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(is_lower_hex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SHA: &str = "e6693c20186f837fc393390135d8a598a96a833917917789d63766cab6c59582";

    #[rstest]
    #[case("nginx", true)]
    #[case("nginx:latest", true)]
    #[case("nginx:1.2", false)]
    #[case("localhost:5000/nginx", true)]
    #[case("localhost:5000/nginx:v1", false)]
    #[case("registry.k8s.io/pause:3.9", false)]
    #[case("registry.k8s.io/a/b__c/d-e", true)]
    #[case("a___b", false)]
    #[case("NGINX", false)]
    #[case("NGINX:latest", false)]
    #[case("EXAMPLE/nginx", true)]
    #[case("", false)]
    #[case(" nginx", false)]
    #[case("nginx:", false)]
    #[case("https://x/y", false)]
    #[case(SHA, false)]
    fn latest(#[case] image: &str, #[case] expected: bool) {
        assert_eq!(is_latest(image), expected);
    }

    #[test]
    fn a_digest_replaces_the_tag() {
        assert!(!is_latest(&format!("nginx@sha256:{SHA}")));
        assert!(is_latest(&format!("nginx:latest@sha256:{SHA}")));
        assert!(!is_latest(&format!("nginx:latest@md5:{SHA}")));
    }
}

//! Images: when to pull, what a name must look like, and what stands for a digest.
//!
//! Upstream: pkg/kubelet/images/image_manager.go, pkg/util/parsers/parsers.go, pkg/apis/core/v1/defaults.go.
//! Simplified: no credentials; a digest is made from the image's name.

use setpoint_api::{Container, Str, Uid};

/// When to pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// At each start.
    Always,
    /// If the machine does not have it.
    IfNotPresent,
    /// Never.
    Never,
}

/// The container's pull policy, with the API's default: Always for `:latest` or no tag.
pub fn pull_policy(container: &Container) -> PullPolicy {
    match container.image_pull_policy.as_deref() {
        Some("Always") => PullPolicy::Always,
        Some("IfNotPresent") => PullPolicy::IfNotPresent,
        Some("Never") => PullPolicy::Never,
        _ if with_tag(&container.image).ends_with(":latest") => PullPolicy::Always,
        _ => PullPolicy::IfNotPresent,
    }
}

/// The name with `:latest` added if it has neither tag nor digest.
pub fn with_tag(image: &str) -> String {
    let (_, tag, digest) = split(image);
    if tag.is_none() && digest.is_none() { format!("{image}:latest") } else { image.to_string() }
}

/// What is wrong with an image's name, if anything is.
pub fn name_error(image: &str) -> Option<String> {
    let (name, tag, digest) = split(image);
    let (domain, path) = split_domain(name);
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_part = |part: &str| {
        part.starts_with(is_word)
            && part.ends_with(is_word)
            && part.chars().all(|c| is_word(c) || "._-".contains(c))
    };
    let is_tag = |tag: &str| {
        let is_char = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        tag.len() <= 128
            && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && tag.chars().all(is_char)
    };
    let is_digest = |digest: &str| {
        let hex = digest.split_once(':').map_or("", |(_, hex)| hex);
        hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
    };
    let complaint = if path.chars().any(|c| c.is_ascii_uppercase())
        && path.to_ascii_lowercase().split('/').all(is_part)
    {
        let path =
            if domain.is_none() && !path.contains('/') { format!("library/{path}") } else { path.into() };
        format!("invalid reference format: repository name ({path}) must be lowercase")
    } else if path.split('/').all(is_part) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest) {
        return None;
    } else {
        "invalid reference format".to_string()
    };
    Some(format!(
        "Failed to apply default image tag {image:?}: couldn't parse image name {image:?}: {complaint}"
    ))
}

/// Name, tag and digest.
fn split(image: &str) -> (&str, Option<&str>, Option<&str>) {
    let (image, digest) = match image.split_once('@') {
        Some((image, digest)) => (image, Some(digest)),
        None => (image, None),
    };
    // A colon before the last slash belongs to a registry's port.
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (image, None, digest),
    }
}

/// Registry, if one is named, and path.
fn split_domain(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((domain, path)) if domain.contains(['.', ':']) || domain == "localhost" => (Some(domain), path),
        _ => (None, name),
    }
}

/// What stands for the image's digest: `docker.io/library/nginx@sha256:...`.
pub fn image_id(image: &str) -> Str {
    let (name, _, digest) = split(image);
    let full = match split_domain(name) {
        (Some(_), _) => name.to_string(),
        (None, path) if path.contains('/') => format!("docker.io/{path}"),
        (None, path) => format!("docker.io/library/{path}"),
    };
    match digest {
        Some(digest) => format!("{full}@{digest}").into(),
        None => format!("{full}@sha256:{}", hex(&with_tag(image))).into(),
    }
}

/// Identity of an instance of a container in the runtime.
pub fn container_id(pod: Uid, name: &str, instance: u32) -> Str {
    format!("containerd://{}", hex(&format!("{pod}/{name}/{instance}"))).into()
}

/// 64 hexadecimal digits that depend on every byte of the text (FNV-1a twice).
fn hex(text: &str) -> String {
    let fnv = |seed: u128| {
        let step = |hash: u128, byte: u8| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        };
        text.bytes().fold(seed, step)
    };
    let first = fnv(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    format!("{first:032x}{:032x}", fnv(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_upstream_does() {
        for good in ["nginx", "nginx:1.27", "library/nginx", "localhost:5000/a/b_c:V1", "gcr.io/x/y.z-w"] {
            assert_eq!(name_error(good), None, "{good}");
        }
        let upper = "Failed to apply default image tag \"Nginx\": couldn't parse image name \"Nginx\": \
                     invalid reference format: repository name (library/Nginx) must be lowercase";
        assert_eq!(name_error("Nginx").as_deref(), Some(upper));
        for bad in ["", "nginx:", "a b", "nginx:1 2", "-x", "/x"] {
            assert!(name_error(bad).is_some_and(|text| text.ends_with("invalid reference format")), "{bad}");
        }
    }

    #[test]
    fn an_image_without_a_tag_is_pulled_always() {
        let of = |image: &str| pull_policy(&Container { image: image.into(), ..Container::default() });
        assert_eq!(of("nginx"), PullPolicy::Always);
        assert_eq!(of("host:5000/nginx"), PullPolicy::Always);
        assert_eq!(of("nginx:latest"), PullPolicy::Always);
        assert_eq!(of("nginx:1.27"), PullPolicy::IfNotPresent);
        assert!(image_id("nginx:1.27").starts_with("docker.io/library/nginx@sha256:"));
        assert_eq!(container_id(Uid(1), "web", 1).len(), "containerd://".len() + 64);
    }
}

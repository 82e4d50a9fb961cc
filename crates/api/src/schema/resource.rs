//! The resources that the API server serves, and the names by which people call them.
//!
//! Upstream: `staging/src/k8s.io/cli-runtime/pkg/resource`, `client-go/restmapper` (order of preference, short names).

use super::TABLE;

/// A resource, as `kubectl api-resources` lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Plural name, as in URLs: `deployments`.
    pub plural: &'static str,
    /// Kind: `Deployment`.
    pub kind: &'static str,
    /// Group and version: `apps/v1`.
    pub api_version: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Whether this is the version that is listed and taken when none is given.
    pub preferred: bool,
    short: &'static str,
    verbs: &'static str,
    categories: &'static str,
}

/// Verbs of a resource without restrictions.
const ALL_VERBS: &str = "create,delete,deletecollection,get,list,patch,update,watch";

fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(',').filter(|word| *word != "-")
}

impl Resource {
    /// Names that kubectl takes besides: `deploy`.
    pub fn short_names(self) -> impl Iterator<Item = &'static str> {
        words(self.short)
    }
    /// What can be done: `create`, `get`...
    pub fn verbs(self) -> impl Iterator<Item = &'static str> {
        words(if self.verbs == "*" { ALL_VERBS } else { self.verbs })
    }
    /// Groups of resources that it belongs to, such as `all`.
    pub fn categories(self) -> impl Iterator<Item = &'static str> {
        words(self.categories)
    }
    /// Name of one, as kubectl prints it: `deployment`.
    pub fn singular(self) -> String {
        self.kind.to_ascii_lowercase()
    }
    /// Group without version, empty for the core group.
    pub fn group(self) -> &'static str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
    /// Version without group.
    pub fn version(self) -> &'static str {
        self.api_version.rsplit('/').next().unwrap_or(self.api_version)
    }
    /// Plural with group, as in messages: `deployments.apps`, `pods`.
    pub fn full_name(self) -> String {
        let (plural, group) = (self.plural, self.group());
        if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
    }
}

/// All resources, in the order of `kubectl api-resources`; a version that is served beside the preferred one follows it.
pub fn resources() -> impl Iterator<Item = Resource> {
    TABLE.lines().skip(1).take_while(|line| !line.starts_with('=')).filter_map(|line| {
        let mut words = line.split(' ');
        Some(Resource {
            plural: words.next()?,
            kind: words.next()?,
            api_version: words.next()?,
            short: words.next()?,
            namespaced: words.next()? == "namespaced",
            verbs: words.next()?,
            categories: words.next()?,
            preferred: words.next().is_none(),
        })
    })
}

/// The resource of an API version and kind.
pub fn resource_of(api_version: &str, kind: &str) -> Option<Resource> {
    resources().find(|resource| resource.kind == kind && resource.api_version == api_version)
}

/// The resource that a person means by a word: plural, singular, short name or kind, in any case, alone or followed by group
/// (`deployments.apps`) or by version and group (`deploy.v1.apps`).
pub fn resource_named(word: &str) -> Option<Resource> {
    let word = word.to_ascii_lowercase();
    let (name, rest) = word.split_once('.').map_or((&*word, None), |(name, rest)| (name, Some(rest)));
    let called = |resource: &Resource| resource.plural == name || resource.kind.eq_ignore_ascii_case(name);
    let placed = |resource: &Resource| match rest {
        None => resource.preferred,
        Some(rest) => {
            let version_and_group =
                rest.strip_prefix(resource.version()).and_then(|rest| rest.strip_prefix('.'));
            (rest == resource.group() && resource.preferred) || version_and_group == Some(resource.group())
        }
    };
    // A full name wins over a short one.
    let short = |resource: &Resource| resource.short_names().any(|short| short == name);
    resources().find(|r| called(r) && placed(r)).or_else(|| resources().find(|r| short(r) && placed(r)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_answer_to_every_name_that_kubectl_takes() {
        for word in [
            "deployments",
            "deployment",
            "deploy",
            "Deployment",
            "deployments.apps",
            "deploy.v1.apps",
            "DEPLOY",
        ] {
            assert_eq!(
                resource_named(word).map(Resource::full_name).as_deref(),
                Some("deployments.apps"),
                "{word}"
            );
        }
        for (word, api_version) in [
            ("events", "v1"),
            ("ev", "v1"),
            ("events.events.k8s.io", "events.k8s.io/v1"),
            ("hpa", "autoscaling/v2"),
            ("hpa.v1.autoscaling", "autoscaling/v1"),
            ("pods.metrics.k8s.io", "metrics.k8s.io/v1beta1"),
            ("nodes", "v1"),
            ("pods.v1.", "v1"),
        ] {
            assert_eq!(resource_named(word).map(|r| r.api_version), Some(api_version), "{word}");
        }
        for word in ["", "deploys", "deployments.batch", "deploy.v2.apps", ".", "pods.v2."] {
            assert_eq!(resource_named(word), None, "{word}");
        }
        assert_eq!(resources().filter(|r| r.preferred).count(), 69);
    }

    #[test]
    fn kinds_are_called_as_they_are_served() {
        for kind in crate::Kind::ALL.iter().filter(|kind| **kind != crate::Kind::Custom) {
            let served = resource_of(kind.api_version(), kind.as_str()).unwrap();
            assert_eq!((served.plural, served.namespaced), (kind.plural(), kind.is_namespaced()));
        }
    }
}

//! Manifests to begin with: two good ones, ones to learn from, and ones that are wrong on purpose.

/// Names and texts, in the order of showing.
pub const ALL: &[(&str, &str)] = &[
    ("web.yaml", include_str!("../../samples/web.yaml")),
    ("hpa.yaml", include_str!("../../samples/hpa.yaml")),
    ("slow-start.yaml", include_str!("../../samples/slow-start.yaml")),
    ("config.yaml", include_str!("../../samples/config.yaml")),
    ("broken-typo.yaml", include_str!("../../samples/broken-typo.yaml")),
    ("broken-selector.yaml", include_str!("../../samples/broken-selector.yaml")),
    ("broken-latest.yaml", include_str!("../../samples/broken-latest.yaml")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Session;

    #[test]
    fn samples_are_as_good_or_as_wrong_as_they_say() {
        let session = Session::welcome(1);
        let said = |text: &str| -> Vec<String> {
            let found = session.check_manifest(text);
            found.iter().map(|it| format!("{}:{} {}", it.line, it.column, it.message)).collect()
        };
        for (name, text) in ALL.iter().filter(|(name, _)| !name.starts_with("broken")) {
            assert_eq!(said(text), Vec::<String>::new(), "{name}");
        }
        let of = |wanted: &str| ALL.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| text);
        assert_eq!(
            said(of("broken-latest.yaml")),
            [
                "18:16 image \"shop-migrate:latest\" is whatever was pushed last",
                "21:16 image \"shop\" has no tag, which means latest: whatever was pushed last",
            ]
        );
        let selector = session.check_manifest(of("broken-selector.yaml"));
        assert_eq!(said(of("broken-selector.yaml")).len(), 1);
        assert_eq!(
            selector[0].message,
            "no pod has the labels app=shopp: the Service would have no endpoints"
        );
        assert_eq!(selector[0].suggestion.as_deref(), Some("The pods of Deployment shop-b have app=shop-b."));
    }

    #[test]
    fn what_is_exported_is_read_again_without_a_complaint() {
        let mut session = Session::welcome(1);
        session.advance(20_000_000, &mut || true);
        let all = session.export(None).unwrap_or_default();
        assert_eq!(session.check_manifest(&all), Vec::new());
        let kinds: Vec<&str> = all.lines().filter(|line| line.starts_with("kind: ")).collect();
        assert_eq!(kinds, ["kind: Service", "kind: Deployment", "kind: HorizontalPodAutoscaler"]);
        for cluster_made in ["status:", "uid:", "resourceVersion:", "creationTimestamp", "clusterIP:"] {
            assert!(!all.contains(cluster_made), "{cluster_made} in {all}");
        }
        let of = crate::inspect::Subject::Object {
            kind: "deployment".into(),
            namespace: "default".into(),
            name: "web".into(),
        };
        assert!(
            session
                .export(Some(&of))
                .unwrap_or_default()
                .starts_with("apiVersion: apps/v1\nkind: Deployment\n")
        );
        assert_eq!(session.export(Some(&crate::inspect::Subject::Component("kubelet".into()))), None);
    }
}

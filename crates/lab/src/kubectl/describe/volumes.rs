//! Volumes described.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go (`describeVolumes`).
//! Simplified: volumes of drivers are described by their kind alone.

use super::text::Text;
use crate::kubectl::print::look::{at, has, int, is, items, or, plain, text};
use serde_json::Value;

pub(super) fn volumes(out: &mut Text, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        out.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    out.line(0, format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes {
        out.line(1, format!("{indent}{}:", text(volume, "/name")));
        self::volume(out, volume);
    }
}

fn volume(out: &mut Text, volume: &Value) {
    let source = |name: &str| at(volume, name);
    let mut rows = |kind: &str, rows: &[(&str, String)]| {
        out.field(2, "Type", kind);
        for (name, value) in rows {
            out.field(2, name, value);
        }
    };
    let optional = |of: &Value| is(of, "/optional").to_string();
    if has(volume, "/projected") {
        rows("Projected (a volume that contains injected data from multiple sources)", &[]);
        for part in items(volume, "/projected/sources") {
            projected(out, part);
        }
    } else if has(volume, "/configMap") {
        let of = source("/configMap");
        let name = text(of, "/name").into();
        rows("ConfigMap (a volume populated by a ConfigMap)", &[("Name", name), ("Optional", optional(of))]);
    } else if has(volume, "/secret") {
        let of = source("/secret");
        let name = text(of, "/secretName").into();
        rows("Secret (a volume populated by a Secret)", &[("SecretName", name), ("Optional", optional(of))]);
    } else if has(volume, "/emptyDir") {
        let limit = plain(at(volume, "/emptyDir/sizeLimit"));
        rows(
            "EmptyDir (a temporary directory that shares a pod's lifetime)",
            &[
                ("Medium", text(volume, "/emptyDir/medium").into()),
                ("SizeLimit", or(&limit, "<unset>").into()),
            ],
        );
    } else if has(volume, "/persistentVolumeClaim") {
        let of = source("/persistentVolumeClaim");
        rows(
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
            &[("ClaimName", text(of, "/claimName").into()), ("ReadOnly", is(of, "/readOnly").to_string())],
        );
    } else if has(volume, "/hostPath") {
        let of = source("/hostPath");
        rows(
            "HostPath (bare host directory volume)",
            &[("Path", text(of, "/path").into()), ("HostPathType", text(of, "/type").into())],
        );
    } else if has(volume, "/downwardAPI") {
        rows("DownwardAPI (a volume populated by information about the pod)", &[]);
        out.line(2, "Items:");
        for item in items(volume, "/downwardAPI/items") {
            out.line(3, format!("{} -> {}", text(item, "/fieldRef/fieldPath"), text(item, "/path")));
        }
    } else {
        let kind = volume.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| *key != "name");
        rows(kind.map_or("<unknown>", |kind| kind), &[]);
    }
}

fn projected(out: &mut Text, part: &Value) {
    let optional = |path: &str| is(part, &format!("{path}/optional")).to_string();
    if has(part, "/secret") {
        out.field(2, "SecretName", text(part, "/secret/name"));
        out.field(2, "Optional", optional("/secret"));
    } else if has(part, "/downwardAPI") {
        out.field(2, "DownwardAPI", "true");
    } else if has(part, "/configMap") {
        out.field(2, "ConfigMapName", text(part, "/configMap/name"));
        out.field(2, "Optional", optional("/configMap"));
    } else if has(part, "/serviceAccountToken") {
        let seconds = int(part, "/serviceAccountToken/expirationSeconds");
        out.field(2, "TokenExpirationSeconds", seconds.to_string());
    }
}

//! Volumes, claims and classes in tables.
//!
//! Upstream: pkg/printers/internalversion/printers.go.

use super::look::{has, is, items, or, plain, text};
use serde_json::Value;

/// The cells after the name.
pub(super) fn cells(kind: &str, object: &Value, age: String) -> Vec<String> {
    let word = |path: &str| text(object, path).to_owned();
    let phase = || {
        let is_going = has(object, "/metadata/deletionTimestamp");
        if is_going { "Terminating".to_owned() } else { word("/status/phase") }
    };
    let class = || {
        let old = text(object, "/metadata/annotations/volume.beta.kubernetes.io~1storage-class");
        or(old, text(object, "/spec/storageClassName")).to_owned()
    };
    let attributes = || or(text(object, "/spec/volumeAttributesClassName"), "<unset>").to_owned();
    let mode = || or(text(object, "/spec/volumeMode"), "<unset>").to_owned();
    match kind {
        "PersistentVolume" => {
            let claim = if has(object, "/spec/claimRef") {
                format!(
                    "{}/{}",
                    text(object, "/spec/claimRef/namespace"),
                    text(object, "/spec/claimRef/name")
                )
            } else {
                String::new()
            };
            vec![
                object.pointer("/spec/capacity/storage").map(plain).unwrap_or_default(),
                access_modes(items(object, "/spec/accessModes")),
                word("/spec/persistentVolumeReclaimPolicy"),
                phase(),
                claim,
                class(),
                attributes(),
                word("/status/reason"),
                age,
                mode(),
            ]
        }
        "PersistentVolumeClaim" => {
            let is_bound = !text(object, "/spec/volumeName").is_empty();
            let capacity = object.pointer("/status/capacity/storage").filter(|_| is_bound).map(plain);
            let modes =
                if is_bound { access_modes(items(object, "/status/accessModes")) } else { String::new() };
            let volume = word("/spec/volumeName");
            vec![phase(), volume, capacity.unwrap_or_default(), modes, class(), attributes(), age, mode()]
        }
        "VolumeAttachment" => vec![
            word("/spec/attacher"),
            word("/spec/source/persistentVolumeName"),
            word("/spec/nodeName"),
            is(object, "/status/attached").to_string(),
            age,
        ],
        _ => vec![
            word("/provisioner"),
            or(text(object, "/reclaimPolicy"), "Delete").to_owned(),
            or(text(object, "/volumeBindingMode"), "Immediate").to_owned(),
            is(object, "/allowVolumeExpansion").to_string(),
            age,
        ],
    }
}

/// `RWO,ROX`, in upstream's order.
pub fn access_modes(modes: &[Value]) -> String {
    let words = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let given = words.iter().filter(|(mode, _)| modes.iter().any(|given| given == mode));
    given.map(|(_, word)| *word).collect::<Vec<_>>().join(",")
}

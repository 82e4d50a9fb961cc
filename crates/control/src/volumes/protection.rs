//! Claims that a pod uses, and volumes that a claim has, stay although they are deleted, until that is over.
//!
//! Upstream: plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go,
//! pkg/controller/volume/pvcprotection/pvc_protection_controller.go, pvprotection/pv_protection_controller.go.
//! Simplified: the binder's loop does what these two controllers do.

use super::pods::claims;
use crate::{Note, Outcome, Patch, Write};
use setpoint_api::{ObjectMeta, PersistentVolumeClaim, Pod, Store};

/// Finalizer of a claim.
pub const CLAIM: &str = "kubernetes.io/pvc-protection";
/// Finalizer of a volume.
pub const VOLUME: &str = "kubernetes.io/pv-protection";

/// Whether a pod that has a node uses a claim.
///
/// Upstream: `isBeingUsed`, `podUsesPVC`.
pub(super) fn is_used(view: &Store, claim: &PersistentVolumeClaim) -> bool {
    let meta = &claim.metadata;
    let mut pods = view.list_in::<Pod>(&meta.namespace).filter(|pod| pod.spec.node_name.is_some());
    pods.any(|pod| claims(&pod.spec).any(|(_, name)| *name == *meta.name))
}

/// What becomes of a claim or a volume that is being deleted.
pub(super) fn let_go(meta: &ObjectMeta, finalizer: &'static str, is_used: bool) -> Outcome {
    let is_held = meta.finalizers.iter().any(|name| &**name == finalizer);
    if is_used || !is_held {
        return Outcome::idle(if is_used { "is still in use" } else { "is on its way out" });
    }
    let writes = vec![Write::Patch(meta.id, Patch::RemoveFinalizer(finalizer.into()))];
    let note = Note { observed: Vec::new(), decision: "nobody uses it any more: let it go".into() };
    Outcome { writes, note, ..Outcome::default() }
}

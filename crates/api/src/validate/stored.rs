//! Which rules hold for a kind whose fields have no type here.

use super::cause::Errors;
use super::{
    config, definition, extension, ingress, job, limits, meta, network_policy, rbac, storage, workload,
};
use crate::{Kind, Object};

pub(super) fn create(object: &Object, errors: &mut Errors) {
    meta::object(object.kind(), object.metadata(), errors);
    content(object, errors);
    if object.kind() == Kind::Ingress {
        ingress::class_is_one(object, errors);
    }
}

/// What holds for new and changed objects alike.
fn content(object: &Object, e: &mut Errors) {
    match object.kind() {
        Kind::StatefulSet => workload::stateful_set(object, e),
        Kind::DaemonSet => workload::daemon_set(object, e),
        Kind::ReplicationController => workload::replication_controller(object, e),
        Kind::ControllerRevision => workload::revision(object, e),
        Kind::PodTemplate => workload::pod_template_object(object, e),
        Kind::Job => job::job(object, e),
        Kind::CronJob => job::cron_job(object, e),
        Kind::ConfigMap => config::config_map(object, e),
        Kind::Secret => config::secret(object, e),
        Kind::PersistentVolume => storage::volume(object, e),
        Kind::PersistentVolumeClaim => storage::claim(object, e),
        Kind::StorageClass => storage::class(object, e),
        Kind::Ingress => ingress::content(object, e),
        Kind::IngressClass => ingress::class(object, e),
        Kind::NetworkPolicy => network_policy::policy(object, e),
        Kind::PodDisruptionBudget => limits::budget(object, e),
        Kind::ResourceQuota => limits::quota(object, e),
        Kind::LimitRange => limits::limit_range(object, e),
        Kind::PriorityClass => limits::priority_class(object, e),
        Kind::Role | Kind::ClusterRole => rbac::role(object, object.kind() == Kind::Role, e),
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            rbac::binding(object, object.kind() == Kind::RoleBinding, e);
        }
        Kind::CustomResourceDefinition => definition::definition(object, e),
        Kind::Custom => extension::content(object, e),
        Kind::Endpoints => extension::endpoints(object, e),
        _ => {}
    }
}

pub(super) fn update(old: &Object, new: &Object, e: &mut Errors) {
    meta::object_update(old.metadata(), new.metadata(), e);
    match new.kind() {
        Kind::StatefulSet => workload::stateful_set_update(old, new, e),
        Kind::DaemonSet => workload::daemon_set_update(old, new, e),
        Kind::Job => job::job_update(old, new, e),
        Kind::ControllerRevision => workload::revision_update(old, new, e),
        Kind::ConfigMap => {
            config::kept(old, new, &["data", "binaryData"], e);
            config::config_map(new, e);
        }
        Kind::Secret => config::secret_update(old, new, e),
        Kind::PersistentVolume => storage::volume_update(old, new, e),
        Kind::PersistentVolumeClaim => storage::claim_update(old, new, e),
        Kind::StorageClass => storage::class_update(old, new, e),
        Kind::IngressClass => ingress::class_update(old, new, e),
        Kind::ResourceQuota => limits::quota_update(old, new, e),
        Kind::PriorityClass => limits::priority_class_update(old, new, e),
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            rbac::binding_update(old, new, new.kind() == Kind::RoleBinding, e);
        }
        Kind::CustomResourceDefinition => definition::definition_update(old, new, e),
        _ => content(new, e),
    }
}

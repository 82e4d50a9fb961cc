//! What Go's types are called where upstream's messages name them.

use crate::schema::{Field, FieldType, Scalar, Type};

/// The embedded struct through which Go reaches a field: it stands in the path of a message.
pub(super) fn embedded(owner: Type, field: &str) -> Option<&'static str> {
    Some(match (owner.short_name(), field) {
        ("Volume", name) if name != "name" => "VolumeSource",
        ("Probe", "exec" | "httpGet" | "tcpSocket" | "grpc") => "ProbeHandler",
        ("EphemeralContainer", name) if name != "targetContainerName" => "EphemeralContainerCommon",
        (
            "PersistentVolumeSpec",
            "accessModes"
            | "capacity"
            | "claimRef"
            | "mountOptions"
            | "nodeAffinity"
            | "persistentVolumeReclaimPolicy"
            | "storageClassName"
            | "volumeAttributesClassName"
            | "volumeMode",
        ) => return None,
        ("PersistentVolumeSpec", _) => "PersistentVolumeSource",
        (
            "ConfigMapEnvSource"
            | "ConfigMapKeySelector"
            | "ConfigMapProjection"
            | "ConfigMapVolumeSource"
            | "SecretEnvSource"
            | "SecretKeySelector"
            | "SecretProjection",
            "name",
        ) => "LocalObjectReference",
        _ => return None,
    })
}

/// Fields that are texts to the schema and have a type of their own in Go, as `Type.field type`.
const NAMED: &str = "\
AppArmorProfile.type AppArmorProfileType
Capabilities.add Capability
Capabilities.drop Capability
Container.imagePullPolicy PullPolicy
Container.restartPolicy ContainerRestartPolicy
Container.terminationMessagePolicy TerminationMessagePolicy
ContainerPort.protocol Protocol
ContainerResizePolicy.resourceName ResourceName
ContainerResizePolicy.restartPolicy ResourceResizeRestartPolicy
CronJobSpec.concurrencyPolicy ConcurrencyPolicy
DaemonSetUpdateStrategy.type DaemonSetUpdateStrategyType
DeploymentStrategy.type DeploymentStrategyType
EmptyDirVolumeSource.medium StorageMedium
EndpointPort.protocol Protocol
EndpointSlice.addressType AddressType
HPAScalingPolicy.type HPAScalingPolicyType
HPAScalingRules.selectPolicy ScalingPolicySelect
HTTPGetAction.scheme URIScheme
HTTPIngressPath.pathType PathType
HostPathVolumeSource.type HostPathType
JobSpec.completionMode CompletionMode
JobSpec.podReplacementPolicy PodReplacementPolicy
LabelSelectorRequirement.operator LabelSelectorOperator
LimitRangeItem.type LimitType
MetricSpec.type MetricSourceType
MetricTarget.type MetricTargetType
NamespaceSpec.finalizers FinalizerName
NetworkPolicyPort.protocol Protocol
NetworkPolicySpec.policyTypes PolicyType
NodeSelectorRequirement.operator NodeSelectorOperator
PersistentVolumeClaimSpec.accessModes PersistentVolumeAccessMode
PersistentVolumeClaimSpec.volumeMode PersistentVolumeMode
PersistentVolumeSpec.accessModes PersistentVolumeAccessMode
PersistentVolumeSpec.persistentVolumeReclaimPolicy PersistentVolumeReclaimPolicy
PersistentVolumeSpec.volumeMode PersistentVolumeMode
PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy UnhealthyPodEvictionPolicyType
PodFailurePolicyRule.action PodFailurePolicyAction
PodOS.name OSName
PodReadinessGate.conditionType PodConditionType
PodSecurityContext.fsGroupChangePolicy PodFSGroupChangePolicy
PodSecurityContext.supplementalGroupsPolicy SupplementalGroupsPolicy
PodSpec.dnsPolicy DNSPolicy
PodSpec.preemptionPolicy PreemptionPolicy
PodSpec.restartPolicy RestartPolicy
PriorityClass.preemptionPolicy PreemptionPolicy
ResourceQuotaSpec.scopes ResourceQuotaScope
ScopedResourceSelectorRequirement.operator ScopeSelectorOperator
ScopedResourceSelectorRequirement.scopeName ResourceQuotaScope
SeccompProfile.type SeccompProfileType
Secret.type SecretType
SecurityContext.procMount ProcMountType
ServicePort.protocol Protocol
ServiceSpec.externalTrafficPolicy ServiceExternalTrafficPolicy
ServiceSpec.internalTrafficPolicy ServiceInternalTrafficPolicy
ServiceSpec.ipFamilies IPFamily
ServiceSpec.ipFamilyPolicy IPFamilyPolicy
ServiceSpec.sessionAffinity ServiceAffinity
ServiceSpec.type ServiceType
StatefulSetSpec.podManagementPolicy PodManagementPolicyType
StatefulSetUpdateStrategy.type StatefulSetUpdateStrategyType
StorageClass.reclaimPolicy PersistentVolumeReclaimPolicy
StorageClass.volumeBindingMode VolumeBindingMode
Taint.effect TaintEffect
Toleration.effect TaintEffect
Toleration.operator TolerationOperator
TopologySpreadConstraint.nodeAffinityPolicy NodeInclusionPolicy
TopologySpreadConstraint.nodeTaintsPolicy NodeInclusionPolicy
TopologySpreadConstraint.whenUnsatisfiable UnsatisfiableConstraintAction
VolumeMount.mountPropagation MountPropagationMode
VolumeMount.recursiveReadOnly RecursiveReadOnlyMode
";

/// What Go calls the type of a field, or of an item of it.
pub(super) fn type_name(field: Field, of: FieldType) -> String {
    if let Some(item) = of.item() {
        return format!("[]{}", type_name(field, item));
    }
    if let Some(value) = of.value() {
        return match value.scalar() {
            // Amounts by name have a type of their own.
            Some(Scalar::Quantity) => "v1.ResourceList".to_owned(),
            Some(Scalar::Bytes) => "map[string][]uint8".to_owned(),
            _ => format!("map[string]{}", type_name(field, value)),
        };
    }
    if let Some(object) = of.object() {
        return object.go_name();
    }
    match of.scalar() {
        Some(Scalar::Bool) => "bool".to_owned(),
        Some(Scalar::Int32) => "int32".to_owned(),
        Some(Scalar::Int64) => "int64".to_owned(),
        Some(Scalar::Double) => "float64".to_owned(),
        Some(Scalar::Bytes) => "[]uint8".to_owned(),
        Some(Scalar::String) => named(field).unwrap_or_else(|| "string".to_owned()),
        _ => of.short_name().to_owned(),
    }
}

/// The type of its own that a text has, with the package of the type that it is a field of.
fn named(field: Field) -> Option<String> {
    if field.name == "uid" {
        return Some("types.UID".to_owned());
    }
    let owner = field.owner();
    let version = owner.rsplit('.').nth(1).unwrap_or("v1");
    let place = format!("{}.{}", owner.rsplit('.').next().unwrap_or(owner), field.name);
    let line = NAMED.lines().find(|line| line.split(' ').next() == Some(&place))?;
    Some(format!("{version}.{}", line.split(' ').nth(1)?))
}

/// Whether a text is standard base64; if not, the first byte that Go's decoder does not take.
pub(super) fn base64(text: &str) -> Result<(), usize> {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    // Line breaks are passed over.
    let bytes = || text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let mut digits = 0;
    let mut padding = 0;
    for (at, byte) in bytes() {
        match byte {
            b'=' if digits % 4 >= 2 && (digits + padding) % 4 != 0 => padding += 1,
            byte if is_digit(byte) && padding == 0 => digits += 1,
            _ => return Err(at),
        }
    }
    if (digits + padding) % 4 == 0 { Ok(()) } else { Err(text.len()) }
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_told_by_the_first_wrong_byte() {
        for (text, verdict) in [
            ("", Ok(())),
            ("YQ==", Ok(())),
            ("YWI=", Ok(())),
            ("YWJj\n", Ok(())),
            ("YWJj YWJj", Err(4)),
            ("a b", Err(1)),
            ("YQ", Err(2)),
            ("YQ=", Err(3)),
            ("YQ==YQ==", Err(4)),
            ("=", Err(0)),
        ] {
            assert_eq!(base64(text), verdict, "{text}");
        }
    }
}

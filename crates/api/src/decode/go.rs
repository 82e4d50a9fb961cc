//! What Go's types are called where upstream's messages name them.

use crate::schema::{Field, FieldType, Scalar, Type};
use crate::text::go_quote;

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

/// What Go says behind a text that is no time: the first part that does not fit its layout, or is out of range.
pub fn time_fault(text: &str) -> String {
    const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";
    let mut rest = text;
    let misfit =
        |rest: &str, part: &str| format!(" as \"{LAYOUT}\": cannot parse {} as \"{part}\"", go_quote(rest));
    let date = [("2006", 4, ""), ("-", 0, ""), ("01", 2, "month"), ("-", 0, ""), ("02", 2, ""), ("T", 0, "")];
    let time = [("15", 2, "hour"), (":", 0, ""), ("04", 2, "minute"), (":", 0, ""), ("05", 2, "second")];
    for (part, digits, name) in date.into_iter().chain(time) {
        if digits == 0 {
            let Some(behind) = rest.strip_prefix(part) else { return misfit(rest, part) };
            rest = behind;
            continue;
        }
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        // An hour may have a single digit.
        let digits = if part == "15" && rest.get(1..2).filter(is_number).is_none() { 1 } else { digits };
        let Some((number, behind)) = rest.split_at_checked(digits).filter(|(number, _)| is_number(number))
        else {
            return misfit(rest, part);
        };
        rest = behind;
        let number: u32 = number.parse().unwrap_or_default();
        let fits = match name {
            "month" => (1..=12).contains(&number),
            "hour" => number < 24,
            "minute" | "second" => number < 60,
            _ => true,
        };
        if !fits {
            return format!(": {name} out of range");
        }
    }
    if let Some(fraction) =
        rest.strip_prefix(['.', ',']).filter(|fraction| fraction.starts_with(|c: char| c.is_ascii_digit()))
    {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let is_offset = |text: &str| {
        let shape = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
        shape.clone().eq(*b"+00:00") || shape.eq(*b"-00:00")
    };
    match rest
        .strip_prefix('Z')
        .or_else(|| rest.split_at_checked(6).filter(|(zone, _)| is_offset(zone)).map(|(_, rest)| rest))
    {
        None => misfit(rest, "Z07:00"),
        Some("") => ": day out of range".to_owned(),
        Some(extra) => format!(": extra text: {}", go_quote(extra)),
    }
}

#[cfg(test)]
mod tests {
    use super::{base64, time_fault};

    #[test]
    fn a_time_is_told_by_the_first_part_that_does_not_fit() {
        let cannot = |rest: &str, part: &str| {
            format!(" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{rest}\" as \"{part}\"")
        };
        for (text, fault) in [
            ("", cannot("", "2006")),
            ("soon", cannot("soon", "2006")),
            ("2026-01-31", cannot("", "T")),
            ("2026-1-31", cannot("1-31", "01")),
            ("2026-01-31 15:04:05Z", cannot(" 15:04:05Z", "T")),
            ("2026-01-31T15:04", cannot("", ":")),
            ("2026-01-31T15:04:05", cannot("", "Z07:00")),
            ("2026-01-31T15:04:05.5+0100", cannot("+0100", "Z07:00")),
            ("2026-13-31T15:04:05Z", ": month out of range".to_owned()),
            ("2026-02-31T15:04:05Z", ": day out of range".to_owned()),
            ("2026-02-01T25:04:05Z", ": hour out of range".to_owned()),
            ("2026-02-01T15:04:05Zulu", ": extra text: \"ulu\"".to_owned()),
        ] {
            assert_eq!(time_fault(text), fault, "{text}");
        }
    }

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

//! Checks of the kinds that are stored as they came: one manifest with something wrong each, and what upstream says of it.

use setpoint_api::validate::{self, Cause};
use setpoint_api::{Object, default, manifest};

fn object(text: &str) -> Object {
    let mut object = manifest::read(text).unwrap_or_else(|said| panic!("{said:?} in {text}")).remove(0);
    if object.kind().is_namespaced() {
        object.metadata_mut().namespace = "default".into();
    }
    default::apply(&mut object);
    object
}

fn says(text: &str, expected: &[&str]) {
    let causes = validate::create_causes(&object(text));
    let found: Vec<String> = causes.iter().map(Cause::to_string).collect();
    assert_eq!(found, expected, "{text}");
}

/// A manifest in one line after its kind.
fn kind(api_version: &str, kind: &str, rest: &str) -> String {
    format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}, {rest}}}")
}

#[test]
fn workloads() {
    let pod = "metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}";
    let sets = |rest: &str| {
        kind(
            "apps/v1",
            "StatefulSet",
            &format!("spec: {{selector: {{matchLabels: {{a: b}}}}, template: {{{pod}}}, {rest}}}"),
        )
    };
    let daemons = |rest: &str| {
        kind(
            "apps/v1",
            "DaemonSet",
            &format!("spec: {{selector: {{matchLabels: {{a: b}}}}, template: {{{pod}}}, {rest}}}"),
        )
    };
    says(&sets("serviceName: s"), &[]);
    says(
        &sets("podManagementPolicy: Odd"),
        &["spec.podManagementPolicy: Invalid value: \"Odd\": must be 'OrderedReady' or 'Parallel'"],
    );
    says(
        &sets("updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}"),
        &[
            "spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":1,\"MaxUnavailable\":null}: only allowed for updateStrategy 'RollingUpdate'",
        ],
    );
    says(&sets("replicas: -1"), &["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]);
    says(
        &kind("apps/v1", "StatefulSet", &format!("spec: {{template: {{{pod}}}}}")),
        &["spec.selector: Required value"],
    );
    says(
        &daemons("updateStrategy: {rollingUpdate: {maxUnavailable: 0}}"),
        &["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
    );
    says(
        &daemons("updateStrategy: {rollingUpdate: {maxUnavailable: 1, maxSurge: 101%}}"),
        &[
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: \"101%\": must not be greater than 100%",
            "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: \"101%\": may not be set when maxUnavailable is non-zero",
        ],
    );
    says(
        &kind(
            "v1",
            "ReplicationController",
            "spec: {selector: {x: z}, template: {metadata: {labels: {a: b}}, spec: {containers: []}}}",
        ),
        &[
            "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`",
            "spec.template.spec.containers: Required value",
        ],
    );
    let job = |rest: &str| {
        kind(
            "batch/v1",
            "Job",
            &format!(
                "spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: x}}]}}}}, {rest}}}"
            ),
        )
    };
    says(
        &job("backoffLimit: -1"),
        &["spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"],
    );
    says(
        &job("completionMode: Odd"),
        &["spec.completionMode: Unsupported value: \"Odd\": supported values: \"NonIndexed\", \"Indexed\""],
    );
    says(
        &job("completionMode: Indexed, completions: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 3"),
        &["spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions"],
    );
}

#[test]
fn settings() {
    says(
        &kind("v1", "ConfigMap", "data: {a b: c}, binaryData: {x: YQ==}"),
        &[
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. \
           'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ],
    );
    says(
        &kind("v1", "Secret", "type: kubernetes.io/tls"),
        &["data[tls.crt]: Required value", "data[tls.key]: Required value"],
    );
    says(
        &kind("v1", "Secret", "type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: x}"),
        &[
            "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for beginning of value",
        ],
    );
    let (old, new) = (
        object(&kind("v1", "ConfigMap", "immutable: true, data: {a: b}")),
        object(&kind("v1", "ConfigMap", "data: {a: c}")),
    );
    let causes = validate::update_causes(&old, &new);
    let found: Vec<String> = causes.iter().map(Cause::to_string).collect();
    let detail = "Forbidden: field is immutable when `immutable` is set";
    assert_eq!(found, [format!("immutable: {detail}"), format!("data: {detail}")]);
}

#[test]
fn what_a_revision_stands_for_is_kept() {
    let revision = |fields: &str| object(&kind("apps/v1", "ControllerRevision", fields));
    let causes = |new: &str| {
        let causes = validate::update_causes(&revision("data: {a: 1}, revision: 1"), &revision(new));
        causes.iter().map(Cause::to_string).collect::<Vec<_>>()
    };
    assert_eq!(causes("data: {a: 1}, revision: 2"), [""; 0]);
    assert_eq!(causes("data: {a: 2}, revision: 2"), [r#"data: Invalid value: {"a":2}: field is immutable"#]);
}

#[test]
fn storage() {
    says(
        &kind("v1", "PersistentVolumeClaim", "spec: {accessModes: [RWX]}"),
        &[
            "spec.accessModes: Unsupported value: \"RWX\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \
             \"ReadWriteOnce\", \"ReadWriteOncePod\"",
            "spec.resources[storage]: Required value",
        ],
    );
    says(
        &kind("v1", "PersistentVolume", "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 0}}"),
        &[
            "spec.capacity[storage]: Invalid value: \"0\": must be greater than zero",
            "spec: Required value: must specify a volume type",
        ],
    );
    says(
        &kind(
            "v1",
            "PersistentVolume",
            "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, local: {path: /a}, nfs: {server: s, path: b}}",
        ),
        &[
            "spec.nfs.path: Invalid value: \"b\": must be an absolute path",
            "spec.local: Forbidden: may not specify more than 1 volume type",
        ],
    );
    says(
        &kind(
            "v1",
            "PersistentVolume",
            "spec: {accessModes: [ReadWriteOnce], capacity: {storage: 1Gi}, local: {path: /a}}",
        ),
        &["spec.nodeAffinity: Required value: Local volume requires node affinity"],
    );
    says(
        &kind("storage.k8s.io/v1", "StorageClass", "provisioner: '', volumeBindingMode: Later"),
        &[
            "provisioner: Required value",
            "volumeBindingMode: Unsupported value: \"Later\": supported values: \"Immediate\", \"WaitForFirstConsumer\"",
        ],
    );
}

#[test]
fn network() {
    let ingress = |rest: &str| kind("networking.k8s.io/v1", "Ingress", &format!("spec: {{{rest}}}"));
    says(&ingress(""), &["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]);
    says(
        &ingress(
            "rules: [{host: 1.2.3.4, http: {paths: [{path: a, pathType: Prefix, backend: {service: {name: s}}}, {path: /}]}}]",
        ),
        &[
            "spec.rules[0].host: Invalid value: \"1.2.3.4\": must be a DNS name, not an IP address",
            "spec.rules[0].http.paths[0].path: Invalid value: \"a\": must be an absolute path",
            "spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
            "spec.rules[0].http.paths[1].pathType: Required value: pathType must be specified",
        ],
    );
    says(
        &kind(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "spec: {podSelector: {}, ingress: [{from: [{}], ports: [{port: 5, endPort: 3, protocol: X}]}], \
               egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}], policyTypes: [In]}",
        ),
        &[
            "spec.ingress[0].ports[0].protocol: Unsupported value: \"X\": supported values: \"TCP\", \"UDP\", \"SCTP\"",
            "spec.ingress[0].ports[0].endPort: Invalid value: 3: must be greater than or equal to `port`",
            "spec.ingress[0].from[0]: Required value: must specify a peer",
            "spec.egress[0].to[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`",
            "spec.policyTypes[0]: Unsupported value: \"In\": supported values: \"Ingress\", \"Egress\"",
        ],
    );
    let service = kind("v1", "Service", "spec: {clusterIP: 10.1.2.3, ports: [{port: 80}]}");
    says(
        &service,
        &[
            "spec.clusterIPs: Invalid value: [\"10.1.2.3\"]: failed to allocate IP 10.1.2.3: the provided network does not match the current range",
        ],
    );
}

#[test]
fn limits() {
    says(
        &kind(
            "v1",
            "ResourceQuota",
            "spec: {hard: {pods: '-1', podz: 1}, scopes: [BestEffort, NotBestEffort]}",
        ),
        &[
            "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0",
            "spec.hard[podz]: Invalid value: \"podz\": must be a standard resource type or fully qualified",
            "spec.hard[podz]: Invalid value: \"podz\": must be a standard resource for quota",
            "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes",
        ],
    );
    says(
        &kind(
            "v1",
            "LimitRange",
            "spec: {limits: [{type: Container, max: {cpu: 1}, min: {cpu: 2}}, {type: Pod, default: {cpu: 1}}]}",
        ),
        &[
            "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1",
            "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request value 1",
            "spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1",
            "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'",
        ],
    );
    says(
        &kind("scheduling.k8s.io/v1", "PriorityClass", "value: 2000000000"),
        &["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    );
    says(
        &kind("policy/v1", "PodDisruptionBudget", "spec: {minAvailable: 101%}"),
        &["spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%"],
    );
}

#[test]
fn rights_and_definitions() {
    says(
        &kind(
            "rbac.authorization.k8s.io/v1",
            "Role",
            "rules: [{apiGroups: [''], resources: [pods]}, {nonResourceURLs: [/x], verbs: [get]}]",
        ),
        &[
            "rules[0].verbs: Required value: verbs must contain at least one value",
            "rules[1].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs",
        ],
    );
    says(
        &kind(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            "roleRef: {kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: s}, {kind: X, name: z}]",
        ),
        &[
            "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"",
            "subjects[0].namespace: Required value",
            "subjects[1].kind: Unsupported value: \"X\": supported values: \"ServiceAccount\", \"User\", \"Group\"",
        ],
    );
    says(
        &kind(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "spec: {group: b.c, scope: Odd, names: {plural: tabs, kind: Tab}, versions: [{name: v1, served: true, storage: true}]}",
        ),
        &[
            "metadata.name: Invalid value: \"a\": must be spec.names.plural+\".\"+spec.group",
            "spec.scope: Unsupported value: \"Odd\": supported values: \"Cluster\", \"Namespaced\"",
            "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
        ],
    );
}

#[test]
fn pods_in_detail() {
    let pod = |spec: &str, container: &str| {
        kind("v1", "Pod", &format!("spec: {{{spec} containers: [{{name: c, image: x, {container}}}]}}"))
    };
    says(
        &pod(
            "",
            "env: [{name: A, value: b, valueFrom: {fieldRef: {fieldPath: status.podIP}}}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.odd}}}]",
        ),
        &[
            "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty",
            "spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.odd\": error converting fieldPath: \
             field label not supported: spec.odd",
        ],
    );
    says(
        &pod("", "envFrom: [{}]"),
        &[
            "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`",
        ],
    );
    says(
        &pod("securityContext: {runAsUser: -1},", ""),
        &["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    );
    says(
        &pod("", "securityContext: {seccompProfile: {type: Localhost}}"),
        &[
            "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
        ],
    );
    says(
        &pod(
            "volumes: [{name: v, hostPath: {path: /a/../b, type: Odd}}],",
            "volumeMounts: [{name: v, mountPath: /x, subPath: /y}]",
        ),
        &[
            "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
            "spec.volumes[0].hostPath.type: Unsupported value: \"Odd\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \
             \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
            "spec.containers[0].volumeMounts[0].name: Not found: \"v\"",
            "spec.containers[0].volumeMounts.subPath: Invalid value: \"/y\": must be a relative path",
        ],
    );
    says(
        &pod(
            "volumes: [{name: v, secret: {secretName: s, defaultMode: 999, items: [{key: k, path: ../p}]}}],",
            "",
        ),
        &[
            "spec.volumes[0].secret.defaultMode: Invalid value: 999: must be a number between 0 and 0777 (octal), both inclusive",
            "spec.volumes[0].secret.items[0].path: Invalid value: \"../p\": must not contain '..'",
        ],
    );
    says(
        &pod("dnsPolicy: None, hostAliases: [{ip: x}], imagePullSecrets: [{}],", ""),
        &[
            "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
            "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ],
    );
}

#[test]
fn warnings_are_upstreams() {
    let warns =
        |text: &str, expected: &[&str]| assert_eq!(validate::warnings(&object(text)), expected, "{text}");
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a.b}\nspec:\n  selector: {matchLabels: {a: b}}\n  \
                      template:\n    metadata: {labels: {a: b}, annotations: {seccomp.security.alpha.kubernetes.io/pod: x}}\n    \
                      spec:\n      nodeSelector: {beta.kubernetes.io/os: linux}\n      terminationGracePeriodSeconds: -1\n      \
                      topologySpreadConstraints: [{maxSkew: 1, topologyKey: x, whenUnsatisfiable: ScheduleAnyway}]\n      \
                      containers:\n      - {name: c, image: x, env: [{name: A, value: '1'}, {name: A, value: '2'}], ports: \
                      [{containerPort: 80}, {containerPort: 80, name: p}]}\n";
    warns(
        deployment,
        &[
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is \
             recommended: [must not contain dots]",
            "spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead",
            "spec.template.spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
            "spec.template.metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the \
             \"seccompProfile\" field instead",
            "spec.template.spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply",
            "spec.template.spec.containers[0].ports[1]: duplicate port definition with spec.template.spec.containers[0].ports[0]",
            "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
        ],
    );
    let service =
        "spec: {clusterIP: None, sessionAffinity: ClientIP, externalIPs: [1.2.3.4], ports: [{port: 80}]}";
    warns(
        &kind("v1", "Service", service),
        &[
            "spec.externalIPs is ignored for headless services",
            "spec.SessionAffinity is ignored for headless services",
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        ],
    );
    warns(
        &kind("v1", "Secret", "type: kubernetes.io/tls, data: {tls.crt: YQ==, tls.key: YQ==}"),
        &["tls: failed to find any PEM data in certificate input"],
    );
    warns(&kind("v1", "ConfigMap", "data: {a: b}"), &[]);
}

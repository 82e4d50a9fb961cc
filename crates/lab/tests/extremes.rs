//! The greatest numbers that the API server takes: nothing that acts on them or shows them may fail.

mod common;

use common::{opened, pass, run};
use setpoint_api::{Object, ReplicaSet};
use setpoint_lab::inspect::Subject;
use setpoint_lab::{Action, Session};

const I32: &str = "2147483647";
const I64: &str = "9223372036854775807";

/// Objects of all kinds with numbers in their specs; MOST and MORE stand for the greatest of 32 and of 64 bits.
const MANIFESTS: &str = r#"
- {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: great}, value: 1000000000}
- apiVersion: v1
  kind: Pod
  metadata: {name: alone, namespace: default, labels: {app: alone}, annotations: {controller.kubernetes.io/pod-deletion-cost: "MOST"}}
  spec:
    terminationGracePeriodSeconds: MORE
    activeDeadlineSeconds: MOST
    priorityClassName: great
    tolerations: [{operator: Exists, effect: NoExecute, tolerationSeconds: MORE}]
    topologySpreadConstraints: [{maxSkew: MOST, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: alone}}}]
    affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: alone}}}}]}}
    containers:
    - name: c
      image: nginx
      lifecycle: {preStop: {sleep: {seconds: MORE}}}
      readinessProbe: {httpGet: {port: 80}, initialDelaySeconds: MOST, periodSeconds: MOST, timeoutSeconds: MOST, successThreshold: MOST, failureThreshold: MOST}
      livenessProbe: {httpGet: {port: 80}, initialDelaySeconds: MOST, periodSeconds: MOST, timeoutSeconds: MOST, failureThreshold: MOST, terminationGracePeriodSeconds: MORE}
- apiVersion: v1
  kind: Pod
  metadata: {name: hungry, namespace: default}
  spec:
    overhead: {cpu: 9223372036854775807, memory: 9223372036854775807}
    containers: [{name: a, image: nginx, resources: {requests: {cpu: 9223372036854775807, memory: 9223372036854775807}, limits: {cpu: 9223372036854775807, memory: 9223372036854775807}}}, {name: b, image: nginx, resources: {requests: {cpu: 9223372036854775807, memory: 9223372036854775807}}}]
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: default}
  spec:
    replicas: 2
    minReadySeconds: 2147483646
    progressDeadlineSeconds: MOST
    revisionHistoryLimit: MOST
    strategy: {rollingUpdate: {maxSurge: MOST, maxUnavailable: MOST}}
    selector: {matchLabels: {app: web}}
    template: &template {metadata: {labels: {app: web}}, spec: {terminationGracePeriodSeconds: MORE, containers: [{name: c, image: nginx}]}}
- apiVersion: apps/v1
  kind: DaemonSet
  metadata: {name: agent, namespace: default}
  spec: {minReadySeconds: MOST, revisionHistoryLimit: MOST, updateStrategy: {rollingUpdate: {maxUnavailable: MOST}}, selector: {matchLabels: {app: web}, matchExpressions: []}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}}
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: db, namespace: default}
  spec: {replicas: 2, minReadySeconds: MOST, revisionHistoryLimit: MOST, ordinals: {start: 2147483646}, updateStrategy: {rollingUpdate: {partition: MOST}}, serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: nginx}]}}}
- apiVersion: batch/v1
  kind: Job
  metadata: {name: work, namespace: default}
  spec: {completions: MOST, parallelism: 2, backoffLimit: MOST, activeDeadlineSeconds: MORE, ttlSecondsAfterFinished: MOST, template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: MORE, containers: [{name: c, image: "busybox:1", command: [sh, -c, "sleep 3"]}]}}}
- apiVersion: batch/v1
  kind: Job
  metadata: {name: over, namespace: default}
  spec: {ttlSecondsAfterFinished: MOST, activeDeadlineSeconds: MORE, template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: "busybox:1", command: [sh, -c, "sleep 3"]}]}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: tick, namespace: default}
  spec: {schedule: "* * * * *", startingDeadlineSeconds: MORE, successfulJobsHistoryLimit: MOST, failedJobsHistoryLimit: MOST, jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: seldom, namespace: default}
  spec: {schedule: "@every 2562047h", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}}}}}
- {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: most, namespace: default}, spec: {maxUnavailable: MOST, selector: {matchLabels: {app: db}}}}
- {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: least, namespace: default}, spec: {minAvailable: MOST, selector: {matchLabels: {app: db}}}}
- apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: web, namespace: default}
  spec: {minReplicas: 2, maxReplicas: MOST, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, behavior: {scaleUp: {policies: [{type: Pods, value: MOST, periodSeconds: 1800}, {type: Percent, value: MOST, periodSeconds: 1800}]}}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: MOST}}}]}
- {apiVersion: v1, kind: Service, metadata: {name: web, namespace: default}, spec: {selector: {app: web}, sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}, ports: [{port: 65535, targetPort: 65535}]}}
- {apiVersion: v1, kind: ResourceQuota, metadata: {name: all, namespace: default}, spec: {hard: {pods: "MORE", requests.cpu: "MORE", limits.memory: "MORE", count/jobs.batch: "MORE"}}}
- {apiVersion: v1, kind: LimitRange, metadata: {name: all, namespace: default}, spec: {limits: [{type: Container, max: {cpu: "MORE", memory: "MORE"}}]}}
- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: default}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: "MORE"}}}}
- {apiVersion: v1, kind: ReplicationController, metadata: {name: old, namespace: default}, spec: {replicas: 1, minReadySeconds: MOST, selector: {app: old}, template: {metadata: {labels: {app: old}}, spec: {containers: [{name: c, image: nginx}]}}}}
"#;

/// Shows all objects as the page and kubectl do.
fn look_at_all(session: &mut Session) -> usize {
    let named = |object: &Object| {
        let meta = object.metadata();
        let [namespace, name] = [&meta.namespace, &meta.name].map(ToString::to_string);
        (object.kind().as_str(), namespace, name)
    };
    let all: Vec<_> = session.sim().store().objects().map(named).collect();
    for (kind, namespace, name) in &all {
        let kind = kind.to_lowercase();
        let subject = Subject::Object {
            kind: (&*kind).into(),
            namespace: (&**namespace).into(),
            name: (&**name).into(),
        };
        session.inspect(&subject);
        for line in ["describe", "get -o wide", "get -o yaml"] {
            run(session, &format!("kubectl {line} {kind} {name} -n {namespace}"), "");
        }
    }
    session.frame();
    all.len()
}

#[test]
fn the_greatest_numbers_are_acted_on_and_shown() {
    let manifests = MANIFESTS.replace("MOST", I32).replace("MORE", I64).replace("&template ", "");
    let mut session = opened(&format!("cluster: {{nodes: 2}}\nuntil: 2h\nmanifests:{manifests}"), 30);
    let events = run(&mut session, "kubectl get events --field-selector=reason=Scheduled -o name", "");
    assert!(events.starts_with("event/"), "{events}");
    for name in events.lines() {
        let body =
            format!("{{\"count\":{I32},\"firstTimestamp\":\"9999-12-31T23:59:59Z\",\"lastTimestamp\":null}}");
        let line = format!("kubectl patch {name} --type=merge -p '{body}'");
        let answer = run(&mut session, &line, "");
        assert!(answer.contains("patched"), "{answer}");
    }
    assert!(look_at_all(&mut session) > 40);
    pass(&mut session, 60);
    run(&mut session, "kubectl set image deploy/web ds/agent sts/db c=nginx:2", "");
    run(&mut session, "kubectl scale sts db --replicas=2147483647", "");
    session.act(Action::KillMachine { node: "node-02".into() });
    pass(&mut session, 60);
    assert!(look_at_all(&mut session) > 40);
    // Anybody may write a status.
    let all = r#""replicas":MOST,"readyReplicas":MOST,"availableReplicas":MOST,"updatedReplicas":MOST,"currentReplicas":MOST,
        "unavailableReplicas":MOST,"active":MOST,"ready":MOST,"terminating":MOST,"succeeded":MOST,"failed":MOST,"collisionCount":MOST,
        "desiredNumberScheduled":MOST,"numberAvailable":MOST,"numberReady":MOST,"currentNumberScheduled":0,
        "fullyLabeledReplicas":MOST,"desiredReplicas":MOST,"disruptionsAllowed":MOST,"currentHealthy":MOST,"desiredHealthy":MOST,"expectedPods":MOST,
        "startTime":"9999-12-31T23:59:59Z""#
        .replace("MOST", I32);
    let set = session.sim().store().list::<ReplicaSet>().next().expect("a set");
    let set = format!("rs/{}", set.metadata.name);
    let counted = ["deploy/web", &set, "sts/db", "ds/agent", "job/work", "pdb/most", "rc/old", "hpa/web"]
        .map(|what| (what, &*all));
    let made =
        ["cronjob/tick", "cronjob/seldom"].map(|what| (what, r#""lastScheduleTime":"0001-01-01T00:00:00Z""#));
    for (what, status) in counted.into_iter().chain(made) {
        let body = format!("{{\"status\":{{{status}}}}}");
        let line = format!("kubectl patch {what} --subresource=status --type=merge -p '{body}'");
        let answer = run(&mut session, &line, "");
        assert!(answer.contains("patched"), "{what}: {answer}");
    }
    let revisions = run(&mut session, "kubectl get controllerrevisions -o name", "");
    for revision in revisions.lines() {
        let line = format!("kubectl patch {revision} --type=merge -p '{{\"revision\":{I64}}}'");
        let answer = run(&mut session, &line, "");
        assert!(answer.contains("patched"), "{answer}");
    }
    run(&mut session, "kubectl set image ds/agent sts/db c=nginx:3", "");
    let container = |name: &str| {
        format!(
            "{{\"name\":\"{name}\",\"image\":\"nginx\",\"imageID\":\"\",\"ready\":false,\"restartCount\":{I32}}}"
        )
    };
    let body = format!("{{\"status\":{{\"containerStatuses\":[{},{}]}}}}", container("a"), container("b"));
    let line = format!("kubectl patch pod hungry --subresource=status --type=merge -p '{body}'");
    let answer = run(&mut session, &line, "");
    assert!(answer.contains("patched"), "{answer}");
    look_at_all(&mut session);
    pass(&mut session, 60);
    look_at_all(&mut session);
    run(&mut session, "kubectl delete pods --all --wait=false", "");
    run(&mut session, "kubectl delete pod alone --grace-period=9223372036854775807 --wait=false", "");
    pass(&mut session, 10);
    look_at_all(&mut session);
    run(&mut session, "kubectl delete deploy,sts,ds,jobs,cronjobs,rc,pdb,hpa,pvc --all --wait=false", "");
    pass(&mut session, 10);
    look_at_all(&mut session);
    // More load than is simulated is marked as what is.
    for (service, rps) in [("web", 1), ("kubernetes", u32::MAX)] {
        session.act(Action::SetLoad { namespace: "default".into(), service: service.into(), rps });
    }
    let marks: Vec<String> = session.frame().marks.iter().map(|mark| mark.name.to_string()).collect();
    assert_eq!(marks.last().map(String::as_str), Some("load 20001"));
}

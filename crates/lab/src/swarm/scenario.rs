//! What a life begins with: a cluster with one Deployment under load.

use super::dice::Dice;
use std::fmt::Write as _;

/// A cluster with one Deployment, its Service and, mostly, an autoscaler.
pub(super) fn draw(dice: &mut Dice) -> String {
    let mut source = String::new();
    let nodes = 1 + dice.roll(5);
    let profile = if dice.chance(15) { "real" } else { "classroom" };
    let replicas = 1 + dice.roll(8);
    let strategy = match dice.roll(5) {
        0 => "{type: Recreate}".to_string(),
        1 => "{rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}".to_string(),
        2 => {
            format!("{{rollingUpdate: {{maxSurge: {}, maxUnavailable: {}}}}}", 1 + dice.roll(3), dice.roll(3))
        }
        3 => "{rollingUpdate: {maxSurge: 50%, maxUnavailable: 30%}}".to_string(),
        _ => "{}".to_string(),
    };
    let cpu = 50 + 50 * dice.roll(12);
    let readiness = if dice.chance(80) {
        let period = 1 + dice.roll(4);
        format!("\n          readinessProbe: {{httpGet: {{path: /, port: 8080}}, periodSeconds: {period}}}")
    } else {
        String::new()
    };
    let liveness = if dice.chance(60) {
        let delay = 3 + dice.roll(8);
        format!(
            "\n          livenessProbe: {{httpGet: {{path: /, port: 8080}}, initialDelaySeconds: {delay}, periodSeconds: 3}}"
        )
    } else {
        String::new()
    };
    let min_ready = if dice.chance(30) { dice.roll(6) } else { 0 };
    let _ = write!(
        source,
        "cluster: {{nodes: {nodes}, profile: {profile}}}
manifests:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {{name: web}}
  spec:
    replicas: {replicas}
    minReadySeconds: {min_ready}
    progressDeadlineSeconds: {}
    strategy: {strategy}
    selector: {{matchLabels: {{app: web}}}}
    template:
      metadata: {{labels: {{app: web}}}}
      spec:
        terminationGracePeriodSeconds: {}
        containers:
        - name: web
          image: web:v1
          ports: [{{containerPort: 8080}}]
          resources: {{requests: {{cpu: {cpu}m, memory: 64Mi}}}}{readiness}{liveness}
- apiVersion: v1
  kind: Service
  metadata: {{name: web}}
  spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080}}]}}
",
        min_ready + 10 + dice.roll(60),
        1 + dice.roll(30),
    );
    if dice.chance(60) {
        let min = 1 + dice.roll(4);
        let _ = write!(
            source,
            "- apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {{name: web}}
  spec:
    scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
    minReplicas: {min}
    maxReplicas: {}
",
            min + dice.roll(8)
        );
    }
    let _ = writeln!(source, "actions: [{{at: 0s, do: setLoad, service: web, rps: {}}}]", 1 + dice.roll(40));
    source
}

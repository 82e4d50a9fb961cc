//! Scenarios that come with the page, by name.

use crate::scenario::Scenario;
use std::fmt::Write as _;

/// Their names and titles, the one that the page opens with first.
pub const ALL: [(&str, &str); 10] = [
    ("welcome", "Self-healing web app"),
    ("order-service", "Order service on Friday"),
    ("monolith", "Monolith and services"),
    ("by-hand", "By hand or by spec"),
    ("stateful", "Stateful database"),
    ("batch", "Batch and agents"),
    ("crowded", "Crowded, with quotas"),
    ("four-nodes", "Four nodes, seven pods"),
    ("fifty-services", "Fifty services"),
    ("large", "Fifty nodes"),
];

/// The scenario of a name; `None` if there is none.
pub fn scenario(name: &str) -> Option<Scenario> {
    let source = match name {
        "welcome" => include_str!("../scenarios/welcome.yaml").to_string(),
        "order-service" => include_str!("../scenarios/order-service.yaml").to_string(),
        "monolith" => include_str!("../scenarios/monolith.yaml").to_string(),
        "by-hand" => include_str!("../scenarios/by-hand.yaml").to_string(),
        "stateful" => include_str!("../scenarios/stateful.yaml").to_string(),
        "batch" => include_str!("../scenarios/batch.yaml").to_string(),
        "crowded" => include_str!("../scenarios/crowded.yaml").to_string(),
        "four-nodes" => include_str!("../scenarios/four-nodes.yaml").to_string(),
        "fifty-services" => fifty_services(),
        "large" => large(),
        _ => return None,
    };
    // They are checked by a test; an empty cluster is better than a dead page all the same.
    Some(Scenario::read(&source).unwrap_or_else(|_| Scenario::empty()))
}

/// A Deployment with its Service.
fn app(source: &mut String, namespace: &str, name: &str, replicas: u32, cpu_milli: u32) {
    let _ = write!(
        source,
        "- apiVersion: apps/v1
  kind: Deployment
  metadata: {{name: {name}, namespace: {namespace}}}
  spec:
    replicas: {replicas}
    progressDeadlineSeconds: 60
    selector: {{matchLabels: {{app: {name}}}}}
    template:
      metadata: {{labels: {{app: {name}}}}}
      spec:
        containers:
        - name: {name}
          image: {name}:v1
          ports: [{{containerPort: 8080}}]
          resources: {{requests: {{cpu: {cpu_milli}m, memory: 64Mi}}, limits: {{cpu: 500m, memory: 128Mi}}}}
          readinessProbe: {{httpGet: {{path: /ready, port: 8080}}, periodSeconds: 2}}
          livenessProbe: {{httpGet: {{path: /health, port: 8080}}, initialDelaySeconds: 5}}
- apiVersion: v1
  kind: Service
  metadata: {{name: {name}, namespace: {namespace}}}
  spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: 8080}}]}}
"
    );
}

/// Fifty services of three pods on twenty nodes: losing a node takes some eight pods along.
fn fifty_services() -> String {
    let mut source = String::from(
        "name: Fifty services
cluster: {nodes: 20, profile: classroom}
until: 3m
manifests:
",
    );
    for subject in ["cart", "mail", "order", "pay", "price", "rating", "report", "search", "stock", "user"] {
        for part in ["api", "cache", "service", "web", "worker"] {
            app(&mut source, "default", &format!("{subject}-{part}"), 3, 100);
        }
    }
    source.push_str("actions: [{at: 8s, do: setLoad, service: cart-api, rps: 20}]\n");
    source
}

/// 1,500 pods on fifty nodes, where somebody always deploys something, deletes pods or cuts the power of a machine. Images
/// are on every disk and the controllers' clients are not limited, so that the pods are there within seconds.
fn large() -> String {
    let mut source = String::from(
        "name: Fifty nodes
cluster: {nodes: 50, profile: classroom, images: {preloaded: true}, tuning: {client_qps: 0}}
until: 3m
manifests:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
",
    );
    app(&mut source, "default", "web", 30, 100);
    let shop = ["cart", "order", "pay", "search", "stock"];
    for name in shop {
        app(&mut source, "shop", name, 294, 100);
    }
    source.push_str("actions:\n- {at: 5s, do: setLoad, service: web, rps: 100}\n");
    for round in 0..60 {
        let (at, version) = (20 + 15 * round, 2 + round / shop.len());
        let name = shop[round % shop.len()];
        let _ = write!(
            source,
            "- {{at: {at}s, do: setImage, namespace: shop, deployment: {name}, image: \"{name}:v{version}\"}}
- {{at: {}s, do: deletePods, selector: app=web, nth: {}}}
",
            at + 5,
            round % 30,
        );
        let (node, at) = (1 + round * 7 % 50, at + 7);
        if round % 4 == 0 {
            let _ = write!(
                source,
                "- {{at: {at}s, do: killMachine, node: node-{node:02}}}
- {{at: {}s, do: restoreMachine, node: node-{node:02}}}
",
                at + 20
            );
        }
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;
    use setpoint_api::time::SECOND;
    use setpoint_api::{Deployment, Pod, Time};

    #[test]
    fn every_scenario_is_right_and_fills_its_nodes() {
        for (name, pods, at) in [
            ("welcome", 3, 14),
            ("order-service", 3, 14),
            ("monolith", 7, 14),
            ("by-hand", 6, 14),
            ("stateful", 3, 14),
            ("batch", 7, 12),
            ("crowded", 8, 14),
            ("four-nodes", 7, 14),
            // 150 pods and their events, of which the client sends 20 a second.
            ("fifty-services", 150, 17),
            ("large", 1500, 14),
        ] {
            let scenario = scenario(name).expect(name);
            let sim = scenario.run(1, Time(at * SECOND));
            let is_ready = |pod: &&std::rc::Rc<Pod>| setpoint_control::pod::is_ready(pod);
            let ready = sim.store().list::<Pod>().filter(is_ready).count();
            assert_eq!(ready, pods, "{name}");
        }
        for (name, title) in ALL {
            assert_eq!(scenario(name).expect(name).name, title);
        }
        assert!(scenario("nothing").is_none());
    }

    #[test]
    fn on_friday_the_order_service_grows_to_ten_and_shrinks_again() {
        let scenario = scenario("order-service").expect("it is there");
        let wanted = |at: i64| {
            let sim = scenario.run(1, Time(at * SECOND));
            sim.store().find::<Deployment>("default", "order-service").and_then(|found| found.spec.replicas)
        };
        assert_eq!([wanted(25), wanted(85), wanted(235)], [Some(3), Some(10), Some(3)]);
    }

    fn pods_of(scenario: &Scenario, at: i64, app: &str) -> Vec<String> {
        let sim = scenario.run(1, Time(at * SECOND));
        let is_alive =
            |pod: &&std::rc::Rc<Pod>| !pod.metadata.is_deleting() && pod.metadata.label("app") == Some(app);
        let pods = sim.store().list::<Pod>().filter(is_alive);
        pods.map(|pod| pod.spec.node_name.as_deref().unwrap_or_default().to_string()).collect()
    }

    #[test]
    fn what_was_started_by_hand_is_not_put_back() {
        let scenario = scenario("by-hand").expect("it is there");
        let alive =
            |at: i64| (pods_of(&scenario, at, "by-hand").len(), pods_of(&scenario, at, "by-spec").len());
        assert_eq!([alive(14), alive(25), alive(80)], [(3, 3), (2, 3), (1, 3)]);
    }

    #[test]
    fn with_its_node_the_monolith_is_down_and_the_services_answer() {
        let scenario = scenario("monolith").expect("it is there");
        assert_eq!(pods_of(&scenario, 14, "monolith"), ["node-01"]);
        let sim = scenario.run(1, Time(26 * SECOND));
        let ready = |service: &str| {
            let slices = sim.store().list::<setpoint_api::EndpointSlice>();
            let own =
                slices.filter(|slice| slice.metadata.label("kubernetes.io/service-name") == Some(service));
            own.flat_map(|slice| slice.endpoints.iter())
                .filter(|endpoint| endpoint.conditions.ready == Some(true))
                .count()
        };
        assert_eq!(["monolith", "cart", "catalog", "pay"].map(|service| ready(service).min(1)), [0, 1, 1, 1]);
    }

    #[test]
    fn the_counters_tell_of_the_monolith_and_of_the_services_beside_it() {
        let mut session = crate::Session::named("monolith", 1).expect("it is there");
        let mut counted = |at: i64| {
            session.advance(at * SECOND, &mut || true);
            let app = session.frame().app.clone().expect("the monolith");
            format!("{} {}/{} beside {}", app.name, app.ready, app.target_replicas, app.beside)
        };
        assert_eq!(counted(14), "monolith 1/1 beside cart 2/2 · catalog 2/2 · pay 2/2");
        assert_eq!(counted(26), "monolith 0/1 beside cart 2/2 · catalog 2/2 · pay 1/2");
        assert_eq!(counted(60), "monolith 1/1 beside cart 2/2 · catalog 2/2 · pay 2/2");
    }
}

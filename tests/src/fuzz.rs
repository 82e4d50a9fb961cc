//! Text that people type, turned this way and that: targets that must neither panic nor hang, and a source of such text.
//!
//! The targets are plain functions, so that the tests, `cargo xtask fuzz` and cargo-fuzz (`fuzz/`) call the same.

use serde_json::Value;
use setpoint_api::text::{self, to_yaml};
use setpoint_api::{decode, default, manifest, patch, schema, validate};
use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;

/// A target and texts to begin with.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What is tried.
    pub run: fn(&str),
    /// Texts that mean something to it.
    pub seeds: &'static [&'static str],
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "manifest", run: manifest, seeds: MANIFESTS },
    Target { name: "kubectl", run: kubectl, seeds: LINES },
    Target { name: "jsonpath", run: jsonpath, seeds: PATHS },
    Target { name: "patch", run: patch, seeds: PATCHES },
];

const MANIFESTS: &[&str] = &[
    include_str!("../scenarios/everyday.yaml"),
    include_str!("../../crates/lab/samples/web.yaml"),
    include_str!("../../crates/lab/samples/hpa.yaml"),
    include_str!("../../crates/lab/samples/broken-typo.yaml"),
    include_str!("../vectors/invalid-manifests.json"),
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: &l {x: y}}\nspec:\n  nodeSelector: *l\n  volumes: [{name: v, \
     projected: {sources: [{secret: {name: s}}]}}, {name: w, fc: {lun: 0, wwids: [a]}}]\n  containers:\n  - {name: c, image: x, \
     env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a']\"}}}], resources: {limits: {cpu: 1e3, memory: \
     0.5Gi}}, securityContext: {runAsUser: -1}}\n",
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {schedule: '*/5 1-3 * jan mon', timeZone: Etc/UTC, \
     jobTemplate: {spec: {completions: 2, template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}}}\n",
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i}\nspec: {rules: [{host: '*.a.b', http: {paths: [{path: /, \
     pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}}]}\n---\napiVersion: networking.k8s.io/v1\nkind: \
     NetworkPolicy\nmetadata: {name: n}\nspec: {podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: \
     [10.1.0.0/16]}}], ports: [{port: 1, endPort: 2}]}]}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/tls\ndata: {tls.crt: YQ==, tls.key: YQ==}\n---\n\
     apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: Container, max: {cpu: 1}, min: {cpu: 2}, \
     maxLimitRequestRatio: {cpu: 2}}]}\n---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: 1.5}, \
     scopes: [BestEffort]}\n",
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b.c}\nspec: {group: b.c, scope: \
     Namespaced, names: {plural: a, kind: A}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: \
     {type: object, properties: {spec: {type: object}}}}}]}\n",
];
const LINES: &[&str] = &[
    "kubectl get pods -o wide -l app=web",
    "get deploy,svc -A -o custom-columns=N:.metadata.name,R:.spec.replicas",
    "get pod -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'",
    "describe node worker-1",
    "explain pod.spec.containers --recursive",
    "api-resources --namespaced=false -o name",
    "scale deploy/web --replicas=5",
    "apply -f web.yaml --dry-run=server",
    "logs -l app=web --tail=3",
    "patch deploy web -p '{\"spec\":{\"replicas\":2}}' --type=merge",
    "get nodes --sort-by=.metadata.name --no-headers | head -2",
];
const PATHS: &[&str] = &[
    "{.items[0].metadata.name}",
    "{range .items[?(@.status.phase==\"Running\")]}{.metadata.name}{\"\\t\"}{end}",
    "{.items[-1:].spec['nodeName']}",
    "{..image}",
    "{.items[*]['metadata.name', 'status.phase']}",
];
const PATCHES: &[&str] = &[
    r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"x:2","$patch":"merge"}]}}}}"#,
    r#"{"spec":{"replicas":null,"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#,
    r#"[{"op":"replace","path":"/spec/replicas","value":3},{"op":"test","path":"/metadata/name","value":"web"}]"#,
    r#"[{"op":"move","from":"/spec/template/spec/containers/0","path":"/spec/template/spec/containers/-"}]"#,
    r#"{"metadata":{"annotations":{"a/b":"c"},"$setElementOrder/ownerReferences":[{"uid":"1"}]}}"#,
];

/// A manifest: read, checked, decoded strictly and loosely, defaulted, validated, printed, judged.
pub fn manifest(text: &str) {
    manifest::check(text);
    setpoint_lab::verdict::verdict("f.yaml", text);
    for document in text::read(text).documents {
        let value = document.root.to_value();
        to_yaml(&value);
        for is_strict in [true, false] {
            let Ok(mut decoded) = decode::decode(value.clone(), is_strict) else { continue };
            let before = decoded.object.clone();
            default::apply(&mut decoded.object);
            validate::create_causes(&decoded.object);
            validate::update_causes(&before, &decoded.object);
            validate::warnings(&decoded.object);
            to_yaml(&decoded.object.to_value());
        }
    }
}

/// A line in a terminal of a running cluster.
pub fn kubectl(line: &str) {
    let mut session = Session::welcome(1);
    session.advance(3_000_000, &mut || true);
    let mut terminal = Terminal::default();
    terminal.files.insert("web.yaml".into(), MANIFESTS[1].into());
    session.complete(&terminal, line, line.len());
    let started = session.kubectl(&mut terminal, line, "");
    if let Some(mut command) = started.command {
        session.advance(1_000_000, &mut || true);
        session.follow(&mut command);
    }
}

/// A path of JSONPath over the pods of a running cluster.
pub fn jsonpath(path: &str) {
    kubectl(&format!("get pods -o jsonpath='{}'", path.replace('\'', "'\\''")));
}

/// A patch in every form over a Deployment.
pub fn patch(text: &str) {
    let Ok(change) = serde_json::from_str::<Value>(text) else { return };
    let object =
        text::read(MANIFESTS[1]).documents.into_iter().next().map(|document| document.root.to_value());
    let Some(object) = object else { return };
    let Some(of) = schema::type_of("apps/v1", "Deployment") else { return };
    let strategic = patch::apply_strategic(&object, &change, of);
    let merged = patch::apply_merge(&object, &change);
    let changed = patch::decode_json(&change).and_then(|ops| patch::apply_json(&object, &ops));
    for result in [strategic, merged, changed].into_iter().flatten() {
        patch::mismatch(&result, of);
        let back = patch::two_way(&object, &result, of);
        let _ = patch::apply_strategic(&object, &back, of);
        patch::three_way(&object, &change, &result, Some(of));
    }
}

/// Draws text: seeds, cut, joined, repeated and sprinkled with what is likely to matter. The same number gives the same text.
pub struct Source {
    state: u64,
    seeds: &'static [&'static str],
}

const TOKENS: &[&str] = &[
    "-",
    ":",
    ": ",
    "\n",
    "\n  ",
    "{",
    "}",
    "[",
    "]",
    "*",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "\"",
    "'",
    "null",
    "~",
    "true",
    "-1",
    "0",
    "1e309",
    "9223372036854775808",
    "0x",
    "100mm",
    "25%",
    "\u{0}",
    "\u{feff}",
    "é",
    "\t",
    "---\n",
    "...",
    "!!binary ",
    "$patch",
    "/",
    "..",
    "@",
    "?",
    "(",
    ")",
    "=",
    "==",
    ",",
    " -o ",
    " --",
    "\\",
    "kind: List\nitems:\n- ",
    "apiVersion: v1\n",
    "replicas",
];

impl Source {
    /// A source of texts for a target.
    pub fn new(target: &Target, seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, seeds: target.seeds }
    }

    fn below(&mut self, limit: usize) -> usize {
        // Xorshift: any even spread will do.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        if limit == 0 { 0 } else { (self.state >> 11) as usize % limit }
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The next text.
    pub fn next_text(&mut self) -> String {
        let mut text = self.seeds[self.below(self.seeds.len())].to_owned();
        if text.len() > 4_000 {
            let (from, to) = (self.place(&text), self.place(&text));
            text = text[from.min(to)..from.max(to)].chars().take(4_000).collect();
        }
        for _ in 0..=self.below(8) {
            let (from, to) = (self.place(&text), self.place(&text));
            let (from, to) = (from.min(to), from.max(to));
            let near = text[from..].char_indices().nth(self.below(12)).map_or(to, |(at, _)| from + at);
            match self.below(6) {
                0 => text.replace_range(from..near, ""),
                1 => text.insert_str(from, TOKENS[self.below(TOKENS.len())]),
                2 => text.replace_range(from..near, TOKENS[self.below(TOKENS.len())]),
                3 => {
                    let part: String = text[from..to].chars().take(200).collect();
                    text.insert_str(to, &part);
                }
                4 if from > text.len() / 2 => text.truncate(from),
                _ => {
                    let other = self.seeds[self.below(self.seeds.len())];
                    let at = self.place(other);
                    let part: String = other[at..].chars().take(300).collect();
                    text.insert_str(from, &part);
                }
            }
        }
        text
    }
}

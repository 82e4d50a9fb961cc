//! Command lines against a running cluster: what they print.

use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;

/// What a line prints in the cluster that the page starts with, after ten seconds.
fn run(line: &str) -> (String, String, Option<i32>) {
    let mut session = Session::welcome(1);
    session.advance(10_000_000, &mut || true);
    let started = session.kubectl(&mut Terminal::default(), line, "");
    (started.output.out(), started.output.err(), started.output.code)
}

#[test]
fn wrong_lines_are_answered_in_kubectls_words() {
    let cases = [
        ("frobnicate", "error: unknown command \"frobnicate\" for \"kubectl\"\n"),
        ("gte pods", "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n"),
        ("get --for x", "error: unknown flag: --for\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -z", "error: unknown shorthand flag: 'z' in -z\nSee 'kubectl get --help' for usage.\n"),
        ("get pods -l", "error: flag needs an argument: 'l' in -l\nSee 'kubectl get --help' for usage.\n"),
        (
            "get pods --selector",
            "error: flag needs an argument: --selector\nSee 'kubectl get --help' for usage.\n",
        ),
        ("get foo", "error: the server doesn't have a resource type \"foo\"\n"),
        ("get pod nope", "Error from server (NotFound): pods \"nope\" not found\n"),
        ("get deploy nope", "Error from server (NotFound): deployments.apps \"nope\" not found\n"),
        (
            "logs nope --since-time=2026-01-01",
            "error: parsing time \"2026-01-01\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"T\"\n",
        ),
        ("get pods 'x", "bash: unexpected EOF while looking for matching `''\n"),
    ];
    for (line, expected) in cases {
        let (_, err, code) = run(line);
        assert_eq!(err, expected, "{line}");
        assert_ne!(code, Some(0), "{line}");
    }
}

#[test]
fn tab_offers_what_may_come_next() {
    let mut session = Session::welcome(1);
    session.advance(10_000_000, &mut || true);
    let terminal =
        Terminal { files: [("web.yaml".to_string(), String::new())].into(), ..Terminal::default() };
    let offered = |line: &str| {
        let completion = session.complete(&terminal, line, line.len());
        (line.get(completion.from..).unwrap_or("?").to_string(), completion.candidates)
    };
    let cases: [(&str, &str, &[&str]); 12] = [
        ("ku", "ku", &["kubectl"]),
        ("kubectl desc", "desc", &["describe"]),
        ("kubectl rollout res", "res", &["restart", "resume"]),
        ("get deployments w", "w", &["web"]),
        ("get deploym", "deploym", &["deployments"]),
        ("describe deployment/w", "w", &["web"]),
        ("get pods,endpointsl", "endpointsl", &["endpointslices"]),
        ("get pods -n kube-s", "kube-s", &["kube-system"]),
        ("get pods --show-l", "--show-l", &["--show-labels"]),
        ("get pods -o y", "y", &["yaml"]),
        ("apply -f we", "we", &["web.yaml"]),
        ("explain deployment.spec.str", "deployment.spec.str", &["deployment.spec.strategy"]),
    ];
    for (line, word, expected) in cases {
        assert_eq!(
            offered(line),
            (word.to_string(), expected.iter().map(|text| text.to_string()).collect()),
            "{line}"
        );
    }
    assert_eq!(offered("logs web-").1.len(), 3);
    assert_eq!(session.complete(&terminal, "get ü", 5).from, 4);
}

#[test]
fn templates_find_what_kubectl_finds() {
    let names = "{range .items[*]}{.metadata.name}{\"\\t\"}{.spec.unschedulable}{\"\\n\"}{end}";
    let cases = [
        ("{.items[*].metadata.name}", "node-01 node-02 node-03"),
        (names, "node-01\t\nnode-02\t\nnode-03\t\n"),
        ("{.items[0].metadata.name}/{.items[-1:].metadata.name}", "node-01/node-03"),
        ("{.items[0:2].metadata.name}", "node-01 node-02"),
        ("{.items[0,2].metadata.name}", "node-01 node-03"),
        ("{.items[?(@.metadata.name==\"node-02\")].kind}", "Node"),
        ("{.items[0].status.addresses[?(@.type=='InternalIP')].address}", "172.18.0.2"),
        ("{.items[0].status.conditions[?(@.type==\"Ready\")].status}", "True"),
        ("{.items[0].metadata.labels.kubernetes\\.io/hostname}", "node-01"),
        ("{.items[0].metadata.labels['kubernetes\\.io/os']}", "linux"),
        ("{..hostname}", ""),
        (
            "{.items[0].status.capacity}",
            "{\"cpu\":\"4\",\"ephemeral-storage\":\"100Gi\",\"memory\":\"8Gi\",\"pods\":\"110\"}",
        ),
        ("{.nope.at.all}", ""),
        ("plain {\"text\"} {.kind}", "plain text List"),
        ("{.items[?(@.spec.taints)].kind}", ""),
    ];
    for (template, expected) in cases {
        let (out, err, code) = run(&format!("get nodes -o 'jsonpath={}'", template.replace('\'', "'\\''")));
        assert_eq!((&*out, &*err, code), (expected, "", Some(0)), "{template}");
    }
    let wrong = [
        ("{.items[0}", "error: error parsing jsonpath {.items[0}, unterminated array\n"),
        ("{.items", "error: error parsing jsonpath {.items, unclosed action\n"),
        ("{range .items[*]}{frob}{end}", "unrecognized identifier frob"),
        ("{.items[7]}", "array index out of bounds: index 7, length 3"),
        ("{.kind[0]}", "string is not array or slice"),
        ("{end}", "not in range, nothing to end"),
        ("{.items[?(@.kind>1)]}", "incompatible types for comparison"),
    ];
    for (template, expected) in wrong {
        let (_, err, code) = run(&format!("get nodes -o 'jsonpath={template}'"));
        assert!(err.contains(expected), "{template}: {err}");
        assert_eq!(code, Some(1), "{template}");
    }
}

#[test]
fn go_templates_print_what_go_prints() {
    let cases = [
        ("{{range .items}}{{.metadata.name}},{{end}}", "node-01,node-02,node-03,"),
        ("{{len .items}} {{.kind | printf \"%q\"}}", "3 \"List\""),
        (
            "{{range $i, $n := .items}}{{if gt $i 0}} {{end}}{{$i}}={{$n.metadata.name}}{{end}}",
            "0=node-01 1=node-02 2=node-03",
        ),
        ("{{(index .items 1).metadata.name}}", "node-02"),
        ("{{with .nope}}yes{{else}}no{{end}} {{.nope}}", "no <no value>"),
        ("a {{- /* nothing */ -}} b", "ab"),
        ("{{range .nope}}x{{else}}none{{end}}", "none"),
        ("{{if and (eq .kind \"List\") (not .nope)}}ok{{else if .kind}}what{{end}}", "ok"),
    ];
    for (template, expected) in cases {
        let (out, err, code) = run(&format!("get nodes -o template --template='{template}'"));
        assert_eq!((&*out, &*err, code), (expected, "", Some(0)), "{template}");
    }
    for (template, expected) in
        [("{{.kind", "unclosed action"), ("{{if .a}}", "unexpected EOF"), ("{{frob}}", "not defined")]
    {
        let (_, err, code) = run(&format!("get nodes -o 'go-template={template}'"));
        assert!(err.contains(expected) && code == Some(1), "{template}: {err}");
    }
}

/// A small generator of equal draws everywhere.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

#[test]
fn any_line_is_answered() {
    let words = [
        "get",
        "describe",
        "pods",
        "deploy",
        "web",
        "svc/web",
        "all",
        "-o",
        "yaml",
        "wide",
        "json",
        "-l",
        "app=web",
        "-A",
        "-n",
        "kube-system",
        "--",
        "-",
        "--sort-by=.metadata.name",
        "-w",
        "logs",
        "exec",
        "-f",
        "-",
        "explain",
        "pod.spec",
        "top",
        "rollout",
        "status",
        "undo",
        "scale",
        "--replicas=2",
        "set",
        "image",
        "web=web:v2",
        "delete",
        "--dry-run=client",
        "patch",
        "-p",
        "{\"spec\":null}",
        "label",
        "a=b",
        "create",
        "deployment",
        "'x y'",
        "\"q",
        "|",
        "grep",
        ">",
        "file",
        "<<EOF",
        "\n",
        "ü",
        "-owide",
        "-Aw",
        "--request-timeout=1s",
        "--watch",
        "config",
        "events",
        "--for",
        "api-resources",
        "drain",
        "node-01",
        "edit",
        "diff",
        "run",
        "--image=nginx:1",
        "expose",
        "--port=80",
        "autoscale",
        "--max=3",
        "annotate",
        "taint",
        "nodes",
        "k=v:NoSchedule",
        "wait",
        "--for=condition=available",
        "--timeout=1s",
        "=",
        "--=",
        "---x",
        "-",
        "jsonpath={.items[*].metadata.name}",
        "sh",
        "-c",
        "env",
    ];
    let mut draws = Draws(7);
    let mut session = Session::welcome(1);
    session.advance(5_000_000, &mut || true);
    let mut terminal = Terminal::default();
    for _ in 0..3_000 {
        let count = 1 + draws.below(7);
        let line: Vec<&str> = (0..count).map(|_| draws.of(&words)).collect();
        let line = line.join(" ");
        let started = session.kubectl(&mut terminal, &line, "a: [");
        assert!(started.command.is_some() || started.output.code.is_some(), "{line}");
        if let Some(mut command) = started.command {
            session.follow(&mut command);
        }
        let at = draws.below(line.len() + 1);
        session.complete(&terminal, &line, at);
    }
}

#[test]
fn any_template_is_answered() {
    let parts = [
        "{",
        "}",
        ".",
        "..",
        "[",
        "]",
        "*",
        "?(",
        "@",
        ")",
        "==",
        "<",
        "'",
        "\"",
        "\\",
        "range",
        "end",
        "items",
        "kind",
        "0",
        "-1",
        ":",
        ",",
        " ",
        "$",
        "metadata",
        "name",
        "ü",
        "\n",
        "{.items[*]}",
        "{range .items[*]}",
        "{end}",
        "{..}",
        "..*",
        "1e9",
        "true",
        "+",
        "99999999999999999999",
    ];
    let go_parts = [
        "{{",
        "}}",
        "{{range .items}}",
        "{{end}}",
        "{{else}}",
        "{{if .kind}}",
        "{{.metadata.name}}",
        "(",
        ")",
        "|",
        "$x",
        ":=",
        "index",
        " ",
        "0",
        "\"a\"",
        "`",
        "{{- ",
        " -}}",
        "printf",
        "%99999s",
        "{{range .items}}{{range $.items}}{{range $.items}}",
        "len",
        ".",
        "{{/*",
        "ü",
    ];
    let mut draws = Draws(11);
    let mut session = Session::welcome(1);
    session.advance(5_000_000, &mut || true);
    let file = "template";
    for _ in 0..3_000 {
        let count = 1 + draws.below(14);
        let template: String = (0..count).map(|_| draws.of(&parts)).collect();
        let mut terminal =
            Terminal { files: [(file.to_string(), template.clone())].into(), ..Terminal::default() };
        let started = session.kubectl(&mut terminal, "get pods -o jsonpath-file=template", "");
        assert!(started.output.code.is_some(), "{template}");
        let go: String = (0..count).map(|_| draws.of(&go_parts)).collect();
        session.kubectl(&mut terminal, &format!("get pods -o 'go-template={go}'"), "");
        let quoted = template.replace('\'', "");
        session.kubectl(
            &mut terminal,
            &format!("get pods -o 'custom-columns=A:{quoted}' --sort-by='{quoted}'"),
            "",
        );
    }
}

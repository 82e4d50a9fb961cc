//! The samples in a running cluster: they do what their first lines say.

use setpoint_lab::kubectl::Terminal;
use setpoint_lab::{Session, samples};

/// What a line prints, after a text was applied and some seconds have passed.
fn after(manifest: &str, seconds: i64, line: &str) -> String {
    let mut session = Session::welcome(1);
    let mut terminal = Terminal::default();
    session.advance(5_000_000, &mut || true);
    let applied = session.kubectl(&mut terminal, "apply -f -", manifest).output;
    assert_eq!((applied.code, applied.err()), (Some(0), String::new()), "{manifest}");
    session.advance(5_000_000 + seconds * 1_000_000, &mut || true);
    session.kubectl(&mut terminal, line, "").output.out()
}

fn sample(name: &str) -> &'static str {
    samples::ALL.iter().find(|(sample, _)| *sample == name).map_or("", |(_, text)| text)
}

#[test]
fn a_startup_probe_protects_what_starts_slowly() {
    let restarts = |manifest: &str| -> Vec<String> {
        let out = after(manifest, 40, "get pods -l app=slow --no-headers");
        out.lines()
            .map(|line| line.split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" "))
            .collect()
    };
    let text = sample("slow-start.yaml");
    assert_eq!(restarts(text), ["1/1 Running 0"; 2]);
    let (before, probe) = text.split_once("        startupProbe:\n").unwrap();
    let (_, after) = probe.split_once("        livenessProbe:\n").unwrap();
    let without = format!("{before}        livenessProbe:\n{after}");
    let bad = restarts(&without);
    assert!(bad.iter().all(|line| !line.ends_with(" 0") && !line.starts_with("1/1")), "{bad:?}");
}

#[test]
fn a_service_with_a_wrong_selector_has_no_endpoints_until_it_is_mended() {
    let text = sample("broken-selector.yaml");
    let endpoints =
        |text: &str| after(text, 10, "get endpointslices -l kubernetes.io/service-name=shop-b --no-headers");
    let bad = endpoints(text);
    assert!(bad.contains("<unset>"), "{bad}");
    let good = endpoints(&text.replace("app: shopp\n", "app: shop-b\n"));
    assert!(good.contains("8080   10.244."), "{good}");
}

#[test]
fn all_that_is_not_wrong_on_purpose_is_taken() {
    // Beside the HPA that is there already, kubectl would warn that nobody has applied it before.
    for (name, text) in
        samples::ALL.iter().filter(|(name, _)| !name.starts_with("broken") && *name != "hpa.yaml")
    {
        let out = after(text, 20, "get deployments --no-headers");
        assert!(out.lines().all(|line| line.contains("2/2") || line.contains("3/3")), "{name}: {out}");
    }
}

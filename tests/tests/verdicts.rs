//! Other people's manifests against what a real API server said of them.

use serde_json::Value;
use setpoint_lab::kubectl::{Chunk, Terminal};
use setpoint_lab::verdict::verdict;
use setpoint_lab::{Scenario, Session, headless};
use setpoint_tests::reference;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

#[test]
fn verdicts_are_a_real_servers() {
    let Some(folder) = reference::folder() else {
        eprintln!("skipped: no reference beside the project, and SETPOINT_REFERENCE does not name it");
        return;
    };
    let text = fs::read_to_string(folder.join("manifests/verdicts.json")).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let mut differences = Vec::new();
    for (file, expected) in recorded.as_object().unwrap() {
        let source = fs::read(folder.join("manifests/real-world").join(file)).unwrap();
        let found = verdict(file, &String::from_utf8_lossy(&source)).to_value();
        if found != *expected {
            differences.push(format!("{file}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The manifests that teaching documents show, by name; without the reference, says that they are skipped.
fn sources() -> Option<Vec<PathBuf>> {
    let Some(folder) = reference::folder() else {
        eprintln!("skipped: no reference beside the project, and SETPOINT_REFERENCE does not name it");
        return None;
    };
    let entries = fs::read_dir(folder.join("manifests/sources")).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

#[test]
fn manifests_of_the_sources_are_accepted() {
    let Some(files) = sources() else { return };
    let mut refused = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let said = verdict(&name, &fs::read_to_string(file).unwrap());
        // An object of a kind that its reader is to define first.
        let is_custom = said.err.contains("no matches for kind \"PostgresCluster\"");
        if said.rc != 0 && !is_custom {
            refused.push(format!("{name}: {}", said.err));
        }
    }
    assert!(!files.is_empty() && refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn every_way_of_failing_has_kubectls_words() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: x}]}\n";
    let no_kind = "apiVersion: v1\nmetadata: {name: a}\n";
    for (source, rc, out, err) in [
        (pod.to_owned(), 0, "pod/a created (server dry run)\n", ""),
        (String::new(), 1, "", "error: no objects passed to create\n"),
        (
            no_kind.to_owned(),
            1,
            "",
            "error: error validating \"f\": error validating data: kind not set; if you choose to ignore these errors, \
             turn validation off with --validate=false\n",
        ),
        (
            format!("{pod}---\napiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {{name: x}}\n"),
            1,
            "pod/a created (server dry run)\n",
            "error: resource mapping not found for name: \"x\" namespace: \"\" from \"f\": no matches for kind \
             \"CronTab\" in version \"stable.example.com/v1\"\nensure CRDs are installed first\n",
        ),
        (
            pod.replace("image: x", "imag: x") + "---\n" + &pod.replace("image: x", ""),
            1,
            "",
            "Error from server (BadRequest): error when creating \"f\": Pod in version \"v1\" cannot be handled as a \
             Pod: strict decoding error: unknown field \"spec.containers[0].imag\"\nError from server (Invalid): error \
             when creating \"f\": Pod \"a\" is invalid: spec.containers[0].image: Required value\n",
        ),
        (
            "just text\n".to_owned(),
            1,
            "",
            "error: error validating \"f\": error validating data: invalid object to validate; if you choose to ignore these \
             errors, turn validation off with --validate=false\n",
        ),
        (
            format!("{pod}---\nmetadata:\n  name: {{{{ .Values.name }}}}\n"),
            1,
            "pod/a created (server dry run)\n",
            "error: error parsing f: error converting YAML to JSON: yaml: invalid map key: map[interface {}]interface \
             {}{\".Values.name\":interface {}(nil)}\n",
        ),
        (
            "a: 1\n{{ if .x }}\nb: 2\n".to_owned(),
            1,
            "",
            "error: error parsing f: error converting YAML to JSON: yaml: line 3: could not find expected ':'\n",
        ),
        (
            format!("{pod}---\na: [\n"),
            1,
            "pod/a created (server dry run)\n",
            "error: error parsing f: error converting YAML to JSON: yaml: line 1: did not find expected node content\n",
        ),
    ] {
        let said = verdict("f", &source);
        assert_eq!((said.rc, &*said.out, &*said.err), (rc, out, err), "{source}");
    }
}

#[test]
fn manifests_of_the_sources_become_ready() {
    let Some(files) = sources() else { return };
    let mut wrong = String::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().to_string();
        let source = fs::read_to_string(file).unwrap();
        let mut session = Session::open(Rc::new(Scenario::empty()), 1);
        session.advance(10_000_000, &mut || true);
        let mut terminal = Terminal::default();
        if source.contains("kind: PostgresCluster") {
            session.kubectl(&mut terminal, "apply -f -", DEFINITION);
        }
        terminal.files.insert(name.clone(), source);
        let mut said = String::new();
        let mut print = |chunk: &Chunk| said.push_str(&chunk.text);
        let words = ["apply".to_owned(), format!("--filename={name}")];
        let code = headless::kubectl(&mut session, &mut terminal, &words, "", i64::MAX, &mut print);
        let until = session.now_us() + 600_000_000;
        let ready =
            headless::wait_ready(&mut session, &mut terminal, std::slice::from_ref(&name), until, &mut print);
        if (code, ready) != (0, 0) {
            wrong.push_str(&format!("{name}: {code}, {ready}\n{said}"));
        }
    }
    assert!(files.len() >= 8 && wrong.is_empty(), "{wrong}");
}

/// What the custom object of the sources needs to be known.
const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: postgresclusters.database.example.com}
spec:
  group: database.example.com
  scope: Namespaced
  names: {kind: PostgresCluster, plural: postgresclusters, singular: postgrescluster}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

//! A cluster is taught a kind, and holds its objects to the definition.

use setpoint_lab::Session;
use setpoint_lab::kubectl::Terminal;

const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: postgresclusters.database.example.com}
spec:
  group: database.example.com
  scope: Namespaced
  names: {plural: postgresclusters, kind: PostgresCluster, shortNames: [pgc]}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [engineVersion]
            properties:
              engineVersion: {type: string}
              replicas: {type: integer, default: 1}
";
const CLUSTER: &str = "\
apiVersion: database.example.com/v1alpha1
kind: PostgresCluster
metadata: {name: production-db}
spec: {engineVersion: \"15.3\"}
";

fn said(session: &mut Session, line: &str, stdin: &str) -> String {
    let started = session.kubectl(&mut Terminal::default(), line, stdin);
    started.output.out() + &started.output.err()
}

#[test]
fn a_kind_is_taught_and_its_objects_are_checked() {
    let mut session = Session::welcome(1);
    session.advance(2_000_000, &mut || true);
    let mut run = |line: &str, stdin: &str| said(&mut session, line, stdin);
    assert_eq!(
        run("apply -f -", CLUSTER),
        "error: resource mapping not found for name: \"production-db\" namespace: \"\" from \"STDIN\": no matches for kind \
         \"PostgresCluster\" in version \"database.example.com/v1alpha1\"\nensure CRDs are installed first\n"
    );
    assert_eq!(
        run("apply -f -", DEFINITION),
        "customresourcedefinition.apiextensions.k8s.io/postgresclusters.database.example.com created\n"
    );
    assert_eq!(run("apply -f -", CLUSTER), "postgrescluster.database.example.com/production-db created\n");
    assert_eq!(run("get pgc -o jsonpath={.items[0].spec.replicas}", ""), "1");
    let unknown =
        CLUSTER.replace("{engineVersion", "{engine: x, engineVersion").replace("production-db", "other");
    assert!(run("apply -f -", &unknown).ends_with(
        "PostgresCluster in version \"v1alpha1\" cannot be handled as a PostgresCluster: strict decoding error: unknown field \
         \"spec.engine\"\n"
    ));
    let wrong = CLUSTER.replace("\"15.3\"", "15").replace("production-db", "other");
    assert_eq!(
        run("apply -f -", &wrong),
        "The PostgresCluster \"other\" is invalid: spec.engineVersion: Invalid value: \"integer\": spec.engineVersion in body \
         must be of type string: \"integer\"\n"
    );
}

//! A click on the page and the kubectl line that it writes are one and the same act.

use setpoint_lab::inspect::Subject;
use setpoint_lab::kubectl::Terminal;
use setpoint_lab::{Action, Session};

const SECOND: i64 = 1_000_000;

/// The state after both ways: by the page, and by the line that the page writes.
fn both(before: &[&str], action: &str) -> [(String, String); 2] {
    let read = |text: &str| Action::read(serde_json::from_str(text).unwrap()).unwrap();
    [true, false].map(|by_page| {
        let mut session = Session::welcome(1);
        session.advance(10 * SECOND, &mut || true);
        for action in before {
            session.act(read(action));
            session.advance(session.now_us() + 10 * SECOND, &mut || true);
        }
        let action = read(action);
        let mut said = String::new();
        if by_page {
            session.act(action);
        } else {
            let line = session.equivalent(&action).expect("a line").pasteable();
            let started = session.kubectl(&mut Terminal::default(), &line, "");
            said = started.output.err();
            // What drains or waits goes on by itself.
            let mut command = started.command;
            while let Some(going) = &mut command {
                session.advance(session.now_us() + SECOND, &mut || true);
                let more = session.follow(going);
                said.push_str(&more.err());
                if more.code.is_some() {
                    command = None;
                }
            }
        }
        let until = 60 * SECOND;
        session.advance(until, &mut || true);
        let node = Subject::Object { kind: "node".into(), namespace: "".into(), name: "node-02".into() };
        (session.export(None).unwrap_or_default() + &session.export(Some(&node)).unwrap_or_default(), said)
    })
}

#[test]
fn the_page_and_its_lines_do_the_same() {
    let deploy = r#"{"do":"setImage","deployment":"web","image":"web:v2"}"#;
    let pause = r#"{"do":"setPaused","deployment":"web","paused":true}"#;
    let cases: [(&[&str], &str); 11] = [
        (&[], r#"{"do":"scale","deployment":"web","replicas":5}"#),
        (&[], deploy),
        (&[], pause),
        (&[pause], r#"{"do":"setPaused","deployment":"web","paused":false}"#),
        (&[deploy], r#"{"do":"undo","deployment":"web"}"#),
        (&[], r#"{"do":"setStrategy","deployment":"web","maxSurge":"50%","maxUnavailable":"1"}"#),
        (&[], r#"{"do":"setCordoned","node":"node-02","cordoned":true}"#),
        (&[], r#"{"do":"drain","node":"node-02"}"#),
        (&[], r#"{"do":"delete","kind":"HorizontalPodAutoscaler","name":"web"}"#),
        (&[], r#"{"do":"deletePods","selector":"app=web"}"#),
        (
            &[],
            r#"{"do":"apply","manifest":"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: web\n  namespace: default\nspec:\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: web\n  minReplicas: 4\n  maxReplicas: 8\n  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target:\n        type: Utilization\n        averageUtilization: 50\n"}"#,
        ),
    ];
    for (before, action) in cases {
        let [page, line] = both(before, action);
        assert_eq!(line.0, page.0, "{action}: {}", line.1);
        assert!(!line.1.contains("error") && !line.1.contains("Error"), "{action}: {}", line.1);
    }
}

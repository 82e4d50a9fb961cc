//! Names of Services, and requests to them by the routes of the pod's node.
//!
//! Upstream: pkg/proxy; the cluster's DNS answers as CoreDNS does.
//! Simplified: a request is answered or fails at once, and is not one of the load's.

use super::programs::{Container, Ended};
use crate::kubectl::context::Context;
use crate::kubectl::print::look::{int, items, text};
use serde_json::Value;
use setpoint_api::{ObjId, Object, Pod, Service};
use std::rc::Rc;

const DNS: &str = "10.96.0.10";
/// The time after which curl gives a connection up.
const PATIENCE: &str = "5001 ms";

/// What a name stands for.
enum Place {
    Service(Rc<Service>),
    Pod(ObjId),
    /// The container itself.
    Own,
    ApiServer,
}

/// The Service of a name as pods of a namespace call it, with its whole name.
fn service_named(cx: &Context, namespace: &str, name: &str) -> Option<(Rc<Service>, String)> {
    let name = name.trim_end_matches('.');
    let short = name.strip_suffix(".cluster.local").unwrap_or(name);
    let short = short.strip_suffix(".svc").unwrap_or(short);
    let (service, of) = short.split_once('.').unwrap_or((short, namespace));
    let found = cx.store().find::<Service>(of, service)?;
    Some((found.clone(), format!("{service}.{of}.svc.cluster.local")))
}

fn value_of(service: &Rc<Service>) -> Value {
    Object::Service(service.clone()).to_value()
}

pub(super) fn lookup(cx: &Context, container: &Container, args: &[String]) -> Ended {
    let Some(name) = args.iter().find(|arg| !arg.starts_with('-')) else {
        return Ended::err("Usage: nslookup HOST\n", 1);
    };
    let head = format!("Server:\t\t{DNS}\nAddress:\t{DNS}:53\n\n");
    let namespace = container.of("/metadata/namespace");
    if matches!(
        &**name,
        "kubernetes"
            | "kubernetes.default"
            | "kubernetes.default.svc"
            | "kubernetes.default.svc.cluster.local"
    ) {
        return Ended::out(format!(
            "{head}Name:\tkubernetes.default.svc.cluster.local\nAddress: 10.96.0.1\n\n"
        ));
    }
    let Some((service, full)) = service_named(cx, namespace, name) else {
        let full =
            if name.contains('.') { name.clone() } else { format!("{name}.{namespace}.svc.cluster.local") };
        return Ended {
            out: format!("{head}** server can't find {full}: NXDOMAIN\n\n"),
            code: 1,
            ..Ended::default()
        };
    };
    let value = value_of(&service);
    let addresses = match text(&value, "/spec/clusterIP") {
        "None" => targets(cx, container, &service).iter().filter_map(|id| address(cx, *id)).collect(),
        address => vec![address.to_owned()],
    };
    if text(&value, "/spec/type") == "ExternalName" {
        let external = text(&value, "/spec/externalName");
        return Ended::out(format!("{head}{full}\tcanonical name = {external}\n\n"));
    }
    let lines: String =
        addresses.iter().map(|address| format!("Name:\t{full}\nAddress: {address}\n")).collect();
    Ended::out(format!("{head}{lines}\n"))
}

/// The pods that the node of a container sends a Service's requests to.
fn targets(cx: &Context, container: &Container, service: &Service) -> Vec<ObjId> {
    let routes = cx.session.sim().routes_on(container.of("/spec/nodeName"));
    routes.map(|routes| routes.targets(service.metadata.id).to_vec()).unwrap_or_default()
}

fn address(cx: &Context, pod: ObjId) -> Option<String> {
    let pod = cx.store().get::<Pod>(pod)?.clone();
    let value = Object::Pod(pod).to_value();
    Some(text(&value, "/status/podIP").to_owned()).filter(|address| !address.is_empty())
}

/// Which parts of `curl`'s and `wget`'s options matter here.
struct Asked {
    url: String,
    is_head: bool,
    with_head: bool,
    format: Option<String>,
    is_quiet: bool,
    to_nowhere: bool,
}

fn asked(program: &str, args: &[String]) -> Asked {
    let mut asked = Asked {
        url: String::new(),
        is_head: false,
        with_head: false,
        format: None,
        is_quiet: program == "curl",
        to_nowhere: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match &**arg {
            "-w" | "--write-out" => asked.format = args.next().cloned(),
            "-o" | "--output" => asked.to_nowhere = args.next().is_some_and(|file| file != "-"),
            "-m" | "--max-time" | "--connect-timeout" | "-H" | "--header" | "-X" | "-d" | "-T" | "-A"
            | "-t" => drop(args.next()),
            "--head" => asked.is_head = true,
            flag if flag.starts_with("--") => {}
            flag if flag.starts_with('-') && flag.len() > 1 => {
                asked.is_head |= program == "curl" && flag.contains('I');
                asked.with_head |= program == "curl" && flag.contains('i');
                asked.is_quiet |= flag.contains('q') || flag.contains('s');
            }
            url => asked.url = url.to_owned(),
        }
    }
    asked
}

pub(super) fn fetch(cx: &Context, container: &Container, program: &str, args: &[String]) -> Ended {
    let asked = asked(program, args);
    if asked.url.is_empty() {
        return Ended::err(format!("{program}: no URL specified\n"), 2);
    }
    let rest = asked.url.split_once("://").map_or(&*asked.url, |(_, rest)| rest);
    let default = if asked.url.starts_with("https://") { 443 } else { 80 };
    let host_and_port = rest.split('/').next().unwrap_or("");
    let (host, port) = host_and_port
        .split_once(':')
        .map_or((host_and_port, default), |(host, port)| (host, port.parse().unwrap_or(0)));
    let failed = |code: i32, why: &str| {
        let text = match program {
            "wget" if code == 6 => format!("wget: bad address '{host_and_port}'\n"),
            "wget" if code == 28 => format!("Connecting to {host_and_port}\nwget: download timed out\n"),
            "wget" => format!(
                "Connecting to {host_and_port}\nwget: can't connect to remote host: Connection refused\n"
            ),
            _ => format!("curl: ({code}) {why}\n"),
        };
        Ended::err(text, if program == "wget" { 1 } else { code })
    };
    let refused = || {
        failed(7, &format!("Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"))
    };
    let lost = || {
        failed(28, &format!("Failed to connect to {host} port {port} after {PATIENCE}: Timeout was reached"))
    };
    let Some(place) = resolve(cx, container, host) else {
        return failed(6, &format!("Could not resolve host: {host}"));
    };
    let pod = match place {
        Place::ApiServer => {
            let body = "{\n  \"kind\": \"Status\",\n  \"status\": \"Failure\",\n  \"message\": \"Unauthorized\",\n  \"code\": 401\n}\n";
            return answered(&asked, 401, body);
        }
        Place::Own => cx.store().id_of(
            setpoint_api::Kind::Pod,
            container.of("/metadata/namespace"),
            container.of("/metadata/name"),
        ),
        Place::Pod(id) => Some(id),
        Place::Service(service) => {
            let value = value_of(&service);
            if !items(&value, "/spec/ports").iter().any(|known| int(known, "/port") == port) {
                return lost();
            }
            let targets = targets(cx, container, &service);
            // A proxy picks at random; here the clock picks.
            let turn = usize::try_from(cx.now().0 / 1000).unwrap_or(0);
            match targets.len() {
                0 => return refused(),
                count => targets.get(turn % count).copied(),
            }
        }
    };
    let Some(pod) = pod else { return lost() };
    ask(cx, &asked, pod, &refused, &lost)
}

fn resolve(cx: &Context, container: &Container, host: &str) -> Option<Place> {
    if matches!(host, "localhost" | "127.0.0.1") || host == container.of("/status/podIP") {
        return Some(Place::Own);
    }
    if host == "10.96.0.1" || host == "kubernetes" || host.starts_with("kubernetes.default") {
        return Some(Place::ApiServer);
    }
    if host.chars().all(|c| c.is_ascii_digit() || c == '.') {
        let service =
            cx.store().list::<Service>().find(|service| text(&value_of(service), "/spec/clusterIP") == host);
        let pod =
            || cx.store().list::<Pod>().find(|pod| address(cx, pod.metadata.id).as_deref() == Some(host));
        return service
            .map(|service| Place::Service(service.clone()))
            .or_else(|| pod().map(|pod| Place::Pod(pod.metadata.id)));
    }
    service_named(cx, container.of("/metadata/namespace"), host).map(|(service, _)| Place::Service(service))
}

/// What a pod answers.
fn ask(
    cx: &Context,
    asked: &Asked,
    id: ObjId,
    refused: &dyn Fn() -> Ended,
    lost: &dyn Fn() -> Ended,
) -> Ended {
    let Some(pod) = cx.store().get::<Pod>(id) else { return lost() };
    let sim = cx.session.sim();
    let machine = pod.spec.node_name.as_deref().and_then(|node| sim.machine(node));
    let Some(machine) = machine.filter(|machine| machine.is_up()) else { return lost() };
    let process =
        machine.pods.get(&id).and_then(|local| local.processes.iter().find(|process| process.serves));
    let Some(process) = process.filter(|process| process.listens(cx.now())) else { return refused() };
    if process.wedged {
        return lost();
    }
    if process.behavior.answers_errors {
        return answered(asked, 500, "Internal Server Error\n");
    }
    let image = pod.spec.containers.first().map_or("", |container| &container.image);
    answered(asked, 200, &format!("Hello from {}, image {image} (simulated)\n", pod.metadata.name))
}

fn answered(asked: &Asked, code: u32, body: &str) -> Ended {
    let reason = match code {
        200 => "OK",
        401 => "Unauthorized",
        _ => "Internal Server Error",
    };
    let head = format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut out = String::new();
    if asked.is_head || asked.with_head {
        out.push_str(&head);
    }
    if !asked.is_head && !asked.to_nowhere {
        out.push_str(body);
    }
    if let Some(format) = &asked.format {
        out.push_str(&format.replace("%{http_code}", &code.to_string()).replace("\\n", "\n"));
    }
    let mut ended = Ended::out(out);
    if !asked.is_quiet && code >= 400 {
        ended = Ended::err(format!("wget: server returned error: HTTP/1.1 {code} {reason}\n"), 1);
    }
    ended
}

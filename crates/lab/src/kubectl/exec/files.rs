//! What a container finds on its disk and in its environment.
//!
//! Upstream: pkg/kubelet/kubelet_pods.go (`makeEnvironmentVariables`), pkg/kubelet/envvars/envvars.go.

use super::programs::{Container, Ended, NAMES};
use crate::kubectl::context::Context;
use crate::kubectl::describe::field_of;
use crate::kubectl::print::look::{at, entries, has, int, items, or, plain, text};
use serde_json::Value;
use setpoint_api::map::Map;
use setpoint_api::{Kind, Object};

const FOLDERS: &[&str] = &["bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var"];

/// The variables of a container, in order; of equal names the last holds.
pub(super) fn environment(cx: &Context, container: &Container) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let mut set = |key: &str, value: String| {
        all.retain(|(known, _)| known != key);
        all.push((key.to_owned(), value));
    };
    set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    set("HOSTNAME", container.host().to_owned());
    for (key, value) in services(cx, container) {
        set(&key, value);
    }
    let namespace = container.of("/metadata/namespace");
    for source in items(&container.spec, "/envFrom") {
        let prefix = text(source, "/prefix");
        let (kind, name) = match text(source, "/secretRef/name") {
            "" => (Kind::ConfigMap, text(source, "/configMapRef/name")),
            name => (Kind::Secret, name),
        };
        for (key, value) in data(cx, kind, namespace, name).iter() {
            set(&format!("{prefix}{key}"), value.clone());
        }
    }
    for variable in items(&container.spec, "/env") {
        let from = at(variable, "/valueFrom");
        let of_key = |kind: Kind, path: &str| {
            let key = text(from, &format!("{path}/key"));
            data(cx, kind, namespace, text(from, &format!("{path}/name")))
                .get(key)
                .cloned()
                .unwrap_or_default()
        };
        let value = if has(from, "/fieldRef") {
            field_of(&container.pod, text(from, "/fieldRef/fieldPath"))
        } else if has(from, "/configMapKeyRef") {
            of_key(Kind::ConfigMap, "/configMapKeyRef")
        } else if has(from, "/secretKeyRef") {
            of_key(Kind::Secret, "/secretKeyRef")
        } else if has(from, "/resourceFieldRef") {
            let path = text(from, "/resourceFieldRef/resource").replace('.', "/");
            plain(at(&container.spec, &format!("/resources/{path}")))
        } else {
            text(variable, "/value").to_owned()
        };
        set(text(variable, "/name"), value);
    }
    set("HOME", "/root".into());
    all
}

/// The variables that tell of Services: of the API server, and of those that were there before the pod.
fn services(cx: &Context, container: &Container) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut tell = |name: &str, address: &str, port: i64| {
        let name = name.to_uppercase().replace('-', "_");
        for (suffix, value) in [
            ("SERVICE_HOST".to_owned(), address.to_owned()),
            ("SERVICE_PORT".to_owned(), port.to_string()),
            ("PORT".to_owned(), format!("tcp://{address}:{port}")),
            (format!("PORT_{port}_TCP"), format!("tcp://{address}:{port}")),
            (format!("PORT_{port}_TCP_PROTO"), "tcp".to_owned()),
            (format!("PORT_{port}_TCP_PORT"), port.to_string()),
            (format!("PORT_{port}_TCP_ADDR"), address.to_owned()),
        ] {
            all.push((format!("{name}_{suffix}"), value));
        }
    };
    tell("kubernetes", "10.96.0.1", 443);
    if container.pod["spec"]["enableServiceLinks"] == false {
        return all;
    }
    let born = text(&container.pod, "/metadata/creationTimestamp");
    for service in cx.store().list_in::<setpoint_api::Service>(container.of("/metadata/namespace")) {
        let value = Object::Service(service.clone()).to_value();
        let address = text(&value, "/spec/clusterIP");
        let port = items(&value, "/spec/ports").first().map_or(0, |port| int(port, "/port"));
        if text(&value, "/metadata/creationTimestamp") <= born && !matches!(address, "" | "None") {
            tell(text(&value, "/metadata/name"), address, port);
        }
    }
    all
}

/// The entries of a ConfigMap or Secret as text.
fn data(cx: &Context, kind: Kind, namespace: &str, name: &str) -> Map<String, String> {
    let Some(object) = cx.value_of(kind, namespace, name) else { return Map::new() };
    let decode = |value: &Value| if kind == Kind::Secret { decoded(value) } else { plain(value) };
    entries(&object, "/data").into_iter().map(|(key, value)| (key.to_owned(), decode(value))).collect()
}

/// The text behind base64.
pub(in crate::kubectl) fn decoded(value: &Value) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for digit in value.as_str().unwrap_or("").chars().filter_map(|c| LETTERS.find(c)) {
        bits = (bits << 6 | digit as u32) & 0x00ff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The mounted files: path to text. A folder without files has an empty name in it.
fn mounted(cx: &Context, container: &Container) -> Map<String, String> {
    let mut files = Map::new();
    let namespace = container.of("/metadata/namespace");
    for mount in items(&container.spec, "/volumeMounts") {
        let folder = text(mount, "/mountPath").trim_end_matches('/').to_owned();
        let name = text(mount, "/name");
        let Some(volume) =
            items(&container.pod, "/spec/volumes").iter().find(|volume| text(volume, "/name") == name)
        else {
            continue;
        };
        let mut found: Map<String, String> = Map::new();
        add_source(cx, container, namespace, volume, &mut found);
        for source in items(volume, "/projected/sources") {
            add_source(cx, container, namespace, source, &mut found);
        }
        let sub = text(mount, "/subPath");
        if !sub.is_empty() {
            files.insert(folder, found.get(sub).cloned().unwrap_or_default());
            continue;
        }
        files.insert(format!("{folder}/"), String::new());
        for (key, value) in found.iter() {
            files.insert(format!("{folder}/{key}"), value.clone());
        }
    }
    let (namespace, name) = (container.of("/metadata/namespace"), container.of("/metadata/name"));
    let pod = cx.store().find::<setpoint_api::Pod>(namespace, name);
    let own = |pod: &setpoint_api::Pod| {
        let name = text(&container.spec, "/name");
        let spec = pod.spec.containers.iter().find(|it| &*it.name == name)?;
        Some(cx.session.sim().files_of(pod, spec))
    };
    for (path, text) in pod.and_then(|pod| own(pod)).unwrap_or_default() {
        files.insert(path, text.to_string());
    }
    for (path, text, is_added) in container.written.borrow().iter() {
        let file = files.entry(path.clone()).or_default();
        if !is_added {
            file.clear();
        }
        file.push_str(text);
    }
    files
}

fn add_source(
    cx: &Context,
    container: &Container,
    namespace: &str,
    source: &Value,
    files: &mut Map<String, String>,
) {
    let mut add = |of: &Value, kind: Kind, name: &str| {
        let data = data(cx, kind, namespace, name);
        let chosen = items(of, "/items");
        if chosen.is_empty() {
            files.extend(data.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        for item in chosen {
            if let Some(value) = data.get(text(item, "/key")) {
                files.insert(text(item, "/path").to_owned(), value.clone());
            }
        }
    };
    if has(source, "/configMap") {
        let of = at(source, "/configMap");
        add(of, Kind::ConfigMap, text(of, "/name"));
    }
    if has(source, "/secret") {
        let of = at(source, "/secret");
        add(of, Kind::Secret, or(text(of, "/secretName"), text(of, "/name")));
    }
    if has(source, "/serviceAccountToken") {
        files.insert(text(source, "/serviceAccountToken/path").to_owned(), "simulated-token\n".into());
    }
    for item in items(source, "/downwardAPI/items") {
        let value = field_of(&container.pod, text(item, "/fieldRef/fieldPath"));
        files.insert(text(item, "/path").to_owned(), value);
    }
}

/// Files that every container has.
fn common(container: &Container) -> Vec<(&'static str, String)> {
    let (host, address) = (container.host(), container.of("/status/podIP"));
    let namespace = container.of("/metadata/namespace");
    let search = format!("{namespace}.svc.cluster.local svc.cluster.local cluster.local");
    vec![
        ("/etc/hostname", format!("{host}\n")),
        (
            "/etc/hosts",
            format!("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n{address}\t{host}\n"),
        ),
        ("/etc/resolv.conf", format!("search {search}\nnameserver 10.96.0.10\noptions ndots:5\n")),
    ]
}

pub(super) fn cat(cx: &Context, container: &Container, args: &[String]) -> Ended {
    let mounted = mounted(cx, container);
    let mut ended = Ended::default();
    for path in args.iter().filter(|arg| !arg.starts_with('-')) {
        let given = common(container).into_iter().find(|(name, _)| name == path).map(|(_, text)| text);
        match given.or_else(|| mounted.get(&**path).cloned()) {
            Some(text) => ended.out.push_str(&text),
            None if !children(&mounted, container, path).is_empty() => {
                ended.err.push_str(&format!("cat: read error: Is a directory: {path}\n"));
                ended.code = 1;
            }
            None => {
                ended.err.push_str(&format!("cat: can't open '{path}': No such file or directory\n"));
                ended.code = 1;
            }
        }
    }
    ended
}

/// The names in a folder.
fn children(mounted: &Map<String, String>, container: &Container, path: &str) -> Vec<String> {
    let folder = format!("{}/", path.trim_end_matches('/'));
    let mut names: Vec<String> = Vec::new();
    let known = common(container);
    let paths = mounted.keys().map(|path| &**path).chain(known.iter().map(|(path, _)| *path));
    for rest in paths.filter_map(|path| path.strip_prefix(&*folder)) {
        names.extend(rest.split('/').next().filter(|name| !name.is_empty()).map(str::to_owned));
    }
    match &*folder {
        "/" => names.extend(FOLDERS.iter().map(|name| (*name).to_owned())),
        "/bin/" => names.extend(NAMES.iter().map(|name| (*name).to_owned())),
        _ => {}
    }
    names.sort_unstable();
    names.dedup();
    names
}

pub(super) fn list(cx: &Context, container: &Container, args: &[String]) -> Ended {
    let mounted = mounted(cx, container);
    let path = args.iter().find(|arg| !arg.starts_with('-')).map_or("/", |path| path);
    let is_long = args.iter().any(|arg| arg.starts_with('-') && arg.contains('l'));
    if mounted.contains_key(path) {
        return Ended::out(format!("{path}\n"));
    }
    let names = children(&mounted, container, path);
    let plain = path.trim_start_matches('/').trim_end_matches('/');
    let is_folder =
        FOLDERS.contains(&plain) || mounted.contains_key(&*format!("{}/", path.trim_end_matches('/')));
    if names.is_empty() && !is_folder {
        return Ended::err(format!("ls: {path}: No such file or directory\n"), 1);
    }
    let line = |name: &String| {
        if is_long { format!("-rw-r--r--    1 root     root     {name}\n") } else { format!("{name}\n") }
    };
    Ended::out(names.iter().map(line).collect::<String>())
}

//! Files that containers have written: in their own layer, in a volume of the pod, or in a claimed volume, which outlives both.
//!
//! Simplified: text files alone, of at most 64 KiB each and 64 to a place; of a container's own command only `echo` and `date` into a
//! file at its start.

use crate::sim::Sim;
use setpoint_api::map::Map;
use setpoint_api::wire::peek;
use setpoint_api::{Container, ObjId, Pod, Str};
use setpoint_control::kubelet::{ContainerRef, spec_of};
use setpoint_control::volumes::pods;

/// The longest file.
const MOST_BYTES: usize = 1 << 16;
/// Files of one place.
const MOST_FILES: usize = 64;

/// Text by place and path in it.
pub type Files = Map<Str, Map<Str, Str>>;

impl Sim {
    /// The files that a container sees besides those that its image and its configuration give it.
    pub fn files_of(&self, pod: &Pod, container: &Container) -> Vec<(String, Str)> {
        let mut all = Vec::new();
        for (folder, place) in self.places(pod, container) {
            for (path, text) in self.files.get(&*place).into_iter().flatten() {
                all.push((format!("{folder}{path}"), text.clone()));
            }
        }
        all
    }

    /// Where a container's files are: each folder, without the slash at its end, with the name of its place; the root comes last.
    fn places(&self, pod: &Pod, container: &Container) -> Vec<(String, String)> {
        let status = setpoint_control::pod::container_status(pod, &container.name);
        let life = status.map_or(0, |status| status.restart_count);
        let uid = pod.metadata.uid.to_string();
        let mut places = Vec::new();
        let mounts = peek(&container.rest, "volumeMounts");
        for mount in mounts.as_array().into_iter().flatten() {
            let (Some(folder), Some(name)) = (mount["mountPath"].as_str(), mount["name"].as_str()) else {
                continue;
            };
            let claim = pods::claims(&pod.spec).find(|(volume, _)| *volume == name);
            let volume =
                claim.and_then(|(_, claim)| pods::volume_of(&self.store, &pod.metadata.namespace, claim));
            let place = volume.map_or(format!("{uid}/{name}"), |volume| volume.metadata.uid.to_string());
            let below = mount["subPath"].as_str().map_or(String::new(), |path| format!("/{path}"));
            places.push((folder.trim_end_matches('/').to_string(), format!("{place}{below}")));
        }
        places.push((String::new(), format!("{uid}//{}/{life}", container.name)));
        places
    }

    /// Writes to a file of a container.
    pub(crate) fn write_file(
        &mut self,
        pod: &Pod,
        container: &str,
        path: &str,
        text: &str,
        is_added: bool,
    ) -> Result<(), String> {
        let found = pod.spec.containers.iter().find(|it| *it.name == *container);
        let Some(container) = found else { return Err(format!("There is no container {container:?}.")) };
        let within =
            |folder: &str| path.strip_prefix(folder).filter(|rest| rest.starts_with('/')).map(str::to_string);
        let place = self
            .places(pod, container)
            .into_iter()
            .find_map(|(folder, place)| Some((within(&folder)?, place)));
        let Some((path, place)) = place else { return Err(format!("{path} is no path from the root.")) };
        let files = self.files.entry(place.into()).or_default();
        let before = files.get(&*path).filter(|_| is_added).map_or("", |text| text);
        let whole = format!("{before}{text}");
        if whole.len() > MOST_BYTES || (files.len() >= MOST_FILES && !files.contains_key(&*path)) {
            return Err("No space left on device".into());
        }
        files.insert(path.into(), whole.into());
        Ok(())
    }

    /// A container has started: what its command writes to files before it goes on.
    pub(crate) fn write_at_start(&mut self, number: u32, id: ObjId, at: ContainerRef) {
        let local = self.machines.get(number as usize).and_then(|machine| machine.pods.get(&id));
        let Some(pod) = local.map(|local| local.pod.clone()).filter(|_| !self.catalogue.ignores_commands)
        else {
            return;
        };
        let Some(container) =
            spec_of(&pod.spec, at).filter(|it| !it.command.is_empty() || !it.args.is_empty())
        else {
            return;
        };
        for (words, path, is_added) in crate::command::first_writes(container) {
            let mut text = match words.split_once(' ').unwrap_or((&words, "")) {
                ("echo", text) => text.trim().trim_matches(['"', '\'']).to_string(),
                ("date", _) => self.now.to_rfc3339(0),
                ("hostname", _) => pod.metadata.name.to_string(),
                _ => continue,
            };
            for (name, value) in [
                ("$(date)", self.now.to_rfc3339(0)),
                ("$(hostname)", pod.metadata.name.to_string()),
                ("$HOSTNAME", pod.metadata.name.to_string()),
            ] {
                text = text.replace(name, &value);
            }
            let _ = self.write_file(&pod, &container.name, &path, &format!("{text}\n"), is_added);
        }
    }
}

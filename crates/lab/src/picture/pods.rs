//! Nodes and their pods in the picture: of a crowd some at a time.

use super::{Painter, steady};
use crate::frame::{NodeTile, PodTile};
use crate::tiles;
use setpoint_api::Gather as _;
use setpoint_api::{Node, ObjId, Pod};
use setpoint_sim::Sim;
use setpoint_sim::machine::Machine;
use std::rc::Rc;

/// In how many pictures each thing's CPU is looked at anew: it trembles all the time.
const CPU_TURNS: u64 = 8;
/// So many pods are a crowd, and in how many pictures a crowd's machines are looked at.
const CROWD: u32 = 400;
const CROWD_TURNS: u64 = 4;

/// In how many pictures all machines are looked at, for so many pods.
pub(super) fn turns(pods: u32) -> u64 {
    if pods > CROWD { CROWD_TURNS } else { 1 }
}

impl Painter {
    pub(super) fn nodes(&mut self, sim: &Sim) -> Vec<Rc<NodeTile>> {
        let mut tiles: Vec<Rc<NodeTile>> = Vec::new();
        let mut seen = 0;
        for (at, node) in sim.store().list::<Node>().enumerate() {
            let machine = sim.machine(&node.metadata.name);
            let is_turn = (self.pictures + at as u64).is_multiple_of(self.turns);
            let (mut requested, mut used) = (0, 0);
            let mut pods: Vec<Rc<PodTile>> = Vec::new();
            for pod in sim.store().pods_on(&node.metadata.name) {
                self.look_at(sim, machine, pod, is_turn);
                let Some((key, tile)) = self.pods.get(pod.metadata.id.0) else { continue };
                requested += if pod.status.phase.is_finished() { 0 } else { key.requested_milli };
                used += key.used_milli.unwrap_or(0);
                pods.push(tile.clone());
                seen += 1;
            }
            let mut tile = tiles::node(sim, node, pods, (requested, used));
            let old = self.last.nodes.get(at).filter(|old| old.name == tile.name);
            let old = old.or_else(|| self.last.nodes.iter().find(|old| old.name == tile.name));
            if let Some(old) = old {
                let most = tile.cpu_allocatable_milli / 16;
                let is_turn = is_turn && self.is_cpu_turn(u64::from(node.metadata.id.0));
                tile.cpu_used_milli = steady(old.cpu_used_milli, tile.cpu_used_milli, is_turn, most);
            }
            tiles.push(match old {
                Some(old) if **old == tile => old.clone(),
                _ => Rc::new(tile),
            });
        }
        for pod in sim.store().list::<Pod>().filter(|pod| pod.spec.node_name.is_none()) {
            self.look_at(sim, None, pod, true);
            seen += 1;
        }
        if self.pods.len() > seen {
            self.forget(sim);
        }
        tiles
    }

    /// Drops the tiles of pods that are gone.
    fn forget(&mut self, sim: &Sim) {
        let is_shown = |pod: &Pod| match &pod.spec.node_name {
            Some(node) => sim.store().find::<Node>("", node).is_some(),
            None => true,
        };
        let gone: Vec<u32> = self
            .pods
            .iter()
            .map(|(id, _)| id)
            .filter(|id| !sim.store().get::<Pod>(ObjId(*id)).is_some_and(|pod| is_shown(pod)))
            .gather();
        for id in gone {
            self.pods.remove(id);
        }
    }

    pub(super) fn pending(&self, sim: &Sim) -> Vec<Rc<PodTile>> {
        let waiting = sim.store().list::<Pod>().filter(|pod| pod.spec.node_name.is_none());
        waiting.filter_map(|pod| self.pods.get(pod.metadata.id.0).map(|(_, tile)| tile.clone())).gather()
    }

    /// Whether a thing's CPU is looked at in this picture, if its machine is.
    fn is_cpu_turn(&self, id: u64) -> bool {
        (self.pictures / self.turns + id).is_multiple_of(CPU_TURNS / self.turns)
    }

    /// Brings the tile of a pod up to date; it stays the same one if nothing that it shows has changed. If it is not its machine's
    /// turn, only what is stored counts.
    fn look_at(&mut self, sim: &Sim, machine: Option<&Machine>, pod: &Rc<Pod>, is_turn: bool) {
        let id = pod.metadata.id.0;
        let last = self.pods.get(id);
        if !is_turn && last.is_some_and(|(key, _)| key.is_of(pod)) {
            return;
        }
        let mut key = tiles::pod_key(sim, machine, pod, last.map(|(key, _)| key));
        key.is_among_others = self.has_several_workloads;
        if let Some((old, _)) = last {
            key.steady(old, self.is_cpu_turn(u64::from(id)));
        }
        let tile = match last {
            Some((old, tile)) if *old == key => tile.clone(),
            _ => Rc::new(tiles::pod(pod, &key)),
        };
        self.pods.insert(id, (key, tile));
    }
}

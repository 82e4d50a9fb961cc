//! Invariants of claims and volumes.

use super::News;
use serde_json::Value;
use setpoint_api::map::Map;
use setpoint_api::wire::kept;
use setpoint_api::{ObjId, Object, PersistentVolume, PersistentVolumeClaim, Str};
use std::rc::Rc;

/// What claims and volumes have to stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The volume of each claim.
    volumes: Map<ObjId, Str>,
}

impl Seen {
    pub(super) fn check(&mut self, news: &News) -> Result<(), String> {
        for object in &news.touched {
            match object {
                Object::PersistentVolumeClaim(claim) => self.claim(news, claim)?,
                Object::PersistentVolume(volume) => self.volume(news, volume)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A claim keeps its volume.
    fn claim(&mut self, news: &News, claim: &Rc<PersistentVolumeClaim>) -> Result<(), String> {
        let (name, volume) = (claim.metadata.full_name(), claim.spec().volume_name);
        if let Some(before) = self.volumes.get(&claim.metadata.id)
            && *before != volume
        {
            return Err(format!("claim {name} had volume {before}, has {volume:?}"));
        }
        if volume.is_empty() {
            return Ok(());
        }
        self.volumes.insert(claim.metadata.id, volume.clone());
        let is_lost = news.sim.store().find::<PersistentVolume>("", &volume).is_none();
        if is_lost && !claim.metadata.is_deleting() {
            return Err(format!("claim {name} has lost its volume {volume}"));
        }
        Ok(())
    }

    /// A volume belongs to no more than one claim.
    fn volume(&self, news: &News, volume: &Rc<PersistentVolume>) -> Result<(), String> {
        let spec: Value = kept(&volume.rest, "spec");
        let owner = spec["claimRef"]["uid"].as_str().unwrap_or_default();
        for (claim, held) in &self.volumes {
            if *held != volume.metadata.name {
                continue;
            }
            if let Some(claim) = news.sim.store().get::<PersistentVolumeClaim>(*claim)
                && claim.metadata.uid.to_string() != owner
            {
                let (volume, claim) = (&volume.metadata.name, claim.metadata.full_name());
                return Err(format!("volume {volume} of claim {claim} was given to another"));
            }
        }
        Ok(())
    }
}

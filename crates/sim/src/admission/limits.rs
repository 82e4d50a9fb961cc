//! LimitRanges: amounts for containers that name none, and bounds for all.
//!
//! Upstream: plugin/pkg/admission/limitranger/admission.go.

use crate::sim::Sim;
use serde_json::Value;
use setpoint_api::map::Map;
use setpoint_api::{
    Container, LimitRange, Object, Pod, Quantity, ResourceList, ResourceRequirements, Status, Str,
};
use std::rc::Rc;

/// One entry of a LimitRange.
struct Limit<'a>(&'a Value);

impl Limit<'_> {
    fn of(range: &LimitRange) -> impl Iterator<Item = Limit<'_>> {
        let limits = range.rest.as_ref().and_then(|rest| rest.get("spec")?.get("limits")?.as_array());
        limits.into_iter().flatten().map(Limit)
    }
    fn is_about(&self, what: &str) -> bool {
        self.0["type"] == what
    }
    fn amounts(&self, field: &str) -> Map<Str, Quantity> {
        let amounts = self.0[field].as_object().into_iter().flatten();
        let read = |(name, amount): (&String, &Value)| {
            let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_string);
            Some((Str::from(name.as_str()), Quantity::parse(&text).ok()?))
        };
        amounts.filter_map(read).collect()
    }
}

impl Sim {
    fn ranges(&self, namespace: &str) -> Vec<Rc<LimitRange>> {
        self.store().list_in::<LimitRange>(namespace).cloned().collect()
    }

    /// Gives the containers of a pod what the LimitRanges of its namespace say of those that name nothing. Says whether
    /// that changed anything.
    pub(super) fn set_default_amounts(&self, pod: &mut Rc<Pod>) -> bool {
        let ranges = self.ranges(&pod.metadata.namespace);
        if ranges.is_empty() {
            return false;
        }
        let (mut limits, mut requests) = (Map::new(), Map::new());
        for limit in
            ranges.iter().flat_map(|range| Limit::of(range)).filter(|limit| limit.is_about("Container"))
        {
            limits.extend(limit.amounts("default"));
            requests.extend(limit.amounts("defaultRequest"));
        }
        let pod = Rc::make_mut(pod);
        let mut said = Vec::new();
        let lists =
            [(&mut pod.spec.containers, "container"), (&mut pod.spec.init_containers, "init container")];
        for (containers, what) in lists {
            if containers.is_empty() {
                continue;
            }
            for container in Rc::make_mut(containers) {
                let name = container.name.clone();
                let resources = &mut container.resources;
                for (list, defaults, which) in [
                    (&mut resources.requests, &requests, "request"),
                    (&mut resources.limits, &limits, "limit"),
                ] {
                    let set = fill(list, defaults);
                    if !set.is_empty() {
                        said.push(format!("{} {which} for {what} {name}", set.join(", ")));
                    }
                }
            }
        }
        if said.is_empty() {
            return false;
        }
        let said = format!("LimitRanger plugin set: {}", said.join("; "));
        pod.metadata.set_annotation("kubernetes.io/limit-ranger", &said);
        true
    }

    /// Whether an object keeps to the LimitRanges of its namespace.
    pub(super) fn check_limits(&self, object: &Object) -> Result<(), Status> {
        let ranges = self.ranges(&object.metadata().namespace);
        for range in &ranges {
            let mut errors = Vec::new();
            for limit in Limit::of(range) {
                match object {
                    Object::Pod(pod) => check_pod(&limit, pod, &mut errors),
                    Object::PersistentVolumeClaim(claim) if limit.is_about("PersistentVolumeClaim") => {
                        let spec = claim
                            .rest
                            .as_ref()
                            .and_then(|rest| rest.get("spec"))
                            .cloned()
                            .unwrap_or_default();
                        let amount = spec["resources"]["requests"]["storage"]
                            .as_str()
                            .and_then(|text| Quantity::parse(text).ok());
                        check_claim(&limit, amount, &mut errors);
                    }
                    _ => {}
                }
            }
            match errors.as_slice() {
                [] => {}
                [one] => return Err(Status::refused(object, one)),
                many => return Err(Status::refused(object, &format!("[{}]", many.join(", ")))),
            }
        }
        Ok(())
    }
}

/// Fills in what is missing, and says what that was.
fn fill(list: &mut ResourceList, defaults: &Map<Str, Quantity>) -> Vec<String> {
    let mut set = Vec::new();
    for (name, amount) in defaults {
        if !list.contains_key(name) {
            list.insert(name.clone(), *amount);
            set.push(name.to_string());
        }
    }
    set
}

fn check_pod(limit: &Limit, pod: &Pod, errors: &mut Vec<String>) {
    if limit.is_about("Container") {
        let containers = pod.spec.containers.iter().chain(pod.spec.init_containers.iter());
        containers.for_each(|container| check(limit, "Container", &container.resources, errors));
    }
    if limit.is_about("Pod") {
        check(limit, "Pod", &together(&pod.spec.containers), errors);
    }
}

/// What containers ask for together; a name counts only where all of them have it.
fn together(containers: &[Container]) -> ResourceRequirements {
    let mut sum = ResourceRequirements::default();
    for container in containers {
        let own = &container.resources;
        for (total, list) in [(&mut sum.requests, &own.requests), (&mut sum.limits, &own.limits)] {
            for (name, amount) in list.iter() {
                *total.entry(name.clone()).or_default() += *amount;
            }
        }
    }
    let all = |pick: fn(&ResourceRequirements) -> &ResourceList, name: &Str| {
        containers.iter().all(|container| pick(&container.resources).contains_key(name))
    };
    sum.limits.retain(|name, _| all(|resources| &resources.limits, name));
    sum.requests.retain(|name, _| all(|resources| &resources.requests, name));
    sum
}

/// Upstream: `minConstraint`, `maxConstraint`, `limitRequestRatioConstraint`.
fn check(limit: &Limit, what: &str, resources: &ResourceRequirements, errors: &mut Vec<String>) {
    for (name, least) in &limit.amounts("min") {
        let text = format!("minimum {name} usage per {what} is {least}");
        match (resources.requests.get(name), resources.limits.get(name)) {
            (None, _) => errors.push(format!("{text}.  No request is specified")),
            (Some(request), _) if request < least => errors.push(format!("{text}, but request is {request}")),
            (_, Some(top)) if top < least => errors.push(format!("{text}, but limit is {top}")),
            _ => {}
        }
    }
    for (name, most) in &limit.amounts("max") {
        let text = format!("maximum {name} usage per {what} is {most}");
        match (resources.requests.get(name), resources.limits.get(name)) {
            (_, None) => errors.push(format!("{text}.  No limit is specified")),
            (_, Some(top)) if top > most => errors.push(format!("{text}, but limit is {top}")),
            (Some(request), _) if request > most => errors.push(format!("{text}, but request is {request}")),
            _ => {}
        }
    }
    for (name, most) in &limit.amounts("maxLimitRequestRatio") {
        let text = format!("{name} max limit to request ratio per {what} is {most}");
        let is_there = |amount: &&Quantity| !amount.is_zero();
        match (resources.requests.get(name).filter(is_there), resources.limits.get(name).filter(is_there)) {
            (None, _) => errors.push(format!("{text}, but no request is specified or request is 0")),
            (_, None) => errors.push(format!("{text}, but no limit is specified or limit is 0")),
            (Some(request), Some(top)) => {
                let ratio = top.nano_value() as f64 / request.nano_value() as f64;
                if ratio > most.nano_value() as f64 / 1e9 {
                    errors.push(format!("{text}, but provided ratio is {ratio:.6}"));
                }
            }
        }
    }
}

fn check_claim(limit: &Limit, amount: Option<Quantity>, errors: &mut Vec<String>) {
    let name: Str = Str::fixed("storage");
    if let (Some(least), Some(amount)) = (limit.amounts("min").get(&name), amount)
        && amount < *least
    {
        errors.push(format!(
            "minimum storage usage per PersistentVolumeClaim is {least}, but request is {amount}"
        ));
    }
    if let (Some(most), Some(amount)) = (limit.amounts("max").get(&name), amount)
        && amount > *most
    {
        errors.push(format!(
            "maximum storage usage per PersistentVolumeClaim is {most}, but request is {amount}"
        ));
    }
}

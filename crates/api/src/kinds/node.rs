//! Nodes, as the cluster believes them to be.

use crate::{Condition, ResourceList, Str, Time, wire};
use serde_json::Value;
use std::rc::Rc;

wire! {
    /// What a node should be.
    pub struct NodeSpec {
        /// Range of pod addresses.
        pub pod_cidr: Str = "podCIDR";
        /// The same for each family of addresses.
        pub pod_cidrs: Vec<Str> = "podCIDRs";
        /// Whether it takes no new pods (cordon).
        pub unschedulable: bool = "unschedulable";
        /// Marks that keep pods away.
        pub taints: Rc<Vec<Taint>> = "taints";
    }
    /// A mark that keeps pods away that do not tolerate it.
    pub struct Taint {
        /// Key.
        pub key: Str = "key", always;
        /// Value.
        pub value: Str = "value";
        /// NoSchedule, PreferNoSchedule or NoExecute.
        pub effect: Str = "effect", always;
        /// When it was added.
        pub time_added: Option<Time> = "timeAdded";
    }
    /// What a node is said to be.
    pub struct NodeStatus {
        /// All of its resources.
        pub capacity: Rc<ResourceList> = "capacity";
        /// What pods may request.
        pub allocatable: Rc<ResourceList> = "allocatable";
        /// Ready, MemoryPressure, DiskPressure, PIDPressure.
        pub conditions: Vec<Condition> = "conditions";
        /// Addresses.
        pub addresses: Rc<Vec<NodeAddress>> = "addresses";
        /// Where its kubelet listens; kept whole.
        pub daemon_endpoints: Option<Rc<Value>> = "daemonEndpoints";
        /// Versions; kept whole.
        pub node_info: Option<Rc<Value>> = "nodeInfo";
        /// Images on its disk.
        pub images: Rc<Vec<ContainerImage>> = "images";
    }
    /// An address of a node.
    pub struct NodeAddress {
        /// InternalIP or Hostname.
        pub kind: Str = "type", always;
        /// Text.
        pub address: Str = "address", always;
    }
    /// An image on a node's disk.
    pub struct ContainerImage {
        /// Names.
        pub names: Vec<Str> = "names";
        /// Size.
        pub size_bytes: i64 = "sizeBytes";
    }
    /// What a namespace should be.
    pub struct NamespaceSpec {
        /// Finalizers of the namespace's contents.
        pub finalizers: Vec<Str> = "finalizers";
    }
    /// What a namespace is.
    pub struct NamespaceStatus {
        /// Active or Terminating.
        pub phase: Str = "phase";
        /// Progress of its deletion.
        pub conditions: Vec<Condition> = "conditions";
    }
}

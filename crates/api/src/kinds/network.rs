//! Services, their endpoints, and Events.

use crate::map::Map;
use crate::{IntOrPercent, ObjectReference, Str, wire};
use std::rc::Rc;

wire! {
    /// What a Service should be.
    pub struct ServiceSpec {
        /// Ports.
        pub ports: Rc<Vec<ServicePort>> = "ports";
        /// Labels of the pods behind it; empty means that somebody else keeps the endpoints.
        pub selector: Rc<Map<Str, Str>> = "selector";
        /// Virtual address, `None` for headless.
        pub cluster_ip: Str = "clusterIP";
        /// Virtual addresses.
        pub cluster_ips: Vec<Str> = "clusterIPs";
        /// ClusterIP, NodePort, LoadBalancer or ExternalName.
        pub kind: Str = "type";
        /// None or ClientIP.
        pub session_affinity: Str = "sessionAffinity";
        /// Whether pods are listed before they are ready.
        pub publish_not_ready_addresses: bool = "publishNotReadyAddresses";
        /// Cluster or Local.
        pub internal_traffic_policy: Option<Str> = "internalTrafficPolicy";
        /// SingleStack, PreferDualStack or RequireDualStack.
        pub ip_family_policy: Option<Str> = "ipFamilyPolicy";
        /// IPv4, IPv6.
        pub ip_families: Vec<Str> = "ipFamilies";
    }
    /// A port of a Service.
    pub struct ServicePort {
        /// Name.
        pub name: Str = "name";
        /// TCP, UDP or SCTP.
        pub protocol: Str = "protocol";
        /// Port of the Service.
        pub port: i32 = "port", always;
        /// Port of the pods, by number or name.
        pub target_port: Option<IntOrPercent> = "targetPort";
        /// Port on every node.
        pub node_port: i32 = "nodePort";
    }
    /// One backend of a Service.
    pub struct Endpoint {
        /// Addresses; one.
        pub addresses: Vec<Str> = "addresses", always;
        /// Whether it takes traffic.
        pub conditions: EndpointConditions = "conditions", always;
        /// Pod behind it.
        pub target_ref: Option<Rc<ObjectReference>> = "targetRef";
        /// Node of the pod.
        pub node_name: Option<Str> = "nodeName";
    }
    /// Whether a backend takes traffic.
    pub struct EndpointConditions {
        /// Serving and not terminating (or published early).
        pub ready: Option<bool> = "ready";
        /// The pod is Ready.
        pub serving: Option<bool> = "serving";
        /// The pod is being deleted.
        pub terminating: Option<bool> = "terminating";
    }
    /// A port of a slice.
    pub struct EndpointPort {
        /// Name of the Service's port.
        pub name: Option<Str> = "name";
        /// Protocol.
        pub protocol: Option<Str> = "protocol";
        /// Number on the pods.
        pub port: Option<i32> = "port";
    }
    /// Where an Event comes from.
    pub struct EventSource {
        /// Component.
        pub component: Str = "component";
        /// Node, if the component lives on one.
        pub host: Str = "host";
    }
}

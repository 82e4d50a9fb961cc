//! What the API server publishes about itself: the resources it serves, and the fields of every type.
//!
//! One table drives strict reading, patches, explain and completion. It is text, made by `cargo xtask schema`, and is searched
//! where it lies; nothing is built from it at start.
//!
//! Upstream: the OpenAPI v3 documents and the discovery of kube-apiserver 1.36.
//! Simplified: no descriptions of fields; the kinds that nothing in the cluster acts on (admission policies, flow control,
//! dynamic resource allocation, reviews) have no published defaults.

mod resource;

pub use resource::{Resource, resource_named, resource_of, resources};

use crate::Str;

/// First line: the version. Then a line per resource; then the types, sorted by name: `=name` and a line per field.
const TABLE: &str = include_str!("table.txt");

/// The types of the kinds that nothing in the cluster acts on, in the same form, from upstream's Go types
/// (staging/src/k8s.io/api). Apart, since a page that nobody touched never looks at them.
const IDLE: &str = include_str!("idle.txt");

/// The version of Kubernetes that the table describes, such as `v1.36.2`.
pub fn version() -> String {
    let first = TABLE.lines().next().unwrap_or_default();
    first.split_whitespace().last().map_or_else(String::new, |number| format!("v{number}"))
}

/// A type with fields, such as `core.v1.PodSpec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// Name with its package.
    pub name: &'static str,
    /// A line per field.
    lines: &'static str,
}

/// The type of an API version and kind, such as `apps/v1` and `Deployment`.
pub fn type_of(api_version: &str, kind: &str) -> Option<Type> {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let package = group.split('.').next().unwrap_or(group);
    match kind {
        // These belong to no group, and every group takes them.
        "DeleteOptions" | "Status" | "WatchEvent" => type_named(&format!("machinery.apis.meta.v1.{kind}")),
        _ => type_named(&format!("{package}.{version}.{kind}")),
    }
}

/// The type of a name with its package.
pub fn type_named(name: &str) -> Option<Type> {
    let (found, lines) = block(name)?;
    // What follows the name on its line says that it is no type with fields.
    if found.contains(' ') { None } else { Some(Type { name: found, lines }) }
}

/// The header after `=` and the lines of a type.
fn block(name: &str) -> Option<(&'static str, &'static str)> {
    block_of(TABLE, name).or_else(|| block_of(IDLE, name))
}

/// A block of one of the tables, found by halves.
fn block_of(table: &'static str, name: &str) -> Option<(&'static str, &'static str)> {
    let mut from = table.find("\n=")?;
    let mut to = table.len();
    while from < to {
        // The block that the middle falls into; every block begins with a line break and an equals sign.
        let middle = from + (to - from) / 2;
        let start = table.as_bytes().get(..=middle)?.windows(2).rposition(|two| two == b"\n=")?;
        let text = table.get(start + 2..)?;
        let end = text.find("\n=").unwrap_or(text.len());
        let (header, lines) = text.get(..end)?.split_once('\n').unwrap_or((text.get(..end)?, ""));
        match header.split(' ').next().unwrap_or(header).cmp(name) {
            std::cmp::Ordering::Equal => return Some((header, lines)),
            std::cmp::Ordering::Less => from = start + 2 + end,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    None
}

impl Type {
    /// Name without its package: `PodSpec`.
    pub fn short_name(self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }
    /// Name as Go writes it in messages: `v1.PodSpec`.
    pub fn go_name(self) -> String {
        let mut parts = self.name.rsplit('.');
        let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        format!("{version}.{name}")
    }
    /// Its fields, by name.
    pub fn fields(self) -> impl Iterator<Item = Field> {
        self.lines.lines().filter_map(move |line| self.parse(line))
    }
    /// The field of a name.
    pub fn field(self, name: &str) -> Option<Field> {
        let is_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
        self.lines.lines().find(is_it).and_then(|line| self.parse(line))
    }
    /// The field that a path leads to, such as `["spec", "containers", "image"]`; lists and maps are passed through.
    pub fn field_at(self, path: &[&str]) -> Option<Field> {
        let (first, rest) = path.split_first()?;
        let field = self.field(first)?;
        if rest.is_empty() { Some(field) } else { field.of.innermost().object()?.field_at(rest) }
    }

    fn parse(self, line: &'static str) -> Option<Field> {
        let (name, rest) = line.split_once(' ')?;
        let (code, facts) = rest.split_once(' ').unwrap_or((rest, ""));
        Some(Field { name, of: FieldType { code, owner: self.name }, facts })
    }
}

/// A field of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name as in manifests.
    pub name: &'static str,
    /// What its values are.
    pub of: FieldType,
    facts: &'static str,
}

impl Field {
    /// Name of the type that it is a field of.
    pub fn owner(&self) -> &'static str {
        self.of.owner
    }
    fn fact(&self, mark: char) -> Option<&'static str> {
        self.facts.split(' ').find_map(|fact| fact.strip_prefix(mark))
    }
    /// Whether it must be there.
    pub fn is_required(&self) -> bool {
        self.fact('!').is_some()
    }
    /// Published default, as JSON.
    pub fn default(&self) -> Option<&'static str> {
        self.fact('=')
    }
    /// Keys that tell the items of a list apart, first to last; none where a list is one value.
    pub fn list_keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.fact('@').into_iter().flat_map(|keys| keys.split(','))
    }
    /// Whether a list holds each value once, so that lists are merged by value.
    pub fn is_set(&self) -> bool {
        self.facts.split(' ').any(|fact| fact == "set")
    }
    /// The key by which strategic merge patches tell items apart.
    pub fn merge_key(&self) -> Option<&'static str> {
        self.fact('&')
    }
    /// How strategic merge patches treat the field: `merge`, `retainKeys`, `merge,retainKeys`, `replace`, or nothing.
    pub fn patch_strategy(&self) -> &'static str {
        self.fact('~').unwrap_or_default()
    }
    /// The words that are allowed, if they are a closed set.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.fact('|').into_iter().flat_map(|words| words.split('|'))
    }
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// As Go would write it; a type of the owner's package without the package.
    code: &'static str,
    owner: &'static str,
}

/// A value without fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scalar {
    String,
    Bool,
    Int32,
    Int64,
    Double,
    /// Base64.
    Bytes,
    /// RFC 3339, to the second.
    Time,
    /// RFC 3339, to the microsecond.
    MicroTime,
    Quantity,
    IntOrString,
    /// Any mapping.
    Object,
    /// Any value.
    Any,
}

impl FieldType {
    /// What the items of a list are, if it is a list.
    pub fn item(self) -> Option<FieldType> {
        self.code.strip_prefix("[]").map(|code| FieldType { code, ..self })
    }
    /// What the values of a map are, if it is a map.
    pub fn value(self) -> Option<FieldType> {
        self.code.strip_prefix("map[string]").map(|code| FieldType { code, ..self })
    }
    /// What is inside of all lists and maps.
    pub fn innermost(self) -> FieldType {
        self.item().or_else(|| self.value()).map_or(self, FieldType::innermost)
    }
    /// The type with fields, if it is one.
    pub fn object(self) -> Option<Type> {
        if self.item().or_else(|| self.value()).is_some() { None } else { type_named(&self.full_name()) }
    }
    /// The value without fields, if it is one.
    pub fn scalar(self) -> Option<Scalar> {
        Some(match self.code {
            "string" => Scalar::String,
            "boolean" => Scalar::Bool,
            "integer:int32" => Scalar::Int32,
            "integer:int64" | "integer" => Scalar::Int64,
            "number:double" | "number" => Scalar::Double,
            "string:byte" => Scalar::Bytes,
            "object" => Scalar::Object,
            "any" => Scalar::Any,
            _ if self.item().or_else(|| self.value()).is_some() => return None,
            _ => return self.named_scalar(),
        })
    }
    fn named_scalar(self) -> Option<Scalar> {
        let name = self.full_name();
        let (header, _) = block(&name)?;
        let (_, what) = header.split_once(' ')?;
        Some(match name.rsplit('.').next() {
            Some("Time") => Scalar::Time,
            Some("MicroTime") => Scalar::MicroTime,
            Some("Quantity") => Scalar::Quantity,
            Some("IntOrString") => Scalar::IntOrString,
            _ if what == "object" => Scalar::Object,
            _ => Scalar::Any,
        })
    }
    /// The type's name with its package; of a scalar, as OpenAPI calls it.
    pub fn full_name(self) -> Str {
        let local = self.code.starts_with(|c: char| c.is_ascii_uppercase());
        let package = self.owner.rsplit_once('.').filter(|_| local);
        package.map_or(self.code.into(), |(package, _)| format!("{package}.{}", self.code).into())
    }
    /// The type's name without package; of a scalar, as OpenAPI calls it without format: `integer`.
    pub fn short_name(self) -> &'static str {
        let name = self.code.rsplit('.').next().unwrap_or(self.code);
        name.split(':').next().unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_and_every_field_leads_somewhere() {
        let names = TABLE.lines().chain(IDLE.lines()).filter_map(|line| line.strip_prefix('='));
        let mut seen = 0;
        for header in names {
            let name = header.split(' ').next().unwrap();
            assert!(block(name).is_some_and(|(found, _)| found == header), "{name}");
            let Some(of) = type_named(name) else { continue };
            for field in of.fields() {
                seen += 1;
                let inner = field.of.innermost();
                assert_ne!(inner.object().is_some(), inner.scalar().is_some(), "{name}.{}", field.name);
                assert_eq!(of.field(field.name), Some(field));
            }
        }
        assert!(seen > 1_700, "{seen} fields");
        for absent in ["", "a", "core.v1.Podd", "zzz"] {
            assert_eq!(type_named(absent), None);
        }
    }

    #[test]
    fn fields_carry_what_is_published() {
        let pod = type_of("v1", "Pod").unwrap();
        let ports = pod.field_at(&["spec", "containers", "ports"]).unwrap();
        assert_eq!(ports.list_keys().collect::<Vec<_>>(), ["containerPort", "protocol"]);
        assert_eq!((ports.merge_key(), ports.patch_strategy()), (Some("containerPort"), "merge"));
        let port = ports.of.item().unwrap().object().unwrap();
        assert_eq!(port.go_name(), "v1.ContainerPort");
        assert_eq!(port.field("protocol").unwrap().default(), Some("\"TCP\""));
        assert_eq!(port.field("protocol").unwrap().words().collect::<Vec<_>>(), ["SCTP", "TCP", "UDP"]);
        assert!(
            port.field("containerPort").unwrap().is_required() && !port.field("name").unwrap().is_required()
        );
        let limits = pod.field_at(&["spec", "containers", "resources", "limits"]).unwrap();
        assert_eq!(limits.of.value().and_then(FieldType::scalar), Some(Scalar::Quantity));
        assert_eq!(type_of("rbac.authorization.k8s.io/v1", "Role").unwrap().name, "rbac.v1.Role");
        assert_eq!(version(), "v1.36.2");
    }
}

//! Tables of objects, as `kubectl get` prints them.
//!
//! Upstream: staging/src/k8s.io/cli-runtime/pkg/printers/tableprinter.go,
//! staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go.

use super::columns::{self, Column};
use super::look::{entries, plain, text};
use super::rows;
use super::tabs::Tabs;
use crate::kubectl::jsonpath::{JsonPath, go_value};
use crate::kubectl::resource::Resource;
use serde_json::Value;
use setpoint_api::duration::human_duration;
use setpoint_api::{Kind, Store, Time};

/// What tables show besides their kind's columns.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The columns of `-o wide`.
    pub is_wide: bool,
    /// A column with the namespace in front.
    pub with_namespace: bool,
    /// Names with their kind in front.
    pub with_kind: bool,
    /// No titles.
    pub without_headers: bool,
    /// A column with all labels.
    pub with_labels: bool,
    /// Columns for labels.
    pub label_columns: Vec<String>,
    /// A column with what has happened, in front of all.
    pub with_event: bool,
}

/// The table of one kind, printed in one piece or row by row.
pub struct Table {
    resource: Resource,
    shown: Shown,
    columns: Vec<Column>,
    /// Paths of the columns that a definition gives to its kind.
    paths: Vec<(JsonPath, bool)>,
    tabs: Tabs,
    has_header: bool,
}

impl Table {
    /// An empty table.
    pub fn new(store: &Store, resource: &Resource, shown: Shown) -> Self {
        let (columns, paths) =
            custom_columns(store, resource).unwrap_or((columns::of(&resource.kind), Vec::new()));
        Self { resource: resource.clone(), shown, columns, paths, tabs: Tabs::table(), has_header: false }
    }

    /// The table of `--server-print=false`: name and age.
    pub fn plain(resource: &Resource, shown: Shown) -> Self {
        let columns = vec![Column::plain("Name"), Column::plain("Age")];
        let paths = JsonPath::parse("{.metadata.creationTimestamp}", true).map(|path| (path, true));
        let paths = paths.into_iter().collect();
        Self { resource: resource.clone(), shown, columns, paths, tabs: Tabs::table(), has_header: false }
    }

    /// Rows with the titles over the first ones ever printed.
    pub fn rows(&mut self, objects: &[(&str, Value)], now: Time) -> String {
        let mut out = String::new();
        if !self.has_header && !self.shown.without_headers && !objects.is_empty() {
            out.push_str(&self.header());
        }
        self.has_header |= !objects.is_empty();
        for (event, object) in objects {
            out.push_str(&self.row(event, object, now));
        }
        if out.is_empty() { out } else { self.tabs.align(&out) }
    }

    fn header(&self) -> String {
        let mut titles: Vec<String> = Vec::new();
        titles.extend(self.shown.with_event.then(|| "EVENT".to_owned()));
        titles.extend(
            (self.shown.with_namespace && self.resource.is_namespaced).then(|| "NAMESPACE".to_owned()),
        );
        titles.extend(
            self.columns.iter().filter(|column| self.shows(column)).map(|column| column.title.to_uppercase()),
        );
        let label = |key: &String| key.rsplit('/').next().unwrap_or("").to_uppercase();
        titles.extend(self.shown.label_columns.iter().map(label));
        titles.extend(self.shown.with_labels.then(|| "LABELS".to_owned()));
        titles.join("\t") + "\n"
    }

    fn shows(&self, column: &Column) -> bool {
        self.shown.is_wide || !column.is_wide
    }

    fn row(&self, event: &str, object: &Value, now: Time) -> String {
        let mut cells: Vec<String> = Vec::new();
        cells.extend(self.shown.with_event.then(|| event.to_owned()));
        cells.extend(
            (self.shown.with_namespace && self.resource.is_namespaced)
                .then(|| text(object, "/metadata/namespace").to_owned()),
        );
        for (column, mut cell) in self.columns.iter().zip(self.cells(object, now)) {
            if !self.shows(column) {
                continue;
            }
            if self.shown.with_kind && column.title == "Name" {
                cell = format!("{}/{cell}", self.resource.printed());
            }
            // One row is one line, whatever a message holds.
            cells.push(
                cell.lines().next().unwrap_or("").replace('\t', " ")
                    + if cell.contains('\n') { "..." } else { "" },
            );
        }
        let labels = entries(object, "/metadata/labels");
        for wanted in &self.shown.label_columns {
            let found = labels.iter().find(|(key, _)| key == wanted);
            cells.push(found.map_or(String::new(), |(_, value)| plain(value)));
        }
        cells.extend(self.shown.with_labels.then(|| super::look::labels(object, "/metadata/labels")));
        cells.join("\t") + "\n"
    }

    fn cells(&self, object: &Value, now: Time) -> Vec<String> {
        if self.paths.is_empty() {
            return rows::cells(&self.resource.kind, object, now);
        }
        let cell = |(path, is_date): &(JsonPath, bool)| {
            let found = path.find(object).unwrap_or_default();
            let Some(value) = found.iter().flatten().next() else { return String::new() };
            match value.as_str().and_then(Time::parse_rfc3339).filter(|_| *is_date) {
                Some(then) => human_duration(now.since(then)),
                None => go_value(value),
            }
        };
        let name = text(object, "/metadata/name").to_owned();
        std::iter::once(name).chain(self.paths.iter().map(cell)).collect()
    }
}

/// Columns of a custom kind, each but the name's with its path and whether it is a date.
type CustomColumns = (Vec<Column>, Vec<(JsonPath, bool)>);

/// The columns that a definition gives to its kind.
fn custom_columns(store: &Store, resource: &Resource) -> Option<CustomColumns> {
    if resource.model != Kind::Custom {
        return None;
    }
    let name = resource.full_name();
    let id = store.id_of(Kind::CustomResourceDefinition, "", &name)?;
    let definition = store.object(id)?.to_value();
    let versions = definition["spec"]["versions"].as_array()?;
    let version = versions.iter().find(|version| version["name"] == resource.version())?;
    let given = version["additionalPrinterColumns"].as_array()?;
    let mut columns = vec![Column::plain("Name")];
    let mut paths = Vec::new();
    for column in given {
        let path = format!("{{{}}}", text(column, "/jsonPath"));
        paths.push((JsonPath::parse(&path, true).ok()?, column["type"] == "date"));
        columns.push(Column {
            title: text(column, "/name").to_owned(),
            is_wide: column["priority"].as_i64().unwrap_or(0) > 0,
        });
    }
    Some((columns, paths))
}

/// The titles of a kind's table, in upstream's letters.
pub fn titles(kind: &str, is_wide: bool) -> Vec<String> {
    let columns = columns::of(kind).into_iter().filter(|column| is_wide || !column.is_wide);
    columns.map(|column| column.title).collect()
}

/// The cells of an object in its kind's table. Upstream's rows of volumes hold the cell of `-o wide` in any case; what is
/// shown of it is decided by its column.
pub fn cells(kind: &str, object: &Value, is_wide: bool, now: Time) -> Vec<String> {
    let columns = columns::of(kind);
    let cells = columns.into_iter().zip(rows::cells(kind, object, now));
    let holds_all = is_wide || kind.starts_with("PersistentVolume");
    cells.filter(|(column, _)| holds_all || !column.is_wide).map(|(_, cell)| cell).collect()
}

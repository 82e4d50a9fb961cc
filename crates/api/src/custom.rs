//! Objects of kinds that a CustomResourceDefinition has taught the cluster: read, defaulted and checked by its schema.
//!
//! Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/{apiserver/schema,apiserver/validation,registry/customresource}.
//! Simplified: rules in CEL are taken as met. Every version is stored as it came.

mod format;

use crate::decode::{Decoded, cannot_be_handled, type_meta};
use crate::text::{Pattern, go_quote};
use crate::validate::{Cause, CauseKind};
use crate::{Gather as _, Kind, Object, Status, decode};
use serde_json::{Map, Value};

/// The schema of a version of a definition, given the definition's `spec`; none where it has no such version, or no schema.
pub fn schema_of<'a>(definition: &'a Value, api_version: &str) -> Option<&'a Value> {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    let versions = definition.get("versions")?.as_array()?;
    versions.iter().find(|known| known["name"] == version)?.pointer("/schema/openAPIV3Schema")
}

/// Reads an object of a custom kind, given the `spec` of its definition. Fields that the schema does not know are an error if
/// `strict`, and dropped if not; defaults of the schema are filled in.
///
/// # Errors
/// `BadRequest` with upstream's message.
pub fn decode(mut value: Value, definition: &Value, strict: bool) -> Result<Decoded, Status> {
    let (api_version, kind) = type_meta(&value);
    let refuse =
        |what: &str| Status::bad_request(format!("{} {what}", cannot_be_handled(&api_version, &kind)));
    let mut unknown = Vec::new();
    // The metadata are upstream's, whatever the schema says of them.
    let mut meta = Value::Object(Map::new());
    if let Some(given) = value.get_mut("metadata") {
        meta["metadata"] = given.take();
    }
    let problems = decode::metadata_problems(&mut meta);
    if let Some(wrong) = problems.iter().find(|problem| problem.fault != decode::Fault::Unknown) {
        return Err(refuse(&wrong.message));
    }
    if let Some(schema) = schema_of(definition, &api_version) {
        let mut prune = Prune { path: String::new(), unknown: Vec::new() };
        prune.object(&mut value, schema, true);
        unknown = prune.unknown;
        fill_in(&mut value, schema);
    }
    unknown.extend(problems.into_iter().map(|problem| problem.message));
    if strict && !unknown.is_empty() {
        return Err(refuse(&format!("strict decoding error: {}", unknown.join(", "))));
    }
    if let Value::Object(fields) = &mut value {
        fields.insert("metadata".into(), meta["metadata"].take());
    }
    let (object, errors) = Object::from_value(Kind::Custom, value);
    match errors.first() {
        None => Ok(Decoded { object, unknown }),
        Some(error) => Err(refuse(&format!("{}: {}", error.path, error.message))),
    }
}

/// All that is wrong with an object by the schema of its definition, whose `spec` is given.
pub fn causes(object: &Object, definition: &Value) -> Vec<Cause> {
    let mut check = Check::new();
    if let Some(schema) = schema_of(definition, &object.api_version()) {
        let mut value = object.to_value();
        if let Value::Object(fields) = &mut value {
            for own in ["apiVersion", "kind", "metadata"] {
                fields.remove(own);
            }
        }
        check.value(&value, schema, "");
        check.lists(&value, schema, "");
        if check.blocks && has_rules(schema) {
            let why = "some validation rules were not checked because the object was invalid; correct the existing errors to \
                       complete validation";
            check.add(CauseKind::Invalid, "", format!("Invalid value: \"null\": {why}"));
        }
    }
    check.causes
}

/// All that is wrong with a value by a schema; what is wrong with it as a whole has `<nil>` for a path.
pub(crate) fn causes_of_value(value: &Value, schema: &Value) -> Vec<Cause> {
    Check::apart(value, schema, "").causes
}

fn is_true(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Takes out what a schema does not know.
struct Prune {
    path: String,
    unknown: Vec<String>,
}

impl Prune {
    fn value(&mut self, value: &mut Value, schema: &Value) {
        match value {
            Value::Object(_) => self.object(value, schema, false),
            Value::Array(items) => {
                let Some(of) = schema.get("items") else { return };
                for (index, item) in items.iter_mut().enumerate() {
                    let before = self.path.len();
                    self.path.push_str(&format!("[{index}]"));
                    self.value(item, of);
                    self.path.truncate(before);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, value: &mut Value, schema: &Value, is_root: bool) {
        let Value::Object(fields) = value else { return };
        let properties = schema.get("properties");
        let others = schema.get("additionalProperties");
        let keeps = is_true(schema, "x-kubernetes-preserve-unknown-fields")
            || others.is_some_and(|others| *others == true)
            || is_true(schema, "x-kubernetes-embedded-resource");
        let mut dropped = Vec::new();
        for (key, value) in fields.iter_mut() {
            if is_root && matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                continue;
            }
            let known =
                properties.and_then(|properties| properties.get(key)).or(others.filter(|of| of.is_object()));
            let path = join(&self.path, key);
            match known {
                Some(of) => {
                    let before = std::mem::replace(&mut self.path, path);
                    self.value(value, of);
                    self.path = before;
                }
                None if keeps => {}
                None => {
                    self.unknown.push(format!("unknown field {}", go_quote(&path)));
                    dropped.push(key.clone());
                }
            }
        }
        for key in dropped {
            fields.remove(&key);
        }
    }
}

/// Fills in defaults of a schema, where the mapping that they belong to is there.
fn fill_in(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            for (key, of) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if let Some(default) = of.get("default")
                    && fields.get(key).is_none_or(Value::is_null)
                {
                    fields.insert(key.clone(), default.clone());
                }
                if let Some(value) = fields.get_mut(key) {
                    fill_in(value, of);
                }
            }
        }
        Value::Array(items) => {
            if let Some(of) = schema.get("items") {
                items.iter_mut().for_each(|item| fill_in(item, of));
            }
        }
        _ => {}
    }
}

struct Check {
    causes: Vec<Cause>,
    /// Something was wrong that leaves rules in CEL unchecked.
    blocks: bool,
    /// How much was looked at: of several schemas that do not fit, the one that got furthest is told.
    reached: usize,
}

impl Check {
    fn new() -> Check {
        Check { causes: Vec::new(), blocks: false, reached: 0 }
    }

    fn add(&mut self, kind: CauseKind, path: &str, message: String) {
        // What is wrong with the whole object has no path.
        let field = if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() };
        self.blocks |= !matches!(kind, CauseKind::Invalid | CauseKind::Duplicate);
        self.causes.push(Cause { kind, field, message });
    }
    fn invalid(&mut self, path: &str, shown: &str, what: &str) {
        self.add(CauseKind::Invalid, path, format!("Invalid value: {shown}: {path} in body {what}"));
    }
    fn of_type(&mut self, path: &str, found: &str, wanted: &str) {
        self.invalid(path, &go_quote(found), &format!("must be of type {wanted}: {}", go_quote(found)));
        self.blocks = true;
    }
    /// What does not fit several schemas is told without a path of its own.
    fn composite(&mut self, path: &str, what: &str) {
        self.add(CauseKind::Invalid, "", format!("Invalid value: \"\": {} {what}", go_quote(path)));
    }
    fn take(&mut self, other: Check) {
        self.causes.extend(other.causes);
        self.blocks |= other.blocks;
        self.reached += other.reached;
    }
    /// Checks a value by a schema on its own.
    fn apart(value: &Value, schema: &Value, path: &str) -> Check {
        let mut check = Check::new();
        check.value(value, schema, path);
        check
    }

    fn value(&mut self, value: &Value, schema: &Value, path: &str) {
        if value.is_null() && is_true(schema, "nullable") {
            return;
        }
        let found = type_name(value);
        let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let fits = match wanted {
            "" => true,
            "number" => value.is_number(),
            "integer" => found == "integer",
            other => found == other,
        };
        self.reached += 1 + usize::from(!wanted.is_empty());
        let is_either = is_true(schema, "x-kubernetes-int-or-string");
        if if is_either { !matches!(found, "integer" | "string") } else { !fits } {
            let wanted = if is_either { "integer,string" } else { wanted };
            self.of_type(path, found, wanted);
            if value.is_null() {
                return;
            }
        }
        self.composites(value, schema, path);
        match value {
            Value::Number(_) => self.bounds(value, schema, path),
            Value::String(text) => self.text(text, schema, path),
            Value::Array(items) => self.items(items, schema, path),
            _ => {}
        }
        self.words(value, schema, path);
        if let Value::Object(fields) = value {
            self.fields(fields, schema, path);
        }
    }

    /// `anyOf`, `oneOf`, `allOf` and `not`.
    fn composites(&mut self, value: &Value, schema: &Value, path: &str) {
        let tried = |word: &str| -> Vec<Check> {
            let schemas = schema.get(word).and_then(Value::as_array).into_iter().flatten();
            schemas.map(|schema| Check::apart(value, schema, path)).gather()
        };
        for (word, rule) in [
            ("anyOf", "must validate at least one schema (anyOf)"),
            ("oneOf", "must validate one and only one schema (oneOf). "),
        ] {
            let checks = tried(word);
            let fitting = checks.iter().filter(|check| check.causes.is_empty()).count();
            if checks.is_empty() || fitting == 1 || (fitting > 1 && word == "anyOf") {
                continue;
            }
            let found = match (word, fitting) {
                ("anyOf", _) => String::new(),
                (_, 0) => "Found none valid".to_owned(),
                (_, many) => format!("Found {many} valid alternatives"),
            };
            self.composite(path, &format!("{rule}{found}"));
            let best =
                checks.into_iter().reduce(|best, next| if next.reached > best.reached { next } else { best });
            if let Some(best) = best.filter(|_| fitting == 0) {
                self.take(best);
            }
        }
        let all = tried("allOf");
        let (count, fitting) = (all.len(), all.iter().filter(|check| check.causes.is_empty()).count());
        all.into_iter().for_each(|check| self.take(check));
        if fitting < count {
            let none = if fitting == 0 { ". None validated" } else { "" };
            self.composite(path, &format!("must validate all the schemas (allOf){none}"));
        }
        if let Some(not) = schema.get("not").filter(|not| not.is_object())
            && Check::apart(value, not, path).causes.is_empty()
        {
            self.composite(path, "must not validate the schema (not)");
        }
    }

    fn words(&mut self, value: &Value, schema: &Value, path: &str) {
        let Some(words) = schema.get("enum").and_then(Value::as_array) else { return };
        if !words.contains(value) {
            let list: Vec<String> = words
                .iter()
                .map(|word| word.as_str().map_or_else(|| go_quote(&word.to_string()), go_quote))
                .gather();
            let message = format!("Unsupported value: {value}: supported values: {}", list.join(", "));
            self.add(CauseKind::NotSupported, path, message);
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>, schema: &Value, path: &str) {
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64).map(|limit| limit as usize);
        if let Some(least) = limit("minProperties").filter(|least| fields.len() < *least) {
            let shown = fields.len().to_string();
            return self.invalid(path, &shown, &format!("should have at least {least} properties"));
        }
        if let Some(most) = limit("maxProperties").filter(|most| fields.len() > *most) {
            let message = format!("Too many: {}: must have at most {most} items", fields.len());
            return self.add(CauseKind::TooMany, path, message);
        }
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let key = key.as_str().unwrap_or_default();
            let is_own = path.is_empty() && matches!(key, "apiVersion" | "kind" | "metadata");
            if !fields.contains_key(key) && !is_own {
                self.add(CauseKind::Required, &join(path, key), "Required value".to_owned());
            }
        }
        let others = schema.get("additionalProperties").filter(|of| of.is_object());
        for (key, value) in fields {
            let of = schema.get("properties").and_then(|properties| properties.get(key)).or(others);
            if let Some(of) = of {
                self.value(value, of, &join(path, key));
            }
        }
    }

    fn items(&mut self, items: &[Value], schema: &Value, path: &str) {
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64).map(|limit| limit as usize);
        if let Some(least) = limit("minItems").filter(|least| items.len() < *least) {
            self.invalid(path, &items.len().to_string(), &format!("should have at least {least} items"));
        }
        if let Some(most) = limit("maxItems").filter(|most| items.len() > *most) {
            let message = format!("Too many: {}: must have at most {most} items", items.len());
            self.add(CauseKind::TooMany, path, message);
        }
        if let Some(of) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(item, of, &format!("{path}[{index}]"));
            }
        }
    }

    fn bounds(&mut self, value: &Value, schema: &Value, path: &str) {
        let number = value.as_f64().unwrap_or(0.0);
        let bound = |key: &str| schema.get(key).and_then(|bound| Some((bound, bound.as_f64()?)));
        if let Some((shown, factor)) = bound("multipleOf")
            && factor != 0.0
            && number % factor != 0.0
        {
            self.invalid(path, &value.to_string(), &format!("should be a multiple of {shown}"));
        }
        if let Some((bound, most)) = bound("maximum") {
            let exclusive = is_true(schema, "exclusiveMaximum");
            if number > most || (exclusive && number >= most) {
                let or = if exclusive { "" } else { " or equal to" };
                self.invalid(path, &value.to_string(), &format!("should be less than{or} {bound}"));
            }
        }
        if let Some((bound, least)) = bound("minimum") {
            let exclusive = is_true(schema, "exclusiveMinimum");
            if number < least || (exclusive && number <= least) {
                let or = if exclusive { "" } else { " or equal to" };
                self.invalid(path, &value.to_string(), &format!("should be greater than{or} {bound}"));
            }
        }
    }

    fn text(&mut self, text: &str, schema: &Value, path: &str) {
        let length = text.chars().count() as u64;
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        if let Some(most) = limit("maxLength").filter(|most| length > *most) {
            self.add(CauseKind::TooLong, path, format!("Too long: may not be more than {most} bytes"));
        }
        if let Some(least) = limit("minLength").filter(|least| length < *least) {
            self.invalid(path, &go_quote(text), &format!("should be at least {least} chars long"));
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && Pattern::parse(pattern).is_ok_and(|read| !read.is_in(text))
        {
            self.invalid(path, &go_quote(text), &format!("should match '{pattern}'"));
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str)
            && !format::fits(format, text)
        {
            self.of_type(path, text, format);
        }
    }

    /// Items of sets and of maps in list form are there once.
    fn lists(&mut self, value: &Value, schema: &Value, path: &str) {
        let part = |key: &str| schema.get(key).unwrap_or(&Value::Null);
        match value {
            Value::Object(fields) => {
                let others = schema.get("additionalProperties").filter(|of| of.is_object());
                for (key, value) in fields {
                    if let Some(of) = part("properties").get(key).or(others) {
                        self.lists(value, of, &join(path, key));
                    }
                }
            }
            Value::Array(items) => {
                let keys: Vec<&str> = part("x-kubernetes-list-map-keys")
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .gather();
                let of_keys = |item: &Value| {
                    let fields =
                        keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(key)?.clone())));
                    Value::Object(fields.collect())
                };
                let identity: Vec<Value> = match part("x-kubernetes-list-type").as_str() {
                    Some("set") => items.clone(),
                    Some("map") => items.iter().map(of_keys).gather(),
                    _ => Vec::new(),
                };
                for (index, item) in identity.iter().enumerate() {
                    // The second of equal ones is told, the third no more.
                    if identity.iter().take(index).filter(|earlier| *earlier == item).count() == 1 {
                        let message = format!("Duplicate value: {item}");
                        self.add(CauseKind::Duplicate, &format!("{path}[{index}]"), message);
                    }
                }
                for (index, item) in items.iter().enumerate() {
                    self.lists(item, part("items"), &format!("{path}[{index}]"));
                }
            }
            _ => {}
        }
    }
}

/// Whether a schema has rules in CEL anywhere.
fn has_rules(schema: &Value) -> bool {
    let below = ["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key));
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(_, of)| of);
    schema.get("x-kubernetes-validations").is_some() || below.chain(fields).any(has_rules)
}

/// What OpenAPI calls a value; whole numbers are integers.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

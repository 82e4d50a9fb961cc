//! Reading objects from and writing them to the JSON tree of the API.
//!
//! A table of fields per type, made by the [`wire!`](crate::wire!) macro, does both directions. Fields that the simulator does
//! not model stay in `rest`, so that an object keeps everything it was given.

use crate::Gather as _;
use crate::map;
use crate::{IntOrPercent, Quantity, Str};
use serde_json::{Map, Value};
use std::rc::Rc;

/// Fields that were given but are not modelled, kept as they came.
pub type Rest = Option<Rc<Map<String, Value>>>;

/// A field of those that were kept, as it came; null where there is none.
pub fn peek<'a>(rest: &'a Rest, key: &str) -> &'a Value {
    rest.as_ref().and_then(|rest| rest.get(key)).unwrap_or(&Value::Null)
}

/// A field of those that were kept, read as a type; the default where there is none or where it does not fit.
pub fn kept<T: Wire + Default>(rest: &Rest, key: &str) -> T {
    T::read(peek(rest, key).clone(), &mut Reader::default())
}

/// Puts a value in the place of a field of those that were kept.
pub fn keep(rest: &mut Rest, key: &str, value: &dyn Wire) {
    let value = value.put(true).unwrap_or_default();
    Rc::make_mut(rest.get_or_insert_default()).insert(key.to_string(), value);
}

/// A field whose value has the wrong type or form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field, as upstream writes it: `spec.template.spec.containers[0].image`.
    pub path: String,
    /// What was expected and what was there.
    pub message: String,
}

/// One step of the path of a field.
enum Segment {
    Field(&'static str),
    Key(String),
    Index(usize),
}

/// Collects errors while an object is read, and knows the path of the field being read.
#[derive(Default)]
pub struct Reader {
    path: Vec<Segment>,
    /// Errors found so far, in the order of the object's fields.
    pub errors: Vec<FieldError>,
    /// Paths of what was kept that has no type, so that it was not checked.
    pub kept: Vec<String>,
}

impl Reader {
    /// The path of the field being read.
    pub fn path(&self) -> String {
        let mut out = String::new();
        for segment in &self.path {
            let name = match segment {
                Segment::Index(index) => {
                    out.push_str(&format!("[{index}]"));
                    continue;
                }
                Segment::Field(name) => name,
                Segment::Key(name) => &**name,
            };
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(name);
        }
        out
    }

    /// Notes that the field being read is not what was expected.
    pub fn mismatch(&mut self, expected: &str, found: &Value) {
        let found = match found {
            Value::Null => "null".to_string(),
            Value::Bool(b) => format!("boolean {b}"),
            Value::Number(n) => format!("number {n}"),
            Value::String(s) => format!("string {s:?}"),
            Value::Array(_) => "a list".to_string(),
            Value::Object(_) => "a mapping".to_string(),
        };
        self.fail(format!("expected {expected}, got {found}"));
    }

    /// Notes that the field being read is kept as it is.
    fn keep(&mut self) {
        self.kept.push(self.path());
    }

    /// Notes an error at the field being read.
    pub fn fail(&mut self, message: String) {
        self.errors.push(FieldError { path: self.path(), message });
    }

    /// Reads the items of a list, one path segment deeper each.
    fn list(&mut self, value: Value, push: &mut dyn FnMut(Value, &mut Reader)) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    self.path.push(Segment::Index(index));
                    push(item, self);
                    self.path.pop();
                }
            }
            Value::Null => {}
            other => self.mismatch("a list", &other),
        }
    }

    /// Reads the values of a mapping with any keys, one path segment deeper each.
    fn map(&mut self, value: Value, insert: &mut dyn FnMut(Str, Value, &mut Reader)) {
        for (key, value) in self.take_map(value) {
            let name: Str = (*key).into();
            self.path.push(Segment::Key(key));
            insert(name, value, self);
            self.path.pop();
        }
    }

    /// Takes the mapping out of `value`, or notes an error and yields an empty one.
    fn take_map(&mut self, value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => return map,
            Value::Null => {}
            other => self.mismatch("a mapping", &other),
        }
        Map::new()
    }
}

/// A value that has a place in the JSON tree.
///
/// The two required methods can be called through `dyn`: the page pays for one small loop per direction, not for one per type.
pub trait Wire {
    /// Reads into `self`, which holds the default; on a mismatch notes an error in `r` and leaves the default.
    fn take(&mut self, value: Value, r: &mut Reader);
    /// Writes the value; `None` where Go's `omitempty` would leave it out, unless it is to be written `always`.
    fn put(&self, always: bool) -> Option<Value>;

    /// Reads the value; on a mismatch notes an error in `r` and yields the default.
    fn read(value: Value, r: &mut Reader) -> Self
    where
        Self: Sized + Default,
    {
        let mut out = Self::default();
        out.take(value, r);
        out
    }
    /// Writes the value; `None` where Go's `omitempty` would leave it out.
    fn write(&self) -> Option<Value>
    where
        Self: Sized,
    {
        self.put(false)
    }
    /// Writes the value even when it is empty.
    fn write_always(&self) -> Value
    where
        Self: Sized,
    {
        self.put(true).unwrap_or(Value::Null)
    }
}

/// A value with named fields, made a [`Wire`] by [`take_fields`] and [`put_fields`].
pub trait Fields {
    /// Names every field to the reader.
    fn take_each(&mut self, from: &mut FieldReader);
    /// Names every field to the writer.
    fn put_each(&self, to: &mut FieldWriter);
}

/// Reads the fields of one mapping.
pub struct FieldReader<'a> {
    map: Map<String, Value>,
    r: &'a mut Reader,
}

impl FieldReader<'_> {
    /// Reads one field, if it is there.
    #[inline(never)]
    pub fn field(&mut self, key: &'static str, field: &mut dyn Wire) {
        if let Some(value) = self.map.remove(key) {
            self.r.path.push(Segment::Field(key));
            field.take(value, self.r);
            self.r.path.pop();
        }
    }
    /// Reads one field, which has to be there.
    pub fn required(&mut self, key: &'static str, field: &mut dyn Wire) {
        if self.map.get(key).is_none_or(Value::is_null) {
            self.r.fail(format!("missing field `{key}`"));
        }
        self.field(key, field);
    }
    /// Notes an error for every field that nobody asked for; `known` has those that somebody did.
    pub fn nothing_else(&mut self, known: &dyn Fields) {
        let mut names = Vec::new();
        known.put_each(&mut FieldWriter { out: &mut |key, _| names.push(key.to_string()) });
        for (key, _) in std::mem::take(&mut self.map) {
            let expected = names.join("`, `");
            let message = format!("unknown field `{key}`, expected `{expected}`");
            self.r.path.push(Segment::Key(key));
            self.r.fail(message);
            self.r.path.pop();
        }
    }
    /// Keeps the fields that nobody asked for.
    pub fn rest(&mut self, rest: &mut Rest) {
        let map = std::mem::take(&mut self.map);
        for key in map.keys() {
            self.r.path.push(Segment::Key(key.clone()));
            self.r.keep();
            self.r.path.pop();
        }
        *rest = (!map.is_empty()).then(|| Rc::new(map));
    }
}

/// Writes the fields of one mapping.
pub struct FieldWriter<'a> {
    /// Takes the fields, in the order of their declaration.
    pub out: &'a mut dyn FnMut(&str, Value),
}

impl FieldWriter<'_> {
    /// Writes the fields that were kept.
    pub fn rest(&mut self, rest: &Rest) {
        for (key, value) in rest.as_deref().into_iter().flatten() {
            (self.out)(key, value.clone());
        }
    }
    /// Writes a field, unless it is empty.
    #[inline(never)]
    pub fn field(&mut self, key: &'static str, field: &dyn Wire) {
        if let Some(value) = field.put(false) {
            (self.out)(key, value);
        }
    }
    /// Writes a field, even if it is empty.
    #[inline(never)]
    pub fn always(&mut self, key: &'static str, field: &dyn Wire) {
        (self.out)(key, field.put(true).unwrap_or(Value::Null));
    }
}

/// [`Wire::take`] of a value with named fields.
pub fn take_fields(fields: &mut dyn Fields, value: Value, r: &mut Reader) {
    let map = r.take_map(value);
    fields.take_each(&mut FieldReader { map, r });
}

/// [`Wire::put`] of a value with named fields.
pub fn put_fields(fields: &dyn Fields, always: bool) -> Option<Value> {
    let mut map = Map::new();
    let mut out = |key: &str, value: Value| {
        map.insert(key.to_string(), value);
    };
    fields.put_each(&mut FieldWriter { out: &mut out });
    (always || !map.is_empty()).then_some(Value::Object(map))
}

/// [`Wire::put`] of a list.
fn put_list<'a>(length: usize, always: bool, item: &dyn Fn(usize) -> &'a dyn Wire) -> Option<Value> {
    let write = |index| item(index).put(true).unwrap_or(Value::Null);
    (always || length > 0).then(|| Value::Array((0..length).map(write).gather()))
}

impl Wire for bool {
    fn take(&mut self, value: Value, r: &mut Reader) {
        match value {
            Value::Bool(b) => *self = b,
            Value::Null => {}
            other => r.mismatch("true or false", &other),
        }
    }
    fn put(&self, always: bool) -> Option<Value> {
        (always || *self).then_some(Value::Bool(*self))
    }
}

macro_rules! wire_integer {
    ($($t:ty),*) => {$(
        impl Wire for $t {
            fn take(&mut self, value: Value, r: &mut Reader) {
                match value.as_i64().map(<$t>::try_from) {
                    Some(Ok(number)) => *self = number,
                    _ if value.is_null() => {}
                    _ => r.mismatch("an integer", &value),
                }
            }
            fn put(&self, always: bool) -> Option<Value> {
                (always || *self != 0).then(|| Value::from(*self))
            }
        }
    )*};
}
wire_integer!(i32, i64, u32);

impl Wire for Str {
    fn take(&mut self, value: Value, r: &mut Reader) {
        match value {
            Value::String(s) => *self = s.into(),
            Value::Null => {}
            other => r.mismatch("a string", &other),
        }
    }
    fn put(&self, always: bool) -> Option<Value> {
        (always || !self.is_empty()).then(|| Value::String(self.to_string()))
    }
}

impl Wire for String {
    fn take(&mut self, value: Value, r: &mut Reader) {
        match value {
            Value::String(s) => *self = s,
            Value::Null => {}
            other => r.mismatch("a string", &other),
        }
    }
    fn put(&self, always: bool) -> Option<Value> {
        (always || !self.is_empty()).then(|| Value::String(self.clone()))
    }
}

impl Wire for Value {
    fn take(&mut self, value: Value, r: &mut Reader) {
        r.keep();
        *self = value;
    }
    fn put(&self, _: bool) -> Option<Value> {
        (!self.is_null()).then(|| self.clone())
    }
}

impl Wire for Quantity {
    fn take(&mut self, value: Value, r: &mut Reader) {
        let text = match &value {
            Value::String(s) => s.clone(),
            Value::Number(n) => n.to_string(),
            _ => String::new(),
        };
        match Quantity::parse(&text) {
            Ok(quantity) => *self = quantity,
            Err(_) => r.mismatch("a quantity such as 500m or 64Mi", &value),
        }
    }
    fn put(&self, _: bool) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }
}

impl Wire for IntOrPercent {
    fn take(&mut self, value: Value, r: &mut Reader) {
        match value {
            Value::Number(n) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
                *self = IntOrPercent::Int(n.as_i64().unwrap_or(0) as i32);
            }
            Value::String(s) => *self = IntOrPercent::Text(s.into()),
            other => r.mismatch("an integer or a percentage", &other),
        }
    }
    fn put(&self, _: bool) -> Option<Value> {
        Some(match self {
            IntOrPercent::Int(n) => Value::from(*n),
            IntOrPercent::Text(s) => Value::String(s.to_string()),
        })
    }
}

impl<T: Wire + Default> Wire for Option<T> {
    fn take(&mut self, value: Value, r: &mut Reader) {
        if !value.is_null() {
            self.get_or_insert_default().take(value, r);
        }
    }
    fn put(&self, _: bool) -> Option<Value> {
        self.as_ref().map(T::write_always)
    }
}

impl<T: Wire + Default> Wire for Rc<T> {
    fn take(&mut self, value: Value, r: &mut Reader) {
        let mut inner = T::default();
        inner.take(value, r);
        *self = Rc::new(inner);
    }
    fn put(&self, always: bool) -> Option<Value> {
        T::put(self, always)
    }
}

impl<T: Wire + Default> Wire for Vec<T> {
    fn take(&mut self, value: Value, r: &mut Reader) {
        r.list(value, &mut |item, r| {
            self.push(T::default());
            if let Some(last) = self.last_mut() {
                last.take(item, r);
            }
        });
    }
    fn put(&self, always: bool) -> Option<Value> {
        put_list(self.len(), always, &|index| &self[index])
    }
}

impl<T: Wire + Default> Wire for map::Map<Str, T> {
    fn take(&mut self, value: Value, r: &mut Reader) {
        r.map(value, &mut |key, value, r| {
            self.insert(key, T::read(value, r));
        });
    }
    fn put(&self, always: bool) -> Option<Value> {
        if !always && self.is_empty() {
            return None;
        }
        // One by one: to collect into a JSON map would bring the code of a sort along.
        let mut map = Map::new();
        for (key, value) in self {
            map.insert(key.to_string(), value.write_always());
        }
        Some(Value::Object(map))
    }
}

/// Defines an API struct with its JSON field names, and reads and writes it.
///
/// `pub field: Type = "jsonName";` leaves empty values out, as Go's `omitempty`; `pub field: Type = "jsonName", always;` writes
/// them too. Every struct also gets `rest`, the fields it does not model.
#[macro_export]
macro_rules! wire {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$fmeta:meta])* pub $field:ident : $type:ty = $key:literal $(, $always:ident)? ; )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$fmeta])* pub $field: $type, )*
            /// Fields that are kept but not modelled.
            pub rest: $crate::wire::Rest,
        }

        impl $crate::wire::Fields for $name {
            fn take_each(&mut self, from: &mut $crate::wire::FieldReader) {
                $( from.field($key, &mut self.$field); )*
                from.rest(&mut self.rest);
            }
            fn put_each(&self, to: &mut $crate::wire::FieldWriter) {
                to.rest(&self.rest);
                $( $crate::wire!(@put to, &self.$field, $key $(, $always)?); )*
            }
        }

        impl $crate::wire::Wire for $name {
            fn take(&mut self, value: serde_json::Value, r: &mut $crate::wire::Reader) {
                $crate::wire::take_fields(self, value, r);
            }
            fn put(&self, always: bool) -> Option<serde_json::Value> {
                $crate::wire::put_fields(self, always)
            }
        }
    )*};
    (@put $to:ident, $field:expr, $key:literal) => { $to.field($key, $field) };
    (@put $to:ident, $field:expr, $key:literal, always) => { $to.always($key, $field) };
}

/// Defines a closed set of words, the first of which is the default.
#[macro_export]
macro_rules! words {
    ($( $(#[$meta:meta])* pub enum $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $word:literal, )* } )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum $name { #[default] $( $(#[$vmeta])* $variant, )* }

        impl $name {
            /// The word as the API writes it.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
            /// The variant of a word, if it is one of the set.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$variant), )* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::wire::Wire for $name {
            fn take(&mut self, value: serde_json::Value, r: &mut $crate::wire::Reader) {
                match value.as_str().and_then(Self::from_word) {
                    Some(word) => *self = word,
                    None => r.mismatch(concat!("one of" $(, " ", $word)*), &value),
                }
            }
            fn put(&self, _: bool) -> Option<serde_json::Value> {
                (!self.as_str().is_empty()).then(|| self.as_str().into())
            }
        }
    )*};
}

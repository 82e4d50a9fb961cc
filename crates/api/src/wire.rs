//! Reading objects from and writing them to the JSON tree of the API.
//!
//! A table of fields per type, made by the [`wire!`](crate::wire!) macro, does both directions. Fields that the simulator does
//! not model stay in `rest`, so that an object keeps everything it was given.

use crate::map;
use crate::{IntOrPercent, Quantity, Str};
use serde_json::{Map, Value};
use std::rc::Rc;

/// Fields that were given but are not modelled, kept as they came.
pub type Rest = Option<Rc<Map<String, Value>>>;

/// A field whose value has the wrong type or form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field, as upstream writes it: `spec.template.spec.containers[0].image`.
    pub path: String,
    /// What was expected and what was there.
    pub message: String,
}

/// Collects errors while an object is read, and knows the path of the field being read.
#[derive(Default)]
pub struct Reader {
    path: Vec<String>,
    /// Errors found so far, in the order of the object's fields.
    pub errors: Vec<FieldError>,
}

impl Reader {
    /// The path of the field being read.
    pub fn path(&self) -> String {
        let mut out = String::new();
        for segment in &self.path {
            if !out.is_empty() && !segment.starts_with('[') {
                out.push('.');
            }
            out.push_str(segment);
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

    /// Notes an error at the field being read.
    pub fn fail(&mut self, message: String) {
        self.errors.push(FieldError { path: self.path(), message });
    }

    /// Runs `f` one path segment deeper.
    pub fn within<T>(&mut self, segment: String, f: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(segment);
        let out = f(self);
        self.path.pop();
        out
    }
}

/// A value that has a place in the JSON tree.
pub trait Wire: Sized + Default {
    /// Reads the value; on a mismatch notes an error in `r` and yields the default.
    fn read(value: Value, r: &mut Reader) -> Self;
    /// Writes the value; `None` where Go's `omitempty` would leave it out.
    fn write(&self) -> Option<Value>;
    /// Writes the value even when it is empty.
    fn write_always(&self) -> Value {
        self.write().unwrap_or(Value::Null)
    }
}

impl Wire for bool {
    fn read(value: Value, r: &mut Reader) -> Self {
        match value {
            Value::Bool(b) => b,
            Value::Null => false,
            other => {
                r.mismatch("true or false", &other);
                false
            }
        }
    }
    fn write(&self) -> Option<Value> {
        self.then_some(Value::Bool(true))
    }
    fn write_always(&self) -> Value {
        Value::Bool(*self)
    }
}

macro_rules! wire_integer {
    ($($t:ty),*) => {$(
        impl Wire for $t {
            fn read(value: Value, r: &mut Reader) -> Self {
                let parsed = match &value {
                    Value::Null => Some(0),
                    Value::Number(n) => n.as_i64().and_then(|n| <$t>::try_from(n).ok()),
                    _ => None,
                };
                parsed.unwrap_or_else(|| {
                    r.mismatch("an integer", &value);
                    0
                })
            }
            fn write(&self) -> Option<Value> {
                (*self != 0).then(|| Value::from(*self))
            }
            fn write_always(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
wire_integer!(i32, i64);

impl Wire for Str {
    fn read(value: Value, r: &mut Reader) -> Self {
        match value {
            Value::String(s) => s.into(),
            Value::Null => "".into(),
            other => {
                r.mismatch("a string", &other);
                "".into()
            }
        }
    }
    fn write(&self) -> Option<Value> {
        (!self.is_empty()).then(|| Value::String(self.to_string()))
    }
    fn write_always(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Wire for Value {
    fn read(value: Value, _: &mut Reader) -> Self {
        value
    }
    fn write(&self) -> Option<Value> {
        (!self.is_null()).then(|| self.clone())
    }
}

impl Wire for Quantity {
    fn read(value: Value, r: &mut Reader) -> Self {
        let text = match &value {
            Value::String(s) => s.clone(),
            Value::Number(n) => n.to_string(),
            _ => String::new(),
        };
        Quantity::parse(&text).unwrap_or_else(|_| {
            r.mismatch("a quantity such as 500m or 64Mi", &value);
            Quantity::default()
        })
    }
    fn write(&self) -> Option<Value> {
        Some(Value::String(self.to_string()))
    }
}

impl Wire for IntOrPercent {
    fn read(value: Value, r: &mut Reader) -> Self {
        match value {
            Value::Number(n) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
                IntOrPercent::Int(n.as_i64().unwrap_or(0) as i32)
            }
            Value::String(s) => IntOrPercent::Text(s.into()),
            other => {
                r.mismatch("an integer or a percentage", &other);
                IntOrPercent::default()
            }
        }
    }
    fn write(&self) -> Option<Value> {
        Some(match self {
            IntOrPercent::Int(n) => Value::from(*n),
            IntOrPercent::Text(s) => Value::String(s.to_string()),
        })
    }
}

impl<T: Wire> Wire for Option<T> {
    fn read(value: Value, r: &mut Reader) -> Self {
        (!value.is_null()).then(|| T::read(value, r))
    }
    fn write(&self) -> Option<Value> {
        self.as_ref().map(T::write_always)
    }
}

impl<T: Wire> Wire for Rc<T> {
    fn read(value: Value, r: &mut Reader) -> Self {
        Rc::new(T::read(value, r))
    }
    fn write(&self) -> Option<Value> {
        T::write(self)
    }
    fn write_always(&self) -> Value {
        T::write_always(self)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn read(value: Value, r: &mut Reader) -> Self {
        match value {
            Value::Array(items) => {
                let read = |(i, item)| r.within(format!("[{i}]"), |r| T::read(item, r));
                items.into_iter().enumerate().map(read).collect()
            }
            Value::Null => Vec::new(),
            other => {
                r.mismatch("a list", &other);
                Vec::new()
            }
        }
    }
    fn write(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.write_always())
    }
    fn write_always(&self) -> Value {
        Value::Array(self.iter().map(T::write_always).collect())
    }
}

impl<T: Wire> Wire for map::Map<Str, T> {
    fn read(value: Value, r: &mut Reader) -> Self {
        match value {
            Value::Object(map) => {
                let read = |(k, v): (String, Value)| {
                    let v = r.within(k.clone(), |r| T::read(v, r));
                    (k.into(), v)
                };
                map.into_iter().map(read).collect()
            }
            Value::Null => map::Map::new(),
            other => {
                r.mismatch("a mapping", &other);
                map::Map::new()
            }
        }
    }
    fn write(&self) -> Option<Value> {
        (!self.is_empty()).then(|| self.write_always())
    }
    fn write_always(&self) -> Value {
        Value::Object(self.iter().map(|(k, v)| (k.to_string(), v.write_always())).collect())
    }
}

/// Takes the mapping out of `value`, or notes an error and yields an empty one.
#[doc(hidden)]
pub fn take_map(value: Value, r: &mut Reader) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null => Map::new(),
        other => {
            r.mismatch("a mapping", &other);
            Map::new()
        }
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
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $( $(#[$fmeta])* pub $field: $type, )*
            /// Fields that are kept but not modelled.
            pub rest: $crate::wire::Rest,
        }

        impl $crate::wire::Wire for $name {
            fn read(value: serde_json::Value, r: &mut $crate::wire::Reader) -> Self {
                #[allow(unused_mut)]
                let mut map = $crate::wire::take_map(value, r);
                Self {
                    $( $field: match map.remove($key) {
                        Some(value) => r.within($key.to_string(), |r| $crate::wire::Wire::read(value, r)),
                        None => Default::default(),
                    }, )*
                    rest: (!map.is_empty()).then(|| std::rc::Rc::new(map)),
                }
            }
            fn write(&self) -> Option<serde_json::Value> {
                let value = self.write_always();
                value.as_object().is_some_and(|map| !map.is_empty()).then_some(value)
            }
            fn write_always(&self) -> serde_json::Value {
                #[allow(unused_mut)]
                let mut map = self.rest.as_deref().cloned().unwrap_or_default();
                $( $crate::wire!(@write self, map, $field, $key $(, $always)?); )*
                serde_json::Value::Object(map)
            }
        }
    )*};
    (@write $self:ident, $map:ident, $field:ident, $key:literal) => {
        if let Some(value) = $crate::wire::Wire::write(&$self.$field) {
            $map.insert($key.to_string(), value);
        }
    };
    (@write $self:ident, $map:ident, $field:ident, $key:literal, always) => {
        $map.insert($key.to_string(), $crate::wire::Wire::write_always(&$self.$field));
    };
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
            fn read(value: serde_json::Value, r: &mut $crate::wire::Reader) -> Self {
                match value.as_str().and_then(Self::from_word) {
                    Some(word) => word,
                    None => {
                        r.mismatch(concat!("one of" $(, " ", $word)*), &value);
                        Self::default()
                    }
                }
            }
            fn write(&self) -> Option<serde_json::Value> {
                (!self.as_str().is_empty()).then(|| self.as_str().into())
            }
        }
    )*};
}

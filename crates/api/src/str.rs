//! Text that is shared instead of copied.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::rc::Rc;

/// Shared text. A copy costs no allocation, and neither does the empty text or one that stands in the program itself.
#[derive(Clone)]
pub struct Str(Text);

#[derive(Clone)]
enum Text {
    Fixed(&'static str),
    Shared(Rc<str>),
}

impl Str {
    /// Text that stands in the program.
    pub const fn fixed(text: &'static str) -> Self {
        Self(Text::Fixed(text))
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        match &self.0 {
            Text::Fixed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl Default for Str {
    fn default() -> Self {
        Self::fixed("")
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        let (a, b): (&str, &str) = (self, other);
        std::ptr::eq(a, b) || a == b
    }
}

impl Eq for Str {}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b): (&str, &str) = (self, other);
        if std::ptr::eq(a, b) { Ordering::Equal } else { a.cmp(b) }
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        str::hash(self, state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self
    }
}

impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        if text.is_empty() { Self::default() } else { Self(Text::Shared(text.into())) }
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::from(&*text)
    }
}

impl From<&Cow<'static, str>> for Str {
    fn from(text: &Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::fixed(text),
            Cow::Owned(text) => Self::from(&**text),
        }
    }
}

impl From<Rc<str>> for Str {
    fn from(text: Rc<str>) -> Self {
        Self(Text::Shared(text))
    }
}

impl From<Str> for Rc<str> {
    fn from(text: Str) -> Self {
        match text.0 {
            Text::Fixed(text) => text.into(),
            Text::Shared(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Map;

    #[test]
    fn text_is_equal_however_it_is_kept() {
        let (fixed, shared) = (Str::fixed("web"), Str::from(String::from("web")));
        assert_eq!(fixed, shared);
        assert_eq!(fixed.cmp(&shared), Ordering::Equal);
        assert_eq!(Str::default(), Str::from(""));
        let map = Map::from([(fixed, 1), (Str::from("a"), 2)]);
        assert_eq!((map.get("web"), map.get(&shared), map.get("b")), (Some(&1), Some(&1), None));
        assert!(Str::from("a") < Str::fixed("b"));
    }
}

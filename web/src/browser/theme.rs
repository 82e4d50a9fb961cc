//! Light or dark: the system's choice unless the person made one, which this browser remembers.

/// Where the choice is kept; `boot.js` reads it before the first paint.
const KEY: &str = "setpoint-theme";

/// Whose colours the page wears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// What the person chose on an earlier visit.
    pub fn remembered() -> Self {
        match storage().and_then(|storage| storage.get_item(KEY).ok().flatten()).as_deref() {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::System,
        }
    }

    /// Name as stored, as the attribute's value and for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one after this when the switch is pressed.
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// Puts it on, and remembers it where the browser allows that.
    pub fn wear(self) {
        if let Some(root) = web_sys::window()
            .and_then(|window| window.document())
            .and_then(|document| document.document_element())
        {
            let _ = match self {
                Self::System => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", self.name()),
            };
        }
        if let Some(storage) = storage() {
            let _ = match self {
                Self::System => storage.remove_item(KEY),
                _ => storage.set_item(KEY, self.name()),
            };
        }
    }
}

/// Frames without an origin and strict settings have no storage.
pub fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

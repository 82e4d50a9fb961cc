//! Calls to the browser, each kind in one place.

pub mod address;
pub mod files;
pub mod focus;
pub mod folder;
pub mod frame_loop;
pub mod keys;
pub mod theme;

//! Manifests as people write and keep them: what is wrong with one, samples, and the cluster written back as one.

mod advice;
mod check;
mod export;
pub mod samples;
pub mod suggest;

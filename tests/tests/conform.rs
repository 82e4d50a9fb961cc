//! Recordings of a real control plane against what happens here, and the page that tells it.
//!
//! `recordings/NAME.txt` are the recordings (`cargo xtask conform --write tests/recordings TRACE.json...` makes them from
//! traces). `docs/fidelity.md` has the outcome, down to the single item: whatever changes it is seen there.
//! `UPDATE_GOLDENS=1` plays each with several seeds and writes the page anew.

use setpoint_tests::conform::{Conformance, Drawn, Recording, SEEDS, best, conform, page};
use std::path::Path;
use std::sync::Mutex;

#[test]
fn the_page_says_how_faithful_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = folder.join("../docs/fidelity.md");
    let told = std::fs::read_to_string(&place).unwrap_or_default();
    let seeds = page::seeds(&told);
    let is_update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let entries = std::fs::read_dir(folder.join("recordings")).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let (queue, found) = (Mutex::new(paths), Mutex::new(Vec::<(String, Conformance)>::new()));
    let work = || {
        while let Some(path) = { queue.lock().expect("no panic").pop() } {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let recording = Recording::read(&std::fs::read_to_string(&path).expect("a text"));
            let outcome = match seeds.get(&name) {
                Some(seed) if !is_update => conform(&recording, Drawn::of(*seed)),
                _ => best(&recording, SEEDS),
            };
            found.lock().expect("no panic").push((name, outcome));
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().expect("no panic");
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let page = page::page(&found);
    if is_update {
        std::fs::write(&place, &page).expect("written");
        return;
    }
    let differing = told.lines().zip(page.lines()).find(|(told, now)| told != now);
    assert!(
        told == page,
        "docs/fidelity.md differs from what is played now: {differing:?}; UPDATE_GOLDENS=1 writes it anew"
    );
}

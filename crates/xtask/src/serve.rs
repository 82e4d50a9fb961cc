//! `cargo xtask serve`: the page on this machine, built again when its source changes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};

use crate::page::{self, Profile};
use crate::process::{command, root, target_dir};
use crate::server::{Server, Site};

/// What goes into the page.
const SOURCES: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "index.html",
    "web",
    "crates/api",
    "crates/control",
    "crates/sim",
    "crates/lab",
];
/// How often the sources are looked at.
const LOOK: Duration = Duration::from_millis(700);

/// Builds, serves and rebuilds until interrupted.
///
/// # Errors
/// When the first build fails or no port is free.
pub fn serve(profile: Profile, port: u16, open: bool) -> Result<()> {
    let dir = target_dir().join("xtask").join("serve");
    page::build(profile, &dir)?;
    let server = Server::bind(Site { dir: dir.clone(), base: "/".to_owned(), strict: false }, port)
        .with_context(|| format!("no port from {port} on is free"))?;
    let taken = server.address()?.port();
    if port != 0 && taken != port {
        println!("Port {port} is taken; this is the next free one.");
    }
    let url = server.url()?;
    println!("Setpoint is at {url} (Ctrl-C ends)");
    thread::spawn(move || server.run());
    if open {
        show(&url);
    }

    let mut seen = newest();
    loop {
        thread::sleep(LOOK);
        let now = newest();
        if now == seen {
            continue;
        }
        seen = now;
        let began = Instant::now();
        match page::build(profile, &dir) {
            Ok(()) => println!("Built again in {:.1} s; reload the page.", began.elapsed().as_secs_f64()),
            Err(error) => eprintln!("{error:#}\nThe page from before is still served."),
        }
    }
}

/// Opens the page in the default browser; it is no failure if there is none.
fn show(url: &str) {
    let started = if cfg!(target_os = "macos") {
        command("open", [url]).spawn()
    } else if cfg!(windows) {
        command("explorer", [url]).spawn()
    } else {
        command("xdg-open", [url]).spawn()
    };
    if started.is_err() {
        println!("No browser could be opened from here.");
    }
}

/// The latest change of any source, and how many there are (so that a deletion counts).
fn newest() -> (Option<SystemTime>, usize) {
    let mut state = (None, 0);
    for source in SOURCES {
        look(&root().join(source), &mut state);
    }
    state
}

fn look(path: &Path, state: &mut (Option<SystemTime>, usize)) {
    let Ok(data) = fs::metadata(path) else { return };
    state.1 += 1;
    if data.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            look(&entry.path(), state);
        }
    } else {
        state.0 = state.0.max(data.modified().ok());
    }
}

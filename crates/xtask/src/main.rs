//! `cargo xtask`: everything that is done to the project, from a machine that has rustup alone.
#![allow(
    clippy::disallowed_types,
    reason = "the rule keeps the engine free of clocks; this program times its steps and watches files"
)]

mod args;
mod arrange;
mod bench;
mod browser;
mod ci;
mod docs;
mod engine;
mod html;
mod packed;
mod page;
mod process;
mod schema;
mod serve;
mod server;
mod shorten;
mod size;
mod split;
mod tidy;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, io, thread};

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::page::Profile;
use crate::process::{cargo, root, run};
use crate::server::{Server, Site};

const HELP: &str = "\
cargo xtask COMMAND

  serve [--release] [--port N] [--open]   build the page, serve it on 127.0.0.1, rebuild on changes
  build [--release]                       write the page to dist/, for any static host and any sub-path
  ci [STEP...]                            everything that must hold before a change lands
  browser [PART]                          browser tests whose file name contains PART, on a fresh dist/
  shots                                   the pictures in docs/screenshots, made anew from a fresh dist/
  swarm [--seeds N] [--first S]           random fault schedules, checked after every event
  bench                                   benchmarks, native and in wasm, against their targets
  bench frames                            main-thread work and pace of the page's frames in Chromium
  conform TRACE.json...                   play recordings of a real control plane; a line per trace, and a sum
                                          (--diff: what differs; --seeds N; --write FOLDER)
  vectors FILE.json...                    run files of upstream's table tests; a line per file, and a sum
  fuzz TARGET [SECONDS [SEED]]            drawn texts against manifest, kubectl, jsonpath or patch (`fuzz/` is for cargo-fuzz)
  schema FIELDS.json API-RESOURCES.txt    rewrite the table of types from what a real API server publishes
  docs                                    rewrite docs/simplifications.md from the headers
  bless [ARGS]                            rewrite golden files and generated documents to what holds now
  profile                                 record anew which functions an untouched page runs (web/first.txt)
  size                                    what the first load of dist/ transfers
  host DIR [--port N] [--base /P/] [--strict]
                                          serve a folder until standard input ends (for the tests)
";

fn main() -> ExitCode {
    match command(Args::new(env::args().skip(1))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn command(mut args: Args) -> Result<()> {
    let dist = root().join("dist");
    match args.word().as_deref() {
        None | Some("help") => print!("{HELP}"),
        Some("serve") => {
            let profile = Profile::from_release(args.flag("--release"));
            let port = args.value("--port")?.unwrap_or(8080);
            let open = args.flag("--open");
            args.finish()?;
            serve::serve(profile, port, open)?;
        }
        Some("build") => {
            let profile = Profile::from_release(args.flag("--release"));
            args.finish()?;
            page::build(profile, &dist)?;
            println!("The page is in {}", dist.display());
        }
        Some("ci") => ci::ci(&args.rest())?,
        Some("browser") => {
            let only = args.word();
            args.finish()?;
            page::build(Profile::Page, &dist)?;
            browser::test(&dist, only.as_deref(), None)?;
        }
        Some("shots") => {
            args.finish()?;
            page::build(Profile::Page, &dist)?;
            browser::test(&dist, Some("shots"), Some(&root().join("docs/screenshots")))?;
        }
        Some("swarm") => {
            let seeds = args.value("--seeds")?.unwrap_or(2_000);
            let first = args.value("--first")?.unwrap_or(1);
            args.finish()?;
            engine::swarm(seeds, first)?;
        }
        Some("bench") => {
            let part = args.word();
            args.finish()?;
            match part.as_deref() {
                None => bench::bench()?,
                Some("frames") => {
                    page::build(Profile::Page, &dist)?;
                    bench::frames(&dist)?;
                }
                Some(other) => bail!("no benchmark {other:?}; there is `frames`"),
            }
        }
        Some("vectors") => {
            let files = args.rest();
            run(cargo(["run", "--quiet", "--package", "setpoint-tests", "--bin", "vectors", "--"])
                .args(files))?;
        }
        Some("conform") => {
            let traces = args.rest();
            run(cargo(["run", "--quiet", "--package", "setpoint-tests", "--bin", "conform", "--"])
                .args(traces))?;
        }
        Some("fuzz") => {
            let words = args.rest();
            run(cargo([
                "run",
                "--quiet",
                "--release",
                "--package",
                "setpoint-tests",
                "--bin",
                "fuzz",
                "--",
            ])
            .args(words))?;
        }
        Some("schema") => {
            let fields: String = args.word().context("schema needs the file of fields")?;
            let resources: String = args.word().context("schema needs the file of resources")?;
            args.finish()?;
            schema::write(&fields, &resources)?;
        }
        Some("docs") => {
            args.finish()?;
            docs::bless()?;
        }
        Some("bless") => {
            docs::bless()?;
            engine::bless(&args.rest())?;
        }
        Some("profile") => {
            args.finish()?;
            page::profile()?;
        }
        Some("size") => {
            args.finish()?;
            size::check(&dist)?;
        }
        Some("host") => host(args)?,
        Some(other) => bail!("no command {other:?}\n\n{HELP}"),
    }
    Ok(())
}

/// Serves until standard input ends, which it does when the calling test dies, however it dies.
fn host(mut args: Args) -> Result<()> {
    let port = args.value("--port")?.unwrap_or(0);
    let base = args.value("--base")?.unwrap_or_else(|| "/".to_owned());
    let strict = args.flag("--strict");
    let dir: PathBuf = args.word().context("host needs a folder")?.into();
    args.finish()?;
    let server = Server::bind(Site { dir, base, strict }, port)?;
    println!("{}", server.url()?);
    thread::spawn(move || server.run());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

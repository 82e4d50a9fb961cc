//! The page: `web` compiled to wasm, its glue, and the files that `index.html` names, under hashed names.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::html::{self, Asset};
use crate::process::{cargo, command, output, root, run, target_dir};
use crate::size::gzipped;
use crate::split::{self, Record, Watched};
use crate::{arrange, browser, packed, shorten};

/// The only target that the page is compiled for.
pub const WASM: &str = "wasm32-unknown-unknown";

/// How the page is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build, with the names of functions in stack traces.
    Dev,
    /// Small; what visitors get.
    Page,
}

impl Profile {
    /// The profile that `--release` asks for or not.
    pub fn from_release(release: bool) -> Profile {
        if release { Profile::Page } else { Profile::Dev }
    }

    fn name(self) -> &'static str {
        if self == Profile::Page { "page" } else { "dev" }
    }

    fn dir(self) -> &'static str {
        if self == Profile::Page { "page" } else { "debug" }
    }
}

/// Whom the glue is for.
#[derive(Clone, Copy)]
pub enum Host {
    /// An ES module with an `init` function.
    Browser,
    /// A CommonJS module, for tests and benchmarks.
    Node,
}

/// The page's wasm as the browser gets it.
struct Wasm {
    first: First,
    /// What is fetched later, if it is split.
    rest: Option<Vec<u8>>,
    /// The JavaScript that starts it.
    glue: String,
}

/// The file that the page starts with.
enum First {
    Plain(Vec<u8>),
    /// With the wasm that unpacks it.
    Packed(Vec<u8>, Vec<u8>),
}

/// Builds the page into `dist`, replacing what was there only once everything has worked.
///
/// # Errors
/// When the compiler refuses, or `index.html` names what is not there.
pub fn build(profile: Profile, dist: &Path) -> Result<()> {
    let wasm = compile(profile)?;
    let linked = read_bytes(&wasm)?;
    let dir = glue(&wasm, profile, Host::Browser)?;
    let (wasm, glue) = (read_bytes(&dir.join("setpoint_bg.wasm"))?, read(&dir.join("setpoint.js"))?);
    let wasm = match profile {
        Profile::Dev => Wasm { first: First::Plain(wasm), rest: None, glue },
        Profile::Page => {
            let (wasm, glue) = shorten::shorten(&wasm, &glue)?;
            finish(&wasm, glue, &split::Data::read(&linked)?)?
        }
    };
    write(&wasm, dist)
}

/// Records which functions an untouched page runs, into [`record_file`].
///
/// # Errors
/// As [`build`], and when there is no browser to run it in.
pub fn profile() -> Result<()> {
    let wasm = compile(Profile::Page)?;
    let dir = glue(&wasm, Profile::Page, Host::Browser)?;
    let watched = Watched::new(&read_bytes(&dir.join("setpoint_bg.wasm"))?)?;
    let glue = read(&dir.join("setpoint.js"))?;
    let dist = target_dir().join("xtask/profile");
    write(&Wasm { first: First::Plain(watched.wasm.clone()), rest: None, glue }, &dist)?;
    let ran = browser::program("profile.mjs", &dist)?;
    let ran = ran.split_whitespace().map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let record = watched.record(&ran);
    println!("{} functions run on an untouched page.", record.ran.len());
    fs::write(record_file(), record.to_text()).context("writing the record")
}

/// The fingerprints of the functions that an untouched page runs.
fn record_file() -> PathBuf {
    root().join("web/first.txt")
}

/// Splits the wasm, orders its functions, and packs the file that the page starts with.
fn finish(wasm: &[u8], glue: String, data: &split::Data) -> Result<Wasm> {
    let record = Record::read(&read(&record_file())?).context("web/first.txt")?;
    let (first, rest) = match split::split(wasm, &record, data)? {
        Some(split::Files { first, rest }) => (first, Some(arrange::arrange(&rest)?)),
        None => {
            eprintln!(
                "web/first.txt is of another compiler: the page is not split (cargo xtask profile renews it)."
            );
            (packed::bare(&arrange::arrange(wasm)?)?, None)
        }
    };
    let unpacker = cargo_build("setpoint-pack", "setpoint_pack", Profile::Page, &[])?;
    let unpacker = packed::bare(&arrange::arrange(&read_bytes(&unpacker)?)?)?;
    Ok(Wasm { first: First::Packed(packed::pack(&first)?, unpacker), rest, glue })
}

fn write(wasm: &Wasm, dist: &Path) -> Result<()> {
    let mut files = Files::default();
    let source = read(&root().join("index.html"))?;
    let html = html::rewrite(&source, |asset| replacement(asset, wasm, &mut files))?;
    files.all.push(("index.html".to_owned(), html.into_bytes()));

    if dist.exists() {
        fs::remove_dir_all(dist).with_context(|| format!("clearing {}", dist.display()))?;
    }
    fs::create_dir_all(dist)?;
    for (name, bytes) in &files.all {
        fs::write(dist.join(name), bytes)?;
    }
    Ok(())
}

/// The page's module with glue for node, whose path is returned.
///
/// # Errors
/// As [`build`].
pub fn node_module(profile: Profile) -> Result<PathBuf> {
    let wasm = compile(profile)?;
    Ok(glue(&wasm, profile, Host::Node)?.join("setpoint.js"))
}

/// Adds the wasm target to the toolchain if it is missing.
///
/// # Errors
/// When it is missing and rustup can't add it.
pub fn ensure_target() -> Result<()> {
    let libdir = output(&mut command("rustc", ["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    eprintln!("Adding the target {WASM} to the toolchain.");
    run(&mut command("rustup", ["target", "add", WASM]))
        .with_context(|| format!("the Rust target {WASM} is missing; rustup can add it (https://rustup.rs)"))
}

fn compile(profile: Profile) -> Result<PathBuf> {
    ensure_target()?;
    // The linker's notes on addresses say what data the parts of the page need; they don't go to the browser.
    let notes: &[&str] = if profile == Profile::Page { &["-C", "link-arg=--emit-relocs"] } else { &[] };
    cargo_build("setpoint-web", "setpoint-web", profile, notes)
}

/// Compiles a package for the page, and returns where its file is.
fn cargo_build(package: &str, file: &str, profile: Profile, options: &[&str]) -> Result<PathBuf> {
    let what = ["--package", package, "--target", WASM, "--profile", profile.name()];
    run(cargo(["rustc"]).args(what).arg("--").args(options))?;
    Ok(target_dir().join(WASM).join(profile.dir()).join(file).with_extension("wasm"))
}

/// Writes glue and final wasm, and returns the folder that holds them.
fn glue(wasm: &Path, profile: Profile, host: Host) -> Result<PathBuf> {
    let kind = match host {
        Host::Browser => "glue",
        Host::Node => "glue-node",
    };
    let dir = target_dir().join("xtask").join(profile.dir()).join(kind);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    let mut bindgen = Bindgen::new();
    match host {
        Host::Browser => bindgen.web(true)?,
        Host::Node => bindgen.nodejs(true)?,
    };
    // Both sections go later on the way to the browser; the names say how to split.
    bindgen
        .input_path(wasm)
        .out_name("setpoint")
        .typescript(false)
        .demangle(false)
        .remove_producers_section(profile == Profile::Page)
        .generate(&dir)
        .context("wasm-bindgen")?;
    if dir.join("snippets").exists() {
        bail!("the page has JavaScript snippets, which hashed names do not cover; call boot.js instead");
    }
    Ok(dir)
}

/// Files of the finished page.
#[derive(Default)]
struct Files {
    /// By name.
    all: Vec<(String, Vec<u8>)>,
    /// Names of the style sheets that come with the rest of the wasm.
    later: Vec<String>,
}

impl Files {
    /// Adds a file whose name carries a hash of its content, and returns its address from the page.
    fn add(&mut self, stem: &str, extension: &str, bytes: Vec<u8>) -> String {
        let name = format!("{stem}-{:016x}.{extension}", content_hash(&bytes));
        let address = format!("./{name}");
        self.all.push((name, bytes));
        address
    }
}

/// FNV-1a: the same name for the same content with every version of the compiler.
fn content_hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn replacement(asset: &Asset, wasm: &Wasm, files: &mut Files) -> Result<String> {
    let attribute = |name: &str| asset.attributes.get(name).map_or("", String::as_str);
    match (asset.element.as_str(), attribute("rel")) {
        ("link", "rust") => {
            let mut more = "\"wasm\"".to_owned();
            if let Some(plain) = &wasm.rest {
                // No server is to undo this compression, so the name does not tell of it.
                let rest = files.add("setpoint-rest", "pack", gzipped(plain)?);
                let plain = files.add("setpoint-rest", "wasm", plain.clone());
                let later = files.later.join(" ");
                // Without the `./` of what the page loads at once.
                let [rest, plain] = [&rest, &plain].map(|address| address.trim_start_matches("./"));
                let _ = write!(more, " data-rest=\"{rest}\" data-plain=\"{plain}\" data-style=\"{later}\"");
            }
            let js = files.add("setpoint", "js", wasm.glue.clone().into_bytes());
            let mut links = format!("<link rel=\"modulepreload\" href=\"{js}\" data-boot=\"glue\">");
            let mut preload = |bytes: &[u8], stem: &str, extension: &str, more: &str| {
                let address = files.add(stem, extension, bytes.to_vec());
                let _ = write!(
                    links,
                    "\n<link rel=\"preload\" href=\"{address}\" as=\"fetch\" crossorigin data-boot={more}>"
                );
            };
            match &wasm.first {
                First::Plain(first) => preload(first, "setpoint", "wasm", &more),
                First::Packed(first, unpacker) => {
                    preload(unpacker, "unpack", "wasm", "\"unpack\"");
                    preload(first, "setpoint", "pack", &more);
                }
            }
            Ok(links)
        }
        ("link", "css") => {
            let href = add_source(wasm, files, attribute("href"))?;
            if wasm.rest.is_some() && asset.attributes.contains_key("data-later") {
                files.later.push(href.trim_start_matches("./").to_owned());
                return Ok(String::new());
            }
            Ok(format!("<link rel=\"stylesheet\" href=\"{href}\">"))
        }
        ("script", "") => {
            let src = add_source(wasm, files, attribute("src"))?;
            Ok(format!("<script src=\"{src}\" defer></script>"))
        }
        (element, rel) => bail!("index.html: <{element} rel={rel:?}> is no asset that this build knows"),
    }
}

fn add_source(wasm: &Wasm, files: &mut Files, path: &str) -> Result<String> {
    let file = Path::new(path);
    let (Some(stem), Some(extension)) = (file.file_stem(), file.extension()) else {
        bail!("index.html: {path:?} is no file's address");
    };
    let (stem, extension) = (stem.to_string_lossy(), extension.to_string_lossy());
    let mut text = read(&root().join(file))?;
    if let First::Packed(..) = wasm.first {
        text = if extension == "css" { shorten::style(&text) } else { shorten::script(&text) };
    }
    Ok(files.add(&stem, &extension, text.into_bytes()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_content() {
        let mut files = Files::default();
        let one = files.add("a", "css", b"x".to_vec());
        let two = files.add("a", "css", b"y".to_vec());
        assert_eq!(one, "./a-af63f54c86021707.css");
        assert_ne!(one, two);
    }

    #[test]
    fn every_asset_of_the_page_exists() {
        let html = read(&root().join("index.html")).unwrap();
        let assets = html::assets(&html).unwrap();
        assert!(assets.iter().any(|asset| asset.attributes.get("rel").is_some_and(|rel| rel == "rust")));
        for asset in &assets {
            let path = asset.attributes.get("href").or(asset.attributes.get("src")).unwrap();
            assert!(root().join(path).is_file(), "{path}");
        }
    }

    /// The glue of one version can't read the wasm of another, so three places must agree.
    #[test]
    fn wasm_bindgen_has_one_version() {
        let manifest = read(&root().join("Cargo.toml")).unwrap();
        let lock = read(&root().join("Cargo.lock")).unwrap();
        for package in ["wasm-bindgen", "wasm-bindgen-cli-support"] {
            let pin = manifest.lines().find_map(|line| line.strip_prefix(&format!("{package} = \"=")));
            let pin = pin.unwrap_or_else(|| panic!("{package} is not pinned")).trim_end_matches('"');
            let (_, after) = lock.split_once(&format!("name = \"{package}\"\nversion = \"")).unwrap();
            assert_eq!(after.split('"').next(), Some(pin), "{package}");
            assert_eq!(pin, "0.2.130", "the pin of {package} moves together with the other's");
        }
    }
}

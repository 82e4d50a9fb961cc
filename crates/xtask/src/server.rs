//! A static file server for one folder, on 127.0.0.1 alone.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The strictest policy that the page promises to work under.
const STRICT_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'";
/// Longest request head that is read, in bytes.
const HEAD_LIMIT: u64 = 16 * 1024;
/// How long a peer may take for its request.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is served, and how.
pub struct Site {
    /// The folder.
    pub dir: PathBuf,
    /// Where it appears to lie: `/`, or `/some/path/`.
    pub base: String,
    /// Whether each answer carries the strict Content-Security-Policy.
    pub strict: bool,
}

/// A port that is held but not served yet.
pub struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Takes `port` on 127.0.0.1, or the next free one above it; 0 takes any.
    ///
    /// # Errors
    /// When no port of a hundred is free.
    pub fn bind(mut site: Site, port: u16) -> io::Result<Server> {
        site.base = format!("/{}/", site.base.trim_matches('/')).replace("//", "/");
        let mut refusal = None;
        for candidate in port..=port.saturating_add(99) {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)) {
                Ok(listener) => return Ok(Server { listener, site: Arc::new(site) }),
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
    }

    /// The address that was taken.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The page's address.
    ///
    /// # Errors
    /// As [`Server::address`].
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("http://{}{}", self.address()?, self.site.base))
    }

    /// Answers until the program ends.
    pub fn run(self) {
        for stream in self.listener.incoming().flatten() {
            let site = Arc::clone(&self.site);
            // A visitor who went away is no concern of the others.
            thread::spawn(move || drop(answer(stream, &site)));
        }
    }
}

/// What a request's target names.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// A file, from the folder's top.
    File(PathBuf),
    /// A folder without its last slash; relative addresses need the slash.
    Redirect(String),
    /// Nothing of this site.
    Nothing,
}

fn answer(mut stream: TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new((&stream).take(HEAD_LIMIT));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        line.clear();
    }
    let mut words = first.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let response = respond(site, method, target);
    stream.write_all(response.head(site.strict).as_bytes())?;
    if method != "HEAD" {
        stream.write_all(&response.body)?;
    }
    stream.flush()
}

struct Response {
    status: &'static str,
    kind: &'static str,
    location: Option<String>,
    body: Vec<u8>,
}

impl Response {
    fn plain(status: &'static str) -> Response {
        Response {
            status,
            kind: "text/plain; charset=utf-8",
            location: None,
            body: format!("{status}\n").into_bytes(),
        }
    }

    fn head(&self, strict: bool) -> String {
        let mut head = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n",
            self.status,
            self.kind,
            self.body.len()
        );
        if let Some(location) = &self.location {
            head.push_str(&format!("Location: {location}\r\n"));
        }
        if strict {
            head.push_str(&format!("Content-Security-Policy: {STRICT_POLICY}\r\n"));
        }
        head + "\r\n"
    }
}

fn respond(site: &Site, method: &str, target: &str) -> Response {
    if method != "GET" && method != "HEAD" {
        return Response::plain("405 Method Not Allowed");
    }
    match resolve(site, target) {
        Target::Redirect(location) => {
            Response { location: Some(location), ..Response::plain("308 Permanent Redirect") }
        }
        Target::Nothing => Response::plain("404 Not Found"),
        Target::File(path) => match read_inside(&site.dir, &path) {
            Some(body) => Response { status: "200 OK", kind: media_type(&path), location: None, body },
            None => Response::plain("404 Not Found"),
        },
    }
}

/// Reads a file only if it truly lies inside the folder, links followed.
fn read_inside(dir: &Path, path: &Path) -> Option<Vec<u8>> {
    let dir = dir.canonicalize().ok()?;
    let file = dir.join(path).canonicalize().ok()?;
    if file.starts_with(&dir) && file.is_file() { fs::read(file).ok() } else { None }
}

/// Maps a request's target, query and all, to a file below the folder.
fn resolve(site: &Site, target: &str) -> Target {
    let path = target.split(['?', '#']).next().unwrap_or("");
    let Some(inside) = path.strip_prefix(site.base.as_str()) else {
        let bare = site.base.trim_end_matches('/');
        return if !bare.is_empty() && path == bare {
            Target::Redirect(site.base.clone())
        } else {
            Target::Nothing
        };
    };
    let Some(inside) = percent_decoded(inside) else { return Target::Nothing };
    // `//host` in a redirect would lead away.
    if inside.starts_with('/') || inside.contains("//") {
        return Target::Nothing;
    }
    let mut file = PathBuf::new();
    for segment in inside.split('/').filter(|segment| !segment.is_empty()) {
        // No parent, no drive letter, no Windows separator, no hidden file.
        if segment.starts_with('.') || segment.contains(['\\', ':', '\0']) {
            return Target::Nothing;
        }
        file.push(segment);
    }
    if inside.is_empty() || inside.ends_with('/') {
        file.push("index.html");
    } else if site.dir.join(&file).is_dir() {
        return Target::Redirect(format!("{path}/"));
    }
    Target::File(file)
}

/// `%41` into `A`; nothing when the escapes are broken or spell no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "yaml" | "yml" | "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(base: &str) -> Site {
        Site { dir: crate::process::root(), base: base.to_owned(), strict: false }
    }

    #[test]
    fn targets_name_files_below_the_folder() {
        let file = |path: &str| Target::File(PathBuf::from(path));
        let cases = [
            ("/", "/", file("index.html")),
            ("/", "/a.js?x=../y#z", file("a.js")),
            ("/", "/web%2Fmain.rs", file("web/main.rs")),
            ("/", "/crates/", file("crates/index.html")),
            ("/", "/crates", Target::Redirect("/crates/".to_owned())),
            ("/deep/er/", "/deep/er/a.css", file("a.css")),
            ("/deep/er/", "/deep/er", Target::Redirect("/deep/er/".to_owned())),
            ("/deep/er/", "/deep/erratic", Target::Nothing),
            ("/deep/er/", "/a.css", Target::Nothing),
        ];
        for (base, target, expected) in cases {
            assert_eq!(resolve(&site(base), target), expected, "{target} under {base}");
        }
    }

    #[test]
    fn nothing_leaves_the_folder() {
        let targets = [
            "/../secret",
            "/a/../../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/%2e%2e%2f%2e%2e%2fsecret",
            "/a\\..\\secret",
            "/%5c%5chost",
            "/c:/secret",
            "/.git/config",
            "/a%00.js",
            "/%",
            "/%zz",
            "/%ff",
            "//crates",
            "/crates//src",
            "http://elsewhere/",
            "*",
            "",
        ];
        for target in targets {
            assert_eq!(resolve(&site("/"), target), Target::Nothing, "{target}");
        }
        assert_eq!(read_inside(&crate::process::root().join("web"), Path::new("../Cargo.toml")), None);
    }

    /// One request over a real socket.
    fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn a_taken_port_gives_the_next_one_and_answers_are_typed() {
        let first = Server::bind(site("/"), 0).unwrap();
        let port = first.address().unwrap().port();
        let second = Server::bind(Site { strict: true, ..site("base") }, port).unwrap();
        assert_ne!(second.address().unwrap().port(), port);
        assert!(second.url().unwrap().ends_with("/base/"));

        let address = second.address().unwrap();
        thread::spawn(move || second.run());
        let page = ask(address, "GET /base/index.html HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"), "{page}");
        assert!(page.contains("Content-Security-Policy: default-src 'none'"), "{page}");
        let head = ask(address, "HEAD /base/ HTTP/1.1\r\n\r\n");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        assert!(ask(address, "POST /base/ HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
        assert!(ask(address, "GET /base/none HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
        assert!(ask(address, "\r\n\r\n").starts_with("HTTP/1.1 405 "));
    }

    #[test]
    fn modules_and_wasm_have_their_types() {
        for (name, kind) in [("a.wasm", "application/wasm"), ("a.js", "text/javascript; charset=utf-8")] {
            assert_eq!(media_type(Path::new(name)), kind);
        }
    }
}

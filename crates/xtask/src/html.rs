//! The one `index.html` for Trunk and for xtask: what Trunk marks with `data-trunk`, this replaces.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, bail};

/// A start tag marked with `data-trunk`.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    /// Bytes of the page that it takes, an end tag `</script>` included.
    pub range: Range<usize>,
    /// `link` or `script`.
    pub element: String,
    /// Attributes by name; one without a value is empty.
    pub attributes: BTreeMap<String, String>,
}

/// All marked tags outside comments, in order.
///
/// # Errors
/// When a tag or comment does not end.
pub fn assets(html: &str) -> Result<Vec<Asset>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = html[at..].find('<').map(|offset| at + offset) {
        let rest = &html[start..];
        let Some(length) = (if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + "-->".len())
        } else {
            rest.find('>').map(|end| end + 1)
        }) else {
            bail!("index.html: {:?} has no end", rest.chars().take(40).collect::<String>());
        };
        at = start + length;
        let Some((element, attributes)) = start_tag(&rest[1..length - 1]) else { continue };
        if !attributes.contains_key("data-trunk") {
            continue;
        }
        if element == "script" && html[at..].starts_with("</script>") {
            at += "</script>".len();
        }
        found.push(Asset { range: start..at, element, attributes });
    }
    Ok(found)
}

/// The page with each marked tag replaced by what `replacement` says.
///
/// # Errors
/// Those of [`assets`] and of `replacement`.
pub fn rewrite(html: &str, mut replacement: impl FnMut(&Asset) -> Result<String>) -> Result<String> {
    let mut out = String::with_capacity(html.len());
    let mut copied = 0;
    for asset in assets(html)? {
        out.push_str(&html[copied..asset.range.start]);
        out.push_str(&replacement(&asset)?);
        copied = asset.range.end;
    }
    out.push_str(&html[copied..]);
    Ok(out)
}

/// What the page loads by relative address: every `href="./..."` and `src="./..."`, in order, once each.
pub fn references(html: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for piece in html.split(['"', ' ', '\n']).filter_map(|piece| piece.strip_prefix("./")) {
        if !piece.is_empty() && !found.iter().any(|seen| seen == piece) {
            found.push(piece.to_owned());
        }
    }
    found
}

/// What the page loads only once it is needed.
pub fn later(html: &str) -> Option<String> {
    let (_, after) = html.split_once("data-rest=\"")?;
    after.split('"').next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// `link rel="css" data-trunk` into its name and attributes; nothing for end tags and comments.
fn start_tag(inside: &str) -> Option<(String, BTreeMap<String, String>)> {
    let inside = inside.trim_end_matches('/');
    let name_end = inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len());
    let (name, mut rest) = inside.split_at(name_end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        if end == 0 {
            break;
        }
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"')) {
            Some(pair) => pair,
            None => ("", after.strip_prefix('=').unwrap_or(after)),
        };
        attributes.insert(key.to_ascii_lowercase(), value.to_owned());
        rest = after;
    }
    Some((name.to_ascii_lowercase(), attributes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<head>
<!-- <link data-trunk rel="css" href="old.css"> -->
<link rel="icon" href="data:,">
<link data-trunk rel="rust" href="web/Cargo.toml" data-wasm-opt="0">
<link data-trunk rel="css" href="a.css" />
<script data-trunk src="boot.js" defer></script></head>"#;

    #[test]
    fn marked_tags_are_found_outside_comments() {
        let found = assets(PAGE).unwrap();
        let shown: Vec<_> = found
            .iter()
            .map(|a| (a.element.as_str(), a.attributes.get("rel").map_or("", String::as_str)))
            .collect();
        assert_eq!(shown, [("link", "rust"), ("link", "css"), ("script", "")]);
        assert_eq!(found[0].attributes["data-wasm-opt"], "0");
        assert_eq!(found[1].attributes["href"], "a.css");
        assert!(found[2].attributes.contains_key("defer"));
    }

    #[test]
    fn rewriting_leaves_the_rest_alone() {
        let out = rewrite(PAGE, |asset| Ok(format!("[{}]", asset.element))).unwrap();
        assert!(
            out.ends_with("<link rel=\"icon\" href=\"data:,\">\n[link]\n[link]\n[script]</head>"),
            "{out}"
        );
        assert!(out.contains("old.css"));
    }

    #[test]
    fn a_tag_without_an_end_is_refused() {
        assert!(assets("<p><link data-trunk").is_err());
        assert!(assets("<!-- never ends >").is_err());
    }

    #[test]
    fn references_are_the_relative_addresses() {
        let html = r#"<link href="./a.css"><script src="./b.js"></script><link data-x href="./a.css"><a href="https://e.org/./x">"#;
        assert_eq!(references(html), ["a.css", "b.js"]);
    }
}

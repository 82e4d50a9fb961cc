//! What the page's address says, and what the page leaves behind for a report.

/// The value of `name` in the address's query, as it stands there.
pub fn query(name: &str) -> Option<String> {
    let query = web_sys::window()?.location().search().ok()?;
    value_in(&query, name).map(str::to_string)
}

/// The value of `name` in the address's query, as a whole number.
pub fn query_number(name: &str) -> Option<u64> {
    query(name)?.parse().ok()
}

/// As [`query`], for a given query.
fn value_in<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    Some(pairs.find(|(key, _)| *key == name)?.1)
}

/// Leaves the run so far where the crash card finds it when this module can no longer be asked.
pub fn leave_report(report: &str) {
    if let Some(window) = web_sys::window() {
        let _ = js_sys::Reflect::set(&window, &"setpointReport".into(), &report.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_queries() {
        let cases = [
            ("?seed=7", Some("7")),
            ("?a=1&seed=-1", Some("-1")),
            ("?seed=", Some("")),
            ("?seed", None),
            ("?seeds=3", None),
            ("", None),
        ];
        for (query, expected) in cases {
            assert_eq!(value_in(query, "seed"), expected, "{query}");
        }
    }
}

//! What the page's address says, and what the page leaves behind for a report.

/// The value of `name` in the address's query, as a whole number.
pub fn query_number(name: &str) -> Option<u64> {
    let query = web_sys::window()?.location().search().ok()?;
    number_in(&query, name)
}

/// As [`query_number`], for a given query.
fn number_in(query: &str, name: &str) -> Option<u64> {
    let mut pairs = query.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name)?.1.parse().ok()
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
    fn numbers_in_queries() {
        let cases = [
            ("?seed=7", Some(7)),
            ("?a=1&seed=18446744073709551615", Some(u64::MAX)),
            ("?seed=-1", None),
            ("?seed", None),
            ("?seeds=3", None),
            ("", None),
        ];
        for (query, expected) in cases {
            assert_eq!(number_in(query, "seed"), expected, "{query}");
        }
    }
}

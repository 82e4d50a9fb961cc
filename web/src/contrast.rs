//! Checks that text can be read: the pairs of colours that the style sheet puts on each other.

/// Text, ground, and the least ratio by WCAG 2.2 (4.5 for text, 3 for lines and shapes).
const PAIRS: &[(&str, &[&str], f64)] = &[
    (
        "ink",
        &[
            "bg",
            "surface",
            "sunken",
            "accent-soft",
            "bad-soft",
            "v1-soft",
            "v2-soft",
            "v3-soft",
            "v4-soft",
            "v5-soft",
            "v6-soft",
            "vx-soft",
        ],
        4.5,
    ),
    ("muted", &["bg", "surface", "sunken"], 4.5),
    ("accent", &["bg", "surface", "sunken", "accent-soft"], 4.5),
    ("on-accent", &["accent"], 4.5),
    ("surface", &["ink"], 4.5),
    ("ok", &["surface", "ok-soft"], 4.5),
    ("warn", &["bg", "surface", "sunken", "warn-soft"], 4.5),
    ("bad", &["surface", "sunken", "bad-soft", "accent-soft"], 4.5),
    ("muted", &["accent-soft", "warn-soft"], 4.5),
    ("v1", &["surface", "sunken", "v1-soft"], 4.5),
    ("v2", &["surface", "sunken", "v2-soft"], 4.5),
    ("v3", &["surface", "sunken", "v3-soft"], 4.5),
    ("v4", &["surface", "sunken", "v4-soft"], 4.5),
    ("v5", &["surface", "sunken", "v5-soft"], 4.5),
    ("v6", &["surface", "sunken", "v6-soft"], 4.5),
    ("vx", &["surface", "sunken", "vx-soft", "bad-soft"], 4.5),
    ("edge", &["surface"], 3.0),
    ("accent", &["track"], 3.0),
    ("ok", &["track"], 3.0),
    ("warn", &["track"], 3.0),
    ("bad", &["track"], 3.0),
    ("flow-dot", &["surface", "sunken"], 3.0),
];

/// The light and the dark colour of a token.
fn token(css: &str, name: &str) -> Option<[[f64; 3]; 2]> {
    let (_, rest) = css.split_once(&format!("--{name}: light-dark("))?;
    let (light, dark) = rest.split_once(')')?.0.split_once(", ")?;
    Some([channels(light)?, channels(dark)?])
}

fn channels(hex: &str) -> Option<[f64; 3]> {
    let number = u32::from_str_radix(hex.strip_prefix('#')?, 16).ok()?;
    Some([16, 8, 0].map(|shift| f64::from(number >> shift & 255) / 255.0))
}

/// Relative luminance, as WCAG defines it.
fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] =
        colour.map(|c| if c <= 0.040_45 { c / 12.92 } else { power((c + 0.055) / 1.055) });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The power 2.4, for numbers up to 1: c^2 times the fifth root of c^2, by Newton's method.
fn power(c: f64) -> f64 {
    let square = c * c;
    let root = (0..60).fold(1.0, |x: f64, _| (4.0 * x + square / (x * x * x * x)) / 5.0);
    square * root
}

#[test]
fn text_stands_out_in_both_themes() {
    let css = include_str!("../style/tokens.css");
    let mut weak = Vec::new();
    for (text, grounds, least) in PAIRS {
        for ground in *grounds {
            let (front, back) = (token(css, text).unwrap(), token(css, ground).unwrap());
            for (theme, (front, back)) in ["light", "dark"].iter().zip(front.into_iter().zip(back)) {
                let (a, b) = (luminance(front), luminance(back));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                if ratio < *least {
                    weak.push(format!("{text} on {ground}, {theme}: {ratio:.2}"));
                }
            }
        }
    }
    assert_eq!(weak, Vec::<String>::new());
}

//! The hash that `--append-hash` puts behind a name, so that other settings have another name.
//!
//! Upstream: staging/src/k8s.io/kubectl/pkg/util/hash/hash.go, and FIPS 180-4 for SHA-256.

use serde_json::Value;

/// The name of a ConfigMap or Secret with the hash of what it holds.
pub(super) fn named(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let of = |key: &str, absent: &str| match &object[key] {
        Value::Null => absent.to_owned(),
        value => escaped(&value.to_string()),
    };
    let (data, shown) = (of("data", "{}"), escaped(&object["metadata"]["name"].to_string()));
    let text = match object["kind"].as_str() {
        Some("Secret") => {
            format!(r#"{{"data":{data},"kind":"Secret","name":{shown},"type":{}}}"#, of("type", "\"\""))
        }
        _ => format!(r#"{{"data":{data},"kind":"ConfigMap","name":{shown}}}"#),
    };
    format!("{name}-{}", short(&text))
}

/// Go escapes what would mean something in a page.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Ten letters of the hash, without those that could make a word.
fn short(text: &str) -> String {
    let hex: String = sha256(text.as_bytes()).iter().map(|word| format!("{word:08x}")).collect();
    let letter = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    hex.chars().take(10).map(letter).collect()
}

/// The first 32 bits of the fractional part of a root of a prime.
fn fraction(prime: u32, is_cube: bool) -> u32 {
    // The largest whole number whose square, or cube, is not above the prime, in units of 2^-32.
    let fits = |root: u128| {
        let (power, shift) = if is_cube { (root.pow(3), 96) } else { (root.pow(2), 64) };
        power <= u128::from(prime) << shift
    };
    let root =
        (0..35).rev().fold(0u128, |root, bit| if fits(root | 1 << bit) { root | 1 << bit } else { root });
    root as u32
}

fn sha256(bytes: &[u8]) -> [u32; 8] {
    let primes: Vec<u32> = (2..312).filter(|n| (2..*n).all(|divisor| n % divisor != 0)).collect();
    let rounds: Vec<u32> = primes.iter().map(|prime| fraction(*prime, true)).collect();
    let mut hash = [0u32; 8];
    hash.iter_mut().zip(&primes).for_each(|(word, prime)| *word = fraction(*prime, false));
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().div_ceil(64) * 64 + if padded.len() % 64 > 56 { 64 } else { 0 }, 0);
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut words: Vec<u32> = block
            .chunks_exact(4)
            .map(|four| four.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
            .collect();
        for at in 16..64 {
            let (near, far) = (words[at - 2], words[at - 15]);
            let small = far.rotate_right(7) ^ far.rotate_right(18) ^ far >> 3;
            let large = near.rotate_right(17) ^ near.rotate_right(19) ^ near >> 10;
            words.push(words[at - 16].wrapping_add(small).wrapping_add(words[at - 7]).wrapping_add(large));
        }
        let mut state = hash;
        for (word, round) in words.iter().zip(&rounds) {
            let [a, b, c, d, e, f, g, h] = state;
            let mixed = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let first = [mixed, e & f ^ !e & g, *round, *word].into_iter().fold(h, u32::wrapping_add);
            let mixed = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = mixed.wrapping_add(a & b ^ a & c ^ b & c);
            state = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
        }
        hash.iter_mut().zip(state).for_each(|(word, new)| *word = word.wrapping_add(new));
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::{named, sha256};
    use serde_json::json;

    #[test]
    fn hashes_are_upstreams() {
        for (data, expected) in [
            (json!({}), "-42745tchd9"),
            (json!({ "one": "" }), "-9g67k2htb6"),
            (json!({ "two": "2", "one": "", "three": "3" }), "-f5h7t85m9b"),
        ] {
            assert_eq!(
                named(&json!({ "kind": "ConfigMap", "metadata": { "name": "" }, "data": data })),
                expected
            );
        }
        let long = "a".repeat(119);
        assert_eq!(sha256(b"abc")[0], 0xba78_16bf);
        assert_eq!(sha256(long.as_bytes())[0], 0x31eb_a51c);
    }
}

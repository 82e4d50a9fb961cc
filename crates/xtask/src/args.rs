//! Command lines of the `--flag`, `--option value`, `name` kind; anything not asked for is refused.

use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// What is left of a command line; each question takes its answer out.
pub struct Args(Vec<String>);

impl Args {
    /// The words after the program's name.
    pub fn new(words: impl IntoIterator<Item = String>) -> Args {
        Args(words.into_iter().collect())
    }

    /// Whether `name` (such as `--release`) was given.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|word| word != name);
        self.0.len() < before
    }

    /// The value of `name`, given as `--name VALUE` or `--name=VALUE`.
    ///
    /// # Errors
    /// When the value is missing or does not parse.
    pub fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>>
    where
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let prefix = format!("{name}=");
        let Some(at) = self.0.iter().position(|word| word == name || word.starts_with(&prefix)) else {
            return Ok(None);
        };
        let word = self.0.remove(at);
        let text = match word.strip_prefix(&prefix) {
            Some(text) => text.to_owned(),
            None if at < self.0.len() => self.0.remove(at),
            None => bail!("{name} needs a value"),
        };
        text.parse().map(Some).with_context(|| format!("{name} {text:?} is not understood"))
    }

    /// The next word that is no option.
    pub fn word(&mut self) -> Option<String> {
        let at = self.0.iter().position(|word| !word.starts_with('-'))?;
        Some(self.0.remove(at))
    }

    /// Everything that is left, for a program that this one calls.
    pub fn rest(self) -> Vec<String> {
        self.0
    }

    /// Ends the questions.
    ///
    /// # Errors
    /// When something was given that nobody asked for.
    pub fn finish(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(word) => bail!("{word:?} is not understood here; `cargo xtask help` lists what is"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_taken_in_any_order() {
        let mut args = args("dist --port 81 --release --base=/a/");
        assert_eq!(args.value::<u16>("--port").unwrap(), Some(81));
        assert!(args.flag("--release"));
        assert!(!args.flag("--release"));
        assert_eq!(args.value::<String>("--base").unwrap().as_deref(), Some("/a/"));
        assert_eq!(args.word().as_deref(), Some("dist"));
        args.finish().unwrap();
    }

    #[test]
    fn a_wrong_line_is_refused() {
        assert!(args("--port").value::<u16>("--port").is_err());
        assert!(args("--port high").value::<u16>("--port").is_err());
        assert!(args("--relaese").finish().is_err());
    }
}

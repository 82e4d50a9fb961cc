use crate::Str;
use std::collections::BTreeMap;
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<(Str, Str)>);
impl Selector {
    pub fn matches(&self, _: &BTreeMap<Str, Str>) -> bool {
        false
    }
    pub fn exact_pairs(&self) -> impl Iterator<Item = (&Str, &Str)> {
        self.0.iter().map(|(a, b)| (a, b))
    }
    pub fn from_match_labels(_: &BTreeMap<Str, Str>) -> Self {
        Self::default()
    }
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    pub match_labels: BTreeMap<Str, Str>,
    pub match_expressions: Vec<LabelSelectorRequirement>,
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelectorRequirement {
    pub key: Str,
    pub operator: Str,
    pub values: Vec<Str>,
}
impl LabelSelector {
    pub fn to_selector(&self) -> Result<Selector, String> {
        Ok(Selector::default())
    }
}

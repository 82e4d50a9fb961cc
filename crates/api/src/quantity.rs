#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity(i128);
impl Quantity {
    pub fn parse(_: &str) -> Result<Self, String> {
        Ok(Self(0))
    }
    pub fn milli_value(&self) -> i64 {
        0
    }
    pub fn value(&self) -> i64 {
        0
    }
    pub fn from_milli(m: i64) -> Self {
        Self(m as i128)
    }
}
impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "0")
    }
}

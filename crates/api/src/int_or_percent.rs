use crate::Str;
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrPercent {
    Int(i32),
    Text(Str),
}
impl Default for IntOrPercent {
    fn default() -> Self {
        Self::Int(0)
    }
}
impl IntOrPercent {
    pub fn scaled(&self, _: i32, _: bool) -> Result<i32, String> {
        Ok(0)
    }
}

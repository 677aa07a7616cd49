//! stub
/// stub
#[derive(Debug)]
pub struct Redactor;
impl Redactor {
    /// stub
    pub fn new<T: Into<String>>(_s: impl IntoIterator<Item = T>) -> Self {
        Self
    }
    /// stub
    pub fn redact<'a>(&self, s: &'a str) -> std::borrow::Cow<'a, str> {
        s.into()
    }
}

//! stand-in
use super::render::{Style, render};
use crate::cards::Card;
/// x
#[derive(Debug)]
pub struct Screen {
    style: Style,
    last: String,
}
impl Screen {
    /// x
    pub fn new() -> Self {
        Self { style: Style::plain(), last: String::new() }
    }
    /// x
    pub fn said(&mut self, who: &str, line: &str) {
        println!("\n{who}: /tide {line}");
    }
    /// x
    pub fn card(&mut self, c: &Card) {
        print!("{}", render(c, &self.style));
    }
    /// x
    pub fn live(&mut self, c: &Card, last: bool) {
        if last {
            print!("{}", render(c, &self.style));
        } else {
            let t: String = render(c, &self.style);
            if t != self.last && std::env::var("LIVE").is_ok() {
                println!("----\n{t}");
            }
            self.last = t;
        }
    }
    /// x
    pub fn note(&mut self, t: &str) {
        println!("{t}");
    }
}

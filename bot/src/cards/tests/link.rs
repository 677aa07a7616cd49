//! Who is one person with whom, as people read it.

use insta::assert_snapshot;
use tidegate_runner::domain::access::{Link, Person, Written};
use tidegate_runner::domain::answer::Answer;
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::link::{CODE_MS, Code, LinkAnswer, Links, Unreadable};

use super::scene::{START, clock};
use super::shown;
use crate::cards::{self, Card};

pub(super) fn sato() -> Person {
    let id = |text: &str| text.parse().expect("an id");
    Person {
        name: "sato".to_owned(),
        ids: vec![id("slack:U1"), id("discord:1")],
        written: Written { file: "tidegate.toml".to_owned(), line: 7 },
    }
}

#[test]
fn links() {
    let link = Link {
        number: 3,
        ids: ["slack:U1".parse().expect("an id"), "discord:1".parse().expect("an id")],
        called: ["sato".to_owned(), "\u{ff53}ato `down shop`".to_owned()],
        began: START,
        ended: None,
    };
    let broken = Unreadable { number: 9, why: "link 9: links.one_id of 9: `x` is no id".to_owned() };
    let answers = [
        LinkAnswer::Code { code: Code::new([1, 2, 3, 4, 5]), until: START.plus_ms(CODE_MS) },
        LinkAnswer::Linked(link.clone()),
        LinkAnswer::Unlinked(vec![link.clone()]),
        LinkAnswer::Cleared(broken.clone()),
    ];
    let mut all: Vec<Card> = answers.into_iter().map(|answer| cards::answer(&Answer::Link(answer), &clock())).collect();
    let by = ActorId::local("mallory");
    let news = [
        News::Linked { by: by.clone(), called: "sato".to_owned() },
        News::Unlinked { by, called: "mallory".to_owned(), link: link.clone() },
    ];
    all.extend(news.iter().map(|news| cards::news(news, &clock())));
    let many = vec![link.clone(); 60];
    all.extend([
        cards::links(&Links::default(), &clock()),
        cards::links(&Links { all: true, ..Links::default() }, &clock()),
        cards::links(&Links { people: vec![sato()], links: vec![link], unreadable: Vec::new(), all: false }, &clock()),
        cards::links(&Links { people: Vec::new(), links: many, unreadable: vec![broken.clone()], all: true }, &clock()),
    ]);
    assert_snapshot!(all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

//! Names in the place of ids, in whatever card is shown. Commands keep the ids, by which they are understood.

use std::collections::HashMap;
use std::time::Duration;

use crate::cards::{Card, Span};

/// Most people who are asked for by name for one card.
const ASKED_MAX: usize = 10;

/// How long names are waited for where only names are wanted; they come into the next edit then.
pub(in crate::chat) const WAIT: Duration = Duration::from_millis(1_500);

/// What of a card has names in the place of ids: all but commands.
pub(in crate::chat) fn texts(card: &Card) -> impl Iterator<Item = &str> {
    let spans = card.lines.iter().flat_map(|line| &line.spans).filter_map(|span| match span {
        Span::Code(text) if text.contains(char::is_whitespace) => None,
        Span::Text(text) | Span::Strong(text) | Span::Column(text, _) | Span::Code(text) => Some(text.as_str()),
        Span::Bar { .. } | Span::Link { .. } => None,
    });
    std::iter::once(card.title.as_str()).chain(spans)
}

/// Words that look like an id, a few.
pub(in crate::chat) fn ids(card: &Card, is_id: impl Fn(&str) -> bool) -> Vec<String> {
    let words = texts(card).flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
    let mut ids: Vec<String> = words.filter(|word| is_id(word)).map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids.truncate(ASKED_MAX);
    ids
}

/// The card with names in the place of ids, asked for one after the other: it is shown without a name rather than not soon.
pub(in crate::chat) async fn named<F: Future<Output = Option<String>>>(
    mut card: Card,
    door: &str,
    is_id: impl Fn(&str) -> bool,
    called: impl Fn(String) -> F,
) -> Card {
    let mut names = HashMap::new();
    let asks = async {
        for id in ids(&card, is_id) {
            names.extend(called(id.clone()).await.map(|name| (id, name)));
        }
    };
    let _: Result<(), _> = tokio::time::timeout(WAIT, asks).await;
    put(&mut card, door, &names, |_| true);
    card
}

/// The card with these names; of ids that are `bare` also where they stand without the chat's name.
pub(in crate::chat) fn put(card: &mut Card, door: &str, names: &HashMap<String, String>, bare: impl Fn(&str) -> bool) {
    let name = |text: &mut String| {
        for (id, name) in names.iter().filter(|(id, _)| text.contains(id.as_str())).collect::<Vec<_>>() {
            let written = format!("{door}:{id}");
            *text = text.replace(&format!("@{written}"), name).replace(&written, name);
            if bare(id) {
                *text = text.replace(id.as_str(), name);
            }
        }
    };
    name(&mut card.title);
    for span in card.lines.iter_mut().flat_map(|line| &mut line.spans) {
        match span {
            Span::Code(text) if text.contains(char::is_whitespace) => {}
            Span::Text(text) | Span::Strong(text) | Span::Column(text, _) | Span::Code(text) => name(text),
            Span::Bar { .. } | Span::Link { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cards::{Line, Tone};

    #[test]
    fn ids_become_names_but_for_those_in_commands() {
        let mut card = Card::new(Tone::Plain, "asked by @slack:U1 in slack:C2 (U1)")
            .line(Line::of([Span::Code("show slack:U1".to_owned()), Span::Code("slack:U1".to_owned())]));
        assert_eq!(ids(&card, |word| word.starts_with('U')), ["U1"]);
        let names = [("U1", "@alice"), ("C2", "#shop")].map(|(id, name)| (id.to_owned(), name.to_owned())).into();
        put(&mut card, "slack", &names, |id| id.starts_with('U'));
        assert_eq!(card.title, "asked by @alice in #shop (@alice)");
        assert_eq!(card.lines[0].spans, [Span::Code("show slack:U1".to_owned()), Span::Code("@alice".to_owned())]);
    }
}

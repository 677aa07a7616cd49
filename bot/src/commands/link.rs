//! `link`, `unlink`.

use tidegate_runner::domain::command::{Command, Order, Query};
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::link::{Code, LinkOrder};
use tidegate_runner::domain::refusal::Refusal;

use super::context::{Context, quoted};

/// Reads `link`, `link CODE`, `link list`.
pub(super) fn read_link(context: &Context<'_>) -> Result<Command, Refusal> {
    let Some(word) = context.line.word(1) else { return Ok(context.order(Order::Link(LinkOrder::Begin))) };
    if Context::is_keyword(word, "list") {
        context.no_more_words(2)?;
        return Ok(Command::Query(Query::Links));
    }
    // With a space between its halves it is a code, too. What is none is not repeated: it may be one all but for a letter.
    let said: String = context.line.from(1).map(|(_, word)| word).collect();
    let Some(code) = Code::read(&said) else {
        return Err(Refusal::not_understood(
            "what stands after `link` is no code",
            "a code has eight letters and digits, as in `7k3f-92mx`; `link` alone gives you one, to be said from your other id",
        )
        .hint("link")
        .hint("link list"));
    };
    Ok(context.order(Order::Link(LinkOrder::Confirm { code })))
}

/// Reads `unlink [id|number]`.
pub(super) fn read_unlink(context: &Context<'_>) -> Result<Command, Refusal> {
    let of = match context.line.word(1) {
        None => None,
        Some(word) => {
            let of = word.trim_start_matches(['@', '#']);
            let is_number = !of.is_empty() && of.len() <= 18 && of.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number && of.parse::<ActorId>().is_err() {
                return Err(Refusal::not_understood(
                    format!("{} is neither an id nor the number of a link", quoted(word)),
                    "`link list` tells them",
                )
                .hint("unlink")
                .hint("link list"));
            }
            Some(of.to_owned())
        }
    };
    context.no_more_words(2)?;
    Ok(context.order(Order::Link(LinkOrder::End { of })))
}

#[cfg(test)]
mod tests {
    use tidegate_runner::domain::command::{Command, Order};
    use tidegate_runner::domain::link::LinkOrder;

    use super::super::{fixture, is_for_a_code, parse, without_code};

    #[test]
    fn what_makes_or_takes_a_code_is_known_as_such_however_it_is_written() {
        for around in
            ["{}", "`{}`", "\"{}\"", "tide {}", "/tide {}", "@tidegate {}", "  {}  because we are one", "{}\n"]
        {
            for word in ["link", "LINK", "ｌｉｎｋ", "li\u{200b}nk"] {
                let typed = around.replace("{}", word);
                let parsed = fixture::with_known(|known| parse(&typed, known));
                let begins = matches!(&parsed, Ok(Command::Order { order: Order::Link(LinkOrder::Begin), .. }));
                assert!(begins, "{typed:?}: {parsed:?}");
                assert!(is_for_a_code(&typed), "{typed:?}");
            }
        }
        for typed in ["link list", "unlink", "unlink 3", "links", "status shop", "help link", ""] {
            assert!(!is_for_a_code(typed), "{typed:?}");
            assert_eq!(without_code(typed), typed);
        }
    }

    #[test]
    fn a_code_is_repeated_by_nothing_also_a_mistyped_one() {
        for typed in ["link 7k3f-92mx", "`link` 7k3f 92mx", "link 7K3F 92MX because x", "ｌｉｎｋ 7k3f-92mx"] {
            let parsed = fixture::with_known(|known| parse(typed, known));
            let confirms = matches!(&parsed, Ok(Command::Order { order: Order::Link(LinkOrder::Confirm { code }), .. })
                if code.as_str() == "7k3f92mx");
            assert!(confirms, "{typed}: {parsed:?}");
            assert_eq!(without_code(typed), "link CODE");
        }
        for typed in ["link 7k3f-92mx please", "link 7k3f-92m", "link 7k3f-92mxx"] {
            let refusal = fixture::with_known(|known| parse(typed, known)).expect_err(typed);
            assert!(
                !format!("{refusal:?}").contains("92m\"") && refusal.hints.iter().all(|hint| !hint.contains("7k3f"))
            );
            assert!(!refusal.what.contains("7k3f"), "{refusal:?}");
            assert_eq!(without_code(typed), "link CODE");
        }
    }
}

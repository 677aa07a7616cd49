//! Whether there are as many people as a rule wants yeses: what the file alone can tell, and what only a chat knows.

use crate::config;
use crate::problem::source::Source;
use crate::problem::{Problem, render};

/// What is told of a rule that wants so many yeses of these owners, with more lines; `error: ` or `warning: ` before it.
fn told(owners: &str, count: u32, lines: &str) -> String {
    let text = format!(
        "{lines}\n[environments.shop]\nowners = [{owners}]\nup = 'full'\ndown = 'small'\n\
         approve = {{ when = ['command = destroy'], by = 'owners', count = {count}, self = true }}\n\
         [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
         [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n"
    );
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    let of = |found: Option<&Vec<Problem>>| found.map(|all| render(all, false)).unwrap_or_default();
    let (errors, warnings) = (of(config.unmanaged.get("shop")), of(config.warnings.get("shop")));
    assert!(errors.is_empty() || warnings.is_empty(), "{errors}\n{warnings}");
    if !errors.is_empty() {
        return format!("error: {errors}");
    }
    if warnings.is_empty() { warnings } else { format!("warning: {warnings}") }
}

#[test]
fn too_few_people_are_an_error_and_groups_that_only_a_chat_knows_are_told_as_what_cannot_be_counted() {
    let sato = "[people.sato]\nids = ['slack:U1', 'discord:7']";
    let group = "[groups]\n'slack:S1' = ['slack:U1', 'slack:U2']";
    for (owners, count, lines, says) in [
        ("'slack:U1', 'slack:U2'", 2, "", &[][..]),
        ("'slack:U1'", 2, "", &["error: ", "this wants 2 yeses of owners, and there is only 1"]),
        // Two ids of one person, in two chats.
        ("'slack:U1', 'discord:7'", 2, sato, &["error: ", "there is only 1"]),
        ("'slack:U1', 'discord:7', 'local:mori'", 2, sato, &[]),
        ("'slack:S1'", 2, group, &[]),
        ("'slack:S1'", 3, group, &["error: ", "there are only 2"]),
        ("'slack:S1', 'local:mori'", 1, "", &[]),
        (
            "'slack:S1', 'local:mori'",
            2,
            "",
            &["warning: ", "names only 1 person for it", "`slack:S1` only Slack knows"],
        ),
        (
            "'slack:S1', 'slack:S2', 'slack:S3'",
            2,
            "",
            &["warning: ", "names nobody for it", "`slack:S3` only Slack knows"],
        ),
        ("'discord:7', 'discord:8'", 2, "", &[]),
        (
            "'discord:7', 'discord:8'",
            3,
            "",
            &["warning: ", "names only 2 people for it", "or a role", "only Discord knows"],
        ),
        (
            "'discord:7', 'slack:U1', 'slack:S1'",
            3,
            sato,
            &["warning: ", "names only 1 person for it", "only Slack knows"],
        ),
    ] {
        let found = told(owners, count, lines);
        assert!(says.iter().all(|words| found.contains(words)), "{owners} {count} {lines}: {found}");
        assert_eq!(found.is_empty(), says.is_empty(), "{owners} {count} {lines}: {found}");
    }
    let everyone = "[access]\nowner = ['everyone']";
    assert_eq!(told("'slack:S1'", 9, everyone), "", "nobody can say how many everyone is");
}

#[test]
fn a_role_that_nobody_is_given_is_no_word_for_people() {
    let told = |access: &str, by: &str| {
        let roles = if by == "tester" { "[roles.tester]\ncommands = ['status', 'terraform']\n" } else { "" };
        let text = format!(
            "{roles}[environments.shop]\nowners = ['local:ito', 'local:mori']\n{access}up = 'full'\ndown = 'small'\n\
             approve = {{ when = ['command = destroy'], by = '{by}', self = true }}\n\
             [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
             [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n"
        );
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
        config.unmanaged.get("shop").map(|all| render(all, false)).unwrap_or_default()
    };
    assert!(told("", "tester").contains("nobody is given the role tester"), "{}", told("", "tester"));
    assert_eq!(told("access = { tester = ['local:sato'] }\n", "tester"), "");
    assert_eq!(told("", "operator"), "", "owners have all that an operator has");
}

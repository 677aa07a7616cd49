//! The corpus of the fuzzer, replayed, and a few inputs of chance.

use std::path::Path;

use proptest::prelude::*;
use tidegate_tests::fuzz::{TARGETS, grammar};

#[test]
fn the_corpus_breaks_nothing() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
        let entries: Vec<_> = std::fs::read_dir(&folder).expect("a corpus").flatten().collect();
        assert!(entries.len() >= 5, "{} files in {}", entries.len(), folder.display());
        for entry in entries {
            target(&std::fs::read(entry.path()).expect("an input"));
        }
    }
}

/// Messages of words that mean something, and of words that should not get anywhere.
fn messages() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => Just("shop"),
        2 => prop_oneof![Just("up"), Just("down"), Just("scale"), Just("plan"), Just("destroy"), Just("undo")],
        2 => prop_oneof![Just("slaves=40"), Just("slaves+=2"), Just("slaves*=3"), Just("class=large"), Just("debug=true")],
        1 => prop_oneof![Just("full"), Just("small"), Just("off"), Just("code"), Just("because")],
        1 => prop_oneof![Just("-var=admin_password=x"), Just("--auto-approve"), Just("-target=a"), Just("admin_password=x")],
        1 => prop_oneof![Just("slave_count=3"), Just("env_name=x"), Just("\u{1b}[2J"), Just("\n-destroy"), Just("$(id)")],
    ];
    prop_oneof![proptest::collection::vec(word, 0..6).prop_map(|words| words.join(" ")), "\\PC{0,40}",]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_but_what_the_configuration_allows_comes_of_a_message(text in messages()) {
        grammar(&text);
    }
}

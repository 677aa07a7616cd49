//! Any bytes as the output of a Terraform.

use std::sync::LazyLock;

use tidegate_runner::redact::{LineRedactor, Redactor};
use tidegate_runner::terraform::{ApplyFold, Diagnostics, Exit, Line, LineItem, LineSplitter, PlanFold, failure_of};

/// A secret that the input may hold in any form; also a word of the fuzzer's dictionary.
const SECRET: &str = "p<q>&\"r\\s 日本";

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new([SECRET]));

/// Cuts `input` into lines as they would come, takes secrets out, and folds them as a plan and as an apply.
pub fn terraform(input: &[u8]) {
    let mut lines = LineRedactor::new(&REDACTOR);
    let mut splitter = LineSplitter::default();
    let mut plan = PlanFold::new(false);
    let mut diagnostics = Diagnostics::default();
    let mut folded = Vec::new();
    // The first byte says how the rest is cut: where a read ends makes no difference.
    let size = input.first().map_or(1, |byte| usize::from(*byte) + 1);
    for chunk in input.get(1..).unwrap_or_default().chunks(size) {
        splitter.push(chunk);
    }
    splitter.finish();
    while let Some(item) = splitter.pop() {
        let (LineItem::Whole(text) | LineItem::Half(text)) = item else { continue };
        let was_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok();
        for redacted in lines.push(&text) {
            assert!(!redacted.contains(SECRET), "{redacted:?}");
            if was_object {
                let still = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&redacted);
                assert!(still.is_ok(), "{text:?} became {redacted:?}");
            }
            folded.push(Line::parse(&redacted));
        }
    }
    folded.extend(lines.finish().iter().map(|line| Line::parse(line)));
    for line in &folded {
        plan.take(line);
        diagnostics.take(line);
    }
    for exit in [Exit::Code(0), Exit::Code(1), Exit::Signal(9), Exit::Lost] {
        let _ = failure_of(&diagnostics, &exit, false, "");
    }
    let planned = plan.finish(&Exit::Code(0), false, "").map(|plan| plan.changes).unwrap_or_default();
    let mut apply = ApplyFold::new(&planned);
    for line in &folded {
        let _ = apply.take(line);
    }
    let _ = apply.finish(&Exit::Code(0), true, "");
}

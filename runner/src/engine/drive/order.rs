//! No run without an order: the audit has what was decided on each, in the transaction that made it. One that somebody wrote into the
//! ledger past the desk was decided on by nobody.

use std::collections::BTreeMap;

use super::Driver;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Outcome, RunEvent, RunState};
use crate::engine::EngineError;
use crate::ledger::audit;

impl Driver {
    /// Ends a run as refused of which the audit does not say that it may be done. What has been begun is not left half done.
    pub(super) async fn look_for_order(&mut self) -> Result<(), EngineError> {
        let begins = matches!(self.view.state, RunState::Planning { stop: None, .. }) && !self.view.anything_applied();
        if !begins || audit::has_order(&self.shared.store, &self.run).await? {
            return Ok(());
        }
        let number = self.run.number;
        tracing::error!(run.number = number.0, "a run that nobody ordered is not carried out");
        let refusal = Refusal::refused(
            format!("run {number} was ordered by nobody"),
            "the audit has no entry that allows it: it was written into the ledger by hand, or its entry was taken out since",
        )
        .hint(format!("status {}", self.environment.name));
        self.record(vec![RunEvent::Ended {
            outcome: Outcome::Refused,
            refusal: Some(refusal),
            rule: Some("audit".to_owned()),
            finding: None,
            left: BTreeMap::new(),
        }])
        .await
        .map(drop)
    }
}

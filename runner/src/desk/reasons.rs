//! Secrets in what people write as a reason: what is kept has none that can be known, and what another process kept is shown without.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use super::Desk;
use crate::domain::answer::RunSummary;
use crate::domain::audit::Record;
use crate::domain::command::Order;
use crate::domain::holds::HoldOrder;
use crate::domain::ids::EnvironmentName;
use crate::domain::run::RunView;
use crate::domain::secret::{Given, SecretSource};
use crate::ledger::runs;
use crate::redact::Redactor;

/// How long words are kept waiting for a program that gives a secret: people wait for the answer. It goes on running, and what it gives
/// is known to the next.
const WAIT: Duration = Duration::from_secs(5);

impl Desk {
    /// Reads the secrets of the environments that an order with a reason or a question is about, as far as this process can and has
    /// not yet: a value that nobody has read cannot be found in what was typed.
    pub(super) async fn know_secrets_for(&self, order: &Order, because: Option<&str>) {
        if because.is_none() && !matches!(order, Order::Hold(HoldOrder::Ask { .. })) {
            return;
        }
        // What stops something waits for nothing.
        if matches!(order, Order::Cancel { .. } | Order::Reject { .. }) {
            return;
        }
        let sources = self.secrets_of(&self.about(order).await);
        let readings: Vec<_> = sources
            .into_iter()
            .map(|source| {
                let secrets = self.secrets.clone();
                tokio::spawn(async move { secrets.learn(&source).await })
            })
            .collect();
        let all = async {
            for reading in readings {
                // One that panicked was told by the panic.
                let _ = reading.await;
            }
        };
        let _ = tokio::time::timeout(WAIT, all).await;
    }

    async fn about(&self, order: &Order) -> BTreeSet<EnvironmentName> {
        let orders = match order {
            Order::Each { orders, .. } => orders.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut names: BTreeSet<EnvironmentName> = orders.iter().filter_map(Order::environment).cloned().collect();
        for number in orders.iter().filter_map(Order::on_run) {
            // Of a run that cannot be read the order itself will tell.
            let run = runs::by_number(&self.store, number).await.ok().flatten();
            names.extend(run.map(|run| run.request.environment));
        }
        names
    }

    fn secrets_of(&self, names: &BTreeSet<EnvironmentName>) -> BTreeSet<SecretSource> {
        let config = self.config();
        let environments = names.iter().filter_map(|name| config.environments.get(name));
        let stacks = environments.flat_map(|environment| environment.stacks.values());
        let given = stacks.flat_map(|stack| stack.env.values().chain(stack.backend.values()));
        given.filter_map(Given::source).cloned().collect()
    }

    /// Takes out of the reason of a run what a process kept that had not read the secret yet.
    pub(super) fn clean_reasons<'r>(&self, runs: impl IntoIterator<Item = &'r mut RunSummary>) {
        let redactor = self.redactor();
        runs.into_iter().for_each(|run| clean(&redactor, &mut run.request.because));
    }

    /// The same in all that people wrote beside the events of a run.
    pub(super) fn clean_view(&self, view: &mut RunView) {
        let redactor = self.redactor();
        clean(&redactor, &mut view.request.because);
        if let Some(approved) = &mut view.approved {
            clean(&redactor, &mut approved.because);
        }
        if let Some(stopped) = &mut view.stopped_by {
            clean(&redactor, &mut stopped.because);
        }
    }

    /// The same in entries of the audit, which themselves never change.
    pub(super) fn clean_records<'r>(&self, records: impl IntoIterator<Item = &'r mut Record>) {
        let redactor = self.redactor();
        for record in records {
            clean(&redactor, &mut record.typed);
            clean(&redactor, &mut record.because);
        }
    }
}

fn clean(redactor: &Redactor, text: &mut Option<String>) {
    if let Some(text) = text
        && let Cow::Owned(redacted) = redactor.redact(text)
    {
        *text = redacted;
    }
}

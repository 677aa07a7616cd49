//! Where an environment's schedules raise it next: what a look beforehand is about.

use std::sync::Arc;

use crate::agenda::Diaries;
use crate::config::Config;
use crate::domain::environment::Environment;
use crate::domain::request::{Movement, RunKind, Target, movement};
use crate::domain::schedule::next_after;
use crate::ledger::{LedgerError, Store};

/// How far ahead is looked, in milliseconds: a day, so that an evening's look is about the next morning.
const AHEAD_MS: i64 = 86_400_000;

/// Where it is raised within a day; `None` where it is not, where that cannot be read, and for runs of other kinds.
pub(super) async fn raise(
    store: &Store,
    config: &Arc<Config>,
    kind: RunKind,
    environment: &Environment,
) -> Option<Target> {
    if kind != RunKind::Preflight {
        return None;
    }
    match read(store, config, environment).await {
        Ok(coming) => coming,
        Err(error) => {
            tracing::warn!(environment = %environment.name, %error, "where it is raised next cannot be read");
            None
        }
    }
}

async fn read(store: &Store, config: &Arc<Config>, environment: &Environment) -> Result<Option<Target>, LedgerError> {
    let now = store.now().await?;
    let diary = Diaries::default().one(store, config, environment, now).await?;
    let coming = next_after(&diary.agenda(), now).filter(|coming| coming.at.ms_since(now) <= AHEAD_MS);
    let raises = |to: &Target| {
        diary.wanted.as_ref().is_none_or(|wanted| {
            wanted != to && matches!(movement(environment, wanted, to), Movement::Raises | Movement::Same)
        })
    };
    Ok(coming.map(|coming| coming.wanted).filter(raises))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::domain::ids::RunNumber;
    use crate::ledger::environments;
    use crate::ledger::tests::on_both;
    use crate::problem::source::Source;

    const CONFIG: &str = "[environments.shop]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
        [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
        [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

    const HOURS: &str = "[[environments.shop.schedules]]\nname = 'hours'\nwindow = 'Mon-Sun 09:00-21:00'\ninside = 'full'\noutside = 'small'\n";

    #[tokio::test]
    async fn a_look_beforehand_is_about_what_comes_within_a_day_where_that_raises() {
        on_both(async |store| {
            let read = |text: &str| {
                let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap();
                assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
                Arc::new(config)
            };
            let (with, without) = (read(&format!("{CONFIG}{HOURS}")), read(CONFIG));
            let of = async |config: &Arc<Config>, kind| raise(&store, config, kind, &config.environments["shop"]).await;
            assert!(of(&with, RunKind::Preflight).await.is_some(), "one of the two comes within a day");
            assert_eq!(of(&with, RunKind::Drift).await, None);
            assert_eq!(of(&without, RunKind::Preflight).await, None);
            // Whatever hour it is now: above the highest level there is none.
            let full = Target { level: "full".parse().unwrap(), settings: std::collections::BTreeMap::new() };
            let mut tx = store.begin().await.unwrap();
            environments::begin(&mut tx, &"shop".parse().unwrap(), &full, RunNumber(1), None).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(of(&with, RunKind::Preflight).await, None);
        })
        .await;
    }
}

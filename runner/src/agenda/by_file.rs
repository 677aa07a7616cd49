//! What a configuration does as soon as it is taken, by what the ledger has: told before anybody takes it.

use std::sync::Arc;

use super::{Diaries, Diary};
use crate::config::Config;
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::schedule::{AtOnce, Turn, level_at};
use crate::ledger::{Access, LedgerError, asked};

/// What becomes of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct ByFile {
    /// Which.
    pub environment: EnvironmentName,
    /// Where it is to be now, where it goes, and when.
    pub at_once: AtOnce,
    /// People are warned before.
    pub warned: bool,
}

/// Where `config` asks for something else now than what is wanted, and the clock has not seen that yet.
///
/// # Errors
/// When the ledger does not answer.
pub async fn by_file(mut db: impl Access, config: &Arc<Config>, now: Timestamp) -> Result<Vec<ByFile>, LedgerError> {
    let asked = asked::all(&mut db).await?;
    let all = Diaries::default().all(&mut db, config, now).await?;
    let of = |diary: &Diary<'_>| {
        let name = &diary.environment().name;
        // What the clock has decided on is on its way, or was refused.
        let known = asked.get(name).and_then(|asked| asked.wanted.clone());
        let is = level_at(&diary.agenda(), now).filter(|is| is.because.iter().any(|one| diary.is_the_clock_s(one)))?;
        let from = diary.wanted.clone().filter(|from| *from != is.wanted && known.as_ref() != Some(&is.wanted))?;
        let grace = diary.put_off(&is.wanted, &is.because, now);
        let at = grace.as_ref().map_or(now, |grace| grace.until);
        let to = Some(Turn::new(at, diary.timetable().zone, is.wanted));
        Some(ByFile { environment: name.clone(), at_once: AtOnce { from: Some(from), to }, warned: grace.is_some() })
    };
    Ok(all.iter().filter(|diary| diary.unread.is_empty() && !diary.destroyed).filter_map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::EnvironmentName;
    use crate::domain::request::Target;
    use crate::ledger::asked::Step;
    use crate::ledger::environments;
    use crate::ledger::tests::on_both;
    use crate::problem::source::Source;

    const SHOP: &str = "[environments.shop]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
        [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
        [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";
    const HOURS: &str = "[[environments.shop.schedules]]\nname = 'hours'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n";

    #[tokio::test]
    async fn what_a_file_changes_now_is_told_and_what_the_clock_has_seen_is_not() {
        on_both(async |store| {
            let parsed = |text: &str| {
                Arc::new(crate::config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap())
            };
            let shop: EnvironmentName = "shop".parse().unwrap();
            let target = |level: &str| Target { level: level.parse().unwrap(), settings: [].into() };
            // Saturday noon, in Tokyo.
            let noon = Timestamp(1_795_834_800_000);
            let mut tx = store.begin().await.unwrap();
            environments::set_wanted(&mut tx, &shop, Some(&target("full")), None).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(by_file(&store, &parsed(SHOP), noon).await.unwrap(), [], "nobody asks for anything");
            let written = parsed(&format!("{SHOP}{HOURS}"));
            let told = by_file(&store, &written, noon).await.unwrap();
            let [one] = told.as_slice() else { panic!("{told:?}") };
            let to = one.at_once.to.as_ref().unwrap();
            assert_eq!((&one.at_once.from, &to.wanted), (&Some(target("full")), &target("small")));
            assert_eq!((to.at, one.warned), (noon.plus_ms(900_000), true));
            // On the Monday it asks for what is there.
            assert_eq!(by_file(&store, &written, noon.plus_ms(2 * 86_400_000)).await.unwrap(), []);
            let mut tx = store.begin().await.unwrap();
            let step = Step { wanted: Some(&target("small")), since: noon, written: "" };
            assert!(crate::ledger::asked::step(&mut tx, &shop, None, step).await.unwrap());
            tx.commit().await.unwrap();
            assert_eq!(by_file(&store, &written, noon).await.unwrap(), []);
        })
        .await;
    }
}

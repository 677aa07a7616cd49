//! The end of a hold, keep or booking by somebody's word, and what the clock does because of it: what that lowers is warned of as ever.

use std::sync::Arc;

use super::super::{Case, Denied, Done};
use super::{done, refused};
use crate::agenda::Diary;
use crate::config::Config;
use crate::domain::holds::{Comes, Ending, Hold, HoldAnswer, Kind};
use crate::domain::refusal::Refusal;
use crate::ledger::Tx;
use crate::warden;

impl Case<'_> {
    pub(super) async fn lift(&self, tx: &mut Tx, hold: &Hold) -> Result<Done, Denied> {
        let config = self.desk.config();
        let by = self.message.actor.id.clone();
        let of_another = !self.message.actor.is(&hold.by);
        let was = self.kept_until_now(tx, &config, hold).await?;
        let ending = Ending::Lifted { by, because: self.because.clone() };
        if !warden::over(tx, &config, hold, ending).await? {
            let refusal = Refusal::refused("that came too late", "it was over in the same moment").hint("envs");
            return Err(refused("hold", hold.environment.as_ref(), refusal));
        }
        let comes = self.comes_of_it(tx, &config, was).await?;
        Ok(done(hold.environment.as_ref(), HoldAnswer::Lifted { hold: hold.clone(), of_another, comes }))
    }

    /// How it is as long as something keeps an environment where it is; `None`: it does not, or nothing can be known of it.
    pub(super) async fn kept_until_now<'c>(
        &self,
        tx: &mut Tx,
        config: &'c Arc<Config>,
        hold: &Hold,
    ) -> Result<Option<Diary<'c>>, Denied> {
        let about = match hold.kind {
            Kind::Keep | Kind::Booking => hold.environment.as_ref(),
            Kind::Hold | Kind::Freeze | Kind::Stop => None,
        };
        let Some(environment) = about.and_then(|name| config.whose(name)) else { return Ok(None) };
        let now = crate::ledger::now(&mut *tx).await?;
        let diary = self.desk.diaries.seen(&mut *tx, config, environment, now).await?;
        Ok(Some(diary).filter(|diary| diary.unread.is_empty()))
    }

    /// What comes of it that it is not kept there any more, or not for as long. What is lowered by that stays until people were warned.
    pub(super) async fn comes_of_it(
        &self,
        tx: &mut Tx,
        config: &Arc<Config>,
        was: Option<Diary<'_>>,
    ) -> Result<Option<Comes>, Denied> {
        let Some(was) = was else { return Ok(None) };
        let name = &was.environment().name;
        // Its end is a moment of the ledger's clock: from then on.
        let now = crate::ledger::now(&mut *tx).await?;
        let mut is = self.desk.diaries.seen(&mut *tx, config, was.environment(), now).await?;
        let at_once = self.at_once(tx, &was, &mut is, now).await?;
        // Nothing comes at once where nothing comes of schedules.
        let at_once = at_once.filter(|_| self.desk.manages(name));
        Ok(at_once.map(|at_once| Comes { warned: at_once.is_warned(&is.bends), at_once }))
    }
}

//! What is said in the thread of a run's card is about that run, also where it does not say so.

use tidegate_runner::desk::Message;

use super::ear::Ear;
use super::origin::{How, Origin};
use crate::commands;

impl Ear {
    /// The message with the run of the thread that it was said in, where it names none. `None`: it is about what it says.
    pub(in crate::chat) async fn about_its_thread(&self, message: &Message, origin: &Origin) -> Option<Message> {
        if matches!(origin.how, How::Button { .. } | How::Form(_) | How::Last { .. } | How::After { .. }) {
            return None;
        }
        let above = self.platform.under(origin.thread.as_deref()?);
        // Most of what is said names what it is about, and nothing is asked for it.
        commands::about_run(&message.typed, 1)?;
        match self.desk.subject_of(self.door(), &origin.channel, above).await {
            Ok(subject) => {
                let run = subject?.run()?;
                Some(Message { typed: commands::about_run(&message.typed, run.0)?, ..message.clone() })
            }
            Err(error) => {
                tracing::warn!(%error, "of which run a thread is cannot be read");
                None
            }
        }
    }
}

//! People beside the one who runs the tests: they speak to the yard's ledger through the desk, as a chat makes them.

use std::sync::Arc;

use tidegate::conversation::{Reply, reply};
use tidegate::zone::Zone;
use tidegate_runner::bell::Bell;
use tidegate_runner::config;
use tidegate_runner::desk::{Desk, Message};
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tidegate_runner::domain::policy::Place;
use tokio::sync::watch;
use uuid::Uuid;

use crate::yard::Yard;

impl Yard {
    async fn desk(&self) -> Desk {
        let config = config::load(&self.file("tidegate.toml")).expect("a configuration");
        Desk::new(self.store().await.clone(), watch::channel(Arc::new(config)).1, Bell::default())
    }

    /// What `local:NAME` is answered, with the configuration as it is now.
    pub async fn says_as(&self, name: &str, line: &str) -> Reply {
        let message = Message {
            key: Uuid::now_v7().to_string(),
            actor: Actor::person(ActorId::local(name), name),
            place: Place::shell(),
            typed: line.to_owned(),
        };
        reply(&self.desk().await, &message, Zone::UTC).await
    }

    /// What `local:NAME` has not been told yet about holds, stops and free environments.
    pub async fn news(&self, name: &str) -> Vec<News> {
        let actor = Actor::person(ActorId::local(name), name);
        let untold = self.desk().await.news("shell", &actor).await.expect("news");
        untold.into_iter().map(|untold| untold.news).collect()
    }

    /// What `local:NAME` is told next about holds, stops and free environments. It is told once.
    pub async fn next_news(&self, name: &str) -> News {
        let (desk, actor) = (self.desk().await, Actor::person(ActorId::local(name), name));
        self.wait(&format!("news for {name}"), async || {
            let untold = desk.news("shell", &actor).await.expect("news").into_iter().next()?;
            assert!(desk.news_told(&untold).await.expect("told"));
            Some(untold.news)
        })
        .await
    }

    /// The runs that `local:NAME` has news of.
    pub async fn untold(&self, name: &str) -> Vec<RunNumber> {
        let actor = Actor::person(ActorId::local(name), name);
        self.desk().await.untold("shell", &actor).await.expect("news").into_iter().collect()
    }
}

//! A year of one environment, over both clock changes: no transition is lost, and none is made twice.

use std::collections::BTreeSet;

use super::*;
use crate::agenda::Diaries;
use crate::domain::schedule::{Transition, timeline};

#[tokio::test]
async fn in_a_year_each_transition_is_made_once_whoever_looks() {
    on_both(async |store| {
        let text =
            CONFIG.replace("Asia/Tokyo", "Europe/Berlin").replace("Mon-Fri 09:00-21:00", "Sat 22:00 - Sun 02:30");
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap());
        let room = Room { store, config };
        room.wants("small").await;
        let (from, to) = (at("2027-01-01T00:00"), at("2028-01-01T00:00"));
        let environment = room.config.environments.get(&shop()).unwrap();
        let diary = Diaries::default().one(&room.store, &room.config, environment, from).await.unwrap();
        let written: BTreeSet<String> = timeline(&diary.agenda(), from, to).iter().map(Transition::key).collect();
        assert_eq!(written.len(), 104);
        let (mut clock, mut now, mut made) = (room.clock(), from, 0);
        while now < to {
            let looked = clock.look(now).await.unwrap();
            let runs = looked.turned.iter().filter(|(_, turned)| turned.run().is_some()).count();
            made += runs;
            if runs > 0 {
                room.all_done().await;
                // Every other time another process goes on.
                if made % 2 == 0 {
                    clock = room.clock();
                }
            }
            now = looked.next.unwrap();
        }
        let found = firings::keys(&room.store, from, to).await.unwrap();
        let found: BTreeSet<String> = found.into_iter().map(|(_, key)| key).collect();
        assert_eq!((found, made), (written, 104));
    })
    .await;
}

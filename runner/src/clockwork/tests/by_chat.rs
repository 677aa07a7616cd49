//! Schedules that people added by chat: whose they are, and what rules of later say to them.

use super::*;

/// A schedule that somebody added by chat.
async fn adds(room: &Room, who: &str, keys: &[(&str, &str)]) {
    let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let written = Written { name: "late".to_owned(), keys };
    let actor = Actor::person(ActorId::local(who), who);
    let mut tx = room.store.begin().await.unwrap();
    schedules::put(&mut tx, &shop(), &written, &actor, None, None).await.unwrap().unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_was_added_by_chat_is_held_against_rules_of_later_and_the_rights_of_who_added_it() {
    const LATE: [(&str, &str); 3] = [("window", "Mon-Fri 22:00-23:00"), ("inside", "full"), ("outside", "small")];
    let hours = "changes = 'in working hours'\nhours = 'Mon-Fri 09:00-20:00'\n";
    let asks = "hours = 'Mon-Fri 09:00-20:00'\napprove = { when = ['outside working hours'], by = ['local:mori'] }\n";
    // What the file says beside it; who added it by chat, if not the file has it; what comes of it.
    for (more, who, comes) in [
        ("", Some("ito"), "queued"),
        ("", Some("kato"), "`up shop` is not `local:kato`'s to do any more"),
        (hours, Some("ito"), "working hours"),
        (hours, None, "queued"),
        (asks, Some("ito"), "queued"),
    ] {
        on_both(async |store| {
            // Not today, whenever that is: a rule goes by the ledger's clock.
            let then = store.now().await.unwrap().plus_ms(3 * 86_400_000).0;
            let day = chrono::DateTime::from_timestamp_millis(then).unwrap().format("%a").to_string();
            let more = more.replace("Mon-Fri 09:00-20:00", &format!("{day} 09:00-20:00"));
            let file = "[[environments.shop.schedules]]\nname = 'late'\nwindow = 'Mon-Fri 22:00-23:00'\ninside = 'full'\noutside = 'small'\n";
            let file = if who.is_none() { file } else { "" };
            let text = UNSCHEDULED.replace("down = 'small'\n", &format!("down = 'small'\n{more}"));
            let config = config::parse(Source::new("/etc/tide/tidegate.toml", &format!("{text}{file}")), &|_| None).unwrap();
            assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
            let room = Room { store, config: Arc::new(config) };
            room.wants("small").await;
            if let Some(who) = who {
                adds(&room, who, &LATE).await;
            }
            let mut clock = room.clock();
            clock.look(at("2037-11-23T21:00")).await.unwrap();
            let looked = clock.look(at("2037-11-23T22:00")).await.unwrap();
            match outcomes(&looked).as_slice() {
                [Turned::Queued(run)] => {
                    assert_eq!(comes, "queued", "{more}");
                    let run = runs::by_number(&room.store, *run).await.unwrap().unwrap();
                    let whose = who.map_or_else(ActorId::clock, ActorId::local);
                    assert_eq!(run.answers_for().id, whose);
                }
                [Turned::Refused(refusal)] => {
                    let told = format!("{}: {}", refusal.what, refusal.why);
                    assert!(comes != "queued" && told.contains(comes), "{more}: {told}");
                    let all = super::tests::told(&room).await;
                    assert!(matches!(all.last(), Some(ClockNews::Refused { .. })), "{all:?}");
                    // Not on a second try either.
                    clock.look(at("2037-11-23T22:05")).await.unwrap();
                    assert!(room.queue().await.is_empty());
                }
                other => panic!("{other:?}"),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn without_schedules_the_end_of_a_keep_lowers_nothing() {
    on_both(async |store| {
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", UNSCHEDULED), &|_| None).unwrap());
        let room = Room { store, config };
        let mut clock = room.clock();
        clock.look(at("2037-11-23T20:00")).await.unwrap();
        visits(&room, "full", at("2037-11-23T20:10"), None).await;
        let (began, until) = (at("2037-11-23T20:20"), at("2037-11-23T21:20"));
        room.keeps(began, until).await;
        for now in ["2037-11-23T20:21", "2037-11-23T21:20", "2037-11-23T21:21"] {
            let looked = clock.look(at(now)).await.unwrap();
            assert_eq!((looked.turned, looked.next), (vec![], None), "{now}");
        }
    })
    .await;
}

//! Who books what for when, and what is answered where that cannot be.

use super::*;
use crate::domain::command::{Assignment, Operator};
use crate::domain::environment::SettingValue;

const HOUR_MS: i64 = 3_600_000;

fn book(level: &str, from: Timestamp, until: Timestamp, only: &[&str]) -> Order {
    let only = only.iter().map(|who| (*who).to_owned()).collect();
    let level = level.parse().unwrap();
    Order::Hold(HoldOrder::Book { environment: shop(), level, settings: Vec::new(), from, until, only })
}

fn unbook(number: Option<i64>) -> Order {
    Order::Hold(HoldOrder::Unbook { environment: shop(), number: number.map(HoldNumber) })
}

async fn booked(room: &Room, who: &str, order: Order) -> crate::domain::holds::Hold {
    match room.says(who, order).await.unwrap() {
        Answer::Hold(HoldAnswer::Booked { hold, .. }) => hold,
        other => panic!("{other:?}"),
    }
}

async fn in_folder(folder: &tempfile::TempDir) -> Store {
    Store::open(&format!("sqlite:{}", folder.path().join("ledger.db").display())).await.unwrap()
}

/// Time goes by, for bookings.
async fn later(room: &Room, ms: i64) {
    sql(&room.store, &format!("UPDATE holds SET began_at = began_at - {ms}, until_at = until_at - {ms}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_booking_bars_others_while_it_lasts_and_neither_before_nor_after() {
    on_both(async |store| {
        let room = Room::new(store);
        let from = room.ahead(2 * HOUR_MS).await;
        let hold = booked(&room, "sato", book("full", from, from.plus_ms(HOUR_MS), &["mori"])).await;
        assert_eq!((hold.only.as_slice(), hold.began), (&[ActorId::local("mori")][..], from));
        assert!(matches!(room.news("ito").await.as_slice(), [News::Began { .. }]));
        assert!(matches!(room.news("mori").await.as_slice(), [News::Began { .. }]));
        room.queues("ito", up("shop")).await;
        let status = format!("{:?}", room.desk.status(Some(&shop())).await.unwrap());
        assert!(status.contains("bookings: [Hold"), "{status}");
        later(&room, 2 * HOUR_MS + 60_000).await;
        let words = ["shop is booked", "`local:sato`", "because we measure", "leaves in `local:mori`", "unbook shop 1"];
        room.refuses("ito", up("shop"), &words).await;
        room.refuses("ito", Order::Destroy { environment: shop() }, &["shop is booked"]).await;
        room.refuses("kenji", up("shop"), &["shop is booked", "tell me when free shop"]).await;
        room.queues("mori", up("shop")).await;
        room.queues("sato", up("shop")).await;
        room.queues("ito", up("blog")).await;
        later(&room, HOUR_MS).await;
        room.queues("ito", up("shop")).await;
        assert!(warden::look(&room.store, &room.config).await.unwrap());
        let told = room.news("sato").await;
        assert!(matches!(told.as_slice(), [News::Over { ending: Ending::Lapsed, .. }]), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_booked_already_is_refused_with_what_is_free_beside_it() {
    on_both(async |store| {
        let room = Room::new(store);
        // To whole seconds, as lines tell moments.
        let from = Timestamp(room.ahead(10 * HOUR_MS).await.0 / 1_000 * 1_000);
        let hours = |count: i64| from.plus_ms(count * HOUR_MS);
        booked(&room, "sato", book("full", from, hours(2), &[])).await;
        let moment = |at: Timestamp| {
            let at = chrono::DateTime::from_timestamp_millis(at.0).unwrap();
            at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
        };
        let line =
            |from: i64, until: i64| format!("book shop small {} until {}", moment(hours(from)), moment(hours(until)));
        let (before, after) = (line(-3, 0), line(2, 5));
        let words = ["shop is booked then", "`local:sato`", "booking 1", &before, &after, "because we measure"];
        room.refuses("mori", book("small", hours(1), hours(4), &[]), &words).await;
        // Nobody's own booking lets them book twice.
        room.refuses("sato", book("small", hours(-1), hours(1), &[]), &["shop is booked then"]).await;
        // One begins as the other ends.
        booked(&room, "mori", book("small", hours(2), hours(3), &[])).await;
        booked(&room, "mori", book("small", hours(-1), from, &[])).await;
        let all = room.desk.bookings(None, &everything()).await.unwrap();
        assert_eq!(all.iter().map(|one| one.number.0).collect::<Vec<_>>(), [3, 1, 2]);
        room.says("sato", unbook(Some(1))).await.unwrap();
        booked(&room, "kenji", book("full", from, hours(2), &[])).await;
    })
    .await;
}

#[tokio::test]
async fn of_two_who_book_the_same_time_at_one_moment_one_has_it() {
    on_both(async |store| {
        let room = Room::new(store);
        for round in 0..8 {
            let from = room.ahead((10 + 3 * round) * HOUR_MS).await;
            let orders =
                ["sato", "mori", "kenji"].map(|who| room.says(who, book("full", from, from.plus_ms(HOUR_MS), &[])));
            let [one, two, three] = orders;
            let (one, two, three) = tokio::join!(one, two, three);
            let got = [one, two, three];
            assert_eq!(got.iter().filter(|one| one.is_ok()).count(), 1, "{got:?}");
            for other in got.into_iter().filter_map(Result::err) {
                assert!(
                    matches!(&other, DeskError::Refused(refusal) if refusal.what == "shop is booked then"),
                    "{other:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_booking_that_cannot_be_meant_is_refused_with_what_can() {
    on_both(async |store| {
        let room = Room::new(store);
        let now = room.ahead(0).await;
        let hours = |count: i64| now.plus_ms(count * HOUR_MS);
        for (order, words) in [
            (book("full", hours(-1), hours(1), &[]), &["has begun already", "book shop full 20"][..]),
            (book("full", hours(2), hours(2), &[]), &["no time to book", "book shop full 20"]),
            (book("full", hours(2), hours(1), &[]), &["no time to book"]),
            (book("full", hours(2), hours(2 + 7 * 24 + 1), &[]), &["too long", "7 days", "book shop full 20"]),
            (book("full", hours(91 * 24), hours(91 * 24 + 2), &["mori"]), &["within 90 days", "only @mori because"]),
            (book("huge", hours(2), hours(3), &[]), &["not booked at `huge`", "small, full"]),
            (book("off", hours(2), hours(3), &[]), &["not booked at `off`"]),
            (book("full", hours(2), hours(3), &["morri"]), &["morri"]),
            (unbook(None), &["nothing is booked", "list bookings"]),
        ] {
            room.refuses("sato", order, words).await;
        }
        let more =
            Assignment { setting: "slaves".parse().unwrap(), operator: Operator::Add, value: SettingValue::Number(4) };
        let (from, until, level) = (hours(2), hours(3), "full".parse().unwrap());
        let relative =
            HoldOrder::Book { environment: shop(), level, settings: vec![more], from, until, only: Vec::new() };
        room.refuses("sato", Order::Hold(relative), &["does not say how many"]).await;
        room.refuses("kato", book("full", from, until, &[]), &["not yours to do"]).await;
        assert_eq!(room.desk.bookings(None, &everything()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn who_books_needs_what_up_down_and_hold_need_and_what_asks_for_a_yes_is_not_booked() {
    let role = |may: &str| {
        let config = format!("{CONFIG}[roles.booker]\ncommands = ['status', {may}]\n");
        config.replace("operator = ['local:sato',", "booker = ['local:kato']\noperator = ['local:sato',")
    };
    for (may, word) in [
        ("'book', 'up', 'down', 'hold'", None),
        ("'book', 'up', 'down'", Some("hold")),
        ("'book', 'up', 'hold'", Some("down")),
        ("'book', 'hold', 'down'", Some("up")),
        ("'up', 'down', 'hold'", Some("book")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::of(in_folder(&folder).await, &role(may));
        let from = room.ahead(HOUR_MS).await;
        let order = book("full", from, from.plus_ms(HOUR_MS), &[]);
        match word {
            None => drop(booked(&room, "kato", order).await),
            Some(word) => room.refuses("kato", order, &["not yours to do", word]).await,
        }
    }
    let asks = CONFIG.replace(
        "up = 'full'\ndown = 'small'\n",
        "up = 'full'\ndown = 'small'\napprove = { when = ['command = up'], by = 'owners' }\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let room = Room::of(in_folder(&folder).await, &asks);
    let from = room.ahead(HOUR_MS).await;
    room.refuses("sato", book("full", from, from.plus_ms(HOUR_MS), &[]), &["asks for a yes", "cannot be booked"]).await;
}

#[tokio::test]
async fn a_booking_is_taken_back_by_whose_it_is_and_by_owners_who_say_so_to_them() {
    on_both(async |store| {
        let room = Room::new(store);
        let from = room.ahead(HOUR_MS).await;
        let hours = |count: i64| from.plus_ms(count * HOUR_MS);
        booked(&room, "sato", book("full", from, hours(1), &[])).await;
        room.refuses("mori", unbook(None), &["not yours to take back", "local:sato", "ask shop"]).await;
        room.refuses("mori", unbook(Some(7)), &["no booking 7", "unbook shop 1"]).await;
        booked(&room, "sato", book("full", hours(2), hours(3), &[])).await;
        room.refuses("sato", unbook(None), &["which booking of shop", "unbook shop 1", "unbook shop 2"]).await;
        let lifted = room.says("ito", unbook(Some(1))).await.unwrap();
        assert!(matches!(lifted, Answer::Hold(HoldAnswer::Lifted { of_another: true, .. })), "{lifted:?}");
        let told = room.news("sato").await;
        assert!(matches!(told.as_slice(), [News::Over { ending: Ending::Lifted { .. }, .. }]), "{told:?}");
        room.says("sato", unbook(None)).await.unwrap();
        assert_eq!(room.desk.bookings(None, &everything()).await.unwrap(), []);
        // One that cannot be read is in nobody's way until an admin takes it away, and bars what is to be booked meanwhile.
        booked(&room, "sato", book("full", from, hours(1), &[])).await;
        sql(&room.store, "UPDATE holds SET asks = '{' WHERE number = 3").await.unwrap();
        room.refuses("sato", book("full", hours(5), hours(6), &[]), &["cannot be read", "unhold shop 3"]).await;
        room.does("boss", unhold(Some(3))).await;
        booked(&room, "sato", book("full", hours(5), hours(6), &[])).await;
    })
    .await;
}

#[tokio::test]
async fn nobody_holds_it_into_the_time_of_another_one_and_nobody_books_it_into_a_hold() {
    on_both(async |store| {
        let room = Room::new(store);
        let from = room.ahead(2 * HOUR_MS + 30_000).await;
        booked(&room, "sato", book("full", from, from.plus_ms(HOUR_MS), &["mori"])).await;
        let hold = |environment, until| Order::Hold(HoldOrder::Hold { environment, until, only: Vec::new() });
        let into = hold(shop(), from.plus_ms(60_000));
        room.refuses("kenji", into.clone(), &["shop is booked then", "local:sato", "hold shop for 120m because"]).await;
        room.says("kenji", hold(shop(), from)).await.unwrap();
        let before = room.ahead(HOUR_MS).await;
        // What is free beside the hold has to be free of the other booking, too.
        let early = book("full", before, before.plus_ms(HOUR_MS), &[]);
        room.refuses("sato", early.clone(), &["shop is held then", "local:kenji", "book shop full 20"]).await;
        room.does("kenji", unhold(None)).await;
        booked(&room, "sato", early).await;
        // Whoever is let in holds it within it.
        room.says("mori", into).await.expect_err("that is within the other one");
        room.says("sato", hold(shop(), from.plus_ms(60_000))).await.unwrap();
    })
    .await;
}

/// The order that a line to book says, as it is offered.
fn order_of(line: &str) -> Order {
    let words: Vec<&str> = line.split(' ').collect();
    let ["book", "shop", level, from, "until", until, "because", "we", "measure"] = words[..] else { panic!("{line}") };
    let moment = |text: &str| Timestamp(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
    book(level, moment(from), moment(until), &[])
}

/// Follows each line to book that a refusal offers, and takes it back; how many there were.
async fn follows(room: &Room, who: &str, order: Order) -> usize {
    let refusal = match room.says(who, order).await {
        Err(DeskError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let lines: Vec<&String> = refusal.hints.iter().filter(|line| line.starts_with("book ")).collect();
    for line in &lines {
        let Ok(Answer::Hold(HoldAnswer::Booked { hold, .. })) = room.says(who, order_of(line)).await else {
            panic!("{refusal:?}: `{line}` is refused: {:?}", room.says(who, order_of(line)).await)
        };
        room.says(who, unbook(Some(hold.number.0))).await.unwrap();
    }
    lines.len()
}

#[tokio::test]
async fn whatever_is_offered_in_place_of_what_is_taken_can_be_booked() {
    const MINUTE_MS: i64 = 60_000;
    let folder = tempfile::tempdir().unwrap();
    let room = Room::of(in_folder(&folder).await, CONFIG);
    // Odd milliseconds, as `2h` from now has them.
    let now = Timestamp(room.ahead(0).await.0 / 1_000 * 1_000 + 137);
    let minutes = |count: i64| now.plus_ms(count * MINUTE_MS);
    let last = 90 * 24 * 60;
    for (from, until) in [(180, 240), (270, 330), (330, 400), (last - 120, last + 300)] {
        booked(&room, "sato", book("full", minutes(from), minutes(until), &[])).await;
    }
    let until = minutes(100);
    room.does("kenji", HoldOrder::Hold { environment: shop(), until, only: Vec::new() }).await;
    let (mut refused, mut offered) = (0, 0);
    for begin in [-2_000, -30, 2, 50, 90, 101, 120, 150, 175, 200, 235, 260, 300, 399, last - 150, last - 60, last + 90]
    {
        for length in [0, 1, 25, 60, 100, 8 * 24 * 60] {
            let order = book("small", minutes(begin), minutes(begin + length), &[]);
            match room.says("mori", order.clone()).await {
                Ok(Answer::Hold(HoldAnswer::Booked { hold, .. })) => {
                    room.says("mori", unbook(Some(hold.number.0))).await.unwrap();
                }
                Ok(other) => panic!("{other:?}"),
                Err(_) => {
                    refused += 1;
                    offered += follows(&room, "mori", order).await;
                }
            }
        }
    }
    assert!(refused > 50 && offered > 50, "{offered} lines in {refused} refusals");
}

#[tokio::test]
async fn what_rules_want_a_yes_for_is_not_offered_either() {
    let hours = "changes = 'in working hours'\nhours = 'Mon-Sun 09:00-17:00'\nzone = 'UTC'\n";
    let config = CONFIG.replacen("up = 'full'\n", &format!("up = 'full'\n{hours}"), 1);
    let folder = tempfile::tempdir().unwrap();
    let room = Room::of(in_folder(&folder).await, &config);
    let day = (room.ahead(0).await.0 / 86_400_000 + 3) * 86_400_000;
    let at = |hour: i64| Timestamp(day + hour * HOUR_MS);
    booked(&room, "sato", book("full", at(10), at(16), &[])).await;
    // Before it there is no time within those hours for as long, and after it there is.
    assert_eq!(follows(&room, "mori", book("full", at(14), at(17), &[])).await, 1);
}

#[tokio::test]
async fn who_is_let_in_holds_it_while_that_is_booked_and_never_bars_whoever_booked_it() {
    on_both(async |store| {
        let room = Room::new(store);
        let from = room.ahead(2 * HOUR_MS + 30_000).await;
        booked(&room, "sato", book("full", from, from.plus_ms(HOUR_MS), &["mori"])).await;
        let hold = |until| Order::Hold(HoldOrder::Hold { environment: shop(), until, only: Vec::new() });
        // Before it begins that would keep the clock from it.
        let into = from.plus_ms(60_000);
        room.refuses("mori", hold(into), &["shop is booked then", "local:sato", "hold shop for 120m because"]).await;
        later(&room, 2 * HOUR_MS + 60_000).await;
        let until = room.ahead(HOUR_MS / 2).await;
        let begun = match room.says("mori", hold(until)).await.unwrap() {
            Answer::Hold(HoldAnswer::Began { hold, .. }) => hold,
            other => panic!("{other:?}"),
        };
        assert_eq!(begun.only, [ActorId::local("sato")]);
        room.queues("sato", up("shop")).await;
        room.queues("mori", up("shop")).await;
        room.refuses("ito", up("shop"), &["shop is"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_booking_is_answered_with_where_it_goes_afterwards() {
    use crate::domain::holds::Afterwards;
    use crate::domain::request::Target;
    let target = |level: &str| Target { level: level.parse().unwrap(), settings: std::collections::BTreeMap::new() };
    let folder = tempfile::tempdir().unwrap();
    let now = in_folder(&folder).await.now().await.unwrap();
    let date =
        |days: i64| chrono::DateTime::from_timestamp_millis(now.0 + days * 24 * HOUR_MS).unwrap().format("%Y-%m-%d");
    let window = format!("{} 00:00 - {} 00:00", date(-2), date(10));
    let hours = format!(
        "[[environments.shop.schedules]]\nname = 'weeks'\nzone = 'UTC'\nwindow = '{window}'\ninside = 'full'\noutside = 'small'\n"
    );
    // What is written, what is wanted, what is booked, and what comes afterwards.
    for (more, wanted, level, afterwards) in [
        ("", Some("off"), "full", Afterwards::Back(target("off"))),
        ("", Some("full"), "full", Afterwards::Back(target("full"))),
        ("", Some("small"), "full", Afterwards::Rests(target("small"))),
        ("", Some("full"), "small", Afterwards::Rests(target("small"))),
        ("", None, "full", Afterwards::Rests(target("small"))),
        (hours.as_str(), Some("full"), "small", Afterwards::Schedules(target("full"))),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::of(in_folder(&folder).await, &format!("{CONFIG}{more}"));
        if let Some(wanted) = wanted {
            let mut tx = room.store.begin().await.unwrap();
            environments::set_wanted(&mut tx, &shop(), Some(&target(wanted)), None).await.unwrap();
            tx.commit().await.unwrap();
        }
        let from = room.ahead(2 * HOUR_MS).await;
        let answer = room.says("sato", book(level, from, from.plus_ms(HOUR_MS), &[])).await.unwrap();
        let Answer::Hold(HoldAnswer::Booked { afterwards: told, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(told, afterwards, "{wanted:?} {level} {more}");
    }
}

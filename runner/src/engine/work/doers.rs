//! Who did what a look found: CloudTrail is asked where the configuration says so. Bounded, as it takes two questions a second of an account
//! and region, from everybody together.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::RunContext;
use crate::capacity::strays::account;
use crate::capacity::trail::Page;
use crate::capacity::{CannotLook, Signed, Surroundings};
use crate::domain::changes::Change;
use crate::domain::drift::Doer;
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::run::Note;
use crate::terraform::{Called, called};

/// Most questions for one stack in one look.
const QUESTIONS_MAX: usize = 10;

/// Rest between two questions. Source: "Quotas in CloudTrail", `LookupEvents`: two a second.
const REST: Duration = Duration::from_millis(500);

/// How long all of them may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most people that are told of one resource.
const NAMED_MAX: usize = 2;

/// How far back CloudTrail knows, in milliseconds: ninety days.
const BACK_MS: i64 = 90 * 86_400_000;

/// What came of asking.
#[derive(Debug, Default)]
struct Asked {
    doers: Vec<Doer>,
    nobody: u32,
    unasked: u32,
    unknown: Option<CannotLook>,
}

impl RunContext {
    /// Asks who made these changes of a stack that a refreshing plan has just found, and tells it, or why that is not known.
    pub(super) async fn who_did(&self, name: &StackName, drift: &[Change]) {
        if drift.is_empty() || !self.environment.rules.drift.who {
            return;
        }
        let all = called(&self.plan_file(name));
        let changed: Vec<(&Change, &Called)> =
            drift.iter().filter_map(|change| Some((change, all.get(&change.address)?))).collect();
        // What is not of AWS nobody there knows of.
        if changed.is_empty() {
            return;
        }
        let Some(ready) = self.remembered(name) else { return };
        let surroundings = Surroundings::with(&ready.env);
        let here = self.region(name, &ready, None).await.ok().map(|asked| asked.region);
        let role = self.stack(name).ok().and_then(|stack| stack.readiness.role.clone());
        let Asked { doers, nobody, unasked, unknown } = match self.since(name).await {
            Ok(since) => ask_trail(&surroundings, here.as_deref(), role.as_deref(), &changed, since).await,
            Err(error) => Asked { unknown: Some(CannotLook::Other(error.to_string())), ..Asked::default() },
        };
        let unknown = unknown.map(|error| words(&error));
        self.note(name, ready.redactor.redact_note(Note::Doers { doers, nobody, unasked, unknown }));
    }

    /// From when on others may have changed the stack: since Tidegate left it.
    async fn since(&self, name: &StackName) -> Result<Timestamp, crate::ledger::LedgerError> {
        let now = self.claim.store.now().await?;
        let left = self.states_left.get(name).and_then(|left| left.at);
        let left = if left.is_some() {
            left
        } else {
            let standings = crate::ledger::stacks::standings(&self.claim.store, &self.environment.name).await?;
            standings.get(name).and_then(|standing| standing.at)
        };
        let oldest = now.plus_ms(-BACK_MS);
        Ok(left.map_or(oldest, |left| left.max(oldest)))
    }
}

/// Asks who wrote to each of these, until all are asked about, or too much was asked.
async fn ask_trail(
    surroundings: &Surroundings,
    here: Option<&str>,
    role: Option<&str>,
    changed: &[(&Change, &Called)],
    since: Timestamp,
) -> Asked {
    let until = Instant::now() + PATIENCE;
    let mut clients: BTreeMap<String, (Signed, String)> = BTreeMap::new();
    let mut asked = Asked::default();
    let (mut questions, mut found) = (0_usize, vec![Look::Not; changed.len()]);
    // Each by its likeliest name first; only then by others.
    let deepest = changed.iter().map(|(_, called)| called.names.len()).max().unwrap_or_default();
    'asking: for depth in 0..deepest {
        for ((change, called), found) in changed.iter().zip(&mut found) {
            let Some(resource) = called.names.get(depth).filter(|_| *found != Look::Named) else { continue };
            if questions == QUESTIONS_MAX {
                break 'asking;
            }
            let Some(region) = called.region.as_deref().or(here) else { continue };
            if !clients.contains_key(region) {
                match timeout_at(until, known(surroundings, region, role)).await {
                    Ok(Ok(client)) => drop(clients.insert(region.to_owned(), client)),
                    Ok(Err(error)) => {
                        asked.unknown = Some(error);
                        break 'asking;
                    }
                    Err(_) => break 'asking,
                }
            }
            let Some((client, asked_in)) = clients.get(region) else { continue };
            if let Some(there) = called.account.as_ref().filter(|there| *there != asked_in) {
                asked.unknown = Some(elsewhere(there, asked_in));
                break 'asking;
            }
            if questions > 0 {
                sleep(REST).await;
            }
            questions += 1;
            match timeout_at(until, events(client, resource, since)).await {
                Ok(Ok(page)) => {
                    let look = asked.take(change, page);
                    // What was not read to its end under one name is not made up for by nobody under another.
                    if depth == 0 || look == Look::Named || *found == Look::Nobody {
                        *found = look;
                    }
                }
                Ok(Err(error)) => {
                    asked.unknown = Some(error);
                    break 'asking;
                }
                Err(_) => break 'asking,
            }
        }
    }
    let many = |wanted: Look| u32::try_from(found.iter().filter(|look| **look == wanted).count()).unwrap_or(u32::MAX);
    (asked.nobody, asked.unasked) = (many(Look::Nobody), many(Look::Not));
    asked
}

/// How far a resource was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Not, or not to the end.
    Not,
    /// Nobody was named.
    Nobody,
    /// Somebody was.
    Named,
}

impl Asked {
    fn take(&mut self, change: &Change, page: Page) -> Look {
        let more = page.more;
        let before = self.doers.len();
        self.doers.extend(page.wrote.into_iter().take(NAMED_MAX).map(|wrote| Doer {
            address: change.address.clone(),
            by: wrote.by,
            at: wrote.at,
            event: wrote.event,
        }));
        match (self.doers.len() > before, more) {
            (true, _) => Look::Named,
            (false, true) => Look::Not,
            (false, false) => Look::Nobody,
        }
    }
}

/// Whoever answers in a region, with the account that they answer for.
async fn known(surroundings: &Surroundings, region: &str, role: Option<&str>) -> Result<(Signed, String), CannotLook> {
    let client = Signed::connect(surroundings, region, role).await?;
    let identity = client.identity().await?;
    Ok((client, account(&identity).unwrap_or_default().to_owned()))
}

/// A name is one of many: in another account somebody else's resource has it.
fn elsewhere(there: &str, asked_in: &str) -> CannotLook {
    CannotLook::Other(format!(
        "what its state has is in the account {there}, and CloudTrail was asked in {asked_in}: give the stack the `role` that its provider \
         takes on"
    ))
}

/// The same question once more where others have asked too much.
async fn events(client: &Signed, resource: &str, since: Timestamp) -> Result<Page, CannotLook> {
    match client.events(resource, since).await {
        Err(CannotLook::Throttled(_)) => {
            sleep(2 * REST).await;
            client.events(resource, since).await
        }
        answer => answer,
    }
}

/// Why CloudTrail could not be asked, with what to do.
fn words(error: &CannotLook) -> String {
    let said = error.said();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let next = match error {
        CannotLook::Denied(_) => "allow `cloudtrail:LookupEvents`, or take `drift_who` out",
        other => other.next_step(),
    };
    format!("{error}{said}; next: {next}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::trail::Wrote;
    use crate::domain::changes::Action;

    #[test]
    fn of_one_resource_two_are_named_and_what_was_not_read_to_its_end_names_nobody_for_sure() {
        let change = Change { address: "aws_vpc.x".to_owned(), action: Action::Update, reason: None };
        let wrote = |by: &str| Wrote { by: by.to_owned(), at: Timestamp(1), event: "E".to_owned() };
        let mut asked = Asked::default();
        let all = vec![wrote("a"), wrote("b"), wrote("c")];
        assert_eq!(asked.take(&change, Page { wrote: all, more: true }), Look::Named);
        assert_eq!(asked.doers.iter().map(|doer| doer.by.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(asked.take(&change, Page { wrote: Vec::new(), more: true }), Look::Not);
        assert_eq!(asked.take(&change, Page::default()), Look::Nobody);
    }

    #[test]
    fn a_missing_right_is_named() {
        let told = words(&CannotLook::Denied("AccessDenied".to_owned()));
        assert!(told.contains("AccessDenied; next: allow `cloudtrail:LookupEvents`"), "{told}");
    }

    #[cfg(feature = "aws")]
    #[tokio::test]
    async fn each_is_asked_for_by_its_likeliest_name_first_and_a_refusal_ends_it() {
        use crate::capacity::scripted::Scripted;

        let update = |address: &str| Change { address: address.to_owned(), action: Action::Update, reason: None };
        let (group, base) = (update("aws_autoscaling_group.slaves"), update("aws_db_instance.main"));
        let called = |names: &[&str]| Called {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            region: None,
            account: Some("123456789012".to_owned()),
        };
        let identity = |account: &str| format!("<Arn>arn:aws:iam::{account}:user/tide</Arn>");
        let (slaves, shop) = (called(&["slaves", "arn:slaves"]), called(&["shop", "db-1"]));
        let changed = [(&group, &slaves), (&base, &shop)];
        let server = Scripted::answering(move |action, body| {
            if action == "GetCallerIdentity" {
                return (200, identity("123456789012"));
            }
            let event = serde_json::json!({ "EventName": "SetDesiredCapacity", "EventTime": 5.0, "Username": "ito" });
            let events = if body.contains(r#""slaves""#) { vec![event] } else { Vec::new() };
            (200, serde_json::json!({ "Events": events }).to_string())
        });
        let region = Some("ap-northeast-1");
        let asked = ask_trail(&server.surroundings(), region, None, &changed, Timestamp(0)).await;
        assert_eq!(
            asked.doers.iter().map(|doer| (doer.address.as_str(), doer.by.as_str())).collect::<Vec<_>>(),
            [(group.address.as_str(), "ito")]
        );
        assert_eq!((asked.nobody, asked.unasked, asked.unknown), (1, 0, None));
        let lookups = |server: &Scripted| {
            let all = server.asked();
            let all = all.iter().filter(|asked| asked.starts_with("LookupEvents"));
            all.map(|body| body.contains("slaves")).collect::<Vec<_>>()
        };
        let names = lookups(&server);
        assert_eq!(names, [true, false, false], "whoever is known is not asked for again");

        let closed = Scripted::answering(move |action, _| match action {
            "GetCallerIdentity" => (200, identity("123456789012")),
            _ => (400, r#"{"__type":"AccessDeniedException"}"#.to_owned()),
        });
        let asked = ask_trail(&closed.surroundings(), region, None, &changed, Timestamp(0)).await;
        assert!(matches!(asked.unknown, Some(CannotLook::Denied(_))), "{asked:?}");
        assert_eq!((lookups(&closed).len(), asked.unasked), (1, 2));
        let nowhere = ask_trail(&closed.surroundings(), None, None, &changed, Timestamp(0)).await;
        assert_eq!((nowhere.unasked, nowhere.unknown), (2, None));

        let other = Scripted::answering(move |_, _| (200, identity("999999999999")));
        let asked = ask_trail(&other.surroundings(), region, None, &changed, Timestamp(0)).await;
        assert!(matches!(&asked.unknown, Some(CannotLook::Other(why)) if why.contains("999999999999")), "{asked:?}");
        assert_eq!(lookups(&other), Vec::<bool>::new(), "another account has other things of that name");
    }
}

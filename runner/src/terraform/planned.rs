//! Which machines a saved plan starts and ends: by its Auto Scaling groups, and alone. From the values that the plan itself holds, as
//! `terraform show` would take as long again as the plan.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::drift::plain;
use super::msgpack;
use super::planfile::{ResourceChange, parts};

/// How machines are paid for: each way has a quota of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Market {
    /// At the list price.
    OnDemand,
    /// As long as nobody else wants them.
    Spot,
}

/// Machines of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machines {
    /// How they are paid for.
    pub market: Market,
    /// The types of which each may be one; AWS chooses.
    pub types: Vec<String>,
    /// How many more there are afterwards, or fewer.
    pub count: i64,
}

/// What a plan does to machines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// Machines that it starts or ends; none twice.
    pub machines: Vec<Machines>,
    /// How many more Auto Scaling groups there are afterwards, or fewer.
    pub groups: i64,
    /// Addresses of groups and instances of which it cannot be told.
    pub untold: Vec<String>,
}

const GROUP: &str = "aws_autoscaling_group";
const TEMPLATE: &str = "aws_launch_template";
const INSTANCE: &str = "aws_instance";

/// Whether the address is that of something that starts or ends machines.
#[must_use]
pub fn is_of_machines(address: &str) -> bool {
    matches!(plain(address).split('.').next(), Some(GROUP | INSTANCE))
}

/// Reads the plan at `plan`; `None` where its values cannot be told, as of OpenTofu's encrypted plans.
#[must_use]
pub fn planned(plan: &Path) -> Option<Planned> {
    let changes = parts(plan)?.resource_changes;
    let all: Vec<Changed> = changes.iter().filter_map(changed).collect();
    Some(counted(&all))
}

/// An Auto Scaling group that is to be of a size which its own bounds forbid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfBounds {
    /// Its address.
    pub address: String,
    /// `desired_capacity`.
    pub desired: i64,
    /// `min_size`.
    pub least: i64,
    /// `max_size`.
    pub most: i64,
}

/// The groups of the plan at `plan` that AWS will take by no means. Its provider tries an update for ten minutes all the same, without a word
/// (`resourceGroupUpdate`, which takes every `ValidationError` for one that passes).
#[must_use]
pub fn out_of_bounds(plan: &Path) -> Vec<OutOfBounds> {
    let Some(parts) = parts(plan) else { return Vec::new() };
    parts.resource_changes.iter().filter_map(changed).filter_map(|changed| beyond(&changed)).collect()
}

fn beyond(changed: &Changed<'_>) -> Option<OutOfBounds> {
    let after = changed.after.as_ref().filter(|_| changed.kind == GROUP)?;
    let now = changed.before.as_ref().and_then(|before| number(&before["desired_capacity"]));
    // What stays is not sent where the group stays: there AWS moves it into bounds that changed.
    let desired = number(&after["desired_capacity"]).filter(|desired| changed.anew || now != Some(*desired))?;
    let (least, most) = (number(&after["min_size"])?, number(&after["max_size"])?);
    let within = least <= desired && desired <= most;
    (!within).then(|| OutOfBounds { address: changed.address.to_owned(), desired, least, most })
}

/// A group, an instance or a template, with what is and what will be.
#[derive(Debug)]
struct Changed<'p> {
    address: &'p str,
    kind: String,
    before: Option<Value>,
    after: Option<Value>,
    /// It is made anew.
    anew: bool,
    /// It is made anew before the old one goes.
    both_at_once: bool,
}

/// Source of the actions: the enumeration `Action` in Terraform's `internal/plans/planproto/planfile.proto`.
fn changed(change: &ResourceChange) -> Option<Changed<'_>> {
    let kind = plain(&change.address).split('.').next()?.to_owned();
    if !matches!(kind.as_str(), GROUP | TEMPLATE | INSTANCE) || !change.deposed_key.is_empty() {
        return None;
    }
    let of = change.change.as_ref()?;
    let mut values = of.values.iter().map(|value| msgpack::read(&value.msgpack));
    let mut next = || values.next().flatten();
    let (before, after) = match of.action {
        // As it is.
        0 => {
            let value = next();
            (value.clone(), value)
        }
        1 => (None, next()),
        3 | 6 | 7 => (next(), next()),
        5 => (next(), None),
        _ => return None,
    };
    Some(Changed {
        address: &change.address,
        kind,
        before,
        after,
        anew: matches!(of.action, 6 | 7),
        both_at_once: of.action == 7,
    })
}

fn counted(all: &[Changed<'_>]) -> Planned {
    let mut planned = Planned::default();
    let mut counts: BTreeMap<(Market, Vec<String>), i64> = BTreeMap::new();
    for changed in all.iter().filter(|changed| changed.kind != TEMPLATE && changed.before != changed.after) {
        if changed.kind == GROUP {
            planned.groups += i64::from(changed.after.is_some());
            planned.groups -= i64::from(changed.before.is_some() && !changed.both_at_once);
        }
        let sides = [(&changed.before, -1), (&changed.after, 1)];
        for (value, sign) in sides.into_iter().filter(|(_, sign)| *sign > 0 || !changed.both_at_once) {
            let Some(value) = value else { continue };
            let told = if changed.kind == GROUP { group(changed, value, all, sign < 0) } else { instance(value) };
            match told {
                Some(told) => told.into_iter().for_each(|(market, types, count)| {
                    *counts.entry((market, types)).or_default() += sign * count;
                }),
                None if planned.untold.iter().any(|untold| untold == changed.address) => {}
                None => planned.untold.push(changed.address.to_owned()),
            }
        }
    }
    let machines = counts.into_iter().filter(|(_, count)| *count != 0);
    planned.machines = machines.map(|((market, types), count)| Machines { market, types, count }).collect();
    planned
}

type Told = Vec<(Market, Vec<String>, i64)>;

fn instance(value: &Value) -> Option<Told> {
    Some(vec![(market(value), vec![value["instance_type"].as_str()?.to_owned()], 1)])
}

fn market(value: &Value) -> Market {
    let options = &value["instance_market_options"][0]["market_type"];
    if options.as_str() == Some("spot") { Market::Spot } else { Market::OnDemand }
}

/// The machines of a group with these values: as many as it wants, or at least as many as it must have where that is left to AWS.
fn group(changed: &Changed<'_>, value: &Value, all: &[Changed<'_>], before: bool) -> Option<Told> {
    let desired = number(&value["desired_capacity"]).or_else(|| number(&value["min_size"]))?;
    let mixed = &value["mixed_instances_policy"][0];
    let template_of = |specification: &Value| template(changed.address, specification, all, before);
    if mixed.is_null() {
        let template = template_of(&value["launch_template"][0])?;
        return Some(vec![(market(template), vec![template["instance_type"].as_str()?.to_owned()], desired)]);
    }
    let launch = &mixed["launch_template"][0];
    let overrides = launch["override"].as_array().map(Vec::as_slice).unwrap_or_default();
    // With weights the group counts something else than machines.
    let weighs = |one: &Value| one["weighted_capacity"].as_str().is_some_and(|weight| !matches!(weight, "" | "1"));
    if overrides.iter().any(weighs) {
        return None;
    }
    let types: Option<Vec<String>> = if overrides.is_empty() {
        let template = template_of(&launch["launch_template_specification"][0])?;
        template["instance_type"].as_str().map(|name| vec![name.to_owned()])
    } else {
        overrides.iter().map(|one| Some(one["instance_type"].as_str()?.to_owned())).collect()
    };
    let types = types?;
    let distribution = &mixed["instances_distribution"][0];
    let base = number(&distribution["on_demand_base_capacity"]).unwrap_or(0).clamp(0, desired.max(0));
    // Source: the default of `OnDemandPercentageAboveBaseCapacity` in the API reference of Auto Scaling.
    let percent = number(&distribution["on_demand_percentage_above_base_capacity"]).unwrap_or(100).clamp(0, 100);
    let above = desired.saturating_sub(base).saturating_mul(percent);
    let on_demand = base + above / 100 + i64::from(above % 100 > 0);
    Some(vec![(Market::OnDemand, types.clone(), on_demand), (Market::Spot, types, desired - on_demand)])
}

/// The launch template that is named: by id or name, and where neither is known yet the one of the same module, if there is one only.
fn template<'p>(group: &str, named: &Value, all: &'p [Changed<'_>], before: bool) -> Option<&'p Value> {
    if named.is_null() {
        return None;
    }
    let side = |one: &'p Changed<'_>| if before { one.before.as_ref() } else { one.after.as_ref() };
    let templates = || all.iter().filter(|one| one.kind == TEMPLATE).filter_map(|one| Some((one.address, side(one)?)));
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let key = |short: &str, long: &str| text(&named[short]).or_else(|| text(&named[long]));
    if let Some(id) = key("id", "launch_template_id") {
        return templates().find(|(_, value)| text(&value["id"]).as_ref() == Some(&id)).map(|(_, value)| value);
    }
    if let Some(name) = key("name", "launch_template_name") {
        return templates().find(|(_, value)| text(&value["name"]).as_ref() == Some(&name)).map(|(_, value)| value);
    }
    let own = module(group);
    let mut near = templates().filter(|(address, value)| module(address) == own && text(&value["id"]).is_none());
    near.next().filter(|_| near.next().is_none()).map(|(_, value)| value)
}

/// `module.a["x.y"]` of `module.a["x.y"].aws_instance.web[0]`; empty for the root.
fn module(address: &str) -> &str {
    let (mut depth, mut dots) = (0_u32, Vec::new());
    for (at, c) in address.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => dots.push(at),
            _ => {}
        }
    }
    let end = dots.len().checked_sub(2).and_then(|at| dots.get(at)).copied();
    end.and_then(|end| address.get(..end)).unwrap_or_default()
}

fn number(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers only, and a wrong one is out of any range")]
    let whole = |number: f64| (number.fract() == 0.0).then_some(number as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of<'p>(address: &'p str, before: &Value, after: &Value) -> Changed<'p> {
        let side = |value: &Value| (!value.is_null()).then(|| value.clone());
        let kind = plain(address).split('.').next().expect("a type").to_owned();
        Changed { address, kind, before: side(before), after: side(after), anew: false, both_at_once: false }
    }

    fn told(all: &[Changed<'_>]) -> Vec<(Market, String, i64)> {
        let planned = counted(all);
        assert_eq!(planned.untold, Vec::<String>::new());
        planned.machines.into_iter().map(|m| (m.market, m.types.join("|"), m.count)).collect()
    }

    const SLAVES: &str = "module.jmeter.aws_autoscaling_group.slaves[0]";

    #[test]
    fn a_group_beyond_its_own_bounds_is_found_where_its_size_is_sent() {
        let sized = |desired: i64, least: i64, most: i64| json!({ "desired_capacity": desired, "min_size": least, "max_size": most });
        let found = |before: &Value, after: &Value| beyond(&of(SLAVES, before, after)).map(|group| group.desired);
        assert_eq!(found(&Value::Null, &sized(9, 0, 5)), Some(9));
        assert_eq!(found(&sized(4, 0, 5), &sized(9, 0, 5)), Some(9));
        assert_eq!(found(&sized(4, 2, 5), &sized(1, 2, 5)), Some(1));
        assert_eq!(found(&sized(4, 0, 5), &sized(5, 0, 5)), None);
        assert_eq!(found(&sized(4, 0, 5), &sized(4, 0, 3)), None, "AWS lowers it itself");
        assert_eq!(found(&sized(9, 0, 5), &Value::Null), None);
        let unknown = json!({ "desired_capacity": 9, "min_size": 0, "max_size": null });
        assert_eq!(found(&Value::Null, &unknown), None);
        let group = beyond(&of(SLAVES, &Value::Null, &sized(9, 1, 5))).expect("one");
        assert_eq!((group.address.as_str(), group.least, group.most), (SLAVES, 1, 5));
        // Made anew it is sent, also where it stays.
        let anew = |anew: bool| Changed { anew, ..of(SLAVES, &sized(9, 1, 9), &sized(9, 1, 5)) };
        assert_eq!([false, true].map(|one| beyond(&anew(one)).is_some()), [false, true]);
        assert_eq!(beyond(&of("aws_instance.one", &Value::Null, &sized(9, 0, 5))), None);
    }

    /// Plans of Terraform 1.11 with the AWS provider 5.100, of `tests/aws/lean` on the emulator: made with four, grown to forty, looked at
    /// after somebody changed it by hand.
    #[test]
    fn plans_that_terraform_itself_saved_are_read() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/terraform/samples");
        let machines = |count| vec![Machines { market: Market::OnDemand, types: vec!["c6i.xlarge".to_owned()], count }];
        for (sample, count, groups) in [("made", 4, 1), ("grown", 36, 0)] {
            let told = planned(&samples.join(format!("{sample}.plan"))).expect("a plan");
            assert_eq!(told, Planned { machines: machines(count), groups, untold: Vec::new() }, "{sample}");
        }
        assert_eq!(planned(&samples.join("drifted.plan")), Some(Planned::default()), "nothing is started by looking");
        assert_eq!(planned(Path::new("/dev/null")), None);
    }

    #[test]
    fn a_group_that_grows_starts_what_its_template_says() {
        let template = json!({ "id": "lt-1", "instance_type": "c6i.xlarge" });
        let slaves = |desired: i64| json!({ "desired_capacity": desired, "launch_template": [{ "id": "lt-1" }] });
        let all = [of("aws_launch_template.x", &template, &template), of(SLAVES, &slaves(2), &slaves(40))];
        assert_eq!(told(&all), [(Market::OnDemand, "c6i.xlarge".to_owned(), 38)]);
        let all = [of("aws_launch_template.x", &template, &template), of(SLAVES, &slaves(40), &slaves(2))];
        assert_eq!(told(&all), [(Market::OnDemand, "c6i.xlarge".to_owned(), -38)]);
        let same = [of("aws_launch_template.x", &template, &template), of(SLAVES, &slaves(2), &slaves(2))];
        assert_eq!(told(&same), []);
    }

    #[test]
    fn a_group_that_is_made_takes_the_one_template_of_its_module_and_counts_what_is_spot() {
        let template = |name: &str| json!({ "id": null, "instance_type": name });
        let none = Value::Null;
        let slaves = json!({ "desired_capacity": 40, "mixed_instances_policy": [{
            "instances_distribution": [{ "on_demand_base_capacity": null, "on_demand_percentage_above_base_capacity": 25 }],
            "launch_template": [{ "launch_template_specification": [{ "launch_template_id": null }], "override": [] }],
        }] });
        let all = [
            of("module.jmeter.aws_launch_template.slave", &none, &template("c6i.xlarge")),
            of("module.app.aws_launch_template.web", &none, &template("m6i.large")),
            of(SLAVES, &none, &slaves),
        ];
        let name = "c6i.xlarge".to_owned();
        assert_eq!(told(&all), [(Market::OnDemand, name.clone(), 10), (Market::Spot, name, 30)]);
        assert_eq!(counted(&all).groups, 1);
        let two = [
            of("module.jmeter.aws_launch_template.slave", &none, &template("c6i.xlarge")),
            of("module.jmeter.aws_launch_template.other", &none, &template("m6i.large")),
            of(SLAVES, &none, &slaves),
        ];
        assert_eq!(counted(&two).untold, [SLAVES], "which of the two it is nobody knows yet");
    }

    #[test]
    fn types_of_a_list_are_told_together_and_weights_are_not_told() {
        let mixed = |weight: Value| {
            json!({ "desired_capacity": null, "min_size": 3, "mixed_instances_policy": [{ "launch_template": [{ "override": [
                { "instance_type": "c6i.xlarge", "weighted_capacity": weight }, { "instance_type": "c5.xlarge" },
            ] }] }] })
        };
        let all = [of(SLAVES, &Value::Null, &mixed(json!("")))];
        assert_eq!(told(&all), [(Market::OnDemand, "c6i.xlarge|c5.xlarge".to_owned(), 3)]);
        assert_eq!(counted(&[of(SLAVES, &Value::Null, &mixed(json!("2")))]).untold, [SLAVES]);
    }

    #[test]
    fn an_instance_of_another_type_starts_one_and_ends_one() {
        let of_type = |name: &str| json!({ "instance_type": name, "tags": null });
        let all = [of("aws_instance.master", &of_type("m5.large"), &of_type("m5.4xlarge"))];
        let all = told(&all);
        assert_eq!(
            all,
            [(Market::OnDemand, "m5.4xlarge".to_owned(), 1), (Market::OnDemand, "m5.large".to_owned(), -1)]
        );
        let tagged = json!({ "instance_type": "m5.large", "tags": {} });
        assert_eq!(told(&[of("aws_instance.master", &of_type("m5.large"), &tagged)]), []);
        let first = Changed { both_at_once: true, ..of("aws_instance.master", &of_type("m5.large"), &tagged) };
        assert_eq!(told(&[first]), [(Market::OnDemand, "m5.large".to_owned(), 1)], "the old one goes afterwards");
    }

    #[test]
    fn the_module_of_an_address_is_what_stands_before_its_type() {
        assert_eq!(module("module.a[\"x.y\"].aws_instance.web[0]"), "module.a[\"x.y\"]");
        assert_eq!(module("aws_instance.web"), "");
        assert!(is_of_machines(SLAVES) && !is_of_machines("aws_instance_x.web") && !is_of_machines("aws_vpc.x"));
    }
}

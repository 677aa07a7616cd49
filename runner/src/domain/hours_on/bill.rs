//! Hours in money, by the rates that people wrote at the profiles.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Spans, Stood};
use crate::domain::environment::{Environment, Level, OffAction};
use crate::domain::ids::ProfileName;

/// Milliseconds of an hour.
const HOUR_MS: f64 = 3_600_000.0;

/// What an environment's levels cost, as people wrote it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Money {
    /// In which currency: `USD`. There is one where there is a rate.
    pub currency: Option<String>,
    /// For an hour at each profile. At least 0 and finite.
    pub rates: BTreeMap<ProfileName, f64>,
}

/// What it costs to be at a profile for a while, by the rates that people wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// In which currency.
    pub currency: String,
    /// For an hour.
    pub an_hour: f64,
    /// For how long, in milliseconds.
    pub for_ms: i64,
}

impl Cost {
    /// `None` where that profile has no rate.
    #[must_use]
    pub fn of(money: &Money, level: &Level, for_ms: i64) -> Option<Self> {
        let Level::Profile(profile) = level else { return None };
        let (currency, an_hour) = (money.currency.clone()?, *money.rates.get(profile)?);
        Some(Self { currency, an_hour, for_ms })
    }

    /// For all of that time.
    #[must_use]
    pub fn in_all(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "years of milliseconds are exact")]
        let hours = self.for_ms as f64 / 3_600_000.0;
        self.an_hour * hours
    }
}

/// What a span of time cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    /// In which currency.
    pub currency: String,
    /// What each part cost, in the order of [`Spans`]; those of which no rate is known are not there.
    pub parts: BTreeMap<Stood, f64>,
    /// Milliseconds of which no rate is known: they are in no sum.
    pub unpriced: Spans,
    /// What the parts that are known cost together.
    pub cost: f64,
    /// What the same parts would have cost at the level of `up`; `None` where that has no rate.
    pub always: Option<f64>,
}

impl Bill {
    /// What was saved against always being up, over the parts that are known.
    #[must_use]
    pub fn saved(&self) -> Option<f64> {
        self.always.map(|always| always - self.cost)
    }
}

/// What these spans cost; `None` where no profile has a rate. What is in doubt costs what `up` costs: nobody knows better. What
/// is not known is in no sum.
#[must_use]
pub fn bill(environment: &Environment, spans: &Spans) -> Option<Bill> {
    let Money { currency, rates } = &environment.money;
    if rates.is_empty() {
        return None;
    }
    let up = rates.get(&environment.up).copied();
    let mut bill = Bill {
        currency: currency.clone().unwrap_or_default(),
        parts: BTreeMap::new(),
        unpriced: Spans::new(),
        cost: 0.0,
        always: up.map(|_| 0.0),
    };
    for (stood, ms) in spans {
        let rate = match stood {
            Stood::At(Level::Profile(name)) => rates.get(name).copied(),
            Stood::At(Level::Off) => leaves_nothing(environment).then_some(0.0),
            Stood::InDoubt => up,
            Stood::NotKnown => continue,
        };
        let Some(rate) = rate else {
            bill.unpriced.insert(stood.clone(), *ms);
            continue;
        };
        let hours = hours(*ms);
        bill.parts.insert(stood.clone(), rate * hours);
        bill.cost += rate * hours;
        bill.always = bill.always.zip(up).map(|(always, up)| always + up * hours);
    }
    Some(bill)
}

/// Hours of milliseconds.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a month has 2^32 milliseconds, a double takes 2^53")]
pub fn hours(ms: i64) -> f64 {
    ms as f64 / HOUR_MS
}

/// True where nothing stays at `off`, so that it costs nothing.
fn leaves_nothing(environment: &Environment) -> bool {
    environment.protect.is_empty() && environment.stacks.values().all(|stack| stack.off == OffAction::Destroy)
}

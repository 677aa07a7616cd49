//! WHERE clauses made of those filters that are set: `$1 IS NULL OR ...` would keep SQLite from using an index.

/// Where an actor id can come from; see [`crate::domain::ids::ActorId`].
const WHERES: [&str; 4] = ["local", "slack", "discord", "clock"];

/// A value to bind.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Number(i64),
    Text(String),
}

/// Conditions that all must hold, with the values for their placeholders.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    all: Vec<String>,
    pub(super) values: Vec<Value>,
}

/// The ids that people may have who are called so, separated by commas: an id itself (`local:ito`), or the part after the colon.
pub(super) fn actor_ids(by: &str) -> Vec<String> {
    let ids = |one: &str| {
        if one.contains(':') { vec![one.to_owned()] } else { WHERES.map(|place| format!("{place}:{one}")).to_vec() }
    };
    let all = by.split(',').map(|one| one.trim_start_matches('@')).filter(|one| !one.is_empty()).flat_map(ids);
    // A name can mean an id that is named beside it: each is asked for once.
    let mut seen = std::collections::BTreeSet::new();
    all.filter(|id| seen.insert(id.clone())).collect()
}

impl Conditions {
    /// A condition whose last part is the value: `environment =`.
    pub(super) fn add(&mut self, condition: &str, value: Value) {
        let place = self.place(value);
        self.all.push(format!("{condition} {place}"));
    }

    /// A condition as it is. Never with text of others in it.
    pub(super) fn fixed(&mut self, condition: impl Into<String>) {
        self.all.push(condition.into());
    }

    /// That a column is one of these texts.
    pub(super) fn any_of(&mut self, column: &str, texts: impl IntoIterator<Item = String>) {
        let mut places: Vec<_> = texts.into_iter().map(|text| self.place(Value::Text(text))).collect();
        match (places.pop(), places.is_empty()) {
            // Not IN with one value: PostgreSQL minds not, SQLite then sorts instead of following an index.
            (Some(only), true) => self.all.push(format!("{column} = {only}")),
            (Some(last), false) => self.all.push(format!("{column} IN ({}, {last})", places.join(", "))),
            (None, _) => self.all.push("FALSE".to_owned()),
        }
    }

    /// The WHERE clause.
    pub(super) fn sql(&self) -> String {
        if self.all.is_empty() { "WHERE TRUE".to_owned() } else { format!("WHERE {}", self.all.join(" AND ")) }
    }

    /// Keeps a value and gives its placeholder.
    pub(super) fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

/// Binds the values of conditions, whichever database the query is for.
macro_rules! with_values {
    ($query:expr, $values:expr) => {
        $values.iter().fold($query, |query, value| match value {
            $crate::ledger::conditions::Value::Number(number) => query.bind(*number),
            $crate::ledger::conditions::Value::Text(text) => query.bind(text.as_str()),
        })
    };
}

//! The `validation` conditions of variables, as far as they are simple comparisons: those can be held against a configured
//! value without Terraform. Of a condition that is joined by `&&`, each part that is simple counts; the others are left to the plan.

use hcl_edit::expr::{BinaryOperator, Expression, TraversalOperator};
use serde_json::Value;

use super::block::Block;
use super::{Location, Type, plain};

/// What the simple parts of one condition ask of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The condition as it is written.
    pub text: String,
    /// What the root says to whoever breaks it; empty when that is not a plain text.
    pub message: String,
    /// Where it stands.
    pub at: Location,
    demands: Vec<Demand>,
}

#[derive(Debug, Clone, PartialEq)]
enum Demand {
    /// `var.x >= 1`
    Compare(BinaryOperator, Value),
    /// `contains(["a", "b"], var.x)`
    OneOf(Vec<Value>),
}

impl Condition {
    /// Reads a `validation` block of a variable; `None` when nothing in its condition is simple.
    pub(super) fn read(variable: &str, block: &Block<'_>) -> Option<Self> {
        let condition = block.body.argument("condition")?;
        let mut demands = Vec::new();
        condition.with_expression(|expression| gather(expression, variable, &mut demands))?;
        let message = block.body.text("error_message").unwrap_or_default().to_owned();
        (!demands.is_empty()).then(|| Self { text: condition.written(), message, at: condition.at(), demands })
    }

    /// True when a value of a variable of type `kind` surely breaks it. A null, or a value of another type, does not.
    #[must_use]
    pub fn is_broken_by(&self, kind: &Type, value: &Value) -> bool {
        let value = converted(kind, value);
        self.demands.iter().any(|demand| match demand {
            Demand::Compare(operator, limit) => !compare(*operator, &value, limit).unwrap_or(true),
            // A comparison of different types is Terraform's business; here one such leaves all open.
            Demand::OneOf(list) => list.iter().all(|item| equal(&value, item) == Some(false)),
        })
    }
}

fn gather(expression: &Expression, variable: &str, demands: &mut Vec<Demand>) {
    match expression {
        Expression::Parenthesis(inner) => gather(inner.inner(), variable, demands),
        Expression::BinaryOp(operation) => {
            let (left, right) = (&operation.lhs_expr, &operation.rhs_expr);
            let operator = *operation.operator.value();
            if operator == BinaryOperator::And {
                gather(left, variable, demands);
                gather(right, variable, demands);
            } else if is_variable(left, variable) {
                demands.extend(plain::value(right).map(|limit| Demand::Compare(operator, limit)));
            } else if is_variable(right, variable) {
                demands.extend(plain::value(left).map(|limit| Demand::Compare(turned(operator), limit)));
            }
        }
        Expression::FuncCall(call) if call.name.name.as_str() == "contains" && !call.name.is_namespaced() => {
            if let (Some(list), Some(value), 2) = (call.args.get(0), call.args.get(1), call.args.len())
                && is_variable(value, variable)
                && let Some(Value::Array(list)) = plain::value(list)
            {
                demands.push(Demand::OneOf(list));
            }
        }
        _ => {}
    }
}

/// `var.NAME`, nothing behind it.
fn is_variable(expression: &Expression, name: &str) -> bool {
    let Expression::Traversal(traversal) = expression else { return false };
    let root = matches!(&traversal.expr, Expression::Variable(root) if root.as_str() == "var");
    let [only] = traversal.operators.as_slice() else { return false };
    root && matches!(only.value(), TraversalOperator::GetAttr(attribute) if attribute.as_str() == name)
}

/// The operator with its sides exchanged.
fn turned(operator: BinaryOperator) -> BinaryOperator {
    match operator {
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessEq => BinaryOperator::GreaterEq,
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterEq => BinaryOperator::LessEq,
        other => other,
    }
}

/// `value` as Terraform hands it to the condition of a variable of this type.
fn converted(kind: &Type, value: &Value) -> Value {
    match (kind, value) {
        (Type::Number, Value::String(text)) => {
            text.parse().ok().and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
        }
        (Type::String, Value::Number(_) | Value::Bool(_)) => Value::String(value.to_string()),
        (Type::Bool, Value::String(text)) => Value::Bool(matches!(text.as_str(), "true" | "1")),
        _ => value.clone(),
    }
}

/// Whether `value OPERATOR limit` holds; `None` when that is not known here.
fn compare(operator: BinaryOperator, value: &Value, limit: &Value) -> Option<bool> {
    let numbers = || Some((value.as_f64()?, limit.as_f64()?));
    match operator {
        BinaryOperator::Eq => equal(value, limit),
        BinaryOperator::NotEq => equal(value, limit).map(|equal| !equal),
        BinaryOperator::Less => numbers().map(|(value, limit)| value < limit),
        BinaryOperator::LessEq => numbers().map(|(value, limit)| value <= limit),
        BinaryOperator::Greater => numbers().map(|(value, limit)| value > limit),
        BinaryOperator::GreaterEq => numbers().map(|(value, limit)| value >= limit),
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Mul
        | BinaryOperator::Div
        | BinaryOperator::Mod
        | BinaryOperator::And
        | BinaryOperator::Or => None,
    }
}

fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64()?, b.as_f64()?);
            Some(a.partial_cmp(&b) == Some(std::cmp::Ordering::Equal))
        }
        (Value::String(a), Value::String(b)) => Some(a == b),
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn broken(kind: &Type, condition: &str, value: &Value) -> bool {
        let mut demands = Vec::new();
        gather(&hcl_edit::parser::parse_expr(condition).expect("an expression"), "x", &mut demands);
        let at = Location { file: "x.tf".into(), line: 1 };
        Condition { text: String::new(), message: String::new(), at, demands }.is_broken_by(kind, value)
    }

    #[test]
    fn simple_comparisons_are_held_against_values_and_all_else_is_left_open() {
        for (condition, bad, good) in [
            ("var.x >= 1", json!(0), json!(1)),
            ("var.x > 1", json!(1), json!(2)),
            ("(var.x >= 1) && var.x <= 10", json!(11), json!(10)),
            ("var.x >= 1 && var.x <= 10", json!("0"), json!("3")),
            ("1 <= var.x", json!(0), json!(1)),
            ("var.x != 3", json!(3), json!(4)),
            ("var.x == -2.5", json!(3), json!(-2.5)),
            ("contains([1, 2, 4], var.x)", json!(3), json!(4)),
            ("var.x >= 1 && floor(var.x) == var.x", json!(0), json!(1.5)),
        ] {
            assert!(broken(&Type::Number, condition, &bad), "{condition} {bad}");
            assert!(!broken(&Type::Number, condition, &good), "{condition} {good}");
        }
        let small = "contains([\"small\", \"large\"], var.x)";
        assert!(broken(&Type::String, small, &json!("huge")) && !broken(&Type::String, small, &json!("small")));
        assert!(broken(&Type::String, "var.x != \"3\"", &json!(3)));
        assert!(broken(&Type::Bool, "var.x == true", &json!("false")));
        for condition in [
            "var.x >= 1 || var.x == 0",
            "var.y >= 1",
            "var.x.a >= 1",
            "var.x[0] >= 1",
            "length(var.x) > 1",
            "var.x >= var.y",
            "contains(var.y, var.x)",
            "contains([1, var.y], var.x)",
            "provider::a::contains([1], var.x)",
            "!(var.x == 0)",
            "var.x == \"0\"",
            "contains([\"0\", 1], var.x)",
        ] {
            assert!(!broken(&Type::Number, condition, &json!(0)), "{condition}");
        }
        assert!(!broken(&Type::Number, "var.x >= 1", &Value::Null));
        assert!(!broken(&Type::Number, "var.x >= 1", &json!("much")));
    }
}

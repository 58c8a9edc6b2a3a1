//! Combines the health of all functions into one response.

use serde_json::{Map, Value, json};

/// The responses so far.
#[derive(Debug, Clone, Default)]
pub struct Report {
    functions: Map<String, Value>,
    is_unwell: bool,
}

impl Report {
    /// Adds a function's response; `None` means that there was none in time. Unexpected members are ignored.
    pub fn add(&mut self, name: String, answer: Option<Value>) {
        let status = |of: &Value| of.get("status").and_then(Value::as_str).map(str::to_owned);
        let (entry, is_well) = match answer.as_ref().map(|answer| (status(answer), answer)) {
            Some((Some(status), _)) if status == "ok" => (json!({ "status": "ok" }), true),
            Some((Some(status), answer)) if status == "unavailable" => {
                (unwell(status, answer.get("missing")), false)
            }
            _ => (json!({ "status": "unreachable" }), false),
        };
        self.is_unwell |= !is_well;
        self.functions.insert(name, entry);
    }

    /// Returns status and body. Only operators learn which function is not healthy.
    pub fn answer(self, is_operator: bool) -> (u16, Value) {
        let (code, status) = if self.is_unwell {
            (503, "unavailable")
        } else {
            (200, "ok")
        };
        let body = match is_operator {
            true => json!({ "status": status, "functions": self.functions }),
            false => json!({ "status": status }),
        };
        (code, body)
    }
}

/// Describes an unhealthy function, with `missing` if it was asked with the operator's token.
fn unwell(status: String, missing: Option<&Value>) -> Value {
    match missing {
        Some(missing) => json!({ "status": status, "missing": missing }),
        None => json!({ "status": status }),
    }
}

/// Returns the function's name for a service binding: `AI_PLAYLIST` is `ai-playlist`.
pub fn function_name(binding: &str) -> String {
    binding.replace('_', "-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(answers: &[(&str, Option<Value>)]) -> (u16, Value) {
        let mut report = Report::default();
        for (name, answer) in answers {
            report.add((*name).to_owned(), answer.clone());
        }
        report.answer(true)
    }

    #[test]
    fn only_operators_learn_which_function_is_unhealthy() {
        for (answer, told) in [
            (
                Some(json!({"status": "ok"})),
                (200, json!({"status": "ok"})),
            ),
            (
                Some(json!({"status": "unavailable", "missing": ["stripe"]})),
                (503, json!({"status": "unavailable"})),
            ),
            (None, (503, json!({"status": "unavailable"}))),
        ] {
            let mut report = Report::default();
            report.add("billing".to_owned(), answer);
            assert_eq!(report.answer(false), told);
        }
    }

    #[test]
    fn all_healthy_functions_return_200() {
        let answer = report(&[
            ("account", Some(json!({"status": "ok"}))),
            ("billing", Some(json!({"status": "ok"}))),
        ]);
        let functions = json!({"account": {"status": "ok"}, "billing": {"status": "ok"}});
        assert_eq!(
            answer,
            (200, json!({"status": "ok", "functions": functions}))
        );
    }

    #[test]
    fn one_unhealthy_function_returns_503() {
        let answer = report(&[
            ("account", Some(json!({"status": "ok"}))),
            (
                "ai-playlist",
                Some(json!({"status": "unavailable", "missing": ["language_model"], "more": 1})),
            ),
            ("billing", None),
        ]);
        let functions = json!({
            "account": {"status": "ok"},
            "ai-playlist": {"status": "unavailable", "missing": ["language_model"]},
            "billing": {"status": "unreachable"},
        });
        assert_eq!(
            answer,
            (
                503,
                json!({"status": "unavailable", "functions": functions})
            )
        );
    }

    #[test]
    fn malformed_health_counts_as_unreachable() {
        for answer in [
            json!("ok"),
            json!({"status": "fine"}),
            json!({}),
            json!({"code": "internal_error"}),
        ] {
            let (code, body) = report(&[("account", Some(answer.clone()))]);
            assert_eq!(
                (code, &body["functions"]["account"]["status"]),
                (503, &json!("unreachable")),
                "{answer}"
            );
        }
    }

    #[test]
    fn binding_names_map_to_function_names() {
        assert_eq!(function_name("AI_PLAYLIST"), "ai-playlist");
    }
}

use serde_json::Value;

/// Returns the value at a path of members, such as `/error/code`; an empty path is the value itself.
///
/// `Value::pointer` does the same, but allocates two texts for each step.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/')
        .skip(1)
        .try_fold(value, |value, member| value.get(member))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_members_at_every_depth() {
        let value = json!({"a": {"b": 1}, "c": [{"d": 2}]});
        for (path, expected) in [
            ("", Some(&value)),
            ("/a/b", Some(&json!(1))),
            ("/a/x", None),
            ("/c/d", None),
            ("/a/b/c", None),
        ] {
            assert_eq!(at(&value, path), expected, "{path}");
        }
    }
}

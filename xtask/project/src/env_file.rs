//! Files of NAME=value.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::workspace::Variables;

pub fn read(file: &Path) -> Result<Variables> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| file.display().to_string())
}

/// Reads the file without names that have an empty value.
pub fn parse(text: &str) -> Result<Variables> {
    let pairs = dotenvy::from_read_iter(text.as_bytes()).collect::<Result<Variables, _>>();
    let mut all = pairs.map_err(|error| refusal(text, &error))?;
    all.retain(|_, value| !value.is_empty());
    Ok(all)
}

/// Names the line without showing it, because it may contain a secret.
fn refusal(text: &str, error: &dotenvy::Error) -> anyhow::Error {
    let rest = match error {
        dotenvy::Error::LineParse(rest, _) => rest.lines().next().unwrap_or_default().trim_end(),
        _ => "",
    };
    let index = text
        .lines()
        .position(|line| line.trim_end().ends_with(rest))
        .unwrap_or_default();
    anyhow!(
        "line {}: expected NAME=value, in quotes where the value has spaces",
        index + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_be_quoted_commented_and_exported() {
        let all =
            parse("# c\n\nexport A = 1 # one\nB=\"x # y\" # z\nC='$A \"'\nD=a=b\nE=\n").unwrap();
        let expected = [("A", "1"), ("B", "x # y"), ("C", "$A \""), ("D", "a=b")];
        assert_eq!(
            all,
            expected
                .map(|(name, value)| (name.into(), value.into()))
                .into()
        );
    }

    #[test]
    fn a_line_that_is_no_assignment_is_named_by_its_number_and_not_shown() {
        for text in [
            "A=1\nsecret",
            "A=1\nB C=secret",
            "A=1\n=secret",
            "A=1\nB=a secret",
            "A=1\nB='secret\nC=2\n",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(
                error.starts_with("line 2: expected NAME=value") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}

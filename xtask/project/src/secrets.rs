//! Finds texts that look like a real secret, in sources and in artefacts.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The prefix of each service's credentials, the service, and the minimum length after the prefix.
const PREFIXES: [(&str, &str, usize); 10] = [
    ("sk_live_", "Stripe", 16),
    ("sk_test_", "Stripe", 16),
    ("rk_live_", "Stripe", 16),
    ("rk_test_", "Stripe", 16),
    ("whsec_", "Stripe", 16),
    ("sk-", "OpenAI", 20),
    ("sb_secret_", "Supabase", 16),
    ("sbp_", "Supabase", 16),
    ("ghp_", "GitHub", 16),
    ("AKIA", "AWS", 16),
];

/// The suffixes of names to which secrets are assigned; Spotify's secrets have no prefix.
const NAMES: [&str; 6] = [
    "secret", "secrets", "token", "password", "api_key", "apikey",
];

const SHORTEST_ASSIGNED: usize = 24;
/// A scalar of P-256 in base64url: the member `d` of a private key.
const JWK_SCALAR: usize = 43;

/// Example values in documents and tests.
const SHOWN: [&str; 3] = [
    "0123456789abcdef0123456789abcdef",
    "fedcba9876543210fedcba9876543210",
    "of_somebody_else_entirely_0000",
];

/// The line number and the kind of everything that looks like a secret, without the secret.
pub fn found_in(text: &str) -> Vec<(usize, &'static str)> {
    let of_line = |(index, line)| {
        kinds_in(line)
            .into_iter()
            .map(move |kind| (index + 1, kind))
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

fn kinds_in(line: &str) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    let pem = line
        .split_once("-----BEGIN ")
        .and_then(|(_, after)| after.split_once("-----"));
    kinds.extend(
        pem.filter(|(kind, _)| kind.ends_with("PRIVATE KEY"))
            .map(|_| "a private key"),
    );
    let mut words = words(line).peekable();
    while let Some((word, assigns)) = words.next() {
        let of_service = PREFIXES.iter().find(|(prefix, _, shortest)| {
            word.strip_prefix(prefix)
                .is_some_and(|rest| rest.len() >= *shortest && is_random(rest))
        });
        kinds.extend(of_service.map(|(_, service, _)| *service));
        if is_token(word) {
            kinds.push("a JWT");
        }
        let Some((value, _)) = words.peek().filter(|_| assigns) else {
            continue;
        };
        let name = word.to_ascii_lowercase();
        if NAMES.iter().any(|end| name.ends_with(end))
            && value.len() >= SHORTEST_ASSIGNED
            && is_random(value)
        {
            kinds.push("an assigned secret");
        }
        if word == "d" && value.len() == JWK_SCALAR && is_random(value) {
            kinds.push("a private JWK");
        }
    }
    kinds
}

/// The words of a line, each with whether the next word is assigned to it.
fn words(line: &str) -> impl Iterator<Item = (&str, bool)> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "_-.+/".contains(c);
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| !is_of_word(c));
        let (word, after) =
            rest.split_at_checked(rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()))?;
        rest = after;
        let between = after.split(is_of_word).next().unwrap_or_default();
        let assigns = between.contains(['=', ':']) && between.chars().all(|c| "=: '\"".contains(c));
        (!word.is_empty()).then_some((word, assigns))
    })
}

/// Whether a word looks random: letters and digits with little repetition.
fn is_random(value: &str) -> bool {
    let (mut counts, mut digits, mut letters) = (BTreeMap::<char, f64>::new(), 0, 0);
    for c in value.chars() {
        *counts.entry(c).or_default() += 1.0;
        digits += usize::from(c.is_ascii_digit());
        letters += usize::from(c.is_ascii_alphabetic());
    }
    let length = value.len() as f64;
    let bits: f64 = counts
        .values()
        .map(|count| -(count / length) * (count / length).log2())
        .sum();
    digits >= 2
        && letters >= 2
        && bits > 3.0
        && !SHOWN.contains(&value.strip_prefix("whsec_").unwrap_or(value))
}

/// A signed token. An issuer in `.example` cannot exist, so its tokens are harmless.
fn is_token(word: &str) -> bool {
    let [header, payload, signature] = word.split('.').collect::<Vec<_>>()[..] else {
        return false;
    };
    let decoded = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    header.starts_with("eyJ")
        && decoded.starts_with(b"{")
        && signature.len() >= 43
        && !String::from_utf8_lossy(&decoded).contains(".example/")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::workspace::Workspace;

    /// A generated token that belongs to no account.
    const RANDOM: &str = "4eC39HqLyjWDarjtT1zdp7dcQ9x";

    #[test]
    fn secrets_are_found_by_what_they_look_like_and_examples_are_not() {
        let scalar = format!("{RANDOM}K7mB2nV5cX8zL1pW")
            .chars()
            .take(JWK_SCALAR)
            .collect::<String>();
        let token = |issuer: &str| {
            let payload = URL_SAFE_NO_PAD.encode(format!("{{\"iss\":\"{issuer}\"}}"));
            format!("eyJhbGciOiJFUzI1NiJ9.{payload}.{scalar}")
        };
        for (line, expected) in [
            (format!("key = sk_live_{RANDOM}"), &["Stripe"][..]),
            (format!("('whsec_{RANDOM}')"), &["Stripe"]),
            (format!("LLM=sk-proj-{RANDOM}"), &["OpenAI"]),
            (format!("x sb_secret_{RANDOM}."), &["Supabase"]),
            (
                format!("-----BEGIN EC PRIVATE {}-----", "KEY"),
                &["a private key"],
            ),
            (token("https://ref.supabase.co/auth/v1"), &["a JWT"]),
            (token("https://project.example/auth/v1"), &[]),
            (
                format!("SPOTIFY_CLIENT_SECRET='{RANDOM}'"),
                &["an assigned secret"],
            ),
            (
                format!("  \"password\": \"{RANDOM}\","),
                &["an assigned secret"],
            ),
            (format!("SECRET={RANDOM:.20}"), &[]),
            (
                "SPOTIFY_TOKEN_SECRETS=fedcba9876543210fedcba9876543210".to_owned(),
                &[],
            ),
            (
                format!("{{\"kty\":\"EC\",\"d\":\"{scalar}\"}}"),
                &["a private JWK"],
            ),
            (
                "sk_test_simulated whsec_of_the_simulated_stripe_account sk-or-v1-…".to_owned(),
                &[],
            ),
            ("STRIPE_WEBHOOK_SECRETS=".to_owned(), &[]),
        ] {
            assert_eq!(kinds_in(&line), expected, "{line}");
        }
    }

    #[test]
    fn no_file_of_the_tree_holds_a_secret() {
        let root = Workspace::open().unwrap().root;
        let mut git = Command::new("git");
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root);
        let listed = String::from_utf8(git.output().unwrap().stdout).unwrap();
        let files: Vec<_> = listed
            .split('\0')
            .filter(|path| root.join(path).is_file())
            .collect();
        assert!(files.len() > 300, "{}", files.len());
        let text =
            |path: &str| String::from_utf8_lossy(&fs::read(root.join(path)).unwrap()).into_owned();
        let found = files
            .iter()
            .map(|path| (path, found_in(&text(path))))
            .filter(|(_, found)| !found.is_empty());
        assert_eq!(found.collect::<Vec<_>>(), []);
    }

    /// A file that the documents tell the reader to create with secrets.
    fn is_secret_file(path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_named =
            name.ends_with(".env") || name.starts_with(".env.") || name.starts_with(".dev.vars");
        let is_key = [".jwk", ".pem", ".p8", "key.json", "keys.json"]
            .iter()
            .any(|end| name.ends_with(end));
        (is_named || is_key) && !name.ends_with(".example") && !path.starts_with(['/', '~'])
    }

    #[test]
    fn git_ignores_every_secret_file_that_the_documents_name() {
        let root = Workspace::open().unwrap().root;
        let mut documents = vec![
            root.join("README.md"),
            root.join(".dev.vars.example"),
            root.join("supabase/README.md"),
        ];
        documents.extend(
            fs::read_dir(root.join("docs"))
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
        documents.retain(|path| {
            path.extension()
                .is_none_or(|it| it == "md" || it == "example")
        });
        let mut named = vec![
            ".env".to_owned(),
            "tools/.env.local".to_owned(),
            "signing-key.json".to_owned(),
        ];
        for path in documents.iter().filter(|path| path.is_file()) {
            let text = fs::read_to_string(path).unwrap();
            let words = text
                .lines()
                .flat_map(words)
                .map(|(word, _)| word.trim_end_matches('.').to_owned());
            named.extend(words.filter(|word| is_secret_file(word)));
        }
        for known in [
            "supabase/functions/.env",
            ".env.production",
            ".env.staging",
            ".dev.vars",
        ] {
            assert!(
                named.iter().any(|path| path == known),
                "{known} is not among {named:?}"
            );
        }
        for path in named {
            let mut git = Command::new("git");
            git.args(["check-ignore", "--quiet", "--no-index", &path])
                .current_dir(&root);
            assert!(
                git.status().unwrap().success(),
                "git does not ignore {path}"
            );
        }
    }
}

//! The ready file, which names the addresses of a stack once all parts are ready.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use project::files;

#[derive(Default, Serialize)]
pub struct Ready {
    pub web_url: Option<String>,
    /// The base URL of the functions, which ends in `/functions/v1`.
    pub functions_url: Option<String>,
    pub supabase_url: String,
    pub publishable_key: String,
    pub secret_key: String,
    /// The URL of the local database; absent for a real Supabase.
    pub database_url: Option<String>,
    /// The mails that the local Auth has sent.
    pub mail_url: Option<String>,
    /// The secret with which Stripe or its simulator signs events.
    pub stripe_webhook_secret: Option<String>,
    /// Base URLs, by service.
    pub simulators: BTreeMap<&'static str, String>,
    /// Process ids, by part.
    pub pids: BTreeMap<&'static str, u32>,
}

impl Ready {
    /// Parts that do not run are omitted.
    fn to_json(&self) -> Result<String> {
        let mut json = serde_json::to_value(self)?;
        json.as_object_mut()
            .into_iter()
            .for_each(|fields| fields.retain(|_, value| !value.is_null()));
        Ok(format!("{json:#}\n"))
    }

    /// The URLs, for a person.
    pub fn summary(&self) -> String {
        let (page, functions, mails) = (&self.web_url, &self.functions_url, &self.mail_url);
        let supabase = Some(self.supabase_url.clone());
        [
            ("page", page),
            ("functions", functions),
            ("supabase", &supabase),
            ("mails", mails),
        ]
        .into_iter()
        .filter_map(|(name, url)| Some((name, url.as_ref()?)))
        .chain(self.simulators.iter().map(|(name, url)| (*name, url)))
        .map(|(name, url)| format!("  {name:<10} {url}\n"))
        .collect()
    }
}

/// Removes the file of an earlier stack, if there is one.
pub fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("--ready-file {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The ready file, which is removed when this value is dropped.
pub struct ReadyFile(PathBuf);

impl ReadyFile {
    pub fn write(path: &Path, ready: &Ready) -> Result<Self> {
        files::write_private(path, &ready.to_json()?)?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for ReadyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(local: bool) -> Ready {
        Ready {
            web_url: Some("http://127.0.0.1:1".into()),
            functions_url: Some("http://127.0.0.1:1/functions/v1".into()),
            supabase_url: "http://127.0.0.1:2".into(),
            publishable_key: "pk".into(),
            secret_key: "sk".into(),
            database_url: local.then(|| "postgres://p".into()),
            mail_url: local.then(|| "http://127.0.0.1:2/mail".into()),
            stripe_webhook_secret: Some("whsec_x".into()),
            simulators: [("llm", "http://127.0.0.1:5".to_owned())].into(),
            pids: [("functions", 7)].into(),
        }
    }

    #[test]
    fn the_file_has_the_fields_that_tests_rely_on() {
        let json: serde_json::Value =
            serde_json::from_str(&ready(true).to_json().unwrap()).unwrap();
        assert_eq!(json["database_url"], "postgres://p");
        assert_eq!(json["stripe_webhook_secret"], "whsec_x");
        assert_eq!(json["simulators"]["llm"], "http://127.0.0.1:5");
        assert_eq!(json["pids"]["functions"], 7);
    }

    #[test]
    fn absent_parts_are_not_listed() {
        let json: serde_json::Value =
            serde_json::from_str(&ready(false).to_json().unwrap()).unwrap();
        assert!(json.get("database_url").is_none() && json.get("mail_url").is_none());
    }

    #[test]
    fn the_summary_shows_urls_and_no_key() {
        let text = ready(true).summary();
        assert!(text.contains("http://127.0.0.1:2/mail"));
        assert!(
            !text.contains("sk")
                && !text.contains("pk")
                && !text.contains("whsec")
                && !text.contains("postgres://")
        );
    }

    #[test]
    fn the_file_goes_when_the_stack_goes() {
        let path = std::env::temp_dir().join(format!("xtask-ready-{}.json", std::process::id()));
        let file = ReadyFile::write(&path, &ready(true)).unwrap();
        assert!(path.exists());
        drop(file);
        assert!(!path.exists());
    }
}

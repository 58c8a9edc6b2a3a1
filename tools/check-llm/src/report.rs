//! The report for the operator.

use std::fmt;

use native::NativeHttp;
use shared::llm::playlist::PlaylistPrompt;
use shared::llm::{FinishReason, LlmConfig, Prices, Usage};
use shared::track::Suggestion;

use crate::check::Check;
use crate::diagnosis;
use crate::observed::Attempt;

/// The default number of songs.
const USUAL_SONGS: usize = 20;
/// The time that a generation leaves for the completion, so that the last songs can be searched.
const TIME_FOR_ANSWER_MS: u64 = 45_000;

/// The result of a check.
pub struct Report {
    lines: Vec<(&'static str, String)>,
    is_good: bool,
}

impl Report {
    /// Creates the report of a check.
    pub fn of(config: &LlmConfig, http: &NativeHttp, check: Check) -> Self {
        let mut lines = vec![("Model", format!("{} at {}", config.model, config.base_url))];
        lines.extend(
            check
                .attempts
                .iter()
                .map(|attempt| ("Request", request(attempt))),
        );
        let is_good = !check.songs.is_empty();
        if check.pieces > 0 {
            lines.push(("Streaming", streaming(&check)));
            lines.push(("Usage", usage(check.usage)));
            lines.push(("Cost", cost(config, &check)));
            lines.push(("Time", time(&check)));
            lines.push(("Language", language(&check).to_owned()));
        }
        if is_good {
            lines.push(("Songs", songs(&check)));
            lines.extend(notes(&check).into_iter().map(|note| ("Note", note)));
        } else {
            lines.push(("Problem", diagnosis::of(config, http, &check)));
        }
        Self { lines, is_good }
    }

    /// Whether a user would get songs.
    pub fn is_good(&self) -> bool {
        self.is_good
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in &self.lines {
            writeln!(f, "{name:<10} {text}")?;
        }
        Ok(())
    }
}

fn request(attempt: &Attempt) -> String {
    let form = match attempt.json_mode {
        "strict" => "a JSON schema (strict)",
        "object" => "any JSON object (object)",
        _ => "JSON by the instructions alone (prompt)",
    };
    let streams = if attempt.streams {
        "as a stream"
    } else {
        "without streaming"
    };
    let limit = attempt
        .token_limit
        .map(|tokens| format!(", at most {tokens} tokens"))
        .unwrap_or_default();
    let outcome = match attempt.status {
        Some(status @ 200..=299) => format!("accepted ({status})"),
        Some(status) => format!("refused ({status})"),
        None => "no response".to_owned(),
    };
    format!("{form}, {streams}{limit}: {outcome}")
}

fn streaming(check: &Check) -> String {
    match check.attempts.last() {
        Some(attempt) if attempt.streams && check.pieces > 1 => {
            format!("yes, in {} pieces", check.pieces)
        }
        _ => "no, the completion arrives as a whole: songs appear only at its end".to_owned(),
    }
}

fn usage(usage: Option<Usage>) -> String {
    match usage {
        Some(usage) => format!(
            "{} tokens sent, {} received",
            usage.prompt_tokens, usage.completion_tokens
        ),
        None => "not reported: costs are estimated from the length of the texts".to_owned(),
    }
}

fn cost(config: &LlmConfig, check: &Check) -> String {
    let is_reported = check.usage.is_some_and(|usage| usage.cost.is_some());
    match (is_reported, config.prices == Prices::default()) {
        (true, _) => format!("{} USD, as the service says", check.cost),
        (false, false) => format!("{} USD, at the configured prices", check.cost),
        (false, true) => {
            "unknown: without LLM_PRICE_IN and LLM_PRICE_OUT generations are recorded as free"
                .to_owned()
        }
    }
}

fn time(check: &Check) -> String {
    let sent_ms = sent_ms(check);
    let after = |at_ms: Option<u64>| {
        let ms = at_ms.unwrap_or(sent_ms).saturating_sub(sent_ms);
        format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
    };
    let first_byte = check
        .attempts
        .last()
        .and_then(|attempt| attempt.first_byte_ms);
    format!(
        "first byte after {}, first words after {}, done after {}",
        after(first_byte),
        after(check.first_text_ms),
        after(Some(check.done_ms))
    )
}

/// Returns when the request that got a response was sent.
fn sent_ms(check: &Check) -> u64 {
    check
        .attempts
        .last()
        .map_or(check.done_ms, |attempt| attempt.sent_ms)
}

fn language(check: &Check) -> &'static str {
    match check.language {
        _ if check.follows_language() => "Polish, as the prompt",
        Some(_) => "English for a Polish prompt",
        None => "not reported",
    }
}

fn songs(check: &Check) -> String {
    let song = |song: &Suggestion| format!("{} – {}", song.artist, song.title);
    let first: Vec<_> = check.songs.iter().take(check.wanted).map(song).collect();
    format!(
        "{} of {} wanted: {}",
        check.songs.len(),
        check.wanted,
        first.join("; ")
    )
}

/// Returns what works but could be better.
fn notes(check: &Check) -> Vec<String> {
    let mut notes = Vec::new();
    let refused = check
        .attempts
        .iter()
        .any(|attempt| attempt.status.is_some_and(|status| status >= 400));
    if let Some(accepted) = check.attempts.last().filter(|_| refused) {
        notes.push(format!(
            "Set LLM_JSON_MODE={} and new instances need not find out first what the server accepts.",
            accepted.json_mode
        ));
    }
    if let Some(error) = &check.error {
        notes.push(format!(
            "The completion broke off after its last song ({error})."
        ));
    }
    if check.finish == Some(FinishReason::Length) {
        notes.push(
            "The completion was cut off at the limit of tokens: the context may be too small."
                .to_owned(),
        );
    }
    let songs = u64::try_from(check.songs.len()).unwrap_or(u64::MAX).max(1);
    let usual = PlaylistPrompt {
        wanted: USUAL_SONGS,
        ..PlaylistPrompt::default()
    }
    .count();
    let usual = u64::try_from(usual).unwrap_or(u64::MAX);
    let begun_ms = check.first_text_ms.unwrap_or(check.done_ms);
    let writing_ms = check.done_ms.saturating_sub(begun_ms);
    let usual_ms = begun_ms
        .saturating_sub(sent_ms(check))
        .saturating_add(writing_ms.saturating_mul(usual) / songs);
    if usual_ms > TIME_FOR_ANSWER_MS {
        notes.push(format!(
            "Slow: a playlist of {USUAL_SONGS} would take about {} seconds, and a generation is ended after 55.",
            usual_ms / 1_000
        ));
    }
    notes
}

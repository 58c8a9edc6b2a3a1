//! Explains an error, and how to correct it.

use native::NativeHttp;
use shared::llm::{FinishReason, LlmConfig, LlmError, Problem};
use shared::runtime::http_client::HttpError;

use crate::check::Check;

/// Returns the reason why a user would get no songs.
pub fn of(config: &LlmConfig, http: &NativeHttp, check: &Check) -> String {
    let url = format!("{}/chat/completions", config.base_url);
    match &check.error {
        Some(LlmError::Unavailable(HttpError::Network)) => connection(config, http.failure().as_deref()),
        Some(LlmError::Unavailable(HttpError::Timeout)) => format!(
            "The model was silent for too long, or did not finish in time. A local model may still be loading: try \
             again. Else use a faster model{}.",
            if config.reasoning_effort.is_none() { ", or set LLM_REASONING_EFFORT to low" } else { "" }
        ),
        Some(LlmError::Misconfigured(problem)) => refusal(config, &url, check, problem),
        Some(LlmError::TooLong(problem)) => format!(
            "The model's context is too small ({problem}). Configure the server with a larger one: docs/models.md says \
             how many tokens a playlist takes."
        ),
        Some(LlmError::RateLimited { retry_after_seconds, problem }) => {
            let pause = retry_after_seconds.map(|s| format!(" in {s} seconds")).unwrap_or_default();
            format!("The service allows no more requests for now: try again{pause} ({problem}).")
        }
        Some(LlmError::Declined(problem)) => {
            format!("The service's policy declines a harmless prompt ({problem}). Look at its filters.")
        }
        Some(LlmError::InvalidResponse) if is_page(check) => format!(
            "{url} returns a web page instead of an API's response. LLM_BASE_URL is the part before /chat/completions; that of \
             most services ends in /v1."
        ),
        Some(LlmError::InvalidResponse) if beginning(check).is_empty() => {
            "The server ends the completion before its first word. Some do so where their context is too small: \
             docs/models.md says how many tokens a playlist takes."
                .to_owned()
        }
        Some(LlmError::InvalidResponse | LlmError::Empty) => {
            format!(
                "The response of {url} has no text, as a chat completion has. It begins: {}",
                beginning(check)
            )
        }
        Some(LlmError::Failed(problem)) => format!("The service fails ({problem}). Try again later."),
        Some(error) => format!("The completion is unusable ({error})."),
        None if !check.refusal.is_empty() => format!("The model refused: {}", shortened(&check.refusal)),
        None if check.finish == Some(FinishReason::Length) => {
            "The completion was cut off before its first song. A reasoning model thinks too long: set \
             LLM_REASONING_EFFORT to low, or use another model. A local server may have too small a context."
                .to_owned()
        }
        None => format!(
            "No song can be read from the completion. Use a more capable model. The completion begins: {}",
            shortened(&check.text)
        ),
    }
}

fn connection(config: &LlmConfig, failure: Option<&str>) -> String {
    let origin = &config.base_url;
    let failure = failure.unwrap_or("the connection broke");
    let lower = failure.to_lowercase();
    if lower.contains("refused") {
        format!("No server listens at {origin} ({failure}). Is it running, and is the port right?")
    } else if lower.contains("lookup") || lower.contains("dns") {
        format!(
            "The host name in {origin} is not known ({failure}). Is LLM_BASE_URL spelled right?"
        )
    } else if lower.contains("certificate") {
        format!("The TLS certificate of {origin} is not accepted ({failure}).")
    } else if lower.contains("corrupt message") {
        format!(
            "The server at {origin} does not speak TLS ({failure}). Should LLM_BASE_URL begin with http:// ?"
        )
    } else {
        format!("The connection to {origin} failed ({failure}).")
    }
}

fn refusal(config: &LlmConfig, url: &str, check: &Check, problem: &Problem) -> String {
    let says = |words: &[&str]| {
        let text = format!("{} {} {}", problem.code, problem.kind, problem.message).to_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    let location = || {
        check
            .attempts
            .last()
            .and_then(|attempt| attempt.location.as_deref())
    };
    match problem.status {
        300..=399 => format!(
            "{url} redirects to {}; the key is not sent there. Set LLM_BASE_URL to where the API is.",
            location().unwrap_or("another place")
        ),
        402 => format!("The account has no credit ({problem})."),
        _ if says(&["insufficient", "credit", "billing", "balance"]) => {
            format!("The account has no credit ({problem}).")
        }
        // LiteLLM without a database reports this for an unknown key.
        _ if says(&["api key", "api_key", "no_db_connection"]) => key(problem),
        401 | 403 => key(problem),
        _ if says(&["model"]) && !says(&["response_format"]) => {
            format!(
                "The service has no model {}: check LLM_MODEL ({problem}).",
                config.model
            )
        }
        404 | 405 => format!(
            "There are no chat completions at {url} ({problem}). LLM_BASE_URL is the part before /chat/completions; \
             that of most services ends in /v1."
        ),
        _ => {
            format!("The service refuses the request in every form that is known here ({problem}).")
        }
    }
}

fn key(problem: &Problem) -> String {
    format!("The service does not accept the key: check LLM_API_KEY ({problem}).")
}

fn is_page(check: &Check) -> bool {
    check.attempts.last().is_some_and(|attempt| {
        let is_html = attempt
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with("text/html"));
        is_html || attempt.beginning.trim_ascii_start().starts_with(b"<")
    })
}

fn beginning(check: &Check) -> String {
    let bytes = check
        .attempts
        .last()
        .map(|attempt| attempt.beginning.as_slice())
        .unwrap_or_default();
    shortened(&String::from_utf8_lossy(bytes))
}

/// Returns the beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let line: Vec<_> = text.split_whitespace().collect();
    line.join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

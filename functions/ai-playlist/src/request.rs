//! Bytes → what the listener wants. Every refusal of a request is here.

use http::{HeaderMap, header};
use serde::Deserialize;
use shared::Error;
use shared::llm::playlist::{Discovery, PlaylistAsk, Refine};
use shared::request::{Whole, market, parse_json, text};
use shared::track::{Era, Suggestion};

const MAX_PROMPT_CHARS: usize = 1000;
const MAX_TARGET_COUNT: usize = 50;
const DEFAULT_TARGET_COUNT: usize = 20;
const MAX_SEEDS: usize = 5;
const MAX_EXCLUDED_ARTISTS: usize = 20;
const MAX_PREVIOUS_TRACKS: usize = 100;
const MAX_NAME_CHARS: usize = 200;
const MAX_HINT_CHARS: usize = 100;
const MAX_INSTRUCTION_CHARS: usize = 500;
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2100;

/// How the answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/event-stream`: tracks as they are found.
    EventStream,
    /// One JSON document at the end.
    Json,
}

/// A valid request for a playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaylistRequest {
    /// What the listener wishes for, as the model is asked; how many songs is not yet said.
    ///
    /// The prompt has 1 to 1000 characters, the seeds are 5 at most, the excluded artists 20.
    pub wish: PlaylistAsk,
    /// How many tracks, 1 to 50.
    pub target_count: usize,
    /// The catalogue's market: ISO 3166-1 alpha-2, upper case.
    pub market: Option<String>,
    /// Whether the result is stored as a playlist.
    pub save: bool,
}

impl PlaylistRequest {
    /// All that the listener said about the music: the prompt, and how to change what came of it.
    pub fn words(&self) -> String {
        match &self.wish.refine {
            None => self.wish.prompt.clone(),
            Some(refine) => format!("{}\n{}", self.wish.prompt, refine.instruction),
        }
    }
}

/// How the answer is wanted, by `Accept` (RFC 9110, 12.5.1).
///
/// A stream is sent where the client prefers it to JSON, or names it as one of two equals. Everybody else gets JSON, also
/// those that accept neither: an answer in another format is worth more than a refusal.
pub fn wanted_format(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> =
        values.flat_map(|value| unquoted_parts(value, ',')).filter_map(media_range).collect();
    let events = preference(&ranges, "text/event-stream", "text/*");
    let json = preference(&ranges, "application/json", "application/*");
    let is_named = events.specificity == NAMED && events.weight > 0;
    if events.weight > json.weight || (is_named && events.weight == json.weight) {
        Format::EventStream
    } else {
        Format::Json
    }
}

/// How specific a media range is that names the type in full.
const NAMED: u8 = 3;

/// How much a media type is wanted, by the most specific range that fits it.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    specificity: u8,
    /// In thousandths.
    weight: u16,
}

fn preference(ranges: &[(&str, u16)], full: &str, family: &str) -> Preference {
    let fitting = ranges.iter().filter_map(|&(range, weight)| {
        let specificities = [(full, NAMED), (family, 2), ("*/*", 1)];
        let (_, specificity) =
            specificities.into_iter().find(|(name, _)| range.eq_ignore_ascii_case(name))?;
        Some(Preference { specificity, weight })
    });
    fitting.max().unwrap_or_default()
}

/// A media range without its parameters, and its weight in thousandths; `None` where the weight is none.
fn media_range(text: &str) -> Option<(&str, u16)> {
    let mut parts = unquoted_parts(text, ';');
    let range = parts.next()?.trim();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Some((range, weight.map_or(Some(1000), thousandths)?))
}

/// `0` to `1` with at most three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match (whole, format!("{decimals:0<3}").parse().ok()?) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The parts between separators that do not stand in a quoted string.
fn unquoted_parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '"' if !was_escaped => is_quoted = !is_quoted,
            '\\' if is_quoted => is_escaped = !was_escaped,
            _ => {}
        }
        c == separator && !is_quoted
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    prompt: String,
    target_count: Option<Whole>,
    seeds: Option<Vec<RawSong>>,
    mood: Option<String>,
    tempo: Option<String>,
    era: Option<RawEra>,
    allow_explicit: Option<bool>,
    exclude_artists: Option<Vec<String>>,
    discovery: Option<String>,
    market: Option<String>,
    refine: Option<RawRefine>,
    save: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSong {
    artist: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEra {
    from: Option<Whole>,
    to: Option<Whole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRefine {
    previous: Vec<RawSong>,
    instruction: String,
}

/// Parses the body.
///
/// # Errors
/// 400 `invalid_json` where it is not JSON, 422 `invalid_request` where it makes no sense; the
/// message names the field.
pub fn parse(body: &[u8]) -> Result<PlaylistRequest, Error> {
    let raw: RawRequest = parse_json(body)?;
    let optional_text = |field: &str, value: Option<String>| {
        value.map(|value| text(field, &value, MAX_HINT_CHARS)).transpose()
    };
    let wish = PlaylistAsk {
        prompt: text("prompt", &raw.prompt, MAX_PROMPT_CHARS)?,
        seeds: songs("seeds", raw.seeds.unwrap_or_default(), MAX_SEEDS)?,
        mood: optional_text("mood", raw.mood)?,
        tempo: optional_text("tempo", raw.tempo)?,
        era: raw.era.map(era).transpose()?.flatten(),
        allow_explicit: raw.allow_explicit.unwrap_or(true),
        exclude_artists: artists(raw.exclude_artists.unwrap_or_default())?,
        discovery: raw.discovery.map(|name| discovery(&name)).transpose()?.unwrap_or_default(),
        refine: raw.refine.map(refine).transpose()?,
        ..PlaylistAsk::default()
    };
    Ok(PlaylistRequest {
        wish,
        target_count: target_count(raw.target_count)?,
        market: raw.market.map(|code| market(&code)).transpose()?,
        save: raw.save.unwrap_or(false),
    })
}

fn target_count(wanted: Option<Whole>) -> Result<usize, Error> {
    match wanted.map(|Whole(count)| usize::try_from(count)) {
        None => Ok(DEFAULT_TARGET_COUNT),
        Some(Ok(count)) if (1..=MAX_TARGET_COUNT).contains(&count) => Ok(count),
        Some(_) => Err(Error::invalid(format!("target_count must be between 1 and {MAX_TARGET_COUNT}."))),
    }
}

fn at_most<T>(field: &str, items: Vec<T>, max: usize) -> Result<Vec<T>, Error> {
    if items.len() > max {
        return Err(Error::invalid(format!("{field} holds more than {max} entries.")));
    }
    Ok(items)
}

fn songs(field: &str, raw: Vec<RawSong>, max: usize) -> Result<Vec<Suggestion>, Error> {
    at_most(field, raw, max)?
        .into_iter()
        .map(|song| {
            Ok(Suggestion {
                artist: text(&format!("{field}.artist"), &song.artist, MAX_NAME_CHARS)?,
                title: text(&format!("{field}.title"), &song.title, MAX_NAME_CHARS)?,
                year: None,
            })
        })
        .collect()
}

fn artists(raw: Vec<String>) -> Result<Vec<String>, Error> {
    let raw = at_most("exclude_artists", raw, MAX_EXCLUDED_ARTISTS)?;
    raw.iter().map(|artist| text("exclude_artists", artist, MAX_NAME_CHARS)).collect()
}

fn discovery(name: &str) -> Result<Discovery, Error> {
    match name {
        "familiar" => Ok(Discovery::Familiar),
        "balanced" => Ok(Discovery::Balanced),
        "adventurous" => Ok(Discovery::Adventurous),
        _ => Err(Error::invalid("discovery must be familiar, balanced or adventurous.")),
    }
}

fn era(raw: RawEra) -> Result<Option<Era>, Error> {
    match (year("era.from", raw.from)?, year("era.to", raw.to)?) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from > to => Err(Error::invalid("era.from is after era.to.")),
        (from, to) => Ok(Some(Era { from, to })),
    }
}

fn year(field: &str, wanted: Option<Whole>) -> Result<Option<i32>, Error> {
    let Some(Whole(year)) = wanted else { return Ok(None) };
    let year = i32::try_from(year).ok().filter(|year| YEARS.contains(year));
    year.map(Some).ok_or_else(|| Error::invalid(format!("{field} must be a year from 1900 to 2100.")))
}

fn refine(raw: RawRefine) -> Result<Refine, Error> {
    Ok(Refine {
        previous: songs("refine.previous", raw.previous, MAX_PREVIOUS_TRACKS)?,
        instruction: text("refine.instruction", &raw.instruction, MAX_INSTRUCTION_CHARS)?,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;
    use shared::Code;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn refused(body: serde_json::Value) -> String {
        let error = parse(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidRequest, "{body}");
        error.to_string()
    }

    #[test]
    fn a_bare_prompt_gets_the_defaults() {
        let request = parse(br#"{"prompt":"  a cozy rainy evening "}"#).unwrap();
        assert_eq!(request.wish.prompt, "a cozy rainy evening");
        assert_eq!(request.target_count, 20);
        assert!(request.wish.allow_explicit && !request.save);
        assert_eq!(request.wish.era, None);
    }

    #[test]
    fn everything_that_can_be_asked_is_understood() {
        let request = parse(
            json!({
                "prompt": "spokojny wieczór", "target_count": 50,
                "seeds": [{"artist": "Dżem", "title": "Whisky"}],
                "mood": "calm", "tempo": "slow", "era": {"from": 1980, "to": 1989},
                "allow_explicit": false, "exclude_artists": ["Kult"], "market": "pl",
                "refine": {"previous": [{"artist": "A", "title": "B"}], "instruction": "calmer"},
                "save": true,
            })
            .to_string()
            .as_bytes(),
        )
        .unwrap();
        assert_eq!(request.target_count, 50);
        assert_eq!(request.wish.seeds[0].artist, "Dżem");
        assert_eq!(request.wish.era, Some(Era { from: Some(1980), to: Some(1989) }));
        assert_eq!(request.market.as_deref(), Some("PL"));
        assert_eq!(request.wish.refine.unwrap().instruction, "calmer");
        assert!(request.save && !request.wish.allow_explicit);
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [&b""[..], b"prompt=x", b"{\"prompt\":", b"{\"prompt\":\"\xff\"}", b"{} {}"] {
            let code = parse(body).unwrap_err().code();
            let expected = if body == b"{} {}" { Code::InvalidRequest } else { Code::InvalidJson };
            assert_eq!(code, expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_refusal_names_the_field() {
        for (body, field) in [
            (json!({}), "prompt"),
            (json!([]), "an object"),
            (json!({"prompt": 7}), "prompt must be a text"),
            (json!({"prompt": " \n\t\u{a0} "}), "prompt"),
            (json!({"prompt": "x".repeat(1001)}), "prompt"),
            (json!({"prompt": "x", "colour": "blue"}), "colour"),
            (json!({"prompt": "x", "target_count": 0}), "target_count"),
            (json!({"prompt": "x", "target_count": 51}), "target_count"),
            (json!({"prompt": "x", "target_count": -1}), "target_count"),
            (json!({"prompt": "x", "target_count": 1.5}), "target_count must be a whole number"),
            (json!({"prompt": "x", "seeds": vec![json!({"artist": "a", "title": "t"}); 6]}), "seeds"),
            (json!({"prompt": "x", "seeds": [{"artist": "", "title": "t"}]}), "seeds.artist"),
            (json!({"prompt": "x", "exclude_artists": vec!["a"; 21]}), "exclude_artists"),
            (json!({"prompt": "x", "era": {"from": 1999, "to": 1990}}), "era.from"),
            (json!({"prompt": "x", "era": {"from": 99}}), "era.from"),
            (json!({"prompt": "x", "era": {"to": 1e12}}), "era.to"),
            (json!({"prompt": "x", "market": "POL"}), "market"),
            (json!({"prompt": "x", "market": "ß"}), "market"),
            (json!({"prompt": "x", "refine": {"previous": [], "instruction": ""}}), "refine.instruction"),
            (json!({"prompt": "x", "mood": "m".repeat(101)}), "mood"),
            (json!({"prompt": "x", "save": "yes"}), "save must be true or false"),
        ] {
            let message = refused(body);
            assert!(message.contains(field), "{message} does not name {field}");
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        let request = parse(br#"{"prompt":"x","target_count":5.0,"era":{"from":1.99e3}}"#).unwrap();
        assert_eq!(request.target_count, 5);
        assert_eq!(request.wish.era, Some(Era { from: Some(1990), to: None }));
    }

    #[test]
    fn the_limit_counts_characters_and_not_bytes() {
        let prompt = "ł".repeat(1000);
        assert_eq!(parse(json!({"prompt": prompt}).to_string().as_bytes()).unwrap().wish.prompt, prompt);
    }

    #[test]
    fn control_characters_do_not_get_through() {
        let request = parse(br#"{"prompt":"rain\u0000and\u0007tea"}"#).unwrap();
        assert_eq!(request.wish.prompt, "rain and tea");
    }

    fn format_for(values: &[&str]) -> Format {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        wanted_format(&headers)
    }

    #[test]
    fn a_stream_is_sent_to_clients_that_prefer_one() {
        for accept in [
            "text/event-stream",
            "Text/Event-Stream",
            " text/event-stream ",
            "text/event-stream;q=1",
            "text/event-stream;q=0.001",
            "text/event-stream; Q=0.5",
            "text/event-stream;charset=utf-8",
            "text/event-stream; charset=\"utf-8\"; q=0.9",
            "text/event-stream, application/json",
            "application/json, text/event-stream",
            "application/json;q=0.5, Text/Event-Stream;q=1",
            "text/event-stream;q=0.5, */*;q=0.1",
            "text/event-stream, */*",
            "*/*, text/event-stream",
            "text/*",
            "text/*, application/json;q=0.9",
            "*/*, application/json;q=0.5",
            "application/json;q=0, */*",
            "application/*;q=0.2, text/*;q=0.3",
            "text/event-stream;q=0, text/event-stream",
            ",,text/event-stream,",
            "text/html;x=\"a, b;q=0\", text/event-stream",
            "application/json;q=2, text/event-stream;q=0.1",
        ] {
            assert_eq!(format_for(&[accept]), Format::EventStream, "{accept}");
        }
        assert_eq!(format_for(&["application/json", "text/event-stream"]), Format::EventStream);
    }

    #[test]
    fn everybody_else_gets_one_document() {
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/*",
            "application/json, text/plain, */*",
            "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
            "text/event-stream;q=0",
            "text/event-stream;q=0.0",
            "text/event-stream;q=0.000",
            "text/event-stream; q=0",
            "text/event-stream ; q = 0",
            "TEXT/EVENT-STREAM;Q=0",
            "text/event-stream;charset=utf-8;q=0",
            "text/event-stream;q=0, */*",
            "text/event-stream;q=0, text/*",
            "text/event-stream;q=0.5, application/json",
            "text/event-stream;q=0.5, application/json;q=0.6",
            "text/event-stream;q=0.3, */*;q=0.8",
            "text/*;q=0.5, */*",
            "text/*, */*",
            "text/*, application/*",
            "text/html",
            "text/plain",
            "application/json;q=0",
            "*/*;q=0",
            "image/png",
            "text/event-streams",
            "xtext/event-stream",
            "text/event",
            "*/event-stream",
            "event-stream",
            "text/event-stream/x",
            "text / event-stream",
            "text/html;x=\"text/event-stream, text/event-stream\"",
            "text/html;x=\"a\\\", text/event-stream;y=\"",
            "text/event-stream;q=",
            "text/event-stream;q=abc",
            "text/event-stream;q=-1",
            "text/event-stream;q=1.5",
            "text/event-stream;q=nan",
            "text/event-stream;q=inf",
            "text/event-stream;q=0.0001",
            "text/event-stream;q=1e0",
            ";q=1",
            ",;,",
        ] {
            assert_eq!(format_for(&[accept]), Format::Json, "{accept}");
        }
        assert_eq!(format_for(&[]), Format::Json);
        assert_eq!(format_for(&["text/event-stream;q=0", "*/*"]), Format::Json);
        let binary = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_bytes(b"\xff").unwrap())]);
        assert_eq!(wanted_format(&binary), Format::Json);
    }
}

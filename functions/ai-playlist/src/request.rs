//! Parses and validates the request.

use http::{HeaderMap, header};
use serde_json::{Map, Value};
use shared::Error;
use shared::api::{self, EraRequest, RefineRequest, Song};
use shared::llm::playlist::{Discovery, PlaylistPrompt, Refine};
use shared::request::{Whole, market, parse_json, text};
use shared::track::{Era, Suggestion, TrackUri};
use uuid::Uuid;

/// The most bytes of all texts of a wish together, because every byte costs money.
pub const MAX_WISH_BYTES: usize = 12_288;
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

/// The format of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/event-stream`: tracks as they are found.
    EventStream,
    /// One JSON document at the end.
    Json,
}

/// The user's playlist that is refined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refined {
    /// Its id.
    pub playlist_id: Uuid,
    /// The tracks that stay.
    pub keep: Vec<TrackUri>,
}

/// A valid request for a playlist.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaylistRequest {
    /// The wish for the model, without the number of songs.
    ///
    /// The prompt has 1 to 1000 characters, there are at most 5 seeds and 20 excluded artists.
    pub wish: PlaylistPrompt,
    /// The number of tracks, 1 to 50.
    pub target_count: usize,
    /// The catalogue's market: ISO 3166-1 alpha-2, upper case.
    pub market: Option<String>,
    /// Whether an acoustic, re-recorded or similar version may replace the plain recording.
    pub allow_versions: bool,
    /// Whether the result is stored as a playlist.
    pub save: bool,
    /// The playlist of which the result becomes the next version.
    pub refined: Option<Refined>,
    /// What a repeat under the same key has to ask for, too.
    pub canonical: String,
}

impl PlaylistRequest {
    /// Returns the user's words about the music: the prompt, and the instruction of a refinement.
    pub fn words(&self) -> String {
        match self.instruction() {
            None => self.wish.prompt.clone(),
            Some(instruction) => format!("{}\n{instruction}", self.wish.prompt),
        }
    }

    /// Returns the change that the user asked for.
    pub fn instruction(&self) -> Option<&str> {
        self.wish.refine.as_ref()?.instruction.as_deref()
    }
}

/// Returns the requested format by the header `Accept` (RFC 9110, 12.5.1).
///
/// A stream is sent if the client prefers it to JSON, or names both with the same weight. All other clients get
/// JSON, also those that accept neither: a response in another format is worth more than a refusal.
pub fn wanted_format(headers: &HeaderMap) -> Format {
    let values = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = values
        .flat_map(|value| unquoted_parts(value, ','))
        .filter_map(media_range)
        .collect();
    let events = preference(&ranges, "text/event-stream", "text/*");
    let json = preference(&ranges, "application/json", "application/*");
    let is_named = events.specificity == NAMED && events.weight > 0;
    if events.weight > json.weight || (is_named && events.weight == json.weight) {
        Format::EventStream
    } else {
        Format::Json
    }
}

/// The specificity of a media range that names the full type.
const NAMED: u8 = 3;

/// The weight of a media type, by the most specific range that matches it.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    specificity: u8,
    /// In thousandths.
    weight: u16,
}

fn preference(ranges: &[(&str, u16)], full: &str, family: &str) -> Preference {
    let fitting = ranges.iter().filter_map(|&(range, weight)| {
        let specificities = [(full, NAMED), (family, 2), ("*/*", 1)];
        let (_, specificity) = specificities
            .into_iter()
            .find(|(name, _)| range.eq_ignore_ascii_case(name))?;
        Some(Preference {
            specificity,
            weight,
        })
    });
    fitting.max().unwrap_or_default()
}

/// Parses a media range without its parameters, and its weight in thousandths; `None` if the weight is malformed.
fn media_range(text: &str) -> Option<(&str, u16)> {
    let mut parts = unquoted_parts(text, ';');
    let range = parts.next()?.trim();
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    Some((range, weight.map_or(Some(1000), thousandths)?))
}

/// Parses `0` to `1` with at most three decimals.
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

/// Splits a text at separators that are not in a quoted string.
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

/// Parses the body.
///
/// # Errors
/// Returns 400 `invalid_json` if it is not JSON, and 422 `invalid_request` with a message that names the field if it is
/// not valid.
pub fn parse(body: &[u8]) -> Result<PlaylistRequest, Error> {
    let raw: api::PlaylistRequest = parse_json(body)?;
    let optional_text = |field: &str, value: Option<String>| {
        value
            .map(|value| text(field, &value, MAX_HINT_CHARS))
            .transpose()
    };
    let (refine, refined) = raw.refine.map(refine).transpose()?.unzip();
    let refined = refined.flatten();
    let wish = PlaylistPrompt {
        prompt: text("prompt", &raw.prompt, MAX_PROMPT_CHARS)?,
        seeds: songs("seeds", raw.seeds.unwrap_or_default(), MAX_SEEDS)?,
        mood: optional_text("mood", raw.mood)?,
        tempo: optional_text("tempo", raw.tempo)?,
        era: raw.era.map(era).transpose()?.flatten(),
        allow_explicit: raw.allow_explicit.unwrap_or(true),
        exclude_artists: artists(raw.exclude_artists.unwrap_or_default())?,
        discovery: raw
            .discovery
            .map(|name| discovery(&name))
            .transpose()?
            .unwrap_or_default(),
        refine,
        ..PlaylistPrompt::default()
    };
    if wish.text_bytes() > MAX_WISH_BYTES {
        return Err(Error::invalid(format!(
            "prompt, mood, tempo, seeds, exclude_artists and refine hold more than {MAX_WISH_BYTES} bytes of text in all."
        )));
    }
    let target_count = target_count(raw.target_count)?;
    if refined
        .as_ref()
        .is_some_and(|refined| refined.keep.len() >= target_count)
    {
        return Err(Error::invalid(
            "target_count must be greater than the number of tracks in refine.keep.",
        ));
    }
    Ok(PlaylistRequest {
        wish,
        target_count,
        market: raw.market.map(|code| market(&code)).transpose()?,
        allow_versions: raw.allow_versions.unwrap_or(false),
        save: raw.save.unwrap_or(false) || refined.is_some(),
        refined,
        canonical: canonical(body)?,
    })
}

/// Returns the body in one form for any order of its members. It omits `save`, because a repeat may save what the
/// first request did not.
fn canonical(body: &[u8]) -> Result<String, Error> {
    let mut members: Map<String, Value> = parse_json(body)?;
    members.remove("save");
    Ok(Value::Object(members).to_string())
}

fn target_count(wanted: Option<Whole>) -> Result<usize, Error> {
    match wanted.map(|Whole(count)| usize::try_from(count)) {
        None => Ok(DEFAULT_TARGET_COUNT),
        Some(Ok(count)) if (1..=MAX_TARGET_COUNT).contains(&count) => Ok(count),
        Some(_) => Err(Error::invalid(format!(
            "target_count must be between 1 and {MAX_TARGET_COUNT}."
        ))),
    }
}

fn at_most<T>(field: &str, items: Vec<T>, max: usize) -> Result<Vec<T>, Error> {
    if items.len() > max {
        return Err(Error::invalid(format!(
            "{field} holds more than {max} entries."
        )));
    }
    Ok(items)
}

fn songs(field: &str, raw: Vec<Song>, max: usize) -> Result<Vec<Suggestion>, Error> {
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
    raw.iter()
        .map(|artist| text("exclude_artists", artist, MAX_NAME_CHARS))
        .collect()
}

fn discovery(name: &str) -> Result<Discovery, Error> {
    match name {
        "familiar" => Ok(Discovery::Familiar),
        "balanced" => Ok(Discovery::Balanced),
        "adventurous" => Ok(Discovery::Adventurous),
        _ => Err(Error::invalid(
            "discovery must be familiar, balanced or adventurous.",
        )),
    }
}

fn era(raw: EraRequest) -> Result<Option<Era>, Error> {
    match (year("era.from", raw.from)?, year("era.to", raw.to)?) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from > to => Err(Error::invalid("era.from is after era.to.")),
        (from, to) => Ok(Some(Era { from, to })),
    }
}

fn year(field: &str, wanted: Option<Whole>) -> Result<Option<i32>, Error> {
    let Some(Whole(year)) = wanted else {
        return Ok(None);
    };
    let year = i32::try_from(year).ok().filter(|year| YEARS.contains(year));
    year.map(Some)
        .ok_or_else(|| Error::invalid(format!("{field} must be a year from 1900 to 2100.")))
}

fn refine(raw: RefineRequest) -> Result<(Refine, Option<Refined>), Error> {
    let RefineRequest {
        playlist_id,
        keep,
        previous,
        instruction,
    } = raw;
    let is_complete = match playlist_id {
        Some(_) => previous.is_none(),
        None => keep.is_none() && previous.is_some() && instruction.is_some(),
    };
    if !is_complete {
        return Err(Error::invalid(
            "refine needs either playlist_id, alone or with keep and instruction, or previous and instruction.",
        ));
    }
    let previous = songs(
        "refine.previous",
        previous.unwrap_or_default(),
        MAX_PREVIOUS_TRACKS,
    )?;
    let instruction = instruction
        .map(|words| text("refine.instruction", &words, MAX_INSTRUCTION_CHARS))
        .transpose()?;
    let mut keep = at_most("refine.keep", keep.unwrap_or_default(), MAX_PREVIOUS_TRACKS)?;
    keep.sort_unstable();
    keep.dedup();
    let refined = playlist_id.map(|playlist_id| Refined { playlist_id, keep });
    Ok((
        Refine {
            previous,
            kept: Vec::new(),
            instruction,
        },
        refined,
    ))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;

//! Parses and validates the query string.

use shared::Error;
use shared::request::{is_blank, market, text};
use shared::track::Suggestion;

const MAX_NAME_CHARS: usize = 200;
const MAX_LIMIT: usize = 10;

/// A valid search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// The song to search; artist or title may be empty.
    pub sought: Suggestion,
    /// The most tracks to return, 1 to 10.
    pub limit: usize,
    /// The catalogue's market: ISO 3166-1 alpha-2, upper case.
    pub market: Option<String>,
}

/// Parses the query string. An empty parameter counts as missing, because forms send empty fields.
///
/// # Errors
/// Returns 422 `invalid_request` with a message that names the parameter.
pub fn parse(query: &str) -> Result<SearchRequest, Error> {
    let (mut artist, mut title, mut limit, mut country) = (None, None, None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = match name.as_ref() {
            "artist" => &mut artist,
            "title" => &mut title,
            "limit" => &mut limit,
            "market" => &mut country,
            // Clients, gateways and trackers add parameters of their own.
            _ => continue,
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(Error::invalid(format!("{name} is given twice.")));
        }
    }
    let given = |value: Option<String>| value.filter(|value| !value.chars().all(is_blank));
    let part = |field: &str, value: Option<String>| {
        given(value).map_or(Ok(String::new()), |value| {
            text(field, &value, MAX_NAME_CHARS)
        })
    };
    let sought = Suggestion {
        artist: part("artist", artist)?,
        title: part("title", title)?,
        year: None,
    };
    if sought.artist.is_empty() && sought.title.is_empty() {
        return Err(Error::invalid("Give an artist, a title or both."));
    }
    Ok(SearchRequest {
        sought,
        limit: given(limit).map_or(Ok(MAX_LIMIT), |value| parse_limit(&value))?,
        market: given(country).map(|code| market(&code)).transpose()?,
    })
}

fn parse_limit(value: &str) -> Result<usize, Error> {
    let limit = value
        .parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| Error::invalid(format!("limit must be between 1 and {MAX_LIMIT}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_every_parameter() {
        let request = parse("artist=D%C5%BCem&title=Sen+o+Victorii&limit=3&market=pl").unwrap();
        assert_eq!(
            (
                request.sought.artist.as_str(),
                request.sought.title.as_str()
            ),
            ("Dżem", "Sen o Victorii")
        );
        assert_eq!((request.limit, request.market.as_deref()), (3, Some("PL")));
    }

    #[test]
    fn artist_or_title_is_enough_and_empty_counts_as_missing() {
        let request = parse("artist=&title=Whisky&limit=&market=").unwrap();
        assert_eq!(
            (
                request.sought.artist.as_str(),
                request.limit,
                request.market
            ),
            ("", 10, None)
        );
        assert!(parse("artist=Kult").is_ok());
    }

    #[test]
    fn ignores_unknown_parameters() {
        let plain = parse("title=a&limit=3").unwrap();
        for query in [
            "title=a&limit=3&forceFunctionRegion=eu-west-1",
            "utm_source=x&title=a&limit=3&utm_source=y",
            "title=a&limit=3&_=1790000000",
            "title=a&limit=3&&=&%FF",
            "title=a&limit=3&Title=b&LIMIT=99",
        ] {
            assert_eq!(parse(query).unwrap(), plain, "{query}");
        }
    }

    #[test]
    fn refusal_names_the_parameter() {
        let long = format!("title={}", "x".repeat(201));
        for (query, named) in [
            ("", "artist"),
            ("artist=%20&title=+", "artist"),
            ("title=a&title=b", "title is given twice"),
            ("title=a&limit=0", "limit"),
            ("title=a&limit=11", "limit"),
            ("title=a&limit=-1", "limit"),
            ("title=a&limit=ten", "limit"),
            ("title=a&market=POL", "market"),
            (long.as_str(), "title"),
        ] {
            let message = parse(query).unwrap_err().to_string();
            assert!(message.contains(named), "{query}: {message}");
        }
    }
}

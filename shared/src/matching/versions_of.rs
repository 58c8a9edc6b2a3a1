//! Derives a track's version from its title, album and performers.

use super::{
    addition::is_live_album,
    artist::{Names, versions_of_performers},
    fold::{Name, Word},
    lexicon::{Senses, lexicon},
    title::Title,
    version::{Version, Versions},
};
use crate::track::CatalogueTrack;

/// The versions that an album's addition can state for all its tracks. "Remixes" or "Deluxe Radio Edition" say nothing
/// about a plain title.
const OF_ALBUMS: Versions = Versions::of(&[
    Version::Live,
    Version::Karaoke,
    Version::Tribute,
    Version::Cover,
    Version::SpedUp,
    Version::Slowed,
    Version::EightD,
    Version::Acoustic,
    Version::Demo,
    Version::ReRecorded,
    Version::Instrumental,
    Version::Session,
    Version::Spoken,
]);

/// Returns a track's versions, from its parsed title and the words that the song's own title lacks.
pub(super) fn versions_of(
    track: &CatalogueTrack,
    title: &Title,
    album: &mut Title,
    artists: &Names,
    wanted: &Title,
    own: Name<'_>,
) -> Versions {
    let album = of_album(&track.album, &track.title, title, album);
    found(title, album, artists, own).union(unmistakable(title.full(), wanted.full()))
}

/// Returns a stored track's version from its own names; `None` for the plain recording.
#[must_use]
pub fn version_of(title: &str, artist: &str, album: &str) -> Option<Version> {
    let mut artists = Names::default();
    artists.push(artist);
    let parsed = Title::parse(title);
    let album = of_album(album, title, &parsed, &mut Title::default());
    found(&parsed, album, &artists, artists.all()).label()
}

fn found(title: &Title, album: Versions, artists: &Names, own: Name<'_>) -> Versions {
    let found = named(title, own)
        .union(album)
        .union(versions_of_performers(artists));
    // A song "from the vault" has not been recorded before.
    if title.is_unreleased {
        found.without(Versions::of(&[Version::ReRecorded]))
    } else {
        found
    }
}

/// Returns the versions that the title names, except a version of the artist's own ("Glee Cast Version").
fn named(title: &Title, own: Name<'_>) -> Versions {
    const OTHER: Versions = Versions::of(&[Version::Other]);
    let is_own = |word: &Word| own.words.iter().any(|name| name.id == word.id);
    let mut unknown = title
        .version_words()
        .words
        .iter()
        .filter(|word| word.senses.is_empty())
        .peekable();
    if title.versions == OTHER && unknown.peek().is_some() && unknown.all(is_own) {
        return Versions::default();
    }
    title.versions
}

/// Returns the versions named by words of the title that the song's own name lacks: "Someone Like You Karaoke".
fn unmistakable(name: Name<'_>, wanted: Name<'_>) -> Versions {
    if name.same_ids(wanted) {
        return Versions::default();
    }
    let is_own = |word: &Word| wanted.words.iter().any(|own| own.id == word.id);
    let mut found = Versions::default();
    lexicon().scan(name.words, |at, length, senses| {
        let words = name.words.get(at..at + length).unwrap_or_default();
        if senses.has(Senses::ANYWHERE) && !words.iter().all(is_own) {
            found = found.union(Versions::named_by(senses));
        }
    });
    found
        .to_be_asked_for()
        .without(Versions::of(&[Version::Live]))
}

fn of_album(album_name: &str, title_name: &str, title: &Title, album: &mut Title) -> Versions {
    // Two records in one ("Reload / MTV Unplugged") say nothing about a single track.
    if album_name.contains(" / ") || album_name == title_name {
        return Versions::default();
    }
    album.read(album_name);
    if is_remix_of(title.main(), album.main()) {
        return Versions::of(&[Version::Remix]);
    }
    // A single has its song's name: "Live Forever" is not a concert.
    if album.versions.is_empty() && album.main().same_ids(title.main()) {
        return Versions::default();
    }
    album
        .versions
        .intersection(OF_ALBUMS)
        .union(of_album_name(album.full().words))
}

/// Returns whether the album is a remix of the title: a single called "Roses Remix" has no plain "Roses".
fn is_remix_of(title: Name<'_>, album: Name<'_>) -> bool {
    matches!(album.words, [name @ .., last]
        if album.with(name).same_ids(title) && Versions::named_by(last.senses).contains(Version::Remix))
}

/// Returns the versions that an album's own name states ("Live at Leeds"), without its additions.
fn of_album_name(words: &[Word]) -> Versions {
    let mut found = Versions::default();
    lexicon().scan(words, |_, _, senses| {
        let versions = Versions::named_by(senses);
        if senses.has(Senses::ANYWHERE) {
            found = found.union(versions);
        }
    });
    let says = |word: &str| words.iter().any(|own| own.id == lexicon().word(word).id);
    if is_live_album(words) {
        found.insert(Version::Live);
    }
    if says("demos") {
        found.insert(Version::Demo);
    }
    // A radio programme of requests.
    if says("zyczen") {
        found.without(Versions::of(&[Version::Live]))
    } else {
        found.intersection(OF_ALBUMS)
    }
}

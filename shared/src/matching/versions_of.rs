//! Everything that title, album and performers say about a track's version.

use super::{
    addition::is_live_album,
    artist::{Names, versions_of_performers},
    fold::{Name, Word},
    lexicon::{Senses, lexicon},
    title::Title,
    version::{Version, Versions},
};
use crate::track::CatalogueTrack;

/// What an album's addition can say of all its tracks. "Remixes" or "Deluxe Radio Edition" say nothing of a plain title.
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

/// The versions that a track is, by its parsed title and what the song's own title lacks of it.
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

/// What a track is by its own names, as they are stored, where it is not the plain recording.
#[must_use]
pub fn version_of(title: &str, artist: &str, album: &str) -> Option<Version> {
    let mut artists = Names::default();
    artists.push(artist);
    let parsed = Title::parse(title);
    let album = of_album(album, title, &parsed, &mut Title::default());
    found(&parsed, album, &artists, artists.all()).label()
}

fn found(title: &Title, album: Versions, artists: &Names, own: Name<'_>) -> Versions {
    let found = named(title, own).union(album).union(versions_of_performers(artists));
    // What comes "from the vault" has not been recorded before.
    if title.is_unreleased { found.without(Versions::of(&[Version::ReRecorded])) } else { found }
}

/// The versions that the title names; a version of the artist's own ("Glee Cast Version") is none.
fn named(title: &Title, own: Name<'_>) -> Versions {
    const OTHER: Versions = Versions::of(&[Version::Other]);
    let is_own = |word: &Word| own.words.iter().any(|name| name.id == word.id);
    let mut unknown = title.version_words().words.iter().filter(|word| word.senses.is_empty()).peekable();
    if title.versions == OTHER && unknown.peek().is_some() && unknown.all(is_own) {
        return Versions::default();
    }
    title.versions
}

/// The versions that words of the name itself tell which the song's own name lacks: "Someone Like You Karaoke".
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
    found.to_be_asked_for().without(Versions::of(&[Version::Live]))
}

fn of_album(album_name: &str, title_name: &str, title: &Title, album: &mut Title) -> Versions {
    // Two records in one ("Reload / MTV Unplugged") say nothing of the single track.
    if album_name.contains(" / ") || album_name == title_name {
        return Versions::default();
    }
    album.read(album_name);
    if is_remix_of(title.main(), album.main()) {
        return Versions::of(&[Version::Remix]);
    }
    // A single bears its song's name: "Live Forever" is no concert.
    if album.versions.is_empty() && album.main().same_ids(title.main()) {
        return Versions::default();
    }
    album.versions.intersection(OF_ALBUMS).union(of_album_name(album.full().words))
}

/// A single called "Roses Remix" holds no plain "Roses".
fn is_remix_of(title: Name<'_>, album: Name<'_>) -> bool {
    matches!(album.words, [name @ .., last]
        if album.with(name).same_ids(title) && Versions::named_by(last.senses).contains(Version::Remix))
}

/// The versions that an album's own name gives away ("Live at Leeds"), not its additions.
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
    if says("zyczen") { found.without(Versions::of(&[Version::Live])) } else { found.intersection(OF_ALBUMS) }
}

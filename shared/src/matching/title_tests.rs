//! Tests of the parts of titles.

use super::super::{Version, likeness::likeness, similarity::Spelling};
use super::*;

fn similarity(a: &str, b: &str) -> f64 {
    likeness(&Title::parse(a), &Title::parse(b), Spelling::Strict).score
}

#[test]
fn splits_titles_into_parts() {
    let title = Title::parse("Umbrella (feat. JAY-Z) - Live at Wembley");
    assert_eq!(title.main().text(), "umbrella");
    assert_eq!(
        title.featured().map(Name::text).collect::<Vec<_>>(),
        ["jay z"]
    );
    assert!(title.versions.contains(Version::Live));

    let title = Title::parse("(I Can't Get No) Satisfaction - Mono Version");
    assert_eq!(
        (title.main().text().as_str(), title.full().text().as_str()),
        ("satisfaction", "i cant get no satisfaction")
    );
    assert!(title.versions.is_empty());
}

#[test]
fn word_of_the_title_itself_is_not_a_version() {
    for name in [
        "Live and Let Die",
        "Live Forever",
        "Cover Me",
        "Demons",
        "Acoustic #3",
        "Remix to Ignition",
        "Karaoke",
        "Tribute",
        "Long Live",
        "Instrumental",
    ] {
        assert!(Title::parse(name).versions.is_empty(), "{name}");
    }
}

#[test]
fn subtitle_may_be_missing_or_moved_but_not_different() {
    for (a, b) in [
        (
            "Running Up That Hill",
            "Running Up That Hill (A Deal With God)",
        ),
        (
            "Satisfaction (I Can't Get No)",
            "(I Can't Get No) Satisfaction",
        ),
        (
            "If You Don't Want Me To (The Freeze)",
            "(The Freeze) If You Don't Want Me To",
        ),
        ("Spring Day", "봄날 (Spring Day)"),
        ("Für Elise", "Bagatelle No. 25 in A Minor \"Für Elise\""),
        ("Clair de lune", "Suite bergamasque: III. Clair de lune"),
        (
            "Where Everybody Knows Your Name (The Theme From \"Cheers\")",
            "Where Everybody Knows Your Name (Cheers Theme)",
        ),
    ] {
        assert!(similarity(a, b) > 0.9, "{a} {b}");
    }
    assert!(similarity("Requiem - Lacrimosa", "Requiem - Dies irae") < 0.7);
}

#[test]
fn reads_part_numbers_in_every_notation() {
    for (a, b) in [
        ("Alone, Part 2", "Alone, Pt. II"),
        ("Love Serenade Part I", "Love Serenade - Pt. 1"),
        ("Alone (pt2)", "Alone (Part Two)"),
        ("Tubular Bells", "Tubular Bells - Pt. I"),
        ("Shout - Part 1", "Shout, Pts. 1 & 2"),
    ] {
        assert!(similarity(a, b) > 0.9, "{a} {b}");
    }
    for (a, b) in [
        ("Alone, Part 1", "Alone, Part 2"),
        ("Alone", "Alone, Pt. II"),
    ] {
        assert!(similarity(a, b) < 0.7, "{a} {b}");
    }
}

#[test]
fn bare_words_after_the_name_determine_the_version() {
    let alike = likeness(
        &Title::parse("Creep live at Glastonbury"),
        &Title::parse("Creep"),
        Spelling::Strict,
    );
    assert!(alike.score > 0.99 && alike.left.contains(Version::Live));
    assert!(similarity("Live Forever", "Live") < 0.7);
}

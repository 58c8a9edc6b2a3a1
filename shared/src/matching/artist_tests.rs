//! Tests of credits and artists' names.

use super::*;

fn similarity(suggested: &str, credited: &[&str], is_same_title: bool) -> f64 {
    let mut names = Names::default();
    credited.iter().for_each(|name| names.push(name));
    best_similarity(
        &Credits::of(suggested),
        &names,
        std::iter::empty(),
        is_same_title,
    )
}

#[test]
fn one_credited_artist_is_enough() {
    for (suggested, credited, least) in [
        ("Queen & David Bowie", &["Queen", "David Bowie"][..], 0.98),
        ("Queen feat. David Bowie", &["Queen"], 0.9),
        ("Rihanna", &["Calvin Harris", "Rihanna"], 0.98),
        ("Florence + The Machine", &["Florence & The Machine"], 0.98),
        ("Puff Daddy & Faith Evans", &["Diddy", "Faith Evans"], 0.75),
    ] {
        assert!(
            similarity(suggested, credited, false) > least,
            "{suggested}"
        );
    }
    assert!(similarity("Earth, Wind & Fire", &["Fire"], false) < 0.75);
    assert!(similarity("Blue Feat. Elton John", &["Elton John"], true) < 0.75);
}

#[test]
fn splits_off_guests_before_other_artists() {
    for (suggested, credited) in [
        ("T.I. feat. Young Thug", "T.I."),
        ("Lil Nas X Featuring Billy Ray Cyrus", "Lil Nas X"),
        ("Chase & Status ft. Plan B", "Chase & Status"),
        (
            "Earth, Wind & Fire feat. The Emotions",
            "Earth, Wind & Fire",
        ),
    ] {
        assert!(
            similarity(suggested, &[credited], false) > 0.9,
            "{suggested}"
        );
    }
}

#[test]
fn same_title_accepts_other_forms_of_the_artists_name() {
    for (suggested, credited) in [
        ("Elvis", "Elvis Presley"),
        ("The Supremes", "Diana Ross & The Supremes"),
        ("Dave Brubeck", "The Dave Brubeck Quartet"),
        ("Steve Miller", "Steve Miller Band"),
        ("Jimi Hendrix Experience", "Jimi Hendrix"),
        ("Stones", "The Rolling Stones"),
        ("Ray Charles and his Orchestra", "Ray Charles"),
    ] {
        assert!(
            similarity(suggested, &[credited], true) > 0.75,
            "{suggested}"
        );
    }
}

#[test]
fn similar_names_of_other_artists_do_not_match() {
    for (suggested, credited) in [
        ("Drake", "Nick Drake"),
        ("Queen", "Queens of the Stone Age"),
        ("The Kills", "The Killers"),
        ("Hank Williams", "Hank Williams Jr."),
        ("Kate Nash", "Kate Bush"),
        ("Dido", "Dio"),
    ] {
        assert!(
            similarity(suggested, &[credited], true) < 0.75,
            "{suggested}"
        );
    }
}

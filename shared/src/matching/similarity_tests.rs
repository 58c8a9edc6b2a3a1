//! Tests of the similarity of names.

use super::super::fold::Folded;
use super::*;

fn titles(a: &str, b: &str) -> f64 {
    title_similarity(Folded::of(a).name(), Folded::of(b).name(), Spelling::Strict)
}

fn artists(a: &str, b: &str) -> f64 {
    artist_similarity(Folded::of(a).name(), Folded::of(b).name())
}

#[test]
fn swapped_neighbours_are_one_edit() {
    let edits = |a: &str, b: &str| distance(Folded::of(a).name(), Folded::of(b).name(), 10);
    for (a, b, expected) in [
        ("abcd", "acbd", 1),
        ("ab", "ba", 1),
        ("kitten", "sitting", 3),
        ("same", "same", 0),
    ] {
        assert_eq!(edits(a, b), Some(expected), "{a} {b}");
    }
}

#[test]
fn accepts_a_misspelled_word_but_no_other_word() {
    for (a, b) in [
        ("bohemian rapsody", "bohemian rhapsody"),
        ("nine to five", "9 to 5"),
        ("r u mine", "are you mine"),
        ("LUV 4 YA", "love for you"),
        ("symphony no 5 i allegro", "symphony no 5 op 67 i allegro"),
        ("Mambo #5", "Mambo No. 5"),
    ] {
        assert!(titles(a, b) > 0.85, "{a} {b}");
    }
    for (a, b) in [
        ("love me do", "love me too"),
        ("in my life", "in my place"),
        ("hello", "hello goodbye"),
        ("mozliwe", "niemozliwe"),
        ("put your hands together", "put our heads together"),
        ("fire place", "first place"),
        ("candle in the wind 97", "candle in the wind"),
        ("symphony no 5", "symphony no 6"),
        ("take five", "take one"),
        ("nocturne op 9 no 2", "nocturne op 9 no 1"),
    ] {
        assert!(titles(a, b) < 0.7, "{a} {b}");
    }
    // Enough only with the artist's exact name.
    assert!((titles("get lucky", "gnt lucky") - SLIP).abs() < 1e-9);
}

#[test]
fn forms_of_a_polish_noun_are_a_slip() {
    for (a, b) in [
        ("baranki", "baranek"),
        ("mój baranek", "mój baranki"),
        ("kwiatek", "kwiatkami"),
    ] {
        assert!((titles(a, b) - SLIP).abs() < 1e-9, "{a} {b}");
    }
    for (a, b) in [
        ("dreamer", "dreaming"),
        ("biały kotek", "biały kotki"),
        ("barany", "baranek"),
        ("runaway", "runaround"),
    ] {
        assert!(titles(a, b) < 0.7, "{a} {b}");
    }
}

#[test]
fn short_artist_names_must_be_exact() {
    assert!(artists("radiohed", "radiohead") > 0.85);
    assert!(artists("podsiadlo dawid", "dawid podsiadlo") > 0.95);
    assert!(artists("r e m", "rem") > 0.95);
    assert!(artists("sasha sloan", "sasha alex sloan") > 0.85);
    assert!(artists("hall and oates", "daryl hall and john oates") > 0.85);
    assert!(artists("kills", "killers") < 0.75);
}

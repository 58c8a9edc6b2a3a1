//! Builds the title that a search uses.

use super::{
    addition::Addition,
    fold::{Folded, MAX_CHARS, cut},
    lexicon::lexicon,
    normalise::words,
    senses::Senses,
    structure::{Place, Step, Structure},
    title::guests_at,
};

/// Returns the title in its original spelling, without guests and versions; part numbers and subtitles stay.
pub(super) fn bare_title(text: &str) -> String {
    let text = cut(text);
    let (mut structure, mut bare, mut piece, mut previous) =
        (Structure::default(), Vec::new(), String::new(), ' ');
    let mut rest = text.chars().take(MAX_CHARS).peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        match structure.step(previous, c, next) {
            Step::Letter => piece.push(c),
            Step::Space => piece.push(' '),
            Step::End(place) => bare.extend(kept_piece(place, &std::mem::take(&mut piece))),
        }
        previous = c;
    }
    bare.extend(kept_piece(structure.place, &piece));
    if bare.is_empty() {
        text.to_owned()
    } else {
        bare.join(" ")
    }
}

/// Returns the part of a piece that a search has to name.
fn kept_piece(place: Place, piece: &str) -> Option<String> {
    let folded = Folded::of(piece);
    let words = if piece.chars().any(char::is_alphanumeric) {
        folded.words()
    } else {
        &[]
    };
    let guests = guests_at(words, place, false);
    let own = guests.and_then(|at| words.get(..at)).unwrap_or(words);
    let stays = place == Place::Main
        || matches!(
            Addition::of(own),
            Addition::Part | Addition::Count | Addition::Subtitle | Addition::Note
        );
    // Guests come last.
    let is_guest = |word: &str| guests.is_some() && names_guest(word);
    (stays && !own.is_empty()).then(|| {
        piece
            .split_whitespace()
            .take_while(|word| !is_guest(word))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

fn names_guest(word: &str) -> bool {
    words(word)
        .first()
        .is_some_and(|word| lexicon().word(word).senses.has(Senses::FEAT))
}

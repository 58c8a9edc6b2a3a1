//! Collects the tracks of a generation, and reports each track and each miss as it happens.

use shared::api::{Stage, StageData, Track};
use shared::llm::Cost;
use shared::matching::{MissReason, Selection};
use shared::track::Suggestion;

use crate::event::Event;
use crate::outbox::Outlet;
use crate::playlist::found_track;
use crate::quota::Spellings;
use crate::refine::Base;
use crate::request::PlaylistRequest;
use crate::resolve::Found;
use crate::suggestions::Queued;

/// The most `miss` events, with one more for each track found: a wish that is not about music reveals little.
const MAX_MISSES: usize = 5;

/// The tracks found so far.
pub struct Tracklist<'a> {
    base: &'a Base,
    target: usize,
    selection: Selection,
    /// In the order in which they were found.
    found: Vec<Placed>,
    misses: usize,
    outlet: Outlet,
}

/// A track with its suggestion.
struct Placed {
    /// The suggestion's place among all.
    place: usize,
    song: Suggestion,
    track: Track,
}

impl<'a> Tracklist<'a> {
    /// Creates the list of a request; the kept tracks of `base` are in it already.
    pub fn new(request: &PlaylistRequest, base: &'a Base, outlet: Outlet) -> Self {
        let mut selection = Selection::new(request.target_count, &request.words());
        base.enter(&mut selection);
        Self {
            base,
            target: request.target_count,
            selection,
            found: Vec::new(),
            misses: 0,
            outlet,
        }
    }

    /// Returns whether no track was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the number of tracks found.
    pub fn found_count(&self) -> usize {
        self.found.len()
    }

    /// Returns whether the list has as many tracks as were requested.
    pub fn is_full(&self) -> bool {
        self.selection.is_full()
    }

    /// Returns how many tracks are missing.
    pub fn missing(&self) -> usize {
        self.target.saturating_sub(self.selection.len())
    }

    /// Returns whether a song was suggested before, and records it.
    pub fn is_repeat(&mut self, song: &Suggestion) -> bool {
        self.selection.already_seen(song)
    }

    /// Reports a stage.
    pub fn announce(&self, stage: Stage) {
        self.outlet.send(Event::Stage(StageData {
            stage,
            found: self.selection.len(),
            target: self.target,
        }));
    }

    /// Adds and reports a track, or its miss if the list does not accept it. `cost` is the model's cost so far.
    pub fn add(&mut self, queued: Queued, found: &Found, cost: Cost) {
        let Queued { place, song, why } = queued;
        if let Err(reason) = self.selection.offer(&found.track.recording) {
            return self.miss(&song, reason);
        }
        let track = found_track(self.base.place(self.found.len()), found, why);
        self.outlet.send_track(track.clone(), cost);
        self.found.push(Placed { place, song, track });
    }

    /// Reports a song without a track.
    pub fn miss(&mut self, song: &Suggestion, reason: MissReason) {
        if self.misses < MAX_MISSES + self.found.len() {
            self.misses += 1;
            self.outlet.send(Event::miss(song, reason));
        }
    }

    /// Returns the playlist in the model's order, a second completion's songs after the first one's, with the kept
    /// tracks; and how the model spells its songs.
    pub fn into_playlist(mut self) -> (Vec<Track>, Spellings) {
        self.found.sort_by_key(|placed| placed.place);
        let mut spellings = Spellings::new();
        let mut tracks = Vec::new();
        for (index, Placed { song, track, .. }) in self.found.into_iter().enumerate() {
            spellings.insert(track.details.track_uri.clone(), song);
            tracks.push(Track { index, ..track });
        }
        (self.base.with(tracks), spellings)
    }
}

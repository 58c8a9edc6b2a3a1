//! Sends events to the client, and charges before the track that makes the delivery complete is sent.

use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use shared::api::Track;
use shared::llm::Cost;

use crate::event::Event;
use crate::quota::Ledger;

/// Sends an event to the client.
pub type Emit = Rc<dyn Fn(Event)>;

/// Returns how many tracks of a wish for `target` make a delivery that is charged.
pub fn enough(target: usize) -> usize {
    target.div_ceil(3).min(5)
}

/// An event on its way.
enum Queued {
    /// A track, and the model's cost when it was found.
    Track(Track, Cost),
    /// Any other event.
    Other(Event),
}

/// The end of the queue into which the generation puts its events.
///
/// The other end lives as long as the generation, so sending does not fail.
pub struct Outlet(mpsc::UnboundedSender<Queued>);

impl Outlet {
    /// Puts a track into the queue, with the model's cost so far.
    pub fn send_track(&self, track: Track, cost: Cost) {
        let _ = self.0.unbounded_send(Queued::Track(track, cost));
    }

    /// Puts any other event into the queue.
    pub fn send(&self, event: Event) {
        let _ = self.0.unbounded_send(Queued::Other(event));
    }
}

/// The events on their way from the generation to the client.
pub struct Outbox<'a> {
    ledger: Ledger<'a>,
    queue: mpsc::UnboundedReceiver<Queued>,
    emit: Emit,
    /// Charges after this many more tracks; `None` if nothing is sent before the end.
    every: Option<usize>,
    /// Events that left the queue and have not been sent.
    held: VecDeque<Event>,
    /// The tracks that left the queue.
    tracks: Vec<Track>,
    /// The model's cost when the last of them was found.
    cost: Cost,
    /// How many of them are charged.
    charged: usize,
}

impl<'a> Outbox<'a> {
    /// Creates an outbox, and the outlet into which the generation puts its events.
    pub fn new(ledger: Ledger<'a>, emit: Emit, every: Option<usize>) -> (Self, Outlet) {
        let (sender, queue) = mpsc::unbounded();
        let outbox = Self {
            ledger,
            queue,
            emit,
            every,
            held: VecDeque::new(),
            tracks: Vec::new(),
            cost: Cost::ZERO,
            charged: 0,
        };
        (outbox, Outlet(sender))
    }

    /// Returns whether the tracks sent are charged.
    pub fn is_charged(&self) -> bool {
        self.charged > 0
    }

    /// Sends events as they arrive. Ends only if charging fails, after which nothing more may be sent.
    pub async fn run(&mut self) {
        while let Some(queued) = self.queue.next().await {
            self.hold(queued);
            self.hold_rest();
            let is_due = |every| self.tracks.len() >= self.charged + every;
            if self.every.is_some_and(is_due) {
                let charged = self.ledger.charge(self.cost, &self.tracks).await;
                if charged.is_err() {
                    return;
                }
                self.charged = self.tracks.len();
            }
            self.send_held();
        }
        std::future::pending().await
    }

    /// Sends the remaining events; tracks only if they are settled.
    pub fn finish(mut self, is_settled: bool) {
        self.hold_rest();
        self.held
            .retain(|event| is_settled || !matches!(event, Event::Track(_)));
        self.send_held();
    }

    fn hold_rest(&mut self) {
        while let Ok(queued) = self.queue.try_recv() {
            self.hold(queued);
        }
    }

    fn hold(&mut self, queued: Queued) {
        self.held.push_back(match queued {
            Queued::Track(track, cost) => {
                self.tracks.push(track.clone());
                self.cost = cost;
                Event::Track(track)
            }
            Queued::Other(event) => event,
        });
    }

    fn send_held(&mut self) {
        self.held.drain(..).for_each(|event| (self.emit)(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn charges_after_a_third_of_the_target_or_five_tracks() {
        let expected = [(1, 1), (3, 1), (4, 2), (12, 4), (13, 5), (50, 5)];
        assert_eq!(
            expected.map(|(target, _)| (target, enough(target))),
            expected
        );
    }
}

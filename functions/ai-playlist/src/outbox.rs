//! Sends events to the client, and charges before the track that makes the delivery complete is sent.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use shared::llm::Cost;
use shared::runtime::clock::Clock;
use shared::supabase::Service;

use crate::event::{Event, Track};
use crate::generate::Emit;
use crate::quota::{self, Session};

/// Returns how many tracks of a wish for `target` make a delivery that is charged.
pub fn enough(target: usize) -> usize {
    target.div_ceil(3).min(5)
}

/// The ledger of one generation; the generation updates its cost.
pub struct Ledger<'a> {
    /// The database.
    pub service: Service<'a>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The generation and its user.
    pub session: Session,
    /// The model's cost so far.
    pub cost: Rc<Cell<Cost>>,
}

/// The events on their way from the generation to the client.
pub struct Outbox<'a> {
    ledger: Ledger<'a>,
    queue: mpsc::UnboundedReceiver<Event>,
    emit: Emit,
    /// Charges after this many more tracks; `None` if nothing is sent before the end.
    every: Option<usize>,
    /// Events that left the queue and have not been sent.
    held: VecDeque<Event>,
    /// The tracks that left the queue.
    tracks: Vec<Track>,
    /// How many of them the ledger has.
    written: usize,
}

impl<'a> Outbox<'a> {
    /// Creates an outbox and the sender into which the generation puts its events.
    pub fn new(ledger: Ledger<'a>, emit: Emit, every: Option<usize>) -> (Self, Emit) {
        let (sender, queue) = mpsc::unbounded();
        let put: Emit = Rc::new(move |event| {
            let _ = sender.unbounded_send(event); // The queue lives as long as the generation.
        });
        let (held, tracks) = (VecDeque::new(), Vec::new());
        (
            Self {
                ledger,
                queue,
                emit,
                every,
                held,
                tracks,
                written: 0,
            },
            put,
        )
    }

    /// Returns whether the tracks sent are charged.
    pub fn is_charged(&self) -> bool {
        self.written > 0
    }

    /// Sends events as they arrive. Ends only if charging fails, after which nothing more may be sent.
    pub async fn run(&mut self) {
        while let Some(event) = self.queue.next().await {
            self.hold(event);
            while let Ok(event) = self.queue.try_recv() {
                self.hold(event);
            }
            if self
                .every
                .is_some_and(|every| self.tracks.len() >= self.written + every)
            {
                let Ledger {
                    service,
                    clock,
                    session,
                    cost,
                } = &self.ledger;
                let written =
                    quota::deliver(service, *clock, *session, cost.get(), &self.tracks).await;
                if written.is_err() {
                    return;
                }
                self.written = self.tracks.len();
            }
            self.send_held();
        }
        std::future::pending().await
    }

    /// Sends the remaining events; tracks only if they are settled.
    pub fn finish(&mut self, is_settled: bool) {
        while let Ok(event) = self.queue.try_recv() {
            self.hold(event);
        }
        self.held
            .retain(|event| is_settled || !matches!(event, Event::Track(_)));
        self.send_held();
    }

    fn hold(&mut self, event: Event) {
        if let Event::Track(track) = &event {
            self.tracks.push(track.clone());
        }
        self.held.push_back(event);
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

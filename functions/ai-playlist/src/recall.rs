//! Looks suggested songs up in the catalogue memory, in batches as they arrive.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use futures_channel::{mpsc, oneshot};
use futures_util::future::FutureExt;
use futures_util::{StreamExt, select_biased};
use shared::catalogue::{Entry, MAX_RECALLED, Memory};
use shared::matching::song_key;
use shared::runtime::clock::Clock;
use shared::track::Suggestion;

/// A batch of this many songs is large enough, because no more are resolved at once.
const BATCH_SONGS: usize = 5;
/// The time for which a song waits for others, so that they are looked up together.
const BATCH_WAIT_MS: u64 = 250;
/// The time for which an urgent song waits.
const URGENT_WAIT_MS: u64 = 50;
/// The memory may use this part of the requests that are left for searching.
const SHARE: usize = 8;

enum Message {
    Song(Lookup),
    /// No more songs follow for now, so the batch need not wait.
    Pause,
}

/// A song that is needed.
struct Lookup {
    song: String,
    since_ms: u64,
    is_urgent: bool,
    reply: oneshot::Sender<Option<Entry>>,
}

/// The end of the channel to which songs are sent.
pub struct Recall<'a> {
    clock: &'a dyn Clock,
    sender: mpsc::UnboundedSender<Message>,
    /// The pending results, by song.
    expected: RefCell<BTreeMap<String, oneshot::Receiver<Option<Entry>>>>,
}

impl Recall<'_> {
    /// Requests a song that will be needed, an urgent one soon.
    pub fn expect(&self, suggestion: &Suggestion, is_urgent: bool) {
        let song = song_key(suggestion);
        let (reply, entry) = oneshot::channel();
        let lookup = Lookup {
            song: song.clone(),
            since_ms: self.clock.now_ms(),
            is_urgent,
            reply,
        };
        if self.sender.unbounded_send(Message::Song(lookup)).is_ok() {
            self.expected.borrow_mut().insert(song, entry);
        }
    }

    /// Announces that no more songs follow for now.
    pub fn pause(&self) {
        let _ = self.sender.unbounded_send(Message::Pause); // Fails at the end of the generation.
    }

    /// Waits for and returns the entry of a requested song.
    pub async fn entry(&self, suggestion: &Suggestion) -> Option<Entry> {
        let entry = self.expected.borrow_mut().remove(&song_key(suggestion))?;
        entry.await.ok().flatten()
    }
}

/// Queries the memory. After a failure, or when its share of the requests is used up, it sends nothing for the rest of
/// the generation; the songs are then searched.
pub struct Recaller<'a> {
    memory: Memory<'a>,
    clock: &'a dyn Clock,
    queue: mpsc::UnboundedReceiver<Message>,
    requests_left: usize,
}

impl<'a> Recaller<'a> {
    /// Creates both ends; `available` is the number of requests that searching may use.
    pub fn new(memory: Memory<'a>, clock: &'a dyn Clock, available: usize) -> (Recall<'a>, Self) {
        let (sender, queue) = mpsc::unbounded();
        let recall = Recall {
            clock,
            sender,
            expected: RefCell::default(),
        };
        (
            recall,
            Self {
                memory,
                clock,
                queue,
                requests_left: available / SHARE,
            },
        )
    }

    /// Runs until the generation ends. The first batch does not wait, because the first track should be early.
    pub async fn run(&mut self) -> Infallible {
        let mut is_first = true;
        while let Some(message) = self.queue.next().await {
            let Message::Song(first) = message else {
                continue;
            };
            let longest_ms = if is_first || self.requests_left == 0 {
                0
            } else if first.is_urgent {
                URGENT_WAIT_MS
            } else {
                BATCH_WAIT_MS
            };
            is_first = false;
            let batch = self.collect(first, longest_ms).await;
            let songs: Vec<String> = batch.iter().map(|lookup| lookup.song.clone()).collect();
            let entries = self.read(&songs).await;
            for (lookup, entry) in batch.into_iter().zip(entries) {
                let _ = lookup.reply.send(entry); // Fails for a song that is no longer needed.
            }
        }
        std::future::pending().await
    }

    /// Collects the songs that are there, and waits for others while there are few and all are as urgent as the
    /// first.
    async fn collect(&mut self, first: Lookup, longest_ms: u64) -> Vec<Lookup> {
        let was_urgent = first.is_urgent;
        let waited_ms = self.clock.now_ms().saturating_sub(first.since_ms);
        let wait_ms = longest_ms.saturating_sub(waited_ms);
        let mut is_over = self.clock.sleep_ms(wait_ms).fuse();
        let mut waits = wait_ms > 0;
        let mut batch = vec![first];
        while batch.len() < MAX_RECALLED {
            let message = if waits {
                select_biased! {
                    message = self.queue.next() => message,
                    () = is_over => None,
                }
            } else {
                self.queue.next().now_or_never().flatten()
            };
            let Some(Message::Song(lookup)) = message else {
                break;
            };
            waits &= batch.len() + 1 < BATCH_SONGS && lookup.is_urgent == was_urgent;
            batch.push(lookup);
        }
        batch
    }

    async fn read(&mut self, songs: &[String]) -> Vec<Option<Entry>> {
        if self.requests_left == 0 {
            return vec![None; songs.len()];
        }
        self.requests_left -= 1;
        let entries = self.memory.recall(songs).await;
        entries.unwrap_or_else(|| {
            self.requests_left = 0;
            vec![None; songs.len()]
        })
    }
}

#[cfg(test)]
#[path = "recall_tests.rs"]
mod tests;

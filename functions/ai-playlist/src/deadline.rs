//! The time limits of a request.

use std::future::Future;

use futures_util::future::{Either, select};
use futures_util::pin_mut;
use shared::runtime::clock::Clock;
use shared::supabase::RETRYING_MS;
use shared::{Code, Error};

use crate::handler::Context;

/// The deadline, counted from the request to the end of the response.
const DEADLINE_MS: u64 = 55_000;
/// The part of it that is kept for settling.
const SETTLING_MS: u64 = 6_000;
/// The time that the database's response may take on its way.
const RESPONSE_MS: u64 = 1_000;

/// The deadline of one request.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    clock: &'a dyn Clock,
    started_ms: u64,
}

impl<'a> Deadline<'a> {
    /// Returns the deadline of the request of this context.
    pub fn of(context: &'a Context) -> Self {
        Self {
            clock: &context.clock,
            started_ms: context.request.started_ms,
        }
    }

    /// Returns when the generation has to end (Unix time in milliseconds).
    pub fn generation_ends_ms(self) -> u64 {
        self.started_ms + DEADLINE_MS - SETTLING_MS
    }

    /// Returns the age at which the reservation may at most be settled as succeeded. The reservation is a little
    /// younger than the request, so this ends before the wait for it does.
    pub fn max_age_ms(self) -> u64 {
        let age_ms = self.clock.now_ms().saturating_sub(self.started_ms);
        (age_ms + RETRYING_MS)
            .min(DEADLINE_MS)
            .saturating_sub(RESPONSE_MS)
    }

    /// Waits for the database until the deadline.
    ///
    /// # Errors
    /// Returns the error of `work`, or 503 `database_unavailable` at the deadline.
    pub async fn bound<T>(self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let ends_ms = self.started_ms + DEADLINE_MS;
        let deadline = self
            .clock
            .sleep_ms(ends_ms.saturating_sub(self.clock.now_ms()));
        pin_mut!(work, deadline);
        match select(work, deadline).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(Error::of(Code::DatabaseUnavailable).caused_by("the deadline")),
        }
    }
}

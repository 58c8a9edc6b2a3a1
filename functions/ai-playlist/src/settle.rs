//! Settles a generation: delivers its playlist, or frees the slot of the quota.

use shared::api::{GeneratedPlaylist, StopReason};
use shared::llm::playlist::{Language, example_prompts, refusal_message};
use shared::llm::{Cost, LlmError};
use shared::runtime::context::RequestContext;
use shared::{Code, Error};

use crate::deadline::Deadline;
use crate::generate::{Failure, Generated};
use crate::playlist::{compose, language};
use crate::quota::{Ledger, Outcome, Spellings};
use crate::request::PlaylistRequest;

/// How a generation ended.
pub enum Ended {
    /// By itself.
    Over(Result<StopReason, Failure>),
    /// The client has left.
    Left,
    /// Charging failed, so nothing more may be sent until all of it is settled.
    Unwritten,
}

/// What is needed to settle a generation.
pub struct Settling<'a> {
    /// The quota's record.
    pub ledger: Ledger<'a>,
    /// The time limits.
    pub deadline: Deadline<'a>,
    /// The request.
    pub request: &'a PlaylistRequest,
    /// The log line.
    pub call: &'a RequestContext,
}

impl Settling<'_> {
    /// Settles, and returns the playlist for the client.
    ///
    /// Only a generation that was settled as succeeded is delivered; any other costs the user nothing. If
    /// `is_charged`, what was sent stays charged, and is kept for the user.
    ///
    /// # Errors
    /// Returns the error for the client.
    pub async fn settle(
        &self,
        ended: Ended,
        generated: Generated,
        is_charged: bool,
    ) -> Result<GeneratedPlaylist, Error> {
        let client_left = || Error::of(Code::ClientClosedRequest);
        match ended {
            Ended::Over(Ok(stop_reason)) => self.deliver(generated, stop_reason).await,
            Ended::Unwritten => self.deliver(generated, StopReason::Interrupted).await,
            Ended::Left if is_charged => {
                let kept = self.deliver(generated, StopReason::Interrupted).await;
                Err(kept.err().unwrap_or_else(client_left))
            }
            Ended::Left => Err(self.release(client_left(), generated.cost).await),
            Ended::Over(Err(failure)) => {
                let language = language(generated.about.language, self.request);
                Err(self
                    .release(error_of(failure, language), generated.cost)
                    .await)
            }
        }
    }

    /// Charges the playlist, and saves it if that was requested.
    async fn deliver(
        &self,
        generated: Generated,
        stop_reason: StopReason,
    ) -> Result<GeneratedPlaylist, Error> {
        let Generated {
            about,
            tracks,
            spellings,
            cost,
        } = generated;
        let session = self.ledger.session();
        let mut playlist = compose(session, self.request, about, tracks, stop_reason);
        let charge = self.charge(&mut playlist, &spellings, cost);
        match self.deadline.bound(charge).await {
            Ok(()) => {
                self.call.note("quota", "charged");
                Ok(playlist)
            }
            // The reservation has expired, or the playlist's fate is unknown: a repeat finds out.
            Err(refusal) if has_unknown_fate(&refusal) => Err(refusal),
            // The database refused and rolled everything back; the reservation still holds.
            Err(refusal) => Err(self.release(refusal, cost).await),
        }
    }

    async fn charge(
        &self,
        playlist: &mut GeneratedPlaylist,
        spellings: &Spellings,
        cost: Cost,
    ) -> Result<(), Error> {
        let (ledger, request) = (&self.ledger, self.request);
        if request.save && ledger.save(request, playlist, spellings, cost).await? {
            return Ok(());
        }
        let outcome = Outcome::Succeeded(playlist);
        playlist.quota = ledger
            .settle(outcome, cost, self.deadline.max_age_ms())
            .await?;
        Ok(())
    }

    /// Frees the slot of a generation that failed, and returns its error.
    async fn release(&self, error: Error, cost: Cost) -> Error {
        let outcome = match error.code() {
            Code::GenerationTimeout => Outcome::Timeout,
            _ => Outcome::Failed,
        };
        let max_age_ms = self.deadline.max_age_ms();
        let settling = self.ledger.settle(outcome, cost, max_age_ms);
        match self.deadline.bound(settling).await {
            Ok(_) => {
                self.call.note("quota", "released");
                error
            }
            // The reservation expires by itself; the log has both errors.
            Err(unsettled) => {
                let causes = [&error, &unsettled]
                    .map(|e| e.cause().unwrap_or_default())
                    .join("; unsettled: ");
                error.caused_by(causes)
            }
        }
    }
}

fn error_of(failure: Failure, language: Language) -> Error {
    match failure {
        Failure::Llm(error @ LlmError::Declined(_)) => not_about_music(language).caused_by(error),
        Failure::Llm(error) => error.into(),
        Failure::Spotify(error) => error.into(),
        Failure::Deadline => Error::of(Code::GenerationTimeout),
        Failure::NothingFound => Error::of(Code::NoTracksFound),
        Failure::Refused => not_about_music(language),
    }
}

fn has_unknown_fate(error: &Error) -> bool {
    let code = error.code();
    code == Code::GenerationTimeout || code == Code::DatabaseUnavailable
}

fn not_about_music(language: Language) -> Error {
    let examples = example_prompts(language).map(str::to_owned).to_vec();
    Error::new(Code::NotAboutMusic, refusal_message(language)).with_examples(examples)
}

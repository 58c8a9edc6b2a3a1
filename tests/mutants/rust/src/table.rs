//! The mutants. Text and replacement are expressions of one type, and the text occurs in its file exactly once.

pub struct Mutant {
    pub name: &'static str,
    pub file: &'static str,
    pub text: &'static str,
    pub replacement: &'static str,
    /// The package whose library tests contain `test`.
    pub package: &'static str,
    /// The name of the test that has to fail, without its modules.
    pub test: &'static str,
}

macro_rules! mutants {
    ($($package:literal { $($name:literal: $file:literal $text:literal => $replacement:literal, $test:literal;)+ })+) => {
        pub const MUTANTS: &[Mutant] = &[$($(Mutant {
            name: $name, file: $file, text: $text, replacement: $replacement, package: $package, test: $test,
        },)+)+];
    };
}

mutants! {
    "shared" {
        "only versions that one user wants are remembered":
            "shared/src/matching/remembered.rs" "WantedVersions::ALL" => "WantedVersions::default()",
            "remembered_candidates_decide_the_labelled_cases_alike";
        "what could not be decided by the remembered search counts as missing":
            "shared/src/catalogue/entry.rs" "self.is_complete.then(|| judge(&self.tracks))" => "Some(judge(&self.tracks))",
            "incomplete_entry_does_not_decide_a_missing_song";
        "an entry of any size is written":
            "shared/src/catalogue/mod.rs" "bytes.len() <= MAX_ENTRY_BYTES" => "!bytes.is_empty()",
            "entry_too_large_for_the_database_is_left_out";
        "a remembered text may hold anything":
            "shared/src/catalogue/entry.rs" "one_line(text, MAX_TEXT_CHARS) == *text" => "true",
            "ignores_poisoned_and_incomplete_entries";
        "an expired token is accepted":
            "shared/src/auth/jwt.rs" "self.exp <= now - LEEWAY_SECONDS" => "false",
            "refuses_claims_of_other_tokens";
        "a token of another project is accepted":
            "shared/src/auth/jwt.rs" "self.iss.as_deref() != Some(issuer)" => "false",
            "refuses_claims_of_other_tokens";
        "a token of any role is accepted":
            "shared/src/auth/jwt.rs" "self.role.as_deref() != Some(AUTHENTICATED)" => "false",
            "refuses_claims_of_other_tokens";
        "the token chooses its algorithm":
            "shared/src/auth/jwt.rs" "self.algorithm != key.algorithm()" => "false",
            "refuses_the_public_key_as_hmac_secret";
        "a token for other audiences is accepted":
            "shared/src/auth/jwt.rs" "audiences.iter().any(|audience| audience == AUTHENTICATED)" => "true",
            "refuses_claims_of_other_tokens";
        "a withdrawn signing key is used for ever":
            "shared/src/auth/jwks.rs" "fresh_until_ms + STALE_MS" => "u64::MAX",
            "uses_old_keys_for_an_hour_while_auth_is_unavailable";
        "every unknown key id causes a request":
            "shared/src/auth/jwks.rs" "now_ms.saturating_sub(since_ms) < REFETCH_INTERVAL_MS" => "false",
            "unknown_key_ids_cause_one_fetch_in_30_seconds";
        "an old sign-in is enough for what needs a recent one":
            "shared/src/auth/recent.rs" "self.is_anonymous || self.sign_ins.any_is_recent(now_seconds)" => "true",
            "refreshed_token_does_not_make_a_session_recent";
        "a state of Spotify's consent never expires":
            "shared/src/spotify/state.rs" "age > LIFETIME_SECONDS" => "false",
            "state_identifies_its_user_for_ten_minutes";
        "a client can forge a state of Spotify's consent":
            "shared/src/spotify/state.rs" "mac.verify_slice(&signature).is_ok()" => "true",
            "no_change_of_a_single_character_goes_unnoticed";
        "a refused refresh token ends a link that has been replaced":
            "shared/src/spotify/link.rs" "self.expire(user_id, &seen).await?" => "true",
            "a_refused_refresh_token_ends_the_link_if_it_is_still_the_stored_one";
        "a refresh token that Spotify has replaced is lost":
            "shared/src/spotify/link.rs" "tokens.refresh_token.as_ref().map(Secret::expose)" => "None",
            "another_refresh_token_is_stored";
        "any signature is Stripe's":
            "shared/src/stripe/signature.rs" "found | signed.is_by(secret, body)" => "true",
            "detects_every_flipped_bit";
        "an old event can be replayed":
            "shared/src/stripe/signature.rs" "now_seconds.abs_diff(signed.seconds) > TOLERANCE_SECONDS" => "false",
            "accepts_and_refuses_headers_by_the_rules";
        "an unpaid subscription makes its customer pro":
            "shared/src/stripe/plan.rs" "matches!(self.status.as_str(), \"active\" | \"trialing\" | \"past_due\")"
                => "matches!(self.status.as_str(), \"active\" | \"trialing\" | \"past_due\" | \"unpaid\")",
            "every_subscription_status_maps_to_a_plan";
        "a subscription without the service makes its customer pro":
            "shared/src/stripe/plan.rs" "text(object, \"/pause_collection/behavior\") == Some(\"void\")" => "false",
            "subscription_paused_by_voiding_invoices_is_free";
        "only the first page of a customer's subscriptions is read":
            "shared/src/stripe/plan.rs" "self.has_more" => "false",
            "all_pages_are_read";
        "a second customer takes the profile of the first":
            "shared/src/stripe/plan_sync.rs" "profile.filter(|profile| profile.stripe_customer_id.is_none())"
                => "profile",
            "customer_without_a_known_user_is_foreign";
        "an event decides whose customer it is":
            "shared/src/stripe/checkout.rs" "Uuid::try_parse(own).ok()" => "claimed",
            "customer_without_a_known_user_is_foreign";
        "a song that the user ruled out is delivered":
            "shared/src/matching/score.rs" "song.obstacle.is_none()" => "true",
            "labelled_cases_match_their_labels";
        "a recording that was not requested is delivered":
            "shared/src/matching/judge.rs" "score < MIN_SCORE" => "false",
            "finds_the_meant_recording_in_real_results";
        "an artist fills the whole playlist":
            "shared/src/matching/selection.rs" "of_artist >= MAX_PER_ARTIST && !named()" => "false",
            "limits_artists_to_two_tracks_unless_named";
        "a recording is delivered twice":
            "shared/src/matching/selection.rs" "self.isrc.is_some() && self.isrc == other.isrc" => "false",
            "refuses_the_same_uri_recording_or_song";
        "an artist that the user ruled out sings along":
            "shared/src/matching/constraints.rs" "title.featured().any(&is_excluded)" => "false",
            "labelled_cases_match_their_labels";
        "a line of a stream grows without a limit":
            "shared/src/llm/framing.rs" "self.line.len() + length > MAX_EVENT_BYTES" => "false",
            "refuses_an_endless_line";
    }
    "ai-playlist" {
        "songs do not wait for each other":
            "functions/ai-playlist/src/recall.rs" "longest_ms.saturating_sub(waited_ms)" => "0 * waited_ms",
            "urgent_songs_are_looked_up_at_once_and_others_in_batches";
        "the first track and the last one wait for other songs":
            "functions/ai-playlist/src/recall.rs" "lookup.is_urgent == was_urgent" => "true",
            "urgent_songs_are_looked_up_at_once_and_others_in_batches";
        "a memory that fails is asked again and again":
            "functions/ai-playlist/src/recall.rs" "self.requests_left = 0" => "()",
            "failing_memory_is_not_used_again";
        "a rate limit is met again by each song":
            "functions/ai-playlist/src/resolve.rs" "self.limited.set(Some(error))" => "()",
            "rate_limited_generation_delivers_remembered_songs_and_reports_the_others";
        "the requests that settling needs are spent on searches":
            "functions/ai-playlist/src/budget.rs" "self.available() == 0" => "self.remaining.get() == 0",
            "reserved_requests_are_not_spent_early";
        "a cost beyond the column's range is sent to the database":
            "functions/ai-playlist/src/quota.rs" "cost.ten_thousandths() > MOST" => "false",
            "cost_is_capped_to_the_range_of_its_column";
        "an expired reservation counts as a failure to be settled again":
            "functions/ai-playlist/src/settle.rs"
                "code == Code::GenerationTimeout || code == Code::DatabaseUnavailable" => "{ let _ = code; false }",
            "playlist_of_unknown_outcome_is_left_to_a_repeat";
        "a generation that failed is charged":
            "functions/ai-playlist/src/quota.rs" "\"failed\"" => "\"succeeded\"",
            "disconnected_client_ends_the_generation_as_failed";
        "tracks are sent although the generation was not settled":
            "functions/ai-playlist/src/outbox.rs" "is_settled || !matches!(event, Event::Track(_))" => "true",
            "charges_before_it_sends";
        "tracks are sent although they could not be charged":
            "functions/ai-playlist/src/outbox.rs" "charged.is_err()" => "false",
            "failed_charge_ends_the_generation_with_the_tracks_so_far";
        "a prompt without a completion costs nothing":
            "functions/ai-playlist/src/generate.rs" "request.prompt_cost(llm.config.prices)" => "Cost::ZERO",
            "prompt_without_a_completion_has_its_cost_recorded_once";
        "a silent stream gets no pings":
            "functions/ai-playlist/src/job.rs" "clock.sleep_ms(PING_EVERY_MS).await"
                => "std::future::pending::<()>().await",
            "silent_stream_gets_a_ping_every_five_seconds";
        "a generation goes on without its reader":
            "functions/ai-playlist/src/job.rs" "select(gone, left)"
                => "select(gone, std::future::pending::<()>().boxed_local())",
            "unread_stream_ends_the_generation_as_failed";
        "a playlist beyond the limit of saved ones is charged and lost":
            "functions/ai-playlist/src/quota.rs" "Ok(false)" => "Err(Error::of(Code::PlaylistLimitReached))",
            "playlist_over_the_limit_is_delivered_unsaved";
        "a model that never stops is listened to for ever":
            "functions/ai-playlist/src/completion.rs" "self.total - self.repeats >= self.max_new" => "false",
            "stops_a_model_that_exceeds_its_songs";
    }
    "billing" {
        "two checkouts stay open":
            "shared/src/stripe/checkout.rs" "self.expire(open.iter().skip(1)).await?" => "()",
            "concurrent_checkouts_both_keep_the_newest";
        "a customer that was deleted at Stripe is never replaced":
            "shared/src/stripe/checkout.rs" "format!(\"customer-{user_id}-{old}\")"
                => "let _ = old; format!(\"customer-{user_id}\")",
            "replaces_a_missing_customer";
        "an open checkout in another currency keeps a customer from paying":
            "shared/src/stripe/checkout.rs" "self.expire(sessions.iter()).await?" => "()",
            "currency_conflict_is_resolved_or_reported";
        "an open checkout of another price is used again":
            "shared/src/stripe/checkout.rs" "is_same && lasts" => "{ let _ = is_same; lasts }",
            "one_checkout_is_open_at_a_time";
        "a first payment that failed cannot be paid":
            "functions/billing/src/handler.rs" "stripe.first_payment(&begun).await?" => "None::<String>",
            "incomplete_subscription_is_sent_to_its_open_invoice";
        "an unpaid subscription does not keep its customer from a second one":
            "shared/src/stripe/plan.rs" "matches!(self.status.as_str(), \"canceled\" | \"incomplete_expired\")"
                => "matches!(self.status.as_str(), \"canceled\" | \"incomplete_expired\" | \"unpaid\")",
            "subscriber_is_sent_to_portal";
        "a checkout leads to any site":
            "functions/billing/src/request.rs" "!origins.has_url(url)" => "false",
            "refuses_urls_of_other_origins";
        "a URL of the app may begin with another host's name":
            "shared/src/runtime/cors.rs" "rest.is_empty() || rest.starts_with(['/', '?', '#'])" => "true",
            "refuses_urls_of_other_origins";
    }
    "stripe-webhook" {
        "a test event changes a live plan":
            "functions/stripe-webhook/src/handler.rs" "event.livemode != config.stripe.livemode" => "false",
            "event_not_from_stripe_is_refused_before_any_request";
        "a checkout in another tab stays open after the payment":
            "functions/stripe-webhook/src/handler.rs" "stripe.close_sessions(&subject.customer).await?" => "()",
            "payment_closes_checkouts_in_other_tabs";
    }
    "spotify-search" {
        "searches are not limited":
            "functions/spotify-search/src/handler.rs" "take_request(&service, user.id(), Counted::Search).await?"
                => "()",
            "search_over_the_limit_or_of_a_deleted_user_does_not_reach_spotify";
    }
    "spotify-export" {
        "exports are not limited":
            "functions/spotify-export/src/job.rs"
                "take_request(&supabase.service(), self.user.id(), Counted::Export).await?" => "()",
            "rate_limited_export_does_not_reach_spotify";
        "a repeat makes a second copy":
            "functions/spotify-export/src/job.rs" "self.export(key, copy, tokens).await"
                => "self.export(key, None, tokens).await",
            "fills_an_existing_copy_and_returns_a_finished_result";
        "an export that failed holds its key":
            "functions/spotify-export/src/job.rs" "ledger::release(&service, self.clock, self.call, key).await" => "()",
            "refused_export_releases_its_key";
    }
    "account" {
        "a stolen session deletes the account":
            "functions/account/src/handler.rs" "user.require_recent_sign_in(clock.now_seconds())?" => "()",
            "deletion_needs_a_recent_sign_in";
        "an account is deleted and its subscription goes on":
            "functions/account/src/handler.rs" "stripe.delete_customer(&customer).await?" => "()",
            "customer_is_deleted_at_stripe_before_the_user";
        "an account is deleted although Stripe kept the customer":
            "shared/src/stripe/checkout.rs" "response.get(\"deleted\") != Some(&Value::Bool(true))" => "false",
            "user_whose_customer_remains_is_not_deleted";
    }
}

//! Tests that `end-to-end` runs on workerd, on Deno.

use crate::catalogue::generate_again;
use crate::process::kill_in_the_middle;

#[tokio::test]
async fn killed_deno_ends_the_stack_and_a_repeat_returns_the_tracks_that_were_charged_once() {
    kill_in_the_middle("deno").await;
}

#[tokio::test]
async fn songs_that_were_found_on_deno_are_not_searched_again_until_their_entries_expire() {
    generate_again("deno").await;
}

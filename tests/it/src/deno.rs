//! What the tests of processes show on workerd, on Deno.

use crate::process::kill_in_the_middle;

#[tokio::test]
async fn kill_of_deno_ends_the_stack_and_a_repeat_returns_what_was_sent_and_charged_once() {
    kill_in_the_middle("deno").await;
}

//! The operator's command that finds and corrects what lost events have left.

use std::process::Output;

use serde_json::json;
use tokio::process::Command;

use crate::own_stack::xtask;
use crate::stack::Stack;
use crate::stripe::{cancel, create_customer, deliver, hold_events, profile, subscribe};

async fn run(arguments: &[&str]) -> (i32, String) {
    let ready_file = std::env::var("SOUND_WHISKERS_READY_FILE").unwrap();
    let mut command = Command::new(xtask());
    command.args(["reconcile-billing", "--ready-file", &ready_file]).args(arguments);
    let Output { status, stdout, stderr } = command.env_remove("CARGO_MANIFEST_DIR").output().await.unwrap();
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap(), text)
}

#[tokio::test]
async fn lost_events_are_found_first_and_corrected_when_told_to() {
    let stack = Stack::take().await;
    // Other tests' customers are gone with the reset of Stripe, so all profiles are brought to agree first.
    let (code, text) = run(&["--apply"]).await;
    assert_eq!(code, 0, "{text}");

    let [pays, ended, lost, given, fine] = [
        stack.sign_up().await,
        stack.sign_up().await,
        stack.sign_up().await,
        stack.sign_up().await,
        stack.sign_up().await,
    ];
    hold_events(&stack).await;
    let agrees = create_customer(&stack, &fine).await;
    subscribe(&stack, &agrees).await;
    let gone = create_customer(&stack, &ended).await;
    let subscription = subscribe(&stack, &gone).await;
    let customer = create_customer(&stack, &pays).await;
    stack
        .sql("update public.profiles set stripe_customer_id = $2 where user_id = $1", &[&pays.id, &customer])
        .await;
    deliver(&stack).await;
    // From here on nothing is delivered: it starts to pay, it ends, the customer is not even known, somebody helps.
    subscribe(&stack, &customer).await;
    cancel(&stack, &subscription).await;
    let unknown = create_customer(&stack, &lost).await;
    subscribe(&stack, &unknown).await;
    stack.sql("update public.profiles set plan = 'pro' where user_id = $1", &[&given.id]).await;

    let (code, text) = run(&[]).await;
    assert_eq!(code, 1, "{text}");
    for (user, line) in [
        (&pays, format!("{customer}  free is pro")),
        (&ended, format!("{gone}  pro is free")),
        (&lost, format!("{unknown}  free is pro")),
        (&given, "no customer  pro is free".to_owned()),
    ] {
        assert!(text.contains(&format!("{}  {line}\n", user.id)), "{line} is not in {text}");
    }
    assert!(text.contains(" 4 differ\n") && text.contains("nothing was changed"), "{text}");
    assert_eq!(profile(&stack, &pays).await.0, "free", "a dry run changes nothing");

    let (code, text) = run(&["--apply"]).await;
    assert_eq!((code, text.matches("  corrected\n").count()), (0, 4), "{text}");
    for (user, plan) in [(&pays, "pro"), (&ended, "free"), (&lost, "pro"), (&given, "free"), (&fine, "pro")] {
        assert_eq!(profile(&stack, user).await.0, plan);
    }
    assert_eq!(profile(&stack, &lost).await.1, Some(unknown));
    let (code, text) = run(&[]).await;
    assert!(code == 0 && text.ends_with(" 0 differ\n"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_changes_nothing() {
    let stack = Stack::take().await;
    stack.faults("stripe", json!([{"path_prefix": "/v1/subscriptions", "status": 401, "body": {}}])).await;
    let (code, text) = run(&["--apply"]).await;
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("error: stripe refuses the secret key") && !text.contains("sk_test"), "{text}");
}

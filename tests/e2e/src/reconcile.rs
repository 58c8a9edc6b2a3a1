//! The operator's command that finds and corrects what lost events have left.

use crate::own_stack::run_xtask;
use crate::stack::Stack;
use crate::stripe::{cancel, create_customer, deliver, hold_events, profile, store_customer, subscribe};

async fn reconcile(arguments: &[&str]) -> (i32, String) {
    let ready_file = std::env::var("SOUND_WHISKERS_READY_FILE").unwrap();
    run_xtask(&[&["reconcile-billing", "--ready-file", &ready_file], arguments].concat()).await
}

#[tokio::test]
async fn reconciliation_lists_lost_events_and_corrects_them_on_request() {
    let stack = Stack::take().await;
    // The reset of Stripe has removed other tests' customers, so all profiles are brought to agree first.
    let (code, text) = reconcile(&["--apply"]).await;
    assert_eq!(code, 0, "{text}");
    let (pays, ended, lost) = (stack.sign_up().await, stack.sign_up().await, stack.sign_up().await);
    let given = stack.sign_up_pro().await;
    hold_events(&stack).await;
    let gone = create_customer(&stack, &ended).await;
    let subscription = subscribe(&stack, &gone).await;
    let customer = create_customer(&stack, &pays).await;
    store_customer(&stack, &pays, &customer).await;
    deliver(&stack).await;
    // No event is delivered from here on: one user subscribes, one cancels, one has no stored customer.
    subscribe(&stack, &customer).await;
    cancel(&stack, &subscription).await;
    let unknown = create_customer(&stack, &lost).await;
    subscribe(&stack, &unknown).await;

    let (code, text) = reconcile(&[]).await;
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

    let (code, text) = reconcile(&["--apply"]).await;
    assert_eq!((code, text.matches("  corrected\n").count()), (0, 4), "{text}");
    for (user, plan) in [(&pays, "pro"), (&ended, "free"), (&lost, "pro"), (&given, "free")] {
        assert_eq!(profile(&stack, user).await.0, plan);
    }
    assert_eq!(profile(&stack, &lost).await.1, Some(unknown));
    let (code, text) = reconcile(&[]).await;
    assert!(code == 0 && text.ends_with(" 0 differ\n"), "{text}");
}

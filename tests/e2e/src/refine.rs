//! Changing a saved playlist: what stays, what is new, and what is charged.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::generation::{document, document_with_key, read, reply, saving, streaming};
use crate::stack::{stack_and_user, with};

fn titles(document: &Value) -> Vec<&str> {
    document["tracks"].as_array().unwrap().iter().map(|track| track["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn refinement_keeps_its_songs_is_charged_once_and_leads_back() {
    let (stack, user) = stack_and_user().await;
    let first = [
        ("nirvana", "come as you are", 1991),
        ("radiohead", "karma police", 1997),
        ("queen", "bohemian rhapsody", 1975),
    ];
    let second =
        [("queen", "bohemian rhapsody", 1975), ("the beatles", "let it be", 1970), ("dzem", "whisky", 1985)];
    stack.llm_script(json!([reply(&first), reply(&second)])).await;
    let wish = with(saving("evening"), &json!({"target_count": 3}));
    let made = document(&stack, &user, &wish).await.ok();
    assert_eq!(made["version"], 1);
    let list = &made["playlist_id"];
    let kept = made["tracks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|track| track["title"] == "Bohemian Rhapsody")
        .unwrap();

    let key = Uuid::new_v4().to_string();
    let refine = json!({"playlist_id": list, "keep": [kept["track_uri"]], "instruction": "calmer"});
    let wish = with(wish, &json!({"refine": refine}));
    let stream =
        read(streaming(&stack, &user, &wish).header("idempotency-key", &key).send().await.unwrap()).await;
    let done = stream.last("done");
    assert_eq!((&done["playlist_id"], &done["version"], &done["name"]), (list, &json!(2), &made["name"]));
    assert_eq!(titles(done), ["Let It Be", "Whisky", "Bohemian Rhapsody"]);
    assert_eq!(stream.all("track")[0]["track_uri"], kept["track_uri"]);
    let question = stack.completions().await[1]["body"].to_string();
    assert!(question.contains("karma police") && !question.contains("Karma Police"), "{question}");

    let repeat = document_with_key(&stack, &user, &wish, &key).await.ok();
    assert_eq!(
        (&repeat["playlist_id"], &repeat["version"], titles(&repeat)),
        (list, &json!(2), titles(done))
    );
    for change in [json!({"keep": []}), json!({"instruction": "loud"}), json!({"playlist_id": Uuid::nil()})] {
        let other = with(wish.clone(), &json!({"refine": with(refine.clone(), &change)}));
        document_with_key(&stack, &user, &other, &key).await.assert_error(409, "idempotency_key_reused");
    }
    stack.assert_used(&user, 2, 1).await;

    let back = json!({"playlist_id": list, "version": 1});
    let restored = stack.rest(Method::POST, "rpc/restore_version", &user, back).await.ok();
    assert_eq!(titles(&restored), titles(&made));
}

//! A real model server: llama.cpp's own, with its grammars, its framing and its count of tokens.
//!
//! The model has learned one playlist by heart (`tests/models`), so that nothing here depends on chance.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::check_llm::check;
use crate::generation::{self, FIVE, ask};
use crate::own_stack::{Place, functions_alone};
use crate::stack::{Stack, User};

const KEY: &str = "sk-of-the-model-server";
/// A token of the prompt is a byte to this model, so a question takes some five thousand.
const CONTEXT: u32 = 24_576;

const TEN: [(&str, &str, i64); 10] = [
    FIVE[0],
    FIVE[1],
    FIVE[2],
    FIVE[3],
    FIVE[4],
    ("Pink Floyd", "Wish You Were Here", 1975),
    ("U2", "With or Without You", 1987),
    ("AC/DC", "Back in Black", 1980),
    ("David Bowie", "Space Oddity", 1969),
    ("Pearl Jam", "Alive", 1991),
];

/// A running model server; it ends with this value.
struct ModelServer {
    url: String,
    _process: Child,
}

impl ModelServer {
    async fn start(answer: &str, context: u32) -> Self {
        let python = std::env::var_os("SOUND_WHISKERS_PYTHON")
            .map(PathBuf::from)
            .expect("SOUND_WHISKERS_PYTHON names no Python: run `cargo xtask test --only models`");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/llama_server.py");
        let mut process = Command::new(python)
            .arg("-B")
            .arg(program)
            .args([context.to_string().as_str(), KEY])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // It runs until its input ends, so the input is kept open by `process`.
        let input = process.stdin.as_mut().unwrap();
        input.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = output.next_line().await.unwrap().expect("the model server did not start");
        Self { url: format!("{url}/v1"), _process: process }
    }

    /// How many tokens the server counts in its answer.
    async fn answer_tokens(&self, http: &reqwest::Client) -> i64 {
        let body = json!({"messages": [{"role": "user", "content": "evening"}]});
        let request = http.post(format!("{}/chat/completions", self.url)).bearer_auth(KEY).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["usage"]["completion_tokens"].as_i64().unwrap_or_else(|| panic!("no usage: {answer}"))
    }
}

/// The members of the answer and of a song, in the order in which the product asks for them: a grammar made of the
/// schema allows no other.
struct Order {
    answer: Vec<String>,
    song: Vec<String>,
}

impl Order {
    /// Reads it from a request that the product sends.
    async fn of_the_product(stack: &Stack) -> Self {
        let user = stack.sign_up().await;
        stack.llm_script(generation::reply(&FIVE)).await;
        assert_eq!(generation::json(stack, &user, &ask("evening")).await.0, 200);
        let request = stack.log_of("llm", "/v1/chat/completions").await.remove(0);
        let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        let schema = &body["response_format"]["json_schema"]["schema"];
        let names = |schema: &Value| -> Vec<String> {
            let names = schema["required"].as_array().unwrap_or_else(|| panic!("no schema: {body}"));
            names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        Self { answer: names(schema), song: names(&schema["properties"]["tracks"]["items"]) }
    }

    fn playlist(&self, songs: &[(&str, &str, i64)]) -> String {
        let song = |(artist, title, year): &(&str, &str, i64)| {
            object(&self.song, &json!({"artist": artist, "title": title, "year": year}), "")
        };
        let tracks = format!("[{}]", songs.iter().map(song).collect::<Vec<_>>().join(","));
        let texts = json!({
            "kind": "playlist", "language": "en", "name": "By heart", "description": "What every parrot knows.",
            "summary": "Ten songs, learned once.",
        });
        object(&self.answer, &texts, &tracks)
    }
}

/// A JSON object with its members in this order; the one that `members` lacks is the list of tracks.
fn object(order: &[String], members: &Value, tracks: &str) -> String {
    let member = |name: &String| match &members[name] {
        Value::Null => format!("\"{name}\":{tracks}"),
        value => format!("\"{name}\":{value}"),
    };
    format!("{{{}}}", order.iter().map(member).collect::<Vec<_>>().join(","))
}

/// What the functions are configured with to use a model server, with a price at which a token of the answer costs the
/// smallest amount that is recorded.
fn environment(shared: &Stack, url: &str, json_mode: Option<&str>) -> String {
    let mut lines = functions_alone(shared, shared.url("/supabase_url"));
    for (name, value) in
        [("LLM_BASE_URL", url), ("LLM_API_KEY", KEY), ("LLM_MODEL", "parrot"), ("LLM_PRICE_OUT", "100")]
    {
        lines += &format!("{name}={value}\n");
    }
    lines + &json_mode.map(|mode| format!("LLM_JSON_MODE={mode}\n")).unwrap_or_default()
}

/// What a listener's only generation is recorded to have cost, in ten-thousandths of a dollar.
async fn cost(stack: &Stack, user: &User) -> i64 {
    let row = stack
        .sql("select (cost * 10000)::bigint from public.ai_sessions where user_id = $1", &[&user.id])
        .await;
    assert_eq!(row.len(), 1);
    row[0].get(0)
}

#[tokio::test]
async fn llama_cpp_gives_its_songs_in_every_json_mode() {
    let shared = Stack::take().await;
    let server = ModelServer::start(&Order::of_the_product(&shared).await.playlist(&TEN), CONTEXT).await;
    let tokens = server.answer_tokens(&shared.http).await;
    let place = Place::take().await;
    for mode in [None, Some("strict"), Some("object"), Some("prompt")] {
        let name = mode.unwrap_or("default");
        let env = environment(&shared, &server.url, mode);
        let functions = place.start_functions(name, place.ports_from, "workerd", &env).await;
        let user = shared.sign_up().await;

        let stream =
            generation::stream(&functions.stack, &user, &json!({"prompt": "evening", "target_count": 10}))
                .await;

        let done = stream.last("done");
        let mut found: Vec<_> =
            done["tracks"].as_array().unwrap().iter().map(|t| t["title"].as_str().unwrap()).collect();
        let mut expected = TEN.map(|(_, title, _)| title);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}: {done}");
        assert_eq!((&done["name"], &done["language"]), (&json!("By heart"), &json!("en")), "{name}");
        // Estimated where the answer is not read to its end, for its last songs are not needed.
        let cost = cost(&shared, &user).await;
        assert!(
            (cost - tokens).abs() <= tokens / 10,
            "{name}: recorded {cost}, and the server counts {tokens}"
        );
    }
}

#[tokio::test]
async fn check_llm_says_what_llama_cpp_supports() {
    let shared = Stack::take().await;
    let server = ModelServer::start(&Order::of_the_product(&shared).await.playlist(&TEN[..3]), CONTEXT).await;
    let variables = [("LLM_BASE_URL", server.url.as_str()), ("LLM_API_KEY", KEY), ("LLM_MODEL", "parrot")];
    for (mode, form) in [("strict", "(strict)"), ("object", "(object)"), ("prompt", "(prompt)")] {
        let (code, text) = check(&[&variables[..], &[("LLM_JSON_MODE", mode)]].concat()).await;
        assert_eq!(code, 0, "{text}");
        for line in [
            form,
            "accepted (200)",
            "Streaming  yes",
            " tokens sent, ",
            "3 of 4 asked for: Nirvana – Come as You Are",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
    }
    let (code, text) = check(&[&variables[..], &[("LLM_API_KEY", "sk-wrong")]].concat()).await;
    assert!(code == 1 && text.contains("check LLM_API_KEY"), "{text}");
}

#[tokio::test]
async fn check_llm_says_that_the_context_of_llama_cpp_is_too_small() {
    let server = ModelServer::start("{}", 1_024).await;
    let (code, text) =
        check(&[("LLM_BASE_URL", &server.url), ("LLM_API_KEY", KEY), ("LLM_MODEL", "parrot")]).await;
    assert!(code == 1 && text.contains("context is too small"), "{text}");
}

//! A real model server (llama.cpp), with its grammars, its framing and its token counts.
//!
//! The model has learned one playlist by heart (`tests/compat/models`), so that no result depends on chance.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::generation::{self, ask, document};
use crate::own_stack::{Place, functions_alone};
use crate::stack::Stack;

const KEY: &str = "sk-of-the-model-server";
/// This model reads each byte of the prompt as a token, and a prompt has some five thousand.
const CONTEXT: u32 = 24_576;

const TEN: [(&str, &str, i64); 10] = [
    ("Nirvana", "Come as You Are", 1991),
    ("Radiohead", "Karma Police", 1997),
    ("Dżem", "Whisky", 1985),
    ("Queen", "Bohemian Rhapsody", 1975),
    ("The Beatles", "Let It Be", 1970),
    ("Pink Floyd", "Wish You Were Here", 1975),
    ("U2", "With or Without You", 1987),
    ("AC/DC", "Back in Black", 1980),
    ("David Bowie", "Space Oddity", 1969),
    ("Pearl Jam", "Alive", 1991),
];

struct ModelServer {
    url: String,
    _process: Child,
}

impl ModelServer {
    async fn start(completion: &str, context: u32) -> Self {
        let python = std::env::var_os("SOUND_WHISKERS_PYTHON")
            .map(PathBuf::from)
            .expect("SOUND_WHISKERS_PYTHON names no Python: run `cargo xtask test --only models`");
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compat/models/llama_server.py");
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
        input.write_all(format!("{completion}\n").as_bytes()).await.unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = output.next_line().await.unwrap().expect("the model server did not start");
        Self { url: format!("{url}/v1"), _process: process }
    }

    async fn completion_tokens(&self, http: &reqwest::Client) -> i64 {
        let body = json!({"messages": [{"role": "user", "content": "evening"}]});
        let request = http.post(format!("{}/chat/completions", self.url)).bearer_auth(KEY).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["usage"]["completion_tokens"].as_i64().unwrap_or_else(|| panic!("no usage: {answer}"))
    }
}

/// The playlist in the order of the schema's members: the grammar made from the schema allows no other.
struct Schema(Value);

impl Schema {
    async fn of_the_product(stack: &Stack) -> Self {
        document(stack, &stack.sign_up().await, &ask("evening")).await.ok();
        let request = stack.completions().await.remove(0);
        let mut body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        Self(body["response_format"]["json_schema"]["schema"].take())
    }

    fn playlist(&self, songs: &[(&str, &str, i64)]) -> String {
        let song = |(artist, title, year): &_| {
            let song =
                json!({"artist": artist, "title": title, "year": year, "why": format!("{title} by heart")});
            object(&self.0["properties"]["tracks"]["items"], &song, "")
        };
        let tracks = songs.iter().map(song).collect::<Vec<_>>().join(",");
        let texts = json!({
            "kind": "playlist", "language": "en", "name": "By heart", "description": "What every parrot knows.",
            "summary": "Ten songs, learned once.",
        });
        object(&self.0, &texts, &format!("[{tracks}]"))
    }
}

/// An object in the order of the schema's members; the member that `members` lacks is the list of tracks.
fn object(schema: &Value, members: &Value, tracks: &str) -> String {
    let member = |name: &Value| match &members[name.as_str().unwrap()] {
        Value::Null => format!("{name}:{tracks}"),
        value => format!("{name}:{value}"),
    };
    let names = schema["required"].as_array().unwrap_or_else(|| panic!("no schema: {schema}"));
    format!("{{{}}}", names.iter().map(member).collect::<Vec<_>>().join(","))
}

#[tokio::test]
async fn llama_cpp_gives_its_songs_in_every_json_mode() {
    let shared = Stack::take().await;
    let server = ModelServer::start(&Schema::of_the_product(&shared).await.playlist(&TEN), CONTEXT).await;
    let tokens = server.completion_tokens(&shared.http).await;
    let place = Place::take().await;
    for mode in ["", "strict", "object", "prompt"] {
        // At this price a token costs the smallest amount that is recorded.
        let lines = format!(
            "LLM_BASE_URL={}\nLLM_API_KEY={KEY}\nLLM_MODEL=parrot\nLLM_PRICE_OUT=100\nLLM_JSON_MODE={mode}\n",
            server.url
        );
        let env = functions_alone(&shared, shared.url("/supabase_url")) + &lines;
        let functions = place.start_with(&env).await;
        let user = shared.sign_up().await;
        let body = json!({"prompt": "evening", "target_count": 10});
        let stream = generation::stream(&functions.stack, &user, &body).await;
        let done = stream.last("done");
        let mut found: Vec<_> =
            done["tracks"].as_array().unwrap().iter().map(|track| track["title"].as_str().unwrap()).collect();
        let mut expected = TEN.map(|(_, title, _)| title);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{mode}: {done}");
        assert_eq!((&done["name"], &done["language"]), (&json!("By heart"), &json!("en")), "{mode}");
        // The cost is estimated if the function stops reading once it has enough songs.
        let statement = "select (cost * 10000)::bigint from public.ai_sessions where user_id = $1";
        let cost: i64 = shared.sql(statement, &[&user.id]).await[0].get(0);
        assert!(
            (cost - tokens).abs() <= tokens / 10,
            "{mode}: {cost} is recorded, the server counts {tokens}"
        );
    }
}

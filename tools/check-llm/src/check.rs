//! Sends one prompt to the model and reads the completion in the same way as the functions.

use native::{NativeClock, NativeHttp};
use shared::llm::playlist::{Language, PlaylistEvent, PlaylistPrompt, PlaylistReader};
use shared::llm::{
    ChatEvent, ChatStream, Cost, DialectCache, FinishReason, LlmClient, LlmConfig, LlmError, Usage,
};
use shared::runtime::clock::Clock;
use shared::runtime::http_client::Limits;
use shared::track::Suggestion;

use crate::observed::{Attempt, Observed};

/// The prompt is Polish, because a completion in the wrong language could not be detected otherwise.
const PROMPT: &str = "trzy spokojne polskie piosenki na deszczowy wieczór";
const SONGS: usize = 3;
/// The same limits as in the functions.
const LIMITS: Limits = Limits::stream(20_000, 49_000, 4 * 1024 * 1024);

/// The result of a prompt.
#[derive(Default)]
pub struct Check {
    pub attempts: Vec<Attempt>,
    pub error: Option<LlmError>,
    pub text: String,
    pub refusal: String,
    /// The number of songs that the prompt asks for.
    pub wanted: usize,
    pub songs: Vec<Suggestion>,
    pub language: Option<Language>,
    pub finish: Option<FinishReason>,
    pub usage: Option<Usage>,
    pub cost: Cost,
    /// When the first piece of text arrived.
    pub first_text_ms: Option<u64>,
    /// When the completion ended.
    pub done_ms: u64,
    /// The number of pieces of the text.
    pub pieces: usize,
}

impl Check {
    pub async fn run(config: &LlmConfig, http: &NativeHttp, clock: NativeClock) -> Self {
        let prompt = PlaylistPrompt {
            prompt: PROMPT.to_owned(),
            wanted: SONGS,
            ..PlaylistPrompt::default()
        };
        let observed = Observed::new(http);
        let mut check = Self {
            wanted: prompt.count(),
            ..Self::default()
        };
        let client = LlmClient {
            config,
            dialects: &DialectCache::default(),
            http: &observed,
            clock: &clock,
        };
        match client.stream(&prompt.to_request(), LIMITS).await {
            Ok(stream) => check.read(stream, clock).await,
            Err(error) => check.error = Some(error),
        }
        check.attempts = observed.attempts();
        check
    }

    async fn read(&mut self, mut stream: ChatStream<'_>, clock: NativeClock) {
        let mut reader = PlaylistReader::new();
        while let Some(event) = stream.next().await {
            match event {
                Ok(ChatEvent::Content(text)) => {
                    self.first_text_ms.get_or_insert_with(|| clock.now_ms());
                    self.pieces += 1;
                    self.take(reader.push(&text));
                    self.text += &text;
                }
                Ok(ChatEvent::Refusal(text)) => self.refusal += &text,
                Ok(ChatEvent::Finished(reason)) => self.finish = Some(reason),
                Ok(ChatEvent::Usage(usage)) => self.usage = Some(usage),
                Err(error) => self.error = Some(error),
            }
        }
        self.take(reader.finish());
        self.done_ms = clock.now_ms();
        self.cost = stream.cost();
    }

    fn take(&mut self, events: Vec<PlaylistEvent>) {
        for event in events {
            match event {
                PlaylistEvent::Language(language) => self.language = Some(language),
                PlaylistEvent::Suggestion(song) => self.songs.push(song),
                _ => {}
            }
        }
    }

    /// Whether the completion is in the language of the prompt.
    pub fn follows_language(&self) -> bool {
        self.language == Some(Language::detect(PROMPT))
    }
}

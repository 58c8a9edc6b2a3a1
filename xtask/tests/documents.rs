//! Tests that the documents name only what exists: files, headings, commands and variables.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by it"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use project::workspace::Workspace;

/// What a build or an operator makes.
const MADE: [&str; 4] = [
    "target/",
    "web/dist",
    "supabase/functions/.env",
    "node_modules/",
];

fn files_of_the_checkout(root: &Path) -> Vec<String> {
    let mut command = Command::new("git");
    command
        .current_dir(root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    printed.lines().map(str::to_owned).collect()
}

/// A document: its path from the root, and its text.
type Document = (String, String);

fn documents(root: &Path) -> Vec<Document> {
    let files = files_of_the_checkout(root).into_iter();
    let documents: Vec<_> = files
        .filter(|path| path.ends_with(".md") && root.join(path).exists())
        .map(|path| (path.clone(), fs::read_to_string(root.join(path)).unwrap()))
        .collect();
    assert!(documents.len() > 20);
    documents
}

/// The parts of a text between two marks, without those that span several paragraphs.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let parts = text.split(open).skip(1);
    parts
        .filter_map(|part| part.split_once(close))
        .map(|(inner, _)| inner)
        .collect()
}

/// The text in backticks, with its line breaks as spaces.
fn code(text: &str) -> Vec<String> {
    let without_blocks: String = text.split("```").step_by(2).collect();
    let pieces = without_blocks.split('`').skip(1).step_by(2);
    pieces
        .map(|piece| piece.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// The headings of a document, as links name them.
fn anchors(text: &str) -> Vec<String> {
    let without_blocks: String = text.split("```").step_by(2).collect();
    let headings = without_blocks.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let root = Workspace::open().unwrap().root;
    for (path, text) in documents(&root) {
        let prose: String = text.split("```").step_by(2).collect();
        for link in between(&prose, "](", ")") {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => root.join(&path),
                file => root.join(&path).parent().unwrap().join(file),
            };
            assert!(
                target.exists(),
                "{path} links to {link}, which does not exist"
            );
            if !anchor.is_empty() {
                let headings = anchors(&fs::read_to_string(target).unwrap());
                assert!(
                    headings.iter().any(|it| it == anchor),
                    "{path} links to {link}: no such heading"
                );
            }
        }
    }
}

#[test]
fn every_path_in_a_document_exists() {
    let root = Workspace::open().unwrap().root;
    let is_top = |first: &str| root.join(first).is_dir();
    for (path, text) in documents(&root) {
        for piece in code(&text) {
            let is_path = piece
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"./_-".contains(&b));
            let first = piece.split('/').next().unwrap_or_default();
            let is_made = MADE.iter().any(|made| piece.starts_with(made));
            if is_path && piece.contains('/') && is_top(first) && !first.is_empty() && !is_made {
                let beside = root
                    .join(&path)
                    .parent()
                    .map(PathBuf::from)
                    .unwrap()
                    .join(&piece);
                assert!(
                    root.join(&piece).exists() || beside.exists(),
                    "{path} names {piece}, which does not exist"
                );
            }
        }
    }
}

#[test]
fn every_command_in_a_document_is_understood() {
    let root = Workspace::open().unwrap().root;
    for (path, text) in documents(&root) {
        let lines = text
            .lines()
            .filter_map(|line| line.split_once("cargo xtask "))
            .map(|(_, rest)| rest.to_owned());
        let pieces = code(&text)
            .into_iter()
            .filter_map(|piece| Some(piece.split_once("cargo xtask ")?.1.to_owned()));
        for command in lines.filter(|line| !line.contains('`')).chain(pieces) {
            // Code has comments and other commands after it, a table's cell prose.
            let command = command.split(['"', ')']).next().unwrap_or_default();
            let words: Vec<_> = command
                .split_whitespace()
                .take_while(|word| !["#", "&&", "|"].contains(word))
                .collect();
            if words.iter().any(|word| word.contains(['$', '…', '~'])) {
                continue;
            }
            let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
                .args(&words)
                .arg("--help")
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{path} names `cargo xtask {command}`, which is refused"
            );
        }
    }
}

#[test]
fn every_variable_in_a_document_is_read_somewhere() {
    let root = Workspace::open().unwrap().root;
    let is_code = |path: &String| {
        ["rs", "ts", "toml", "example", "sh", "yml"]
            .iter()
            .any(|it| path.ends_with(it))
    };
    let sources: String = files_of_the_checkout(&root)
        .into_iter()
        .filter(is_code)
        .filter_map(|path| fs::read_to_string(root.join(path)).ok())
        .collect();
    // Of other programs.
    let elsewhere = [
        "OLLAMA_CONTEXT_LENGTH",
        "CHECKOUT_SESSION_ID",
        "QUOTA_EXCEEDED",
    ];
    for (path, text) in documents(&root) {
        for piece in code(&text) {
            let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            for word in piece.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                let is_variable =
                    word.bytes().all(is_name) && word.contains('_') && !word.ends_with('_');
                if is_variable && !elsewhere.contains(&word) {
                    assert!(
                        sources.contains(word),
                        "{path} names {word}, which nothing reads"
                    );
                }
            }
        }
    }
}

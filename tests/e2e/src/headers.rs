//! The headers of every response, however its path is written.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stack::Stack;

const COMMON: [(&str, &str); 5] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// The status and the head of the response to a path that no client has normalised.
async fn head(stack: &Stack, method: &str, path: &str) -> (u16, String) {
    let host = stack.url("/web_url").trim_start_matches("http://").trim_end_matches('/');
    let mut connection = TcpStream::connect(host).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    connection.read_to_end(&mut response).await.unwrap();
    let response = String::from_utf8_lossy(&response);
    let head = response.split("\r\n\r\n").next().unwrap().to_owned();
    for (name, value) in COMMON {
        assert_eq!(values(&head, name), [value], "{path}: {head}");
    }
    assert!(values(&head, "strict-transport-security").is_empty(), "{path}: not over http");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head)
}

fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn every_response_has_one_set_of_headers_however_its_path_is_written() {
    let stack = Stack::take().await;
    let pages = "/ /index.html /?x=1 /?p=x // /./ /%2e/ /%69ndex.html /icon.svg /nowhere";
    for path in pages.split(' ') {
        let (_, head) = head(&stack, "GET", path).await;
        let [policy] = values(&head, "content-security-policy")[..] else { panic!("{path}: {head}") };
        assert!(
            policy.ends_with("require-trusted-types-for 'script'; trusted-types worker"),
            "{path}: {policy}"
        );
    }
    for (method, path, expected) in [
        ("GET", "/config.json", 200),
        ("GET", "/functions/v1/nowhere", 404),
        ("GET", "/functions/v1/assets", 404),
        ("GET", "/functions/v2/account", 404),
        ("GET", "/functions/v1/account/health", 200),
        ("GET", "/functions/v1/spotify-search", 401),
        ("DELETE", "/functions/v1/spotify-search", 405),
        ("OPTIONS", "/functions/v1/spotify-search", 204),
        ("GET", "/functions/v1/spotify-oauth/callback?error=access_denied", 302),
    ] {
        let (status, head) = head(&stack, method, path).await;
        assert_eq!(status, expected, "{method} {path}");
        let policy = ["default-src 'none'; frame-ancestors 'none'"];
        assert_eq!(values(&head, "content-security-policy"), policy, "{method} {path}");
        assert_eq!(values(&head, "cache-control"), ["no-store"], "{method} {path}");
    }
}

use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::fakes::{FakeClock, FakeHttp, FakeLog, FakeResponse, fake_request};
use crate::runtime::endpoint::{Endpoint, route};
use crate::runtime::http_client::{HttpClient, Limits, OutboundRequest, Upstream};
use crate::runtime::response::json_response;

const ENDPOINT: Endpoint = Endpoint {
    name: "echo",
    routes: &[
        ("/", "POST, DELETE"),
        ("/start", "POST, DELETE"),
        ("/stop", "DELETE"),
    ],
    max_body_bytes: 2048,
    has_database: false,
    serves_pages: true,
};
const ORIGIN: &str = "https://app.example";

async fn unwell(_: &HeaderMap) -> Result<Response<Body>, Error> {
    json_response(StatusCode::SERVICE_UNAVAILABLE, &"unwell")
}

/// Serves a request; returns the response and the lines of the log.
fn ask(
    path: &str,
    method: Method,
    body: Result<Bytes, BodyError>,
    timing: bool,
) -> (Response<Body>, Vec<Value>) {
    let (log, clock) = (FakeLog::default(), FakeClock::at_ms(1_250));
    let call = RequestContext::new(ENDPOINT, &method, Uuid::nil(), 1_000, Rc::new(log.clone()));
    let call = call.showing_timing(timing);
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    request
        .headers_mut()
        .insert(header::ORIGIN, HeaderValue::from_static(ORIGIN));
    let origins = AllowedOrigins::parse(ORIGIN).unwrap();
    let http = call.instrument(
        FakeHttp::responding(|_| FakeResponse::json(200, &json!({}))),
        Rc::new(clock.clone()),
    );
    let response = serve(&call, &origins, &clock, request, unwell, async |request| {
        let outbound = OutboundRequest::new(
            Upstream::Database,
            Method::GET,
            "https://db.example",
            Limits::document(1, 1),
        );
        http.send(outbound).await.unwrap().bytes().await.unwrap();
        match request.body().as_ref() {
            b"broken" => Err(Error::of(Code::Internal)
                .caused_by("a detail")
                .retry_after(7)),
            _ => json_response(StatusCode::OK, &"fine"),
        }
    })
    .now_or_never()
    .unwrap();
    let lines = log
        .lines()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (response, lines)
}

fn answer(method: Method, body: Result<Bytes, BodyError>) -> (Response<Body>, Vec<Value>) {
    ask("/echo", method, body, false)
}

fn body_of(response: Response<Body>) -> String {
    match response.into_body() {
        Body::Full(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Body::Stream(_) => panic!("a stream"),
    }
}

#[test]
fn every_response_has_a_request_id_and_cors_headers() {
    for body in ["", "broken"] {
        let (response, _) = answer(Method::POST, Ok(body.into()));
        assert_eq!(response.headers()[REQUEST_ID], Uuid::nil().to_string());
        assert_eq!(
            response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            ORIGIN
        );
    }
}

#[test]
fn only_https_responses_have_hsts() {
    for (path, method, body) in [
        ("/echo", Method::POST, ""),
        ("/echo", Method::POST, "broken"),
        ("/echo", Method::PUT, ""),
        ("/echo", Method::OPTIONS, ""),
        ("/echo/health", Method::GET, ""),
    ] {
        let (response, _) = ask(path, method.clone(), Ok(body.into()), false);
        assert!(
            !response.headers().contains_key("strict-transport-security"),
            "{method} {path} {body}"
        );
    }
    let call = fake_request().0.over_https(true);
    let (origins, clock) = (AllowedOrigins::default(), FakeClock::default());
    let serving = serve(
        &call,
        &origins,
        &clock,
        Request::new(Ok(Bytes::new())),
        unwell,
        async |_| Ok(empty(StatusCode::OK, HeaderMap::new())),
    );
    assert_eq!(
        serving.now_or_never().unwrap().headers()["strict-transport-security"],
        "max-age=31536000"
    );
}

#[test]
fn error_is_json_and_its_cause_is_logged_once() {
    let (response, lines) = answer(Method::POST, Ok("broken".into()));
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    let body = body_of(response);
    assert!(
        body.contains("internal_error") && !body.contains("a detail"),
        "{body}"
    );
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (&line["cause"], &line["duration_ms"]),
        (&json!("a detail"), &json!(250))
    );
}

#[test]
fn log_line_counts_the_requests_to_each_upstream() {
    let (_, lines) = answer(Method::POST, Ok(Bytes::new()));
    assert_eq!(
        lines[0]["upstreams"],
        json!({"database": {"calls": 1, "ms": 0}})
    );
    assert_eq!(lines[0]["subrequests"], 1);
    let (_, lines) = answer(Method::PUT, Ok(Bytes::new()));
    assert_eq!(
        (&lines[0]["upstreams"], &lines[0]["subrequests"]),
        (&Value::Null, &json!(0))
    );
}

#[test]
fn log_line_names_routes_and_no_text_of_the_client() {
    for (path, route) in [
        ("/echo/start", json!("/start")),
        ("/functions/v1/echo/health", json!("/health")),
        ("/echo", Value::Null),
        ("/echo/ann@example.com", Value::Null),
        ("/start", Value::Null),
    ] {
        let (_, lines) = ask(path, Method::POST, Ok(Bytes::new()), false);
        assert_eq!(lines[0]["route"], route, "{path}");
        assert!(!lines[0].to_string().contains("ann@"), "{path}");
    }
}

#[test]
fn log_line_names_standard_methods_and_no_text_of_the_client() {
    let known = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    let typed = ["ann-example.com", "get", "PURGE"];
    for (method, logged) in known
        .map(|it| (it, it))
        .into_iter()
        .chain(typed.map(|it| (it, "other")))
    {
        let log = FakeLog::default();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        RequestContext::new(ENDPOINT, &method, Uuid::nil(), 0, Rc::new(log.clone())).log_end(
            0,
            StatusCode::OK,
            None,
        );
        let line: Value = serde_json::from_str(&log.lines()[0]).unwrap();
        assert_eq!(line["method"], logged);
    }
}

#[test]
fn log_line_names_the_user_by_a_hash() {
    let log = FakeLog::default();
    let call = RequestContext::new(ENDPOINT, &Method::GET, Uuid::nil(), 0, Rc::new(log.clone()));
    let id: Uuid = "6F0D7C58-2F1C-4D0E-9C68-0A4B7B1E6A11".parse().unwrap();
    call.note_user(id);
    call.log_end(0, StatusCode::OK, None);
    let line: Value = serde_json::from_str(&log.lines()[0]).unwrap();
    // printf %s 6f0d7c58-2f1c-4d0e-9c68-0a4b7b1e6a11 | sha256sum | cut -c1-16
    assert_eq!(line["user"], "392cf9da982335a5");
}

#[test]
fn health_check_accepts_get_only() {
    for path in ["/echo/health", "/functions/v1/echo/health"] {
        let (response, lines) = ask(path, Method::GET, Err(BodyError::TooLarge), false);
        assert_eq!(
            (response.status().as_u16(), body_of(response).as_str()),
            (503, "\"unwell\"")
        );
        assert_eq!((lines.len(), &lines[0]["status"]), (1, &json!(503)));
    }
    let (response, _) = ask("/echo/health", Method::POST, Ok(Bytes::new()), false);
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()[header::ALLOW]
        ),
        (405, &"GET, HEAD".parse().unwrap())
    );
    let (response, _) = ask("/echo/health/x", Method::POST, Ok(Bytes::new()), false);
    assert_eq!(response.status(), 404, "it is another path");
}

#[test]
fn health_check_accepts_head() {
    for path in ["/echo/health", "/echo/health/", "/functions/v1/echo/health"] {
        let (get, _) = ask(path, Method::GET, Ok(Bytes::new()), false);
        let (head, lines) = ask(path, Method::HEAD, Ok(Bytes::new()), false);
        assert_eq!(
            (head.status(), head.headers()),
            (get.status(), get.headers()),
            "{path}"
        );
        assert_eq!(
            (lines.len(), &lines[0]["method"], &lines[0]["status"]),
            (1, &json!("HEAD"), &json!(503))
        );
    }
}

#[test]
fn head_is_not_allowed_on_other_routes() {
    for path in ["/echo", "/echo/start", "/elsewhere"] {
        let (response, _) = ask(path, Method::HEAD, Ok(Bytes::new()), false);
        let allowed = &response.headers()[header::ALLOW];
        assert_eq!(
            (response.status().as_u16(), allowed),
            (405, &"POST, DELETE".parse().unwrap()),
            "{path}"
        );
    }
}

#[test]
fn server_timing_is_sent_only_if_enabled() {
    let (response, _) = ask("/echo", Method::POST, Ok(Bytes::new()), true);
    let headers = response.headers();
    assert_eq!(
        headers["server-timing"],
        "total;dur=250, database;dur=0;desc=\"1 calls\""
    );
    assert_eq!(headers["timing-allow-origin"], ORIGIN);
    let exposed: Vec<_> = headers
        .get_all(header::ACCESS_CONTROL_EXPOSE_HEADERS)
        .iter()
        .collect();
    assert_eq!(exposed, ["X-Request-Id, Retry-After", "Server-Timing"]);
    let (response, _) = answer(Method::POST, Ok(Bytes::new()));
    for name in ["server-timing", "timing-allow-origin"] {
        assert!(!response.headers().contains_key(name), "{name}");
    }
    assert_eq!(
        response.headers()[header::ACCESS_CONTROL_EXPOSE_HEADERS],
        "X-Request-Id, Retry-After"
    );
}

#[test]
fn unknown_method_gets_the_allowed_ones() {
    let (response, _) = answer(Method::PUT, Ok(Bytes::new()));
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()[header::ALLOW], "POST, DELETE");
}

#[test]
fn each_route_has_its_own_methods_and_other_paths_are_not_found() {
    for (path, method, status, allow) in [
        ("/echo", Method::POST, 200, None),
        ("/echo/", Method::DELETE, 200, None),
        ("/functions/v1/echo/start", Method::POST, 200, None),
        ("/echo/start/", Method::DELETE, 200, None),
        ("/echo/stop", Method::DELETE, 200, None),
        ("/echo/stop", Method::POST, 405, Some("DELETE")),
        ("/echo/stop", Method::PUT, 405, Some("POST, DELETE")),
        ("/echo/elsewhere", Method::PUT, 405, Some("POST, DELETE")),
        ("/echo/elsewhere", Method::POST, 404, None),
        ("/echo/start/x", Method::POST, 404, None),
        ("/echo//", Method::POST, 200, None),
        ("/echoes", Method::POST, 404, None),
        ("/", Method::POST, 404, None),
    ] {
        let (response, _) = ask(path, method.clone(), Ok(Bytes::new()), false);
        let allowed = response
            .headers()
            .get(header::ALLOW)
            .map(|allowed| allowed.to_str().unwrap());
        assert_eq!(
            (response.status().as_u16(), allowed),
            (status, allow),
            "{method} {path}"
        );
    }
    let (response, _) = ask(
        "/echo/elsewhere",
        Method::POST,
        Err(BodyError::TooLarge),
        false,
    );
    assert_eq!(
        response.status(),
        413,
        "the body is checked before the path"
    );
}

#[test]
fn refuses_a_body_over_the_limit() {
    let (response, _) = answer(Method::POST, Err(BodyError::TooLarge));
    assert_eq!(response.status(), 413);
    assert!(body_of(response).contains("2 KB"));
}

#[test]
fn refuses_and_logs_a_body_that_breaks_off() {
    let (response, lines) = answer(Method::POST, Err(BodyError::CutOff));
    assert_eq!(response.status(), 400);
    assert_eq!(
        (lines.len(), &lines[0]["code"]),
        (1, &json!("invalid_json"))
    );
}

#[test]
fn finds_routes_on_both_platforms() {
    for (path, expected) in [
        ("/functions/v1/echo", Some("/")),
        ("/functions/v1/echo/", Some("/")),
        ("/echo", Some("/")),
        ("/echo/start", Some("/start")),
        ("/functions/v1/echo/start", Some("/start")),
        ("/functions/v1/echo/start/", Some("/start")),
        ("/echo/", Some("/")),
        ("/echo//", Some("/")),
        ("/echo/start//", Some("/start/")),
        ("/echoes/", None),
        ("//", None),
        ("/functions/v1/echoes", None),
        ("/", None),
        ("/functions/v1/", None),
    ] {
        assert_eq!(route(path, "echo"), expected, "{path}");
    }
}

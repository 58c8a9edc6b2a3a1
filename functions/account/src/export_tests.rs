//! Tests of the export of an account.

use super::*;

/// Requests the export; the database returns `answer`.
fn export(
    path: &str,
    method: Method,
    answer: FakeResponse,
) -> (Result<Response<Body>, Error>, Vec<OutboundRequest>) {
    let http = FakeHttp::responding(move |request| match name(request).as_str() {
        "GET jwks.json" => FakeResponse::json(200, &FakeIssuer::with_kid("k").jwks()),
        _ => answer.clone(),
    });
    let token = FakeIssuer::with_kid("k").token(USER, NOW);
    let request = Request::builder()
        .method(method)
        .uri(format!("https://x/functions/v1/account{path}"));
    let request = request
        .header("authorization", format!("Bearer {token}"))
        .body(Bytes::new())
        .unwrap();
    let context = fake_context(
        &http,
        &FakeClock::hurrying(NOW * 1000),
        Config::from_env(env).unwrap(),
    )
    .0;
    let result = handle(request, context).now_or_never().unwrap();
    (
        result,
        http.requests()
            .into_iter()
            .filter(|request| name(request) != "GET jwks.json")
            .collect(),
    )
}

#[test]
fn export_returns_the_callers_data_as_a_file() {
    let document = json!({"account": {"id": USER}, "profile": {}});
    let (response, sent) = export("/export", Method::GET, FakeResponse::json(200, &document));
    let response = response.unwrap();
    assert_eq!(
        response.headers()["content-disposition"],
        "attachment; filename=\"sound-whiskers-account.json\""
    );
    assert_eq!(
        response.headers()["content-type"],
        "application/json; charset=utf-8"
    );
    let Body::Full(bytes) = response.into_body() else {
        panic!("a stream")
    };
    assert_eq!(bytes.as_ref(), document.to_string().as_bytes());
    let [request] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert!(
        request.url.ends_with("/rest/v1/rpc/account_export"),
        "{}",
        request.url
    );
    assert_eq!(
        request.headers["apikey"], "sb_publishable_x",
        "as the user, not as the function"
    );
    assert!(
        request.headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Bearer ey")
    );
}

#[test]
fn refuses_an_invalid_export() {
    let of_another = json!({"account": {"id": Uuid::from_u128(8)}});
    for (path, method, answer, code) in [
        (
            "/export",
            Method::GET,
            FakeResponse::json(200, &Value::Null),
            Code::ProfileNotFound,
        ),
        (
            "/export",
            Method::GET,
            FakeResponse::Error(HttpError::TooLarge),
            Code::DatabaseUnavailable,
        ),
        (
            "/export",
            Method::GET,
            FakeResponse::json(503, &json!({})),
            Code::DatabaseUnavailable,
        ),
        (
            "/export",
            Method::GET,
            FakeResponse::json(200, &json!({"profile": {}})),
            Code::DatabaseUnavailable,
        ),
        (
            "/export",
            Method::GET,
            FakeResponse::json(200, &of_another),
            Code::DatabaseUnavailable,
        ),
    ] {
        assert_eq!(
            export(path, method.clone(), answer).0.err().unwrap().code(),
            code,
            "{method} {path}"
        );
    }
}

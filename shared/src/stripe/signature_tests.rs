use super::*;
use crate::config::ConfigError;
use SignatureError::{Malformed, Mismatch, Missing, OutsideTolerance};
use hmac::{Hmac, Mac};
use sha2::Sha256;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

pub(super) const A: &str = "whsec_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const B: &str = "whsec_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const NOW: u64 = 1_790_000_000;
const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;

fn secrets(list: &str) -> WebhookSecrets {
    WebhookSecrets::from_env(|_| Some(list.to_owned())).unwrap()
}

/// Signs a body as Stripe does, independently of the code under test.
pub(super) fn sign(secret: &str, timestamp: impl std::fmt::Display, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(body);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn accepts_and_refuses_headers_by_the_rules() {
    let good = sign(A, NOW, BODY);
    let other = sign(B, NOW, BODY);
    let v1 = |timestamp: &str| sign(A, timestamp, BODY);
    let zeros = "0".repeat(64);
    let just = |header: &str| {
        header
            .replace("GOOD", &good)
            .replace("OTHER", &other)
            .replace("ZEROS", &zeros)
    };
    let cases: Vec<(String, Result<(), SignatureError>)> = [
        // Well formed.
        ("t=NOW,v1=GOOD", Ok(())),
        ("v1=GOOD,t=NOW", Ok(())),
        ("t=NOW,v1=OTHER,v1=GOOD", Ok(())),
        ("t=NOW,v1=GOOD,v1=OTHER", Ok(())),
        ("t=NOW,v1=GOOD,v1=GOOD", Ok(())),
        ("t=NOW,v1=ZEROS,v1=ZEROS,v1=ZEROS,v1=GOOD", Ok(())),
        ("v1=OTHER,t=NOW,v1=GOOD", Ok(())),
        // Other keys are skipped, whatever they hold.
        ("t=NOW,v1=GOOD,v0=ZEROS", Ok(())),
        ("t=NOW,v0=GOOD,v1=GOOD", Ok(())),
        ("t=NOW,v1=GOOD,v2=x=y", Ok(())),
        ("t=NOW,v1=GOOD,scheme", Ok(())),
        ("t=NOW,v1=GOOD,", Ok(())),
        (",t=NOW,,v1=GOOD", Ok(())),
        ("t=NOW,v1=GOOD,=", Ok(())),
        ("t=NOW,v1=GOOD,T=1", Ok(())),
        ("t=NOW,v1=GOOD, t=1", Ok(())),
        ("t=NOW,v1=GOOD,ż=1", Ok(())),
        // An invalid signature is skipped if another one matches.
        ("t=NOW,v1=,v1=GOOD", Ok(())),
        ("t=NOW,v1=x,v1=GOOD", Ok(())),
        ("t=NOW,v1=GOOD0,v1=GOOD", Ok(())),
        ("t=NOW,v1=żółć,v1=GOOD", Ok(())),
        ("t=NOW,v1,v1=GOOD", Ok(())),
        // No signature with a known secret.
        ("t=NOW,v1=OTHER", Err(Mismatch)),
        ("t=NOW,v1=ZEROS", Err(Mismatch)),
        ("t=NOW,v0=GOOD", Err(Mismatch)),
        ("t=NOW,V1=GOOD", Err(Mismatch)),
        ("t=NOW, v1=GOOD", Err(Mismatch)),
        ("t=NOW,v1 =GOOD", Err(Mismatch)),
        ("t=NOW,v1= GOOD", Err(Mismatch)),
        ("t=NOW,v1=GOOD ", Err(Mismatch)),
        ("t=NOW,v1=GOOD0", Err(Mismatch)),
        ("t=NOW,v1=GOODGOOD", Err(Mismatch)),
        ("t=NOW,v1=0xGOOD", Err(Mismatch)),
        ("t=NOW,v1=\"GOOD\"", Err(Mismatch)),
        ("t=NOW,v1==GOOD", Err(Mismatch)),
        ("t=NOW,v1=", Err(Mismatch)),
        ("t=NOW,v1", Err(Mismatch)),
        ("t=NOW", Err(Mismatch)),
        ("t=NOW;v1=GOOD", Err(Malformed)),
        // The time: exactly one, digits only.
        ("", Err(Malformed)),
        (",", Err(Malformed)),
        ("GOOD", Err(Malformed)),
        ("v1=GOOD", Err(Malformed)),
        ("t=,v1=GOOD", Err(Malformed)),
        ("t,v1=GOOD", Err(Malformed)),
        ("t=NOW,t=NOW,v1=GOOD", Err(Malformed)),
        ("t=NOW,v1=GOOD,t=NOW", Err(Malformed)),
        ("t=NOW,v1=GOOD,t=", Err(Malformed)),
        ("t=x,v1=GOOD", Err(Malformed)),
        ("t=-NOW,v1=GOOD", Err(Malformed)),
        ("t=+NOW,v1=GOOD", Err(Malformed)),
        ("t= NOW,v1=GOOD", Err(Malformed)),
        ("t=NOW ,v1=GOOD", Err(Malformed)),
        ("t=NOW.0,v1=GOOD", Err(Malformed)),
        ("t=0x6AB13B80,v1=GOOD", Err(Malformed)),
        ("t=1.79e9,v1=GOOD", Err(Malformed)),
        ("t=１７９,v1=GOOD", Err(Malformed)),
        ("t=99999999999999999999,v1=GOOD", Err(Malformed)),
        // Another spelling of the same time was not signed.
        ("t=0NOW,v1=GOOD", Err(Mismatch)),
    ]
    .into_iter()
    .map(|(header, expected)| (just(header).replace("NOW", &NOW.to_string()), expected))
    // Correct signatures with other times.
    .chain(
        [-301_i64, -300, -299, -1, 0, 1, 299, 300, 301]
            .into_iter()
            .map(|by| {
                let timestamp = (i64::try_from(NOW).unwrap() + by).to_string();
                let expected = if by.abs() <= 300 {
                    Ok(())
                } else {
                    Err(OutsideTolerance)
                };
                (format!("t={timestamp},v1={}", v1(&timestamp)), expected)
            }),
    )
    .chain(["0", "1", "18446744073709551615"].map(|timestamp| {
        (
            format!("t={timestamp},v1={}", v1(timestamp)),
            Err(OutsideTolerance),
        )
    }))
    // An old timestamp without a valid signature is reported as a mismatch.
    .chain([(format!("t={},v1={zeros}", NOW - 9_999), Err(Mismatch))])
    .chain([(format!("t={NOW},v1={}", good.to_uppercase()), Err(Mismatch))])
    .chain([(format!("t=0{NOW},v1={}", v1(&format!("0{NOW}"))), Ok(()))])
    .collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    for (header, expected) in cases {
        assert_eq!(
            secrets(A).verify(Some(&header), BODY, NOW),
            expected,
            "{header}"
        );
    }
    assert_eq!(secrets(A).verify(None, BODY, NOW), Err(Missing));
}

#[test]
fn verifies_the_raw_bytes_of_any_body() {
    let large = vec![b'x'; 1024 * 1024];
    let bodies: [&[u8]; 9] = [
        b"",
        b"{}",
        b"\n{}\r\n",
        b"\0",
        b"\xff\xfe\x80",
        "zażółć".as_bytes(),
        "\u{feff}{}".as_bytes(),
        b".",
        &large,
    ];
    for (index, body) in bodies.into_iter().enumerate() {
        let header = format!("t={NOW},v1={}", sign(A, NOW, body));
        for (other, other_body) in bodies.into_iter().enumerate() {
            let expected = if other == index {
                Ok(())
            } else {
                Err(Mismatch)
            };
            assert_eq!(
                secrets(A).verify(Some(&header), other_body, NOW),
                expected,
                "{index} {other}"
            );
        }
    }
    // The dot ends the time: it cannot move into the body.
    let header = format!("t=179,v1={}", sign(A, 179, b"0000.{}"));
    assert_eq!(
        secrets(A).verify(
            Some(&header.replace("t=179", "t=1790000")),
            b"{}",
            1_790_000
        ),
        Err(Mismatch)
    );
}

#[test]
fn accepts_both_secrets_during_a_rotation() {
    let (by_a, by_b) = (sign(A, NOW, BODY), sign(B, NOW, BODY));
    for (configured, header, expected) in [
        (A, format!("t={NOW},v1={by_a}"), Ok(())),
        (A, format!("t={NOW},v1={by_b},v1={by_a}"), Ok(())),
        (B, format!("t={NOW},v1={by_b},v1={by_a}"), Ok(())),
        (B, format!("t={NOW},v1={by_a}"), Err(Mismatch)),
        (&format!("{A},{B}"), format!("t={NOW},v1={by_a}"), Ok(())),
        (&format!("{A}, {B}"), format!("t={NOW},v1={by_b}"), Ok(())),
        (
            &format!("{B},{A}"),
            format!("t={NOW},v1={by_b},v1={by_a}"),
            Ok(()),
        ),
        (
            &format!("{A},{B}"),
            format!("t={NOW},v1={}", sign(&format!("{A},{B}"), NOW, BODY)),
            Err(Mismatch),
        ),
        // The whole secret is the key, its prefix included.
        (
            A,
            format!(
                "t={NOW},v1={}",
                sign(A.trim_start_matches("whsec_"), NOW, BODY)
            ),
            Err(Mismatch),
        ),
        (
            A,
            format!("t={NOW},v1={}", sign("", NOW, BODY)),
            Err(Mismatch),
        ),
    ] {
        assert_eq!(
            secrets(configured).verify(Some(&header), BODY, NOW),
            expected,
            "{configured} {header}"
        );
    }
}

#[test]
fn detects_every_flipped_bit() {
    let secrets = secrets(&format!("{B},{A}"));
    let header = format!("t={NOW},v1={}", sign(A, NOW, BODY));
    assert_eq!(secrets.verify(Some(&header), BODY, NOW), Ok(()));
    for bit in 0..BODY.len() * 8 {
        let mut body = BODY.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            secrets.verify(Some(&header), &body, NOW),
            Err(Mismatch),
            "bit {bit} of the body"
        );
    }
    for bit in 0..header.len() * 8 {
        let mut changed = header.clone().into_bytes();
        changed[bit / 8] ^= 1 << (bit % 8);
        // A header is always text.
        let Ok(changed) = String::from_utf8(changed) else {
            continue;
        };
        assert!(
            secrets.verify(Some(&changed), BODY, NOW).is_err(),
            "bit {bit}: {changed}"
        );
    }
    for end in 0..header.len() {
        assert!(
            secrets.verify(header.get(..end), BODY, NOW).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn long_header_takes_linear_time() {
    let many = format!(
        "t={NOW}{}",
        format!(",v1={}", "0".repeat(64)).repeat(20_000)
    );
    assert_eq!(secrets(A).verify(Some(&many), BODY, NOW), Err(Mismatch));
    let commas = ",".repeat(1_000_000);
    assert_eq!(secrets(A).verify(Some(&commas), BODY, NOW), Err(Malformed));
}

#[test]
fn refuses_invalid_secrets_in_the_configuration() {
    let read = |value: &str| WebhookSecrets::from_env(|_| Some(value.to_owned()));
    for good in [
        A,
        &format!("{A},{B}"),
        &format!(" {A} , {B} "),
        &[A, B, A, B].join(","),
    ] {
        assert!(read(good).is_ok(), "{good}");
    }
    for bad in [
        "whsec_",
        "sk_test_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "whsec_short",
        ",",
        &format!("{A},"),
        &format!("{A},whsec_"),
        &format!("{A} {B}"),
        &[A, B, A, B, A].join(","),
        "whsec_żżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżżż",
    ] {
        let error = read(bad).unwrap_err().to_string();
        assert!(
            error.starts_with("STRIPE_WEBHOOK_SECRETS must be") && !error.contains("aaaa"),
            "{error}"
        );
    }
    for blank in ["", "  ", "\n"] {
        assert_eq!(
            read(blank).unwrap_err(),
            ConfigError::missing("STRIPE_WEBHOOK_SECRETS")
        );
    }
    assert!(!format!("{:?}", secrets(A)).contains("aaaa"));
}

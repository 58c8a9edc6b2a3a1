//! Form encoding, of query strings and of bodies; by hand, because the crate makes each function larger.

/// Encodes pairs for a query string or a form body (`application/x-www-form-urlencoded`).
pub fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let mut encoded = String::new();
    for (name, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encode(&mut encoded, name);
        encoded.push('=');
        encode(&mut encoded, value);
    }
    encoded
}

fn encode(encoded: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                encoded.push(byte.into())
            }
            b' ' => encoded.push('+'),
            _ => {
                encoded.push('%');
                for digit in [byte >> 4, byte & 0xf] {
                    encoded
                        .extend(char::from_digit(digit.into(), 16).map(|c| c.to_ascii_uppercase()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_separators_in_values() {
        let encoded = form_urlencoded(&[
            ("q", r#"track:"A&B=C?#/%+" artist:"Łódź""#),
            ("type", "track"),
        ]);
        let expected = "q=track%3A%22A%26B%3DC%3F%23%2F%25%2B%22+artist%3A%22%C5%81%C3%B3d%C5%BA%22&type=track";
        assert_eq!(encoded, expected);
    }

    #[test]
    fn no_pairs_give_an_empty_string() {
        assert_eq!(form_urlencoded(&[]), "");
    }
}

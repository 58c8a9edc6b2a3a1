//! Requests and answers as a proxy sees them: whole, and one after the other on a connection.

use reqwest::Method;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub type Connection = BufReader<TcpStream>;

/// The headers of answers that anybody behind a proxy reads.
const PASSED_ON: [&str; 3] = ["content-type", "retry-after", "location"];

#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The next one; `None` at the end of the connection.
    pub async fn read(connection: &mut Connection) -> Option<Self> {
        let (mut first, mut length, mut headers) = (String::new(), 0, Vec::new());
        connection.read_line(&mut first).await.ok().filter(|read| *read > 0)?;
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "host" | "connection" | "accept-encoding" => {}
                name => headers.push((name.to_owned(), value.to_owned())),
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        let mut parts = first.split_whitespace();
        Some(Self { method: parts.next()?.parse().ok()?, path: parts.next()?.to_owned(), headers, body })
    }

    /// What `upstream` answers.
    pub async fn forward(self, client: &reqwest::Client, upstream: &str) -> Option<Answer> {
        let mut request = client.request(self.method, format!("{upstream}{}", self.path)).body(self.body);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.ok()?;
        let header = |name| Some((name, response.headers().get(name)?.to_str().ok()?.to_owned()));
        let headers = PASSED_ON.into_iter().filter_map(header).collect();
        let status = response.status().as_u16();
        Some(Answer { status, headers, body: response.bytes().await.ok()?.to_vec() })
    }
}

impl Answer {
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The same with a header replaced.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Everything before the body.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // There is no body with these, not even an empty one.
        if self.status != 204 && self.status != 304 {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        (head + "\r\n").into_bytes()
    }

    pub async fn write(&self, connection: &mut Connection) -> Option<()> {
        let mut whole = self.head();
        whole.extend_from_slice(&self.body);
        connection.write_all(&whole).await.ok()
    }
}

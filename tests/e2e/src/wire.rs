//! Requests and responses as a proxy sees them: whole, one after the other on a connection. An HTTP library would not let
//! faults change the bytes.

use reqwest::Method;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

pub type Connection = BufReader<TcpStream>;

#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// The path with its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the next request; `None` at the end of the connection.
    pub async fn read(connection: &mut Connection) -> Option<Self> {
        let (mut length, mut headers, mut lines) = (0, Vec::new(), Vec::new());
        loop {
            let mut line = String::new();
            connection.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        for (name, value) in lines.iter().filter_map(|line| line.split_once(": ")) {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "host" | "connection" | "accept-encoding" => {}
                name => headers.push((name.to_owned(), value.to_owned())),
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        let mut parts = lines.first()?.split_whitespace();
        Some(Self { method: parts.next()?.parse().ok()?, path: parts.next()?.to_owned(), headers, body })
    }

    /// Forwards the request to `upstream` and returns its response.
    pub async fn forward(self, client: &reqwest::Client, upstream: &str) -> Option<Response> {
        let mut request = client.request(self.method, format!("{upstream}{}", self.path)).body(self.body);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.ok()?;
        let header = |name| Some((name, response.headers().get(name)?.to_str().ok()?.to_owned()));
        let headers = ["content-type", "retry-after", "location"].into_iter().filter_map(header).collect();
        let status = response.status().as_u16();
        Some(Response { status, headers, body: response.bytes().await.ok()?.to_vec() })
    }
}

impl Response {
    pub fn json(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.as_bytes().to_vec() }
    }

    pub fn html(status: u16) -> Self {
        Self::json(status, "<!doctype html><h1>Hello</h1>").with("content-type", "text/html")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The message with a header replaced.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The message up to its body.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} X\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.status != 204 && self.status != 304 {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        (head + "\r\n").into_bytes()
    }

    pub async fn write(&self, connection: &mut Connection) -> Option<()> {
        connection.write_all(&[self.head().as_slice(), &self.body].concat()).await.ok()
    }
}

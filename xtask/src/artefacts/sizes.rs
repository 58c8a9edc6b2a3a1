//! The sizes of what is deployed, and their budgets.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The size of a function's wasm for Cloudflare, or of the whole page.
pub struct Size {
    pub name: String,
    bytes: usize,
    gzip_bytes: usize,
    budget_kb: usize,
}

impl Size {
    /// # Errors
    /// If a file cannot be read.
    pub fn of(
        name: &str,
        files: impl IntoIterator<Item = PathBuf>,
        budget_kb: usize,
    ) -> Result<Self> {
        let mut size = Self {
            name: name.to_owned(),
            bytes: 0,
            gzip_bytes: 0,
            budget_kb,
        };
        for path in files {
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&content)?;
            size.bytes += content.len();
            size.gzip_bytes += encoder.finish()?.len();
        }
        Ok(size)
    }

    pub fn is_over(&self) -> bool {
        self.gzip_bytes > self.budget_kb * 1024
    }
}

pub fn table(sizes: &[Size]) -> String {
    let kb = |bytes: usize| bytes.div_ceil(1024);
    let mut text = format!(
        "{:<20}{:>10}{:>10}{:>12}",
        "artefact", "KB", "gzip KB", "budget KB"
    );
    for size in sizes {
        let verdict = if size.is_over() { "  over" } else { "" };
        let (wasm, gzip) = (kb(size.bytes), kb(size.gzip_bytes));
        text.push_str(&format!(
            "\n{:<20}{wasm:>10}{gzip:>10}{:>12}{verdict}",
            size.name, size.budget_kb
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(name: &str, gzip_bytes: usize, budget_kb: usize) -> Size {
        Size {
            name: name.into(),
            bytes: gzip_bytes * 2,
            gzip_bytes,
            budget_kb,
        }
    }

    #[test]
    fn a_budget_is_met_to_the_byte() {
        assert!(!size("a", 300 * 1024, 300).is_over());
        assert!(size("a", 300 * 1024 + 1, 300).is_over());
    }

    #[test]
    fn the_table_has_a_line_per_artefact() {
        let text = table(&[size("ai-playlist", 310 * 1024, 300), size("gateway", 1, 2)]);
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .collect();
        assert_eq!(lines[0], ["artefact", "KB", "gzip", "KB", "budget", "KB"]);
        assert_eq!(lines[1], ["ai-playlist", "620", "310", "300", "over"]);
        assert_eq!(lines[2], ["gateway", "1", "1", "2"]);
    }
}

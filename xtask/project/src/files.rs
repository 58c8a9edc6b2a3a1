//! Helpers for files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// How many lines of a log an error shows.
const TAIL_LINES: usize = 20;

/// Resolves a path of the command line relative to the caller's folder.
pub fn absolute(path: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub fn fingerprint(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Recreates a folder, unless it was created from the same source.
///
/// The stamp is written last: a folder that has it is complete.
pub fn make_once(folder: &Path, source: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == source) {
        return Ok(());
    }
    remove_folder(folder)?;
    create_folder(folder)?;
    make()?;
    fs::write(&stamp, source).with_context(|| stamp.display().to_string())
}

/// Replaces a file so that a reader sees the old one or the whole new one; only its owner can read it.
pub fn write_private(path: &Path, contents: &str) -> Result<()> {
    let draft = path.with_added_extension(format!("{}.tmp", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(contents.as_bytes())?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The last lines of a log, indented.
pub fn tail(path: &Path) -> String {
    last_lines(path, TAIL_LINES)
}

pub fn last_lines(path: &Path, count: usize) -> String {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let lines: Vec<_> = text.lines().collect();
    let first = lines.len().saturating_sub(count);
    lines
        .iter()
        .skip(first)
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Removes a folder with its contents, if it exists.
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Creates a folder and its parents.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot create the folder {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use anyhow::bail;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("project-files-{name}-{}", std::process::id()));
        create_folder(&folder).unwrap();
        folder
    }

    #[test]
    fn a_folder_is_made_again_only_after_a_failure_or_from_another_source() {
        let folder = scratch("once");
        let mut made = Vec::new();
        for (source, fails) in [("a", true), ("a", false), ("a", false), ("b", false)] {
            let result = make_once(&folder, source, || {
                made.push(source);
                fs::write(folder.join(format!("{}", made.len())), "").unwrap();
                if fails { bail!("half made") } else { Ok(()) }
            });
            assert_eq!(result.is_err(), fails);
        }
        assert_eq!(made, ["a", "a", "b"]);
        assert_eq!(
            fs::read_dir(&folder).unwrap().count(),
            2,
            "the earlier output is gone"
        );
        remove_folder(&folder).unwrap();
    }

    #[test]
    fn a_private_file_is_replaced_and_leaves_no_draft() {
        let folder = scratch("private");
        let path = folder.join("ready.json");
        write_private(&path, "one").unwrap();
        write_private(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        remove_folder(&folder).unwrap();
    }
}

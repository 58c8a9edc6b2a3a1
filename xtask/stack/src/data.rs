//! The folder of a stack's database, keys and logs.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use project::files;

/// Marks the folder of a stack; a running stack holds a lock on it and writes its process id into it.
const LOCK: &str = ".sound-whiskers";

pub struct DataFolder {
    pub root: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// # Errors
    /// If another stack runs on it, or if the folder has other contents.
    pub fn open(root: &Path) -> Result<Self> {
        files::create_folder(root)?;
        let path = root.join(LOCK);
        if !path.exists() && fs::read_dir(root)?.next().is_some() {
            bail!(
                "{} is neither empty nor a data folder of this project",
                root.display()
            );
        }
        let mut lock = File::options().create(true).append(true).open(&path)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "process {} already runs a stack on {}: end it, or choose another folder with --data",
                holder.trim(),
                root.display()
            );
        }
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        files::create_folder(&root.join("logs"))?;
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-data-{name}-{}", std::process::id()));
        files::remove_folder(&folder).unwrap();
        folder
    }

    #[test]
    fn one_stack_at_a_time_runs_on_a_folder() {
        let folder = scratch("lock");
        let first = DataFolder::open(&folder).unwrap();
        let error = DataFolder::open(&folder).err().unwrap().to_string();
        assert!(
            error.starts_with(&format!("process {} already", std::process::id())),
            "{error}"
        );
        drop(first);
        assert!(DataFolder::open(&folder).is_ok());
        files::remove_folder(&folder).unwrap();
    }

    #[test]
    fn a_folder_of_another_program_is_left_alone() {
        let folder = scratch("foreign");
        files::create_folder(&folder).unwrap();
        fs::write(folder.join("thesis.txt"), "").unwrap();
        assert!(
            DataFolder::open(&folder)
                .err()
                .unwrap()
                .to_string()
                .contains("neither empty")
        );
        files::remove_folder(&folder).unwrap();
    }
}

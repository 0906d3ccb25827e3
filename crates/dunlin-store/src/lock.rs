//! Locks between processes: one run at a time, one integrator at a time. They end with their process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::StoreError;

/// Held while a run goes on; dropping it lets the next run begin.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock or says which process holds it.
    pub(crate) fn take(path: &Path) -> Result<RunLock, StoreError> {
        let mut file = open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(StoreError::RunLocked { pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::io(path)(e)),
        }
        let say = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        say(&mut file).map_err(StoreError::io(path))?;
        Ok(RunLock { _file: file })
    }
}

/// Waits for the lock; it is held until the file is dropped.
pub(crate) fn wait_for(path: &Path) -> Result<File, StoreError> {
    let file = open(path)?;
    file.lock().map_err(StoreError::io(path))?;
    Ok(file)
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(StoreError::io(path))
}

//! Writing a fragment: rows in, encrypted frames out, durable only when finished.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::stream::EncryptorBE32;
use chacha20poly1305::aead::{KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305};
use dunlin_ledger::{point, sync_dir};
use zeroize::Zeroize;

use super::{FRAME_BYTES, FragmentError, FragmentInfo, FragmentRef, Header, MAGIC, ROW_BYTES_MAX, failed};
use crate::memory::random;
use crate::{Keyring, Purpose, StoreError};

/// Writes one fragment. Dropped without [`FragmentWriter::finish`], it leaves nothing.
pub struct FragmentWriter {
    at: FragmentRef,
    path: PathBuf,
    temporary: PathBuf,
    file: Option<File>,
    hasher: blake3::Hasher,
    cipher: Option<EncryptorBE32<XChaCha20Poly1305>>,
    header: Vec<u8>,
    /// Rows of the frame that is being gathered, each with its length before it.
    frame: Vec<u8>,
    rows: u32,
}

impl FragmentWriter {
    pub(super) fn new(
        path: PathBuf,
        at: FragmentRef,
        keys: &Keyring,
        purpose: Purpose,
    ) -> Result<FragmentWriter, StoreError> {
        let key_id = keys.key_id(purpose)?;
        let key = keys.key_by_id(purpose, &key_id)?;
        let prefix = random::<19>()?;
        let header = Header {
            run: at.run.clone(),
            table: at.table.clone(),
            name: at.name.clone(),
            key_id,
            nonce: hex::encode(prefix),
        };
        let header = encode_header(&header)?;
        let temporary = path.with_extension("dqf.tmp");
        let file = make_file(&temporary).map_err(failed(&at.name))?;
        let cipher = XChaCha20Poly1305::new(Key::from_slice(&key[..]));
        let cipher = EncryptorBE32::from_aead(cipher, prefix.as_slice().into());
        let mut writer = FragmentWriter {
            at,
            path,
            temporary,
            file: Some(file),
            hasher: blake3::Hasher::new(),
            cipher: Some(cipher),
            header: header.clone(),
            frame: Vec::new(),
            rows: 0,
        };
        writer.put(&header)?;
        Ok(writer)
    }

    /// Adds a row; returns its number in the fragment, from 0.
    pub fn push(&mut self, row: &[u8]) -> Result<u32, StoreError> {
        if row.len() > ROW_BYTES_MAX {
            return Err(FragmentError::RowTooLong { bytes: row.len() }.into());
        }
        if !self.frame.is_empty() && self.frame.len() + row.len() + 4 > FRAME_BYTES {
            self.flush_frame()?;
        }
        self.frame.extend((row.len() as u32).to_le_bytes());
        self.frame.extend(row);
        let number = self.rows;
        self.rows = self.rows.checked_add(1).ok_or_else(|| self.damaged())?;
        Ok(number)
    }

    /// How many rows were added.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Makes the fragment complete and durable under its name.
    pub fn finish(mut self) -> Result<FragmentInfo, StoreError> {
        let last = self.cipher.take().ok_or_else(|| self.damaged())?;
        let sealed =
            last.encrypt_last(Payload { msg: &self.frame, aad: &self.header }).map_err(|_| self.damaged())?;
        self.put_frame(&sealed, true)?;
        let name = self.at.name.clone();
        let io_failed = failed(&name);
        let file = self.file.take().ok_or_else(|| self.damaged())?;
        point("fragment::fsync.before").map_err(&io_failed)?;
        file.sync_all().map_err(&io_failed)?;
        point("fragment::fsync.after").map_err(&io_failed)?;
        drop(file);
        point("fragment::rename.before").map_err(&io_failed)?;
        fs::rename(&self.temporary, &self.path).map_err(&io_failed)?;
        point("fragment::rename.after").map_err(&io_failed)?;
        self.path.parent().map_or(Ok(()), sync_dir).map_err(&io_failed)?;
        Ok(FragmentInfo { name, rows: self.rows, blake3: self.hasher.finalize().to_hex().to_string() })
    }

    fn flush_frame(&mut self) -> Result<(), StoreError> {
        let damaged = self.damaged();
        let cipher = self.cipher.as_mut().ok_or(damaged)?;
        let sealed = cipher
            .encrypt_next(Payload { msg: &self.frame, aad: &self.header })
            .map_err(|_| FragmentError::Damaged(self.at.name.clone()))?;
        self.put_frame(&sealed, false)?;
        self.frame.zeroize();
        Ok(())
    }

    /// A frame is its length (the top bit says that it is the last one) and the sealed bytes.
    fn put_frame(&mut self, sealed: &[u8], last: bool) -> Result<(), StoreError> {
        let length = sealed.len() as u32 | if last { 1 << 31 } else { 0 };
        self.put(&length.to_le_bytes())?;
        self.put(sealed)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let io_failed = failed(&self.at.name);
        point("fragment::write.before").map_err(&io_failed)?;
        let damaged = self.damaged();
        self.file.as_mut().ok_or(damaged)?.write_all(bytes).map_err(io_failed)?;
        self.hasher.update(bytes);
        Ok(())
    }

    fn damaged(&self) -> StoreError {
        FragmentError::Damaged(self.at.name.clone()).into()
    }
}

impl Drop for FragmentWriter {
    fn drop(&mut self) {
        self.frame.zeroize();
        // After a finish there is no temporary file, and this does nothing.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn encode_header(header: &Header) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(header).map_err(|_| StoreError::Damaged("a fragment's header"))?;
    let length = u16::try_from(json.len()).map_err(|_| FragmentError::BadName)?;
    Ok([&MAGIC[..], &length.to_le_bytes(), &json].concat())
}

/// Makes the file and, durably, the folders above it; private to the user.
fn make_file(path: &Path) -> io::Result<File> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a fragment needs a folder"))?;
    let missing: Vec<&Path> = folder.ancestors().take_while(|a| !a.exists()).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    for made in missing {
        made.parent().map_or(Ok(()), sync_dir)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

//! Reading a fragment: frames are decrypted one at a time, and nothing of a frame that does not verify is
//! handed out.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use chacha20poly1305::aead::stream::DecryptorBE32;
use chacha20poly1305::aead::{KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305};
use zeroize::Zeroize;

use super::{FragmentError, FragmentRef, Header, MAGIC, ROW_BYTES_MAX, failed};
use crate::{Keyring, Purpose, StoreError};

/// Reads one fragment, row by row, in the order in which they were written.
pub struct FragmentReader {
    name: String,
    file: BufReader<File>,
    header: Vec<u8>,
    /// `None` once the last frame was read.
    cipher: Option<DecryptorBE32<XChaCha20Poly1305>>,
    frame: Vec<u8>,
    /// Where in the frame the next row begins.
    next: usize,
}

impl FragmentReader {
    pub(super) fn new(
        path: &Path,
        at: FragmentRef,
        keys: &Keyring,
        purpose: Purpose,
    ) -> Result<FragmentReader, StoreError> {
        let damaged = || FragmentError::Damaged(at.name.clone());
        let file = File::open(path).map_err(failed(&at.name))?;
        let mut file = BufReader::new(file);
        let bytes = read_header(&mut file, &at.name)?;
        let header: Header = serde_json::from_slice(&bytes[6..]).map_err(|_| damaged())?;
        // A fragment that was renamed into another run or table is not that table's.
        if (&header.run, &header.table, &header.name) != (&at.run, &at.table, &at.name) {
            return Err(damaged().into());
        }
        let mut prefix = [0u8; 19];
        hex::decode_to_slice(&header.nonce, &mut prefix).map_err(|_| damaged())?;
        let key = keys.key_by_id(purpose, &header.key_id)?;
        let cipher = XChaCha20Poly1305::new(Key::from_slice(&key[..]));
        let cipher = DecryptorBE32::from_aead(cipher, prefix.as_slice().into());
        Ok(FragmentReader {
            name: at.name,
            file,
            header: bytes,
            cipher: Some(cipher),
            frame: Vec::new(),
            next: 0,
        })
    }

    /// The next row, or `None` after the last one. A cut-off or changed file is an error.
    pub fn next_row(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while self.next == self.frame.len() {
            if self.cipher.is_none() {
                return Ok(None);
            }
            self.read_frame()?;
        }
        let damaged = || FragmentError::Damaged(self.name.clone());
        let rest = &self.frame[self.next..];
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = u32::from_le_bytes(*length) as usize;
        let row = rest.get(..length).ok_or_else(damaged)?.to_vec();
        self.next += 4 + length;
        Ok(Some(row))
    }

    fn read_frame(&mut self) -> Result<(), StoreError> {
        let damaged = || FragmentError::Damaged(self.name.clone());
        let mut length = [0u8; 4];
        self.file.read_exact(&mut length).map_err(|e| cut_off(&self.name, e))?;
        let length = u32::from_le_bytes(length);
        let (last, length) = (length >> 31 == 1, (length & !(1 << 31)) as usize);
        if length > ROW_BYTES_MAX + 1024 {
            return Err(damaged().into());
        }
        // The length is not yet authenticated: read what is there instead of allocating what it claims.
        let mut sealed = Vec::new();
        let read = (&mut self.file).take(length as u64).read_to_end(&mut sealed);
        if read.map_err(failed(&self.name))? < length {
            return Err(FragmentError::Truncated(self.name.clone()).into());
        }
        let payload = Payload { msg: &sealed, aad: &self.header };
        self.frame.zeroize();
        self.next = 0;
        self.frame = if last {
            let cipher = self.cipher.take().ok_or_else(damaged)?;
            let frame = cipher.decrypt_last(payload).map_err(|_| damaged())?;
            if self.file.read(&mut [0]).map_err(failed(&self.name))? > 0 {
                return Err(damaged().into());
            }
            frame
        } else {
            let cipher = self.cipher.as_mut().ok_or_else(damaged)?;
            cipher.decrypt_next(payload).map_err(|_| damaged())?
        };
        Ok(())
    }
}

impl Iterator for FragmentReader {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

impl Drop for FragmentReader {
    fn drop(&mut self) {
        self.frame.zeroize();
    }
}

fn read_header(file: &mut BufReader<File>, name: &str) -> Result<Vec<u8>, StoreError> {
    let mut start = [0u8; 6];
    file.read_exact(&mut start).map_err(|e| cut_off(name, e))?;
    if &start[..4] != MAGIC {
        return Err(FragmentError::Damaged(name.to_owned()).into());
    }
    let mut json = vec![0; usize::from(u16::from_le_bytes([start[4], start[5]]))];
    file.read_exact(&mut json).map_err(|e| cut_off(name, e))?;
    Ok([&start[..], &json].concat())
}

fn cut_off(name: &str, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => FragmentError::Truncated(name.to_owned()).into(),
        _ => failed(name)(error).into(),
    }
}

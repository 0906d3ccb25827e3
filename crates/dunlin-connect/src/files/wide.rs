//! UTF-16 files. Records are told apart by single bytes, which UTF-16 does not have; so such a file is turned into UTF-8
//! once, into a file without a name that vanishes with this process, and read from there.
//!
//! Nothing is replaced: half a surrogate pair, or half a character at the end, becomes bytes that are no UTF-8, and the
//! row that holds them is told as `invalid-encoding`, with its line.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::disk::{failed, shown};
use crate::Result;

/// A UTF-16 file as UTF-8.
pub(super) struct Narrow {
    /// Where it can be read while this lives.
    pub(super) path: PathBuf,
    /// Its length in bytes.
    pub(super) len: u64,
    /// Holds the file.
    #[cfg(target_os = "linux")]
    _file: File,
    #[cfg(not(target_os = "linux"))]
    _file: tempfile::TempPath,
}

/// Turns a file into UTF-8 where its mark or the plan says that it is UTF-16; a mark is believed before the plan.
pub(super) fn narrow(
    store: &str,
    path: &Path,
    declared: Option<&'static Encoding>,
) -> Result<Option<Narrow>> {
    let failed = |e: io::Error| failed(store, format!("read {}", shown(path)), &e);
    let mut source = File::open(path).map_err(failed)?;
    let mut mark = [0u8; 2];
    let got = read_full(&mut source, &mut mark).map_err(failed)?;
    let (encoding, front) = match &mark[..got] {
        b"\xff\xfe" => (UTF_16LE, &[][..]),
        b"\xfe\xff" => (UTF_16BE, &[][..]),
        front => match declared {
            Some(encoding) => (encoding, front),
            None => return Ok(None),
        },
    };
    let front = front.to_vec();
    write(&mut front.as_slice().chain(source), encoding == UTF_16BE).map(Some).map_err(failed)
}

fn read_full(source: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match source.read(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

#[cfg(target_os = "linux")]
fn write(source: &mut dyn Read, big: bool) -> io::Result<Narrow> {
    use std::os::fd::AsRawFd;
    let file = tempfile::tempfile()?;
    let len = convert(source, &mut BufWriter::new(&file), big)?;
    // A file without a name is opened again by its number in this process.
    Ok(Narrow { path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(), len, _file: file })
}

#[cfg(not(target_os = "linux"))]
fn write(source: &mut dyn Read, big: bool) -> io::Result<Narrow> {
    let mut file = tempfile::NamedTempFile::new()?;
    let len = convert(source, &mut BufWriter::new(&mut file), big)?;
    let path = file.into_temp_path();
    Ok(Narrow { path: path.to_path_buf(), len, _file: path })
}

/// Writes UTF-16 as UTF-8; gives the bytes written.
fn convert(source: &mut dyn Read, out: &mut impl Write, big: bool) -> io::Result<u64> {
    let mut buffer = vec![0u8; 128 * 1024];
    let (mut kept, mut high, mut len) = (0, None::<u16>, 0u64);
    let mut text = Vec::with_capacity(buffer.len() * 2);
    loop {
        let got = source.read(&mut buffer[kept..])?;
        let end = kept + got;
        let units = buffer[..end].as_chunks::<2>().0.iter();
        for unit in units.map(|b| if big { u16::from_be_bytes(*b) } else { u16::from_le_bytes(*b) }) {
            step(unit, &mut high, &mut text);
        }
        kept = end % 2;
        buffer[0] = buffer[end.saturating_sub(1)];
        if got == 0 {
            if let Some(alone) = high.take() {
                half(alone, &mut text);
            }
            if kept == 1 {
                text.push(0xff);
            }
        }
        out.write_all(&text)?;
        len += text.len() as u64;
        text.clear();
        if got == 0 {
            out.flush()?;
            return Ok(len);
        }
    }
}

fn step(unit: u16, high: &mut Option<u16>, text: &mut Vec<u8>) {
    if let Some(first) = high.take() {
        if let Some(Ok(pair)) = char::decode_utf16([first, unit]).next()
            && u32::from(pair) > 0xffff
        {
            text.extend_from_slice(pair.encode_utf8(&mut [0; 4]).as_bytes());
            return;
        }
        half(first, text);
    }
    match unit {
        0xd800..=0xdbff => *high = Some(unit),
        0xdc00..=0xdfff => half(unit, text),
        _ => {
            // What is no surrogate is a character.
            let c = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// Half a pair, in the three bytes that UTF-8 would have for it and does not allow.
fn half(unit: u16, text: &mut Vec<u8>) {
    let bits = u32::from(unit);
    text.extend([0xe0 | (bits >> 12) as u8, 0x80 | (bits >> 6 & 0x3f) as u8, 0x80 | (bits & 0x3f) as u8]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(units: &[u16], tail: &[u8], big: bool) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            units.iter().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect();
        bytes.extend(tail);
        let mut out = Vec::new();
        // One byte at a time is the worst that a file system can do.
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                let n = self.0.len().min(1).min(to.len());
                to[..n].copy_from_slice(&self.0[..n]);
                self.0 = &self.0[n..];
                Ok(n)
            }
        }
        let len = convert(&mut Slow(&bytes), &mut out, big).unwrap();
        assert_eq!(len, out.len() as u64);
        out
    }

    proptest! {
        #[test]
        fn text_comes_out_as_it_was(text in any::<String>(), big in any::<bool>()) {
            let units: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(converted(&units, &[], big), text.as_bytes());
        }

        #[test]
        fn broken_units_never_pass_for_text(units in proptest::collection::vec(any::<u16>(), 0..40)) {
            let out = converted(&units, &[], false);
            prop_assert_eq!(String::from_utf16(&units).ok(), String::from_utf8(out).ok());
        }
    }

    #[test]
    fn half_a_character_at_the_end_is_told() {
        assert!(String::from_utf8(converted(&[0x61], &[0x62], false)).is_err());
    }
}

//! Pictures of notices: read from the workspace, decoded, and encoded anew. What is shown holds the pixels and nothing
//! else: no place where it was taken, no name of a camera, nothing that a decoder of a browser could trip over.

use std::io::Cursor;
use std::path::Path;

use dunlin_store::NoticeImage;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};

use super::NoticeError;
use super::file::inside;

/// The largest file that is decoded, in bytes.
const FILE_MAX: u64 = 10 * 1024 * 1024;
/// The widest and highest picture that is decoded, in pixels.
const SIDE_MAX: u32 = 8000;
/// The memory that a decoder may take, in bytes.
const MEMORY_MAX: u64 = 256 * 1024 * 1024;
/// The widest and highest picture that is shown, in pixels; a larger one is scaled.
const SHOWN_MAX: u32 = 1600;
/// Of 100.
const JPEG_QUALITY: u8 = 82;

/// A picture of the workspace as it is shown. Slow: for a thread of its own.
///
/// # Errors
/// It is not there, is no picture, or is too large.
pub fn encode(dir: &Path, path: &str) -> Result<NoticeImage, NoticeError> {
    let wrong = |why: &'static str| NoticeError::Picture { path: path.to_owned(), why };
    let place = inside(dir, path).map_err(|_| wrong("is not in the workspace"))?;
    let about = std::fs::metadata(&place).map_err(|_| wrong("cannot be read"))?;
    if about.len() > FILE_MAX {
        return Err(wrong("is larger than 10 MB"));
    }
    let bytes = std::fs::read(&place).map_err(|_| wrong("cannot be read"))?;
    let (media_type, bytes) = anew(&bytes).map_err(wrong)?;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    Ok(NoticeImage { path: path.to_owned(), media_type: media_type.to_owned(), sha256, bytes })
}

fn anew(bytes: &[u8]) -> Result<(&'static str, Vec<u8>), &'static str> {
    const NONE: &str = "is not a PNG, JPEG or WebP picture";
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| NONE)?;
    let format = reader.format().ok_or(NONE)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP) {
        return Err(NONE);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| "cannot be decoded, or is too large")?;
    let turned = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture =
        DynamicImage::from_decoder(decoder).map_err(|_| "cannot be decoded, or is too large")?;
    // What a telephone writes beside the pixels; without it a picture would lie on its side.
    picture.apply_orientation(turned);
    if picture.width() > SHOWN_MAX || picture.height() > SHOWN_MAX {
        picture = picture.thumbnail(SHOWN_MAX, SHOWN_MAX);
    }
    let mut out = Vec::new();
    let kind = if format == ImageFormat::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY);
        picture.to_rgb8().write_with_encoder(encoder).map_err(|_| "cannot be encoded")?;
        "image/jpeg"
    } else {
        let plain = DynamicImage::ImageRgba8(picture.to_rgba8());
        plain.write_to(&mut Cursor::new(&mut out), ImageFormat::Png).map_err(|_| "cannot be encoded")?;
        "image/png"
    };
    Ok((kind, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let picture = DynamicImage::new_rgb8(width, height);
        picture.write_to(&mut Cursor::new(&mut out), ImageFormat::Png).unwrap();
        out
    }

    #[test]
    fn what_is_shown_is_never_the_original() {
        let dir = tempfile::tempdir().unwrap();
        let mut original = png(20, 10);
        original.extend_from_slice(b"<script>alert(1)</script>");
        std::fs::write(dir.path().join("a.png"), &original).unwrap();
        let shown = encode(dir.path(), "a.png").unwrap();
        assert_ne!(shown.bytes, original);
        assert!(!shown.bytes.windows(7).any(|w| w == b"<script"));
        let again = image::load_from_memory(&shown.bytes).unwrap();
        assert_eq!((again.width(), again.height()), (20, 10));
        std::fs::write(dir.path().join("wide.png"), png(3200, 40)).unwrap();
        let wide = image::load_from_memory(&encode(dir.path(), "wide.png").unwrap().bytes).unwrap();
        assert_eq!(wide.width(), SHOWN_MAX);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.png"), "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
        std::fs::write(dir.path().join("b.png"), &png(10, 10)[..30]).unwrap();
        std::fs::write(dir.path().join("c.png"), png(8001, 1)).unwrap();
        for name in ["a.png", "b.png", "c.png", "none.png", "../x.png"] {
            assert!(matches!(encode(dir.path(), name), Err(NoticeError::Picture { .. })), "{name}");
        }
    }
}

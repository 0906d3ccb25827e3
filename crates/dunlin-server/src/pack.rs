//! Answers that travel compressed: JSON that was asked for with GET, from 1 kB on. A page of the grid is 240 kB and
//! leaves as 20. Not here: files of the app, which are compressed when it is built, and streams.
//!
//! An entity tag names bytes (RFC 9110, 8.8.3), so a compressed answer has one of its own, `"…-gzip"`; what comes back
//! in `If-Match` is read without that ending, and the rest of the server knows nothing of it.
//!
//! Compressed secrets can be guessed by who sees the length of answers that also hold words of theirs (BREACH). Cookies
//! of this server are not sent along with requests that other sites make, so nobody elsewhere can cause such answers;
//! and what belongs to the caller alone (`/api/v1/me…`) stays as it is all the same.

use std::io::Write;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::layers::text;
use crate::web::takes;

/// Less than this is not worth the work.
const LEAST: u64 = 1024;
/// More than this is not held in memory for it.
const MOST: u64 = 16 << 20;

/// Whether whoever asks may get the answer compressed.
pub(crate) fn is_welcome(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    *method == Method::GET
        && path.starts_with("/api/v1/")
        && path != "/api/v1/me"
        && !path.starts_with("/api/v1/me/")
        && takes(text(headers, header::ACCEPT_ENCODING), "gzip")
}

/// The answer, compressed where it is JSON of some size.
pub(crate) async fn packed(response: Response) -> Response {
    let headers = response.headers();
    let is_json = text(headers, header::CONTENT_TYPE).starts_with("application/json");
    let size = response.body().size_hint().exact().unwrap_or(0);
    let is_packed = headers.contains_key(header::CONTENT_ENCODING);
    if !is_json || is_packed || !(LEAST..=MOST).contains(&size) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // The size is known, so the body lies in memory whole; it cannot fail.
    let Ok(bytes) = axum::body::to_bytes(body, MOST as usize).await else {
        return crate::problem::Problem::internal().into_response();
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 6), Compression::fast());
    let done = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    let body = match done {
        Ok(small) if small.len() < bytes.len() => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.remove(header::CONTENT_LENGTH);
            if let Some(tag) = parts.headers.get(header::ETAG).and_then(packed_tag) {
                parts.headers.insert(header::ETAG, tag);
            }
            Body::from(small)
        }
        _ => Body::from(bytes),
    };
    parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    Response::from_parts(parts, body)
}

/// Ends the tag of a compressed answer.
const ENDING: &str = "-gzip\"";

fn packed_tag(tag: &HeaderValue) -> Option<HeaderValue> {
    let open = tag.to_str().ok()?.strip_suffix('"')?;
    HeaderValue::from_str(&format!("{open}{ENDING}")).ok()
}

/// The tags that a request names, as the handlers know them.
pub(crate) fn unpack_tags(headers: &mut HeaderMap) {
    for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
        let sent = text(headers, name.clone());
        if sent.contains(ENDING)
            && let Ok(value) = HeaderValue::from_str(&sent.replace(ENDING, "\""))
        {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(body: String) -> Response {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    #[tokio::test]
    async fn long_answers_shrink_and_short_ones_stay() {
        let long = format!("[{}0]", "1234567,".repeat(2000));
        let answer = packed(json(long.clone())).await;
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "gzip");
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        assert!(bytes.len() * 10 < long.len());
        let mut back = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut back).unwrap();
        assert_eq!(back, long);
        assert!(!packed(json("[]".into())).await.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[tokio::test]
    async fn a_compressed_answer_has_a_tag_of_its_own_that_is_understood_when_it_comes_back() {
        let mut answer = json("{\"text\": \"the same words again and again\"}".repeat(200));
        answer.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"abc\""));
        let answer = packed(answer).await;
        assert_eq!(answer.headers()[header::ETAG], "\"abc-gzip\"");
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, answer.headers()[header::ETAG].clone());
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"abc-gzip\", \"d\""));
        unpack_tags(&mut headers);
        assert_eq!(headers[header::IF_MATCH], "\"abc\"");
        assert_eq!(headers[header::IF_NONE_MATCH], "\"abc\", \"d\"");
    }

    #[test]
    fn what_belongs_to_the_caller_is_left_alone() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let welcome = |path| is_welcome(&Method::GET, path, &headers);
        assert!(welcome("/api/v1/work/tasks"));
        assert!(!welcome("/api/v1/me") && !welcome("/api/v1/me/sessions") && !welcome("/sign-in"));
        assert!(!is_welcome(&Method::POST, "/api/v1/work/tasks", &headers));
        assert!(!is_welcome(&Method::GET, "/api/v1/work/tasks", &HeaderMap::new()));
    }
}

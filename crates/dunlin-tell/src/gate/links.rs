//! Links lead somewhere, images can be seen and said, and nothing in a notice calls home.

use std::collections::BTreeSet;

use dunlin_plan::Finding;
use url::Url;

use super::Gate;
use super::passages::Passage;
use crate::notice::NoticeSource;

pub(super) fn check(source: &NoticeSource, passages: &[Passage], gate: &Gate<'_>, items: &mut Vec<Finding>) {
    let mut asked = BTreeSet::new();
    for passage in passages {
        for link in &passage.reading.links {
            let span = passage.span(source, link.at, 1);
            if let Err((message, help)) = form(&link.url) {
                items.push(Finding::error("tell-link-malformed", span, message).help(help));
                continue;
            }
            if link.text.trim().is_empty() {
                let help = "write where it leads between the [ ]";
                items.push(Finding::error("tell-link-malformed", span, "a link without words").help(help));
            }
            let outside = link.url.starts_with("https:");
            if let Some(check) = gate.links.filter(|_| outside && asked.insert(link.url.as_str()))
                && let Err(why) = check.alive(&link.url)
            {
                let message = format!("nothing answers at {}: {why}", link.url);
                let help = "mend the address, or take the link out";
                items.push(Finding::error("tell-link-dead", span, message).help(help));
            }
        }
        images(source, passage, gate, items);
        for at in &passage.reading.html {
            let span = passage.span(source, *at, 1);
            let help = "write it as Markdown; HTML is shown as text";
            items.push(Finding::error("tell-html", span, "raw HTML is not passed on").help(help));
        }
    }
}

fn images(source: &NoticeSource, passage: &Passage, gate: &Gate<'_>, items: &mut Vec<Finding>) {
    for image in &passage.reading.images {
        let span = passage.span(source, image.at, 1);
        if image.text.trim().is_empty() {
            let help =
                "say between ![ and ] what the picture shows, for those who do not see it (WCAG 2.2, 1.1.1)";
            items.push(Finding::error("tell-image-alt", span, "an image without a text").help(help));
        }
        if !is_image_path(&image.url) {
            let message = "this is not an image of the workspace";
            let help = "a path beside the notice that ends in .png, .jpg, .jpeg or .webp; pictures from elsewhere would \
                        tell others who reads this";
            items.push(Finding::error("tell-image-path", span, message).help(help));
        } else if gate.images.is_some_and(|images| !images.exists(&image.url)) {
            let help = "put the file into the workspace, or mend the path";
            items.push(Finding::error("tell-image-path", span, "there is no such image").help(help));
        }
    }
}

/// Whether a path stays inside the workspace and names a kind of image that is re-encoded.
pub(crate) fn is_image_path(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let kind = [".png", ".jpg", ".jpeg", ".webp"].iter().any(|end| lower.ends_with(end));
    let inside = !path.starts_with('/')
        && !path.contains([':', '\\', '%', '?', '#'])
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    kind && inside
}

/// `https:`, `mailto:`, `tel:`, or a place on the same site or page.
fn form(url: &str) -> Result<(), (String, &'static str)> {
    if url.starts_with('#') || (url.starts_with('/') && !url.starts_with("//")) {
        return Ok(());
    }
    match Url::parse(url) {
        Ok(parsed)
            if parsed.scheme() == "https" && parsed.host_str().is_some_and(|host| host.contains('.')) =>
        {
            Ok(())
        }
        Ok(parsed) if parsed.scheme() == "mailto" && parsed.path().contains('@') => Ok(()),
        Ok(parsed) if parsed.scheme() == "tel" => Ok(()),
        Ok(parsed) if parsed.scheme() == "http" => {
            Err((format!("`{url}` is not encrypted on its way"), "write https: instead of http:"))
        }
        _ => Err((
            format!("`{url}` is not an address that can be opened"),
            "https://…, mailto:…, tel:…, /a/page or #a-part",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_readers_can_open_pass() {
        for good in
            ["https://example.com/a?b=c", "mailto:a@example.com", "tel:+34911234567", "/tell/me", "#rights"]
        {
            assert!(form(good).is_ok(), "{good}");
        }
        for bad in [
            "http://example.com",
            "javascript:alert(1)",
            "example.com",
            "//evil.example",
            "https://",
            "mailto:x",
            "data:text/html,x",
            "https://localhost",
        ] {
            assert!(form(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn images_stay_inside_the_workspace() {
        for good in ["images/move.png", "a.JPG", "b/c-d.webp"] {
            assert!(is_image_path(good), "{good}");
        }
        for bad in [
            "../x.png",
            "/x.png",
            "https://a.example/x.png",
            "x.svg",
            ".dunlin/x.png",
            "a//b.png",
            "x.png?y",
            "..\\x.png",
            "%2e%2e/x.png",
        ] {
            assert!(!is_image_path(bad), "{bad}");
        }
    }
}

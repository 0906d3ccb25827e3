//! Markdown as readers read it: blocks of plain text, links, images, headings, each with its place in the source.

use comrak::nodes::{AstNode, LineColumn, NodeValue};
use comrak::{Arena, Options, parse_document};

/// How dunlin reads Markdown everywhere; raw HTML is never passed on.
pub(crate) fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.render.escape = true;
    options
}

/// One block of text, such as a paragraph or a list item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) text: String,
    /// Offsets in the text, and where they stand in the source; ascending.
    pieces: Vec<(usize, usize)>,
    /// Headings are short by nature: their sentences are not counted.
    pub(crate) heading: bool,
}

impl Block {
    /// Where an offset of the text stands in the source.
    pub(crate) fn source(&self, offset: usize) -> usize {
        let piece = self.pieces.iter().rev().find(|(at, _)| *at <= offset);
        piece.map_or(0, |(at, source)| source + (offset - at))
    }

    fn push(&mut self, text: &str, source: usize) {
        self.pieces.push((self.text.len(), source));
        self.text.push_str(text);
    }
}

/// A link or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) url: String,
    /// What a link shows, or the text that stands for an image.
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// A Markdown text, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) blocks: Vec<Block>,
    pub(crate) links: Vec<Target>,
    pub(crate) images: Vec<Target>,
    /// Where raw HTML stands.
    pub(crate) html: Vec<usize>,
}

/// Reads a Markdown text.
pub(crate) fn read(markdown: &str) -> Reading {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut walk = Walk { lines: line_starts(markdown), reading: Reading::default() };
    walk.blocks(root);
    walk.reading
}

fn line_starts(text: &str) -> Vec<usize> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(breaks).collect()
}

struct Walk {
    lines: Vec<usize>,
    reading: Reading,
}

impl Walk {
    /// comrak counts lines and columns (in bytes) from 1.
    fn offset(&self, place: LineColumn) -> usize {
        self.lines.get(place.line.saturating_sub(1)).copied().unwrap_or_default()
            + place.column.saturating_sub(1)
    }

    fn start<'a>(&self, node: &'a AstNode<'a>) -> usize {
        self.offset(node.data().sourcepos.start)
    }

    fn blocks<'a>(&mut self, node: &'a AstNode<'a>) {
        for child in node.children() {
            let (is_text, heading) = match &child.data().value {
                NodeValue::Paragraph | NodeValue::TableCell => (true, false),
                NodeValue::Heading(_) => (true, true),
                NodeValue::HtmlBlock(_) => {
                    let at = self.start(child);
                    self.reading.html.push(at);
                    continue;
                }
                _ => (false, false),
            };
            if is_text {
                let mut block = Block { heading, ..Block::default() };
                self.inlines(child, &mut block);
                self.reading.blocks.push(block);
            } else {
                self.blocks(child);
            }
        }
    }

    fn inlines<'a>(&mut self, node: &'a AstNode<'a>, block: &mut Block) {
        for child in node.children() {
            let at = self.start(child);
            match &child.data().value {
                NodeValue::Text(text) => block.push(text, at),
                NodeValue::Code(code) => block.push(&code.literal, at + code.num_backticks),
                NodeValue::SoftBreak | NodeValue::LineBreak => block.push(" ", at),
                NodeValue::HtmlInline(_) => self.reading.html.push(at),
                NodeValue::Image(link) => {
                    let text = plain(child);
                    self.reading.images.push(Target { url: link.url.clone(), text, at });
                }
                NodeValue::Link(link) => {
                    let text = plain(child);
                    self.reading.links.push(Target { url: link.url.clone(), text, at });
                    self.inlines(child, block);
                }
                _ => self.inlines(child, block),
            }
        }
    }
}

/// The text inside a node, without markup.
pub(crate) fn plain<'a>(node: &'a AstNode<'a>) -> String {
    let mut text = String::new();
    for inner in node.descendants() {
        match &inner.data().value {
            NodeValue::Text(part) => text.push_str(part),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_found_where_it_stands() {
        let markdown = "# Über uns\n\nWir *ziehen* um,\nnach [Irland](https://example.com).\n\n- ein `Wort`\n- ![](x.png)\n\n<b>roh</b>\n";
        let reading = read(markdown);
        for block in &reading.blocks {
            for word in ["Über", "Wir", "ziehen", "um", "nach", "Irland", "ein", "Wort"] {
                let Some(at) = block.text.find(word) else { continue };
                let source = block.source(at);
                assert_eq!(&markdown[source..source + word.len()], word, "{block:?}");
            }
        }
        let texts: Vec<&str> = reading.blocks.iter().map(|block| block.text.as_str()).collect();
        assert_eq!(texts, ["Über uns", "Wir ziehen um, nach Irland.", "ein Wort", "", "roh"]);
        assert_eq!(reading.links[0].text, "Irland");
        assert_eq!(reading.images[0].text, "");
        assert_eq!(reading.html.len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(markdown in "(?s).{0,200}") {
            for block in read(&markdown).blocks {
                let _ = block.source(block.text.len());
            }
        }
    }
}

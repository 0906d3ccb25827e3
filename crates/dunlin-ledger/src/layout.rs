//! Where a tile lies in the ledger's folder: the paths of C2SP tlog-tiles, and the entry bundle's format.
//!
//! Not here: reading or writing files.

/// Height of a tile: 2^8 hashes or entries each.
pub(crate) const TILE_HEIGHT: u8 = 8;
/// Hashes or entries in a full tile.
pub(crate) const TILE_WIDTH: u64 = 256;

/// One file of hashes, or of entries, in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TileName {
    /// Level of hashes; `None` is a bundle of entries.
    pub(crate) level: Option<u8>,
    /// Number within the level.
    pub(crate) index: u64,
    /// How many hashes or entries it holds, 1 to 256.
    pub(crate) width: u16,
}

impl TileName {
    /// The path below the ledger's folder, e.g. `tile/0/x001/234.p/5` or `tile/entries/000`.
    pub(crate) fn path(&self) -> String {
        let level = self.level.map_or("entries".to_owned(), |l| l.to_string());
        let mut rest = self.index;
        let mut number = format!("{:03}", rest % 1000);
        while rest >= 1000 {
            rest /= 1000;
            number = format!("x{:03}/{number}", rest % 1000);
        }
        let partial =
            if u64::from(self.width) == TILE_WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{level}/{number}{partial}")
    }

    /// Index, within its level, of its first hash or entry.
    pub(crate) fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }
}

/// Every file of a tree with `size` entries, from entry (or hash) `from` on: bundles first, then hashes.
pub(crate) fn tiles(from: u64, size: u64) -> Vec<TileName> {
    let mut names = Vec::new();
    level_tiles(None, from, size, &mut names);
    let (mut level, mut from, mut width) = (0, from, size);
    while width > 0 {
        level_tiles(Some(level), from, width, &mut names);
        level += 1;
        from /= TILE_WIDTH;
        width /= TILE_WIDTH;
    }
    names
}

fn level_tiles(level: Option<u8>, from: u64, size: u64, names: &mut Vec<TileName>) {
    // A level that did not grow keeps its partial tile.
    let mut index = if from < size { from / TILE_WIDTH } else { return };
    while index * TILE_WIDTH < size {
        let width = (size - index * TILE_WIDTH).min(TILE_WIDTH) as u16;
        names.push(TileName { level, index, width });
        index += 1;
    }
}

/// The tile that holds hash or entry `n` of a level with `size` of them.
pub(crate) fn tile_of(level: Option<u8>, n: u64, size: u64) -> TileName {
    let index = n / TILE_WIDTH;
    let width = size.saturating_sub(index * TILE_WIDTH).clamp(1, TILE_WIDTH) as u16;
    TileName { level, index, width }
}

/// Entries as one bundle: each preceded by its length in two bytes, big end first.
pub(crate) fn pack_entries<'a>(entries: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bundle = Vec::new();
    for entry in entries {
        bundle.extend((entry.len() as u16).to_be_bytes());
        bundle.extend(entry);
    }
    bundle
}

/// The entries of a bundle, or `None` when it does not hold exactly `count` whole ones.
pub(crate) fn unpack_entries(mut bundle: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::with_capacity(count);
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_at_checked(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (entry, rest) = rest.split_at_checked(length)?;
        entries.push(entry.to_vec());
        bundle = rest;
    }
    (entries.len() == count).then_some(entries)
}

/// What a fuller tile holds of a narrower one.
pub(crate) fn beginning(fuller: &[u8], tile: &TileName) -> Vec<u8> {
    let width = usize::from(tile.width);
    let end = match tile.level {
        Some(_) => width * 32,
        None => (0..width).fold(0, |at, _| match fuller.get(at..at + 2) {
            Some(length) => at + 2 + usize::from(u16::from_be_bytes([length[0], length[1]])),
            None => at,
        }),
    };
    fuller.get(..end).unwrap_or(fuller).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        let path = |level, index, width| TileName { level, index, width }.path();
        assert_eq!(path(Some(0), 0, 256), "tile/0/000");
        assert_eq!(path(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Some(1), 0, 5), "tile/1/000.p/5");
        assert_eq!(path(None, 1_234, 256), "tile/entries/x001/234");
        assert_eq!(path(None, 0, 1), "tile/entries/000.p/1");
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_that_the_standard_counts() {
        let names = tiles(0, 70_000);
        let count = |level| names.iter().filter(|t| t.level == level).count();
        assert_eq!((count(None), count(Some(0)), count(Some(1)), count(Some(2))), (274, 274, 2, 1));
        assert_eq!(
            tiles(0, 256).iter().map(TileName::path).collect::<Vec<_>>(),
            ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
        );
        assert!(tiles(0, 0).is_empty());
    }

    proptest! {
        #[test]
        fn bundles_come_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let bundle = pack_entries(entries.iter().map(Vec::as_slice));
            prop_assert_eq!(unpack_entries(&bundle, entries.len()), Some(entries.clone()));
            prop_assert_eq!(unpack_entries(&bundle, entries.len() + 1), None);
        }

        #[test]
        fn any_bundle_is_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), n in 0usize..4) {
            let _ = unpack_entries(&bytes, n);
        }
    }
}

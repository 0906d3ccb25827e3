//! Texts as small numbers: each different text is kept once, in one long buffer, and named by its place. Not here: what
//! a text means.

/// Different texts, numbered from 0 in the order of their arrival.
#[derive(Default)]
pub(super) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Open addressing: 0 is free, else the number plus one.
    slots: Vec<u32>,
}

/// A hash of a text that is the same on every machine and in every run.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0_u8; 8];
        word.copy_from_slice(chunk);
        state = mix(state ^ u64::from_le_bytes(word));
    }
    let mut last = [0_u8; 8];
    last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(state ^ u64::from_le_bytes(last))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Interner {
    /// How many different texts there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a number.
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let from = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[from..self.ends[id]]
    }

    /// The number of a text, a new one where it was not seen before.
    pub(super) fn intern(&mut self, text: &[u8]) -> u32 {
        if self.slots.len() < 2 * (self.ends.len() + 1) {
            self.grow();
        }
        let at = self.slot(text);
        if self.slots[at] == 0 {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
            self.slots[at] = self.ends.len() as u32;
        }
        self.slots[at] - 1
    }

    /// The slot that holds this text, or the free one where it belongs.
    fn slot(&self, text: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash(text) as usize & mask;
        while self.slots[at] != 0 && self.get(self.slots[at] - 1) != text {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        self.slots = vec![0; (4 * (self.ends.len() + 1)).next_power_of_two().max(64)];
        let mask = self.slots.len() - 1;
        for id in 0..self.ends.len() as u32 {
            let mut at = hash(self.get(id)) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = id + 1;
        }
    }

    /// Frees what is needed for interning only.
    pub(super) fn seal(&mut self) {
        self.slots = Vec::new();
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// Lists of numbers, one a row, end to end.
#[derive(Default)]
pub(super) struct Lists {
    items: Vec<u32>,
    ends: Vec<u32>,
}

impl Lists {
    /// Adds a row.
    pub(super) fn push(&mut self, row: impl IntoIterator<Item = u32>) {
        self.items.extend(row);
        self.ends.push(self.items.len() as u32);
    }

    /// Where a row stands.
    pub(super) fn range(&self, at: usize) -> std::ops::Range<usize> {
        let from = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        from..self.ends[at] as usize
    }

    /// A row.
    pub(super) fn get(&self, at: usize) -> &[u32] {
        &self.items[self.range(at)]
    }
}

//! The framing of a binary COPY: where each row and each field of the stream begins and ends. Incremental: a row may
//! arrive in any pieces. What the fields mean is not known here.

/// What every binary COPY starts with.
pub(super) const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// The stream is not what the server promised. It carries nothing, because the bytes are customer data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Where a field lies in the row at hand; `None` is NULL.
pub(super) type Cut = Option<(usize, usize)>;

/// What takes the rows and makes batches of them.
pub(super) trait Sink {
    /// What it makes.
    type Batch;
    /// Whether a batch should be taken now.
    fn is_full(&self) -> bool;
    /// Whether nothing waits to be taken.
    fn is_empty(&self) -> bool;
    /// Takes a row in: its bytes, the count of its fields included, and where its fields lie in them.
    fn row(&mut self, row: &[u8], cuts: &[Cut]) -> Result<(), Broken>;
    /// Hands out what was taken in so far.
    fn take(&mut self) -> Result<Self::Batch, Broken>;
}

/// Turns a stream into batches.
pub(super) struct Decoding<S> {
    framing: Framing,
    sink: S,
}

impl<S: Sink> Decoding<S> {
    /// Of rows of so many fields.
    pub(super) fn over(fields: usize, sink: S) -> Self {
        Self { framing: Framing::new(fields), sink }
    }

    /// Takes bytes in. Stops when the batch is full; the rest waits for [`Decoding::resume`].
    pub(super) fn push(&mut self, data: &[u8]) -> Result<(), Broken> {
        self.framing.push(data, &mut self.sink)
    }

    /// Goes on with bytes that were left when a batch was full.
    pub(super) fn resume(&mut self) -> Result<(), Broken> {
        self.framing.resume(&mut self.sink)
    }

    /// Whether a batch should be taken now.
    pub(super) fn is_full(&self) -> bool {
        self.sink.is_full()
    }

    /// Whether nothing waits to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.sink.is_empty()
    }

    /// Whether the stream ended as it should.
    pub(super) fn is_finished(&self) -> bool {
        self.framing.is_finished()
    }

    /// Hands out what was decoded so far.
    pub(super) fn take(&mut self) -> Result<S::Batch, Broken> {
        self.sink.take()
    }
}

/// Cuts a stream into rows.
struct Framing {
    /// What arrived and does not make a whole row yet.
    carry: Vec<u8>,
    cuts: Vec<Cut>,
    started: bool,
    finished: bool,
}

impl Framing {
    fn new(fields: usize) -> Self {
        Self { carry: Vec::new(), cuts: vec![None; fields], started: false, finished: false }
    }

    fn push(&mut self, data: &[u8], sink: &mut impl Sink) -> Result<(), Broken> {
        if self.carry.is_empty() {
            let used = self.cut(data, sink)?;
            self.carry.extend_from_slice(&data[used..]);
            return Ok(());
        }
        self.carry.extend_from_slice(data);
        self.resume(sink)
    }

    fn resume(&mut self, sink: &mut impl Sink) -> Result<(), Broken> {
        let carry = std::mem::take(&mut self.carry);
        let used = self.cut(&carry, sink)?;
        self.carry = carry;
        self.carry.drain(..used);
        Ok(())
    }

    fn is_finished(&self) -> bool {
        self.finished && self.carry.is_empty()
    }

    fn cut(&mut self, data: &[u8], sink: &mut impl Sink) -> Result<usize, Broken> {
        let mut at = 0;
        if !self.started {
            match header(data)? {
                None => return Ok(0),
                Some(length) => at = length,
            }
            self.started = true;
        }
        while !sink.is_full() && !self.finished {
            match self.row(&data[at..])? {
                None => break,
                Some(length) => {
                    if !self.finished {
                        sink.row(&data[at..at + length], &self.cuts)?;
                    }
                    at += length;
                }
            }
        }
        if self.finished && at < data.len() { Err(Broken) } else { Ok(at) }
    }

    /// Finds one row's fields and its length; `None` when it is not all there.
    fn row(&mut self, data: &[u8]) -> Result<Option<usize>, Broken> {
        let Some(count) = data.get(..2) else { return Ok(None) };
        match i16::from_be_bytes([count[0], count[1]]) {
            -1 => {
                self.finished = true;
                return Ok(Some(2));
            }
            n if usize::try_from(n) != Ok(self.cuts.len()) => return Err(Broken),
            _ => {}
        }
        let mut at = 2;
        for cut in &mut self.cuts {
            let Some(length) = data.get(at..at + 4) else { return Ok(None) };
            at += 4;
            match i32::from_be_bytes([length[0], length[1], length[2], length[3]]) {
                -1 => *cut = None,
                n => {
                    let end = at + usize::try_from(n).map_err(|_| Broken)?;
                    if end > data.len() {
                        return Ok(None);
                    }
                    *cut = Some((at, end));
                    at = end;
                }
            }
        }
        Ok(Some(at))
    }
}

/// The length of the header, or `None` when it is not all there.
fn header(data: &[u8]) -> Result<Option<usize>, Broken> {
    let known = data.len().min(SIGNATURE.len());
    if data[..known] != SIGNATURE[..known] {
        return Err(Broken);
    }
    let Some(extension) = data.get(15..19) else { return Ok(None) };
    let length = i32::from_be_bytes([extension[0], extension[1], extension[2], extension[3]]);
    let end = 19 + usize::try_from(length).map_err(|_| Broken)?;
    Ok((data.len() >= end).then_some(end))
}

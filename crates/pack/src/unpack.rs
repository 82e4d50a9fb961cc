//! The unpacker, and what it shares with the packer.

use crate::codes::{Codes, TABLE};
use crate::model::{Model, Tables};
use crate::place::{KINDS, Kind, Place, SIZE, size};
use crate::{HEAD, LARGEST};

/// Bytes of the packed file that one byte takes at most, and some more.
const AHEAD: usize = 48;

/// Goes through the file, byte by byte.
pub struct Walk {
    model: Model,
    place: Place,
    codes: [Codes; KINDS],
    /// Where the body is that is not yet complete.
    body: Option<usize>,
}

impl Walk {
    /// Before the first byte of the table of lengths.
    pub fn new() -> Self {
        Self {
            model: Model::new(),
            place: Place::new((0, 0)),
            codes: [Codes::new(&[8; 256]); KINDS],
            body: None,
        }
    }

    /// Turns from the table to the file itself.
    pub fn turn(&mut self, table: &[u8], bodies: (u32, u32)) {
        for (codes, lengths) in self.codes.iter_mut().zip(table.as_chunks().0) {
            *codes = Codes::new(lengths);
        }
        self.place = Place::new(bodies);
    }

    /// Gives a body its size once it is complete. There is `file` up to here.
    pub fn complete(&mut self, file: &mut [u8]) {
        let is_end = self.place.is_body() || self.place.kind == Kind::Data;
        if let Some(body) = self.body.filter(|_| is_end) {
            let bytes = file.len().wrapping_sub(body + SIZE);
            if let Some(place) = file.get_mut(body..).and_then(<[u8]>::first_chunk_mut) {
                *place = size(bytes);
            }
            self.body = None;
        }
        if self.place.is_body() {
            self.body = Some(file.len());
        }
    }

    /// The codes of bytes such as the next one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn codes(&self) -> &Codes {
        &self.codes[self.place.kind as usize]
    }

    /// The next byte. `tell` says each bit of its code, given how likely a 1 is in 65,536ths, or, given a byte too, whether it
    /// is that one.
    pub fn step(
        &mut self,
        before: &[u8],
        tables: &mut Tables,
        mut tell: impl FnMut(u32, Option<u8>) -> u32,
    ) -> u8 {
        if self.place.kind == Kind::Size {
            self.place.pass(0);
            return 0;
        }
        let codes = &self.codes[self.place.kind as usize];
        if let Some(byte) = self.model.foretell(before, tables, &mut tell) {
            self.place.pass(byte);
            return byte;
        }
        self.model.turn(&self.place, before, |byte| codes.of(byte));
        let (mut path, mut length) = (1, 0);
        loop {
            path = path << 1 | self.model.bit(path, tables, |likely| tell(likely, None));
            length += 1;
            if let Some(byte) = codes.byte(path, length) {
                self.place.pass(byte);
                return byte;
            }
        }
    }
}

/// Unpacks a file while it arrives.
pub struct Unpacker {
    walk: Walk,
    low: u32,
    high: u32,
    code: u32,
    /// Bytes read, and bytes written, those of the table included.
    read: usize,
    written: usize,
}

impl Unpacker {
    /// One that has read nothing.
    pub fn new() -> Self {
        Self { walk: Walk::new(), low: 0, high: u32::MAX, code: 0, read: 0, written: 0 }
    }

    /// Goes on as far as it can with what has arrived, and returns how many bytes of the file there are behind the table.
    pub fn go_on(
        &mut self,
        arrived: &[u8],
        is_all: bool,
        tables: &mut Tables,
        output: &mut [u8; LARGEST],
    ) -> usize {
        let Some((head, packed)) = arrived.split_first_chunk::<HEAD>() else { return 0 };
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let end = (word(0) as usize).saturating_add(TABLE);
        if self.written == 0 {
            self.code = word(12);
        }
        while self.written < end && (is_all || self.read + AHEAD < packed.len()) {
            if self.written == TABLE {
                self.walk.turn(output, (word(4), word(8)));
            }
            let Some((before, [next, ..])) = output.split_at_mut_checked(self.written) else { break };
            *next = self.byte(before, packed, tables);
            self.written += 1;
            if let Some(file) = output.get_mut(..self.written) {
                self.walk.complete(file);
            }
        }
        self.walk.body.filter(|_| self.written < end).unwrap_or(self.written).saturating_sub(TABLE)
    }

    /// Not a part of its caller, so that a browser can put a faster version in place while that one runs.
    #[inline(never)]
    fn byte(&mut self, before: &[u8], packed: &[u8], tables: &mut Tables) -> u8 {
        let Self { walk, low, high, code, read, .. } = self;
        walk.step(before, tables, |likely, _| {
            let middle = *low + ((u64::from(*high - *low) * u64::from(likely)) >> 16) as u32;
            let bit = u32::from(*code <= middle);
            *(if bit == 1 { &mut *high } else { &mut *low }) = middle + (1 - bit);
            while (*low ^ *high) >> 24 == 0 {
                (*low, *high) = (*low << 8, *high << 8 | 255);
                *code = *code << 8 | u32::from(packed.get(*read).copied().unwrap_or(0));
                *read += 1;
            }
            bit
        })
    }
}

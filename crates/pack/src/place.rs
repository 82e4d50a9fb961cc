//! What the next byte of a wasm file is, told from those before it: the way a reader of the format would go.

/// What a byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Anything outside of functions' bodies.
    Data,
    /// An operator.
    Operator,
    /// Index of a local.
    Local,
    /// Index of a global or a table.
    Global,
    /// A constant of 32 bits.
    Constant,
    /// A constant of 64 bits.
    Long,
    /// Alignment of an access to memory.
    Align,
    /// Offset of an access to memory.
    Offset,
    /// Index of a function.
    Call,
    /// Index of a type.
    Type,
    /// How far out a jump goes.
    Jump,
    /// What a block leaves.
    Block,
    /// Size of a body.
    Size,
    /// Number of a body's declarations of locals.
    Declarations,
    /// How many locals a declaration declares.
    Locals,
    /// Number of a jump's targets.
    Targets,
    /// An operator's second byte.
    Second,
    /// A byte as it is.
    Byte,
}

/// How many kinds there are.
pub const KINDS: usize = Kind::Byte as usize + 1;

/// Where in a file of wasm the next byte stands.
pub struct Place {
    /// Where the bodies of functions are.
    bodies: (u32, u32),
    at: u32,
    /// Kind of the next byte.
    pub kind: Kind,
    /// What follows it, last first, and how often.
    then: [(Kind, u32); 4],
    waiting: usize,
    /// The number that the next byte goes on with, and how many bytes of it there were.
    pub number: u32,
    pub length: u32,
    /// Where the body ends.
    end: u32,
    /// The last operators, four to a word, the newest in the lowest byte of the first.
    pub operators: [u32; 2],
    /// The last numbers of each kind, two to a word.
    pub last: [u32; KINDS],
    /// The last constant behind a call.
    entry: u32,
}

impl Place {
    pub const fn new(bodies: (u32, u32)) -> Self {
        Self {
            bodies,
            at: 0,
            kind: Kind::Data,
            then: [(Kind::Data, 0); 4],
            waiting: 0,
            number: 0,
            length: 0,
            end: 0,
            operators: [0; 2],
            last: [0; KINDS],
            entry: 0,
        }
    }

    /// The next byte, where there is reason to expect one: a constant behind a call is the entry in the table of what is in
    /// another file, and these are counted up.
    pub fn expected(&self) -> Option<u8> {
        if self.kind != Kind::Constant || !self.is_behind_call() {
            return None;
        }
        let left = self.entry.wrapping_add(1).unbounded_shr(7 * self.length);
        let more = if left < 64 { 0 } else { 0x80 };
        Some((left & 0x7f) as u8 | more)
    }

    fn is_behind_call(&self) -> bool {
        self.operators[0] >> 8 & 0xff == 0x10
    }

    /// Goes on behind a byte.
    pub fn pass(&mut self, byte: u8) {
        self.at += 1;
        match self.kind {
            Kind::Data | Kind::Byte => {}
            Kind::Operator => {
                let [new, old] = self.operators;
                self.operators = [new << 8 | u32::from(byte), old << 8 | new >> 24];
                self.operands(byte);
            }
            kind => {
                self.number |= u32::from(byte & 0x7f).wrapping_shl(7 * self.length);
                self.length += 1;
                if byte & 0x80 != 0 {
                    return;
                }
                let last = &mut self.last[kind as usize];
                *last = *last << 16 | self.number & 0xffff;
                if kind == Kind::Constant && self.is_behind_call() {
                    self.entry = self.number;
                }
                self.behind(kind, self.number);
            }
        }
        (self.number, self.length) = (0, 0);
        self.kind = self.next();
    }

    fn next(&mut self) -> Kind {
        if self.at < self.bodies.0 || self.at >= self.bodies.1 {
            return Kind::Data;
        }
        if self.waiting > 0 {
            let (kind, times) = &mut self.then[self.waiting & 3];
            *times -= 1;
            if *times == 0 {
                self.waiting -= 1;
            }
            return *kind;
        }
        if self.at < self.end { Kind::Operator } else { Kind::Size }
    }

    fn follow(&mut self, kind: Kind, times: u32) {
        if times > 0 {
            self.waiting = (self.waiting + 1) & 3;
            self.then[self.waiting] = (kind, times);
        }
    }

    fn operands(&mut self, operator: u8) {
        match operator {
            0x02..=0x04 | 0xd0 => self.follow(Kind::Block, 1),
            0x0c | 0x0d => self.follow(Kind::Jump, 1),
            0x0e => self.follow(Kind::Targets, 1),
            0x10 | 0xd2 => self.follow(Kind::Call, 1),
            0x11 => {
                self.follow(Kind::Global, 1);
                self.follow(Kind::Type, 1);
            }
            0x20..=0x22 => self.follow(Kind::Local, 1),
            0x23..=0x26 | 0x3f | 0x40 => self.follow(Kind::Global, 1),
            0x28..=0x3e => {
                self.follow(Kind::Offset, 1);
                self.follow(Kind::Align, 1);
            }
            0x41 => self.follow(Kind::Constant, 1),
            0x42 => self.follow(Kind::Long, 1),
            0x43 => self.follow(Kind::Byte, 4),
            0x44 => self.follow(Kind::Byte, 8),
            0xfc => self.follow(Kind::Second, 1),
            _ => {}
        }
    }

    /// What a number calls for.
    fn behind(&mut self, kind: Kind, number: u32) {
        match kind {
            Kind::Size => {
                self.end = self.at.wrapping_add(number);
                self.operators = [0; 2];
                self.follow(Kind::Declarations, 1);
            }
            // The types of the locals pass for numbers: they are bytes without the bit that says that more follow.
            Kind::Declarations => self.follow(Kind::Locals, number.wrapping_mul(2)),
            Kind::Targets => self.follow(Kind::Jump, number.wrapping_add(1)),
            // Of the operators with two bytes, those that copy take two numbers, and those that round take none.
            Kind::Second => {
                self.follow(Kind::Global, [0, 2, 1][usize::from(number > 7) + usize::from(number > 10)])
            }
            _ => {}
        }
    }
}

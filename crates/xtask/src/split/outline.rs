//! The parts of a function that an untouched page never runs, taken out of it into functions of their own.
//!
//! A part is the rest of a block's body from a segment on that did not run. Nothing but its first operator leads into it, and
//! it starts with an empty operand stack, so it can become a function: the locals that it reads are parameters, those that
//! are read afterwards are results, and where it leaves for another block than its own, a number says which.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use anyhow::Result;
use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{BlockType, Function, Ieee32, Ieee64, Instruction};
use wasmparser::{Operator, ValType};

use super::code::{Code, leaves, result_of};
use super::module::Plain;

/// Most locals that go in or come out.
const LOCALS_MAX: usize = 40;

/// A set of locals.
pub type Locals = BTreeSet<u32>;

/// Where control goes from a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// On behind the part's block.
    Fall,
    /// To a block further out, counted from the part's own, which is 0.
    Branch(u32),
    /// Out of the function.
    Return,
}

/// A part of a function's body.
#[derive(Debug)]
pub struct Part {
    /// Its operators: from here up to, not including, the `end` or `else` of its block.
    pub from: usize,
    pub to: usize,
    /// What opens the blocks around it, from the outermost in.
    open: Vec<usize>,
    /// Locals that it gets.
    pub gets: Vec<u32>,
    /// Locals that it gives back.
    pub gives: Vec<u32>,
    /// How it can be left, in order.
    pub exits: Vec<Exit>,
    /// The value on the stack at those exits that carry one.
    pub value: Option<ValType>,
    /// Whether going on behind the block carries the value.
    fall_value: bool,
    /// Whether returning does.
    return_value: bool,
}

impl Part {
    /// Parameters and results of the part as a function: the value, the exit taken if there are several, the locals.
    pub fn signature(&self, code: &Code<'_>) -> (Vec<ValType>, Vec<ValType>) {
        let kind = |local: &u32| code.locals[*local as usize];
        let taken = (self.exits.len() > 1).then_some(ValType::I32);
        let results = self.value.into_iter().chain(taken).chain(self.gives.iter().map(kind));
        (self.gets.iter().map(kind).collect(), results.collect())
    }

    fn carries(&self, exit: Exit) -> bool {
        match exit {
            Exit::Fall => self.fall_value,
            Exit::Branch(_) => false,
            Exit::Return => self.return_value,
        }
    }
}

/// Finds the parts of a body that are worth taking out.
pub struct Finder<'c, 'a> {
    code: &'c Code<'a>,
    /// Whether the segment that begins at an operator ran; nothing for operators inside of segments.
    ran: BTreeMap<usize, bool>,
    /// What the function returns.
    result: Option<ValType>,
    /// Locals that are read after a jump to the label of a block, by its operator.
    at_label: BTreeMap<usize, Locals>,
    /// Locals that are read behind a block.
    behind: BTreeMap<usize, Locals>,
    parts: Vec<Part>,
}

impl<'c, 'a> Finder<'c, 'a> {
    /// The parts, in order; none overlaps another.
    ///
    /// # Errors
    /// When the body holds what compilers do not make here.
    pub fn find(code: &'c Code<'a>, segments: &[bool], results: &[ValType]) -> Result<Vec<Part>> {
        let mut finder = Finder::new(code);
        if results.len() > 1 {
            return Ok(finder.parts);
        }
        finder.ran = code.segments().into_iter().zip(segments.iter().copied()).collect();
        finder.result = results.first().copied();
        let end = code.ops.len() - 1;
        finder.live(0, end, Locals::new(), &mut Vec::new());
        finder.search(0, end, &mut Vec::new())?;
        Ok(finder.parts)
    }

    fn new(code: &'c Code<'a>) -> Self {
        Finder {
            code,
            ran: BTreeMap::new(),
            result: None,
            at_label: BTreeMap::new(),
            behind: BTreeMap::new(),
            parts: Vec::new(),
        }
    }

    /// The locals that are read from an operator on, if those in `live` are read from `to` on.
    fn live(&mut self, from: usize, to: usize, mut live: Locals, labels: &mut Vec<Locals>) -> Locals {
        let target = |labels: &[Locals], depth: u32| {
            labels.len().checked_sub(depth as usize + 1).map(|at| labels[at].clone()).unwrap_or_default()
        };
        let code = self.code;
        let mut at = to;
        while at > from {
            at -= 1;
            match &code.ops[at] {
                Operator::End => {
                    let start = code.partner[at];
                    live = self.live_block(start, at, live, labels);
                    at = start;
                }
                Operator::Br { relative_depth } => live = target(labels, *relative_depth),
                Operator::BrIf { relative_depth } => live.extend(target(labels, *relative_depth)),
                Operator::BrTable { targets } => {
                    live = target(labels, targets.default());
                    for depth in targets.targets().flatten() {
                        live.extend(target(labels, depth));
                    }
                }
                Operator::Return | Operator::Unreachable => live.clear(),
                Operator::LocalGet { local_index } => {
                    live.insert(*local_index);
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    live.remove(local_index);
                }
                _ => {}
            }
        }
        live
    }

    fn live_block(&mut self, start: usize, end: usize, after: Locals, labels: &mut Vec<Locals>) -> Locals {
        let is_loop = matches!(self.code.ops[start], Operator::Loop { .. });
        let mut label = if is_loop { Locals::new() } else { after.clone() };
        let before = loop {
            labels.push(label.clone());
            let middle = self.code.other[start].unwrap_or(end);
            let mut before = self.live(start + 1, middle, after.clone(), labels);
            if middle < end {
                before.extend(self.live(middle + 1, end, after.clone(), labels));
            } else if matches!(self.code.ops[start], Operator::If { .. }) {
                before.extend(after.iter().copied());
            }
            labels.pop();
            if !is_loop || before == label {
                break before;
            }
            label.clone_from(&before);
        };
        self.at_label.insert(start, label);
        self.behind.insert(start, after);
        before
    }

    /// Looks through the body of a block, whose openers from the outermost in are `open`.
    fn search(&mut self, from: usize, to: usize, open: &mut Vec<usize>) -> Result<()> {
        let code = self.code;
        let mut at = from;
        while at < to {
            if self.ran.get(&at) == Some(&false)
                && code.is_flat[at]
                && let Some(part) = self.part(at, to, open)?
            {
                self.parts.push(part);
                return Ok(());
            }
            match &code.ops[at] {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    let end = code.partner[at];
                    let middle = code.other[at].unwrap_or(end);
                    open.push(at);
                    self.search(at + 1, middle, open)?;
                    if middle < end {
                        self.search(middle + 1, end, open)?;
                    }
                    open.pop();
                    at = end + 1;
                }
                _ => at += 1,
            }
        }
        Ok(())
    }

    /// The part from an operator to the end of the innermost open block, if it can be taken out and is worth it.
    fn part(&self, from: usize, to: usize, open: &[usize]) -> Result<Option<Part>> {
        let code = self.code;
        let Some(exits) = self.exits(from, to, open)? else { return Ok(None) };
        let block_value = match open.last().map(|start| &code.ops[*start]) {
            Some(Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty }) => {
                result_of(*blockty)?
            }
            _ => None,
        };
        let fall_value = block_value.filter(|_| exits.contains(&Exit::Fall));
        let return_value = self.result.filter(|_| exits.contains(&Exit::Return));
        if fall_value.is_some() && return_value.is_some() && fall_value != return_value {
            return Ok(None);
        }
        let mut read_later = Locals::new();
        for exit in &exits {
            match exit {
                Exit::Fall => {
                    read_later.extend(open.last().map(|start| &self.behind[start]).into_iter().flatten());
                }
                Exit::Branch(depth) => {
                    read_later.extend(&self.at_label[&open[open.len() - 1 - *depth as usize]]);
                }
                Exit::Return => {}
            }
        }
        let (read, written) = uses(code, from, to);
        let gives: Vec<u32> = written.intersection(&read_later).copied().collect();
        // A local that is given back may keep its value on some way through, so it goes in as well.
        let gets: Vec<u32> =
            read.into_iter().chain(gives.iter().copied()).collect::<Locals>().into_iter().collect();
        // What the call takes, packed, in bytes of wasm: measured, for its bytes are easily guessed.
        let cost = 4 + 2 * gets.len() + 2 * gives.len() + 6 * (exits.len().max(1) - 1);
        if gets.len() > LOCALS_MAX || gives.len() > LOCALS_MAX || code.bytes(from, to) < cost {
            return Ok(None);
        }
        Ok(Some(Part {
            from,
            to,
            open: open.to_vec(),
            gets,
            gives,
            exits: exits.into_iter().collect(),
            value: fall_value.or(return_value),
            fall_value: fall_value.is_some(),
            return_value: return_value.is_some(),
        }))
    }

    /// How a part can be left; nothing if it jumps with a value to a block that is not its own.
    fn exits(&self, from: usize, to: usize, open: &[usize]) -> Result<Option<BTreeSet<Exit>>> {
        let code = self.code;
        let mut exits = BTreeSet::new();
        let mut inner = 0_u32;
        for at in from..to {
            let mut targets = Vec::new();
            match &code.ops[at] {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => inner += 1,
                Operator::End => inner -= 1,
                Operator::Return => {
                    exits.insert(Exit::Return);
                }
                Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                    targets.push(*relative_depth);
                }
                Operator::BrTable { targets: table } => {
                    targets.extend(table.targets().collect::<Result<Vec<_>, _>>()?);
                    targets.push(table.default());
                }
                _ => {}
            }
            for depth in targets {
                let Some(exit) = exit_of(code, open, depth, inner) else { continue };
                if let Exit::Branch(outward) = exit {
                    let start = open[open.len() - 1 - outward as usize];
                    if let Operator::Block { blockty } | Operator::If { blockty } = code.ops[start]
                        && result_of(blockty)?.is_some()
                    {
                        return Ok(None);
                    }
                }
                exits.insert(exit);
            }
        }
        if !leaves(&code.ops[to - 1]) {
            exits.insert(if open.is_empty() { Exit::Return } else { Exit::Fall });
        }
        Ok(Some(exits))
    }
}

/// Where a jump leads that stands `inner` blocks deep inside of a part; nothing if it stays inside.
fn exit_of(code: &Code<'_>, open: &[usize], depth: u32, inner: u32) -> Option<Exit> {
    let outward = depth.checked_sub(inner)? as usize;
    let Some(at) = open.len().checked_sub(outward + 1) else { return Some(Exit::Return) };
    let is_loop = matches!(code.ops[open[at]], Operator::Loop { .. });
    if outward == 0 && !is_loop { Some(Exit::Fall) } else { Some(Exit::Branch(u32::try_from(outward).ok()?)) }
}

/// The locals that operators read before they write them on some way, and those that they may write.
fn uses(code: &Code<'_>, from: usize, to: usize) -> (Locals, Locals) {
    let read = Finder::new(code).live(from, to, Locals::new(), &mut Vec::new());
    let written = code.ops[from..to].iter().filter_map(|op| match op {
        Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => Some(*local_index),
        _ => None,
    });
    (read, written.collect())
}

/// A part as a function, with the functions that it calls renumbered by `renumber`.
///
/// # Errors
/// When it holds what this build's tools cannot write.
pub fn function<T: Reencode<Error = Infallible>>(
    code: &Code<'_>,
    part: &Part,
    renumber: &mut T,
) -> Result<Function, Error<Infallible>> {
    let mut places: BTreeMap<u32, u32> = part.gets.iter().copied().zip(0..).collect();
    let mut own = Vec::new();
    for op in &code.ops[part.from..part.to] {
        if let Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index } = op
            && !places.contains_key(local_index)
        {
            places.insert(*local_index, u32::try_from(places.len()).unwrap_or(u32::MAX));
            own.push((1, Plain.val_type(code.locals[*local_index as usize])?));
        }
    }
    let mut out = Function::new(own);
    // A block for each exit, that of going on innermost: to jump to its end is to leave that way.
    let others: Vec<Exit> = part.exits.iter().copied().filter(|exit| *exit != Exit::Fall).collect();
    let label = |exit: Exit| {
        let at = others.iter().position(|other| *other == exit).map_or(0, |at| at + 1);
        u32::try_from(at).unwrap_or(u32::MAX)
    };
    for exit in others.iter().rev().chain([&Exit::Fall]) {
        out.instruction(&Instruction::Block(block_of(part, *exit)?));
    }
    let mut inner = 0;
    let place = |depth: u32, inner: u32| match exit_of(code, &part.open, depth, inner) {
        Some(exit) => inner + label(exit),
        None => depth,
    };
    for op in &code.ops[part.from..part.to] {
        let written = match op {
            Operator::Br { relative_depth } => Instruction::Br(place(*relative_depth, inner)),
            Operator::BrIf { relative_depth } => Instruction::BrIf(place(*relative_depth, inner)),
            Operator::BrTable { targets } => {
                let table = targets.targets().flatten().map(|depth| place(depth, inner)).collect::<Vec<_>>();
                Instruction::BrTable(table.into(), place(targets.default(), inner))
            }
            Operator::Return => Instruction::Br(inner + label(Exit::Return)),
            Operator::LocalGet { local_index } => Instruction::LocalGet(places[local_index]),
            Operator::LocalSet { local_index } => Instruction::LocalSet(places[local_index]),
            Operator::LocalTee { local_index } => Instruction::LocalTee(places[local_index]),
            other => {
                match other {
                    Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => inner += 1,
                    Operator::End => inner -= 1,
                    _ => {}
                }
                renumber.instruction(other.clone())?
            }
        };
        out.instruction(&written);
    }
    if part.open.is_empty() && !leaves(&code.ops[part.to - 1]) {
        out.instruction(&Instruction::Br(label(Exit::Return)));
    }
    out.instruction(&Instruction::End);
    leave(&mut out, part, Exit::Fall, &places);
    for exit in &others {
        out.instruction(&Instruction::End);
        leave(&mut out, part, *exit, &places);
    }
    out.instruction(&Instruction::End);
    Ok(out)
}

fn block_of(part: &Part, exit: Exit) -> Result<BlockType, Error<Infallible>> {
    match part.value.filter(|_| part.carries(exit)) {
        Some(kind) => Ok(BlockType::Result(Plain.val_type(kind)?)),
        None => Ok(BlockType::Empty),
    }
}

/// Ends the part's function by an exit: the value, which exit, the locals.
fn leave(out: &mut Function, part: &Part, exit: Exit, places: &BTreeMap<u32, u32>) {
    let Some(number) = part.exits.iter().position(|other| *other == exit) else {
        out.instruction(&Instruction::Unreachable);
        return;
    };
    if let Some(kind) = part.value.filter(|_| !part.carries(exit)) {
        out.instruction(&zero(kind));
    }
    if part.exits.len() > 1 {
        out.instruction(&Instruction::I32Const(i32::try_from(number).unwrap_or(i32::MAX)));
    }
    for local in &part.gives {
        out.instruction(&Instruction::LocalGet(places[local]));
    }
    out.instruction(&Instruction::Return);
}

fn zero(kind: ValType) -> Instruction<'static> {
    match kind {
        ValType::I64 => Instruction::I64Const(0),
        ValType::F32 => Instruction::F32Const(Ieee32::new(0)),
        ValType::F64 => Instruction::F64Const(Ieee64::new(0)),
        _ => Instruction::I32Const(0),
    }
}

/// What stands where a part was: `call` calls it, the exit taken and the value are put aside in the two locals.
pub fn site(out: &mut Function, part: &Part, call: &[Instruction<'_>], (taken, value): (u32, u32)) {
    for local in &part.gets {
        out.instruction(&Instruction::LocalGet(*local));
    }
    for instruction in call {
        out.instruction(instruction);
    }
    for local in part.gives.iter().rev() {
        out.instruction(&Instruction::LocalSet(*local));
    }
    let go = |out: &mut Function, exit: Exit| match exit {
        Exit::Fall => {}
        Exit::Branch(depth) => {
            out.instruction(&Instruction::Br(depth));
        }
        Exit::Return => {
            out.instruction(&Instruction::Return);
        }
    };
    let (last, others) = match &part.exits[..] {
        [] => {
            out.instruction(&Instruction::Unreachable);
            return;
        }
        [only] => return go(out, *only),
        // To go on is what is left when nothing else was taken; it comes first in order.
        [first, others @ ..] => (*first, others),
    };
    out.instruction(&Instruction::LocalSet(taken));
    if part.value.is_some() {
        out.instruction(&Instruction::LocalSet(value));
    }
    let carry = |out: &mut Function, exit: Exit| {
        if part.carries(exit) {
            out.instruction(&Instruction::LocalGet(value));
        }
    };
    for (number, exit) in (1..).zip(others) {
        out.instruction(&Instruction::LocalGet(taken));
        out.instruction(&Instruction::I32Const(number)).instruction(&Instruction::I32Eq);
        match exit {
            Exit::Branch(depth) => {
                out.instruction(&Instruction::BrIf(*depth));
            }
            _ => {
                out.instruction(&Instruction::If(BlockType::Empty));
                carry(out, *exit);
                go(out, *exit);
                out.instruction(&Instruction::End);
            }
        }
    }
    carry(out, last);
    go(out, last);
}

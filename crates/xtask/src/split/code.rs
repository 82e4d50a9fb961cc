//! A function's body as the split looks at it: operators, their nesting, and where segments begin.

use anyhow::{Context, Result, bail};
use wasmparser::{
    BlockType, FuncToValidate, FuncValidatorAllocations, FunctionBody, Operator, ValType, ValidatorResources,
};

use super::module::callees;
use super::record::fingerprint;

/// How many marks there are.
pub const MARKS: u16 = 47 * 94;

/// A body, operator by operator.
pub struct Code<'a> {
    pub body: FunctionBody<'a>,
    pub ops: Vec<Operator<'a>>,
    /// Where each operator begins in the file; one more for the end.
    offsets: Vec<usize>,
    /// For what opens a block, its `end`; for an `end`, what it closes; for an `else`, its `end`.
    pub partner: Vec<usize>,
    /// For an `if` with an `else`, that.
    pub other: Vec<Option<usize>>,
    /// Whether the operand stack of the innermost block is empty before the operator.
    pub is_flat: Vec<bool>,
    /// Parameters, then locals.
    pub locals: Vec<ValType>,
}

impl<'a> Code<'a> {
    /// Reads a body; `validation` says how high the stack is.
    pub fn read(
        body: &FunctionBody<'a>,
        validation: FuncToValidate<ValidatorResources>,
        parameters: &[ValType],
    ) -> Result<Self> {
        let mut validator = validation.into_validator(FuncValidatorAllocations::default());
        let mut locals = parameters.to_vec();
        let mut declared = body.get_locals_reader()?;
        for _ in 0..declared.get_count() {
            let offset = declared.original_position();
            let (count, kind) = declared.read()?;
            validator.define_locals(offset, count, kind)?;
            locals.extend(std::iter::repeat_n(kind, count as usize));
        }
        let mut reader = body.get_operators_reader()?;
        let mut code = Self {
            body: body.clone(),
            ops: Vec::new(),
            offsets: Vec::new(),
            partner: Vec::new(),
            other: Vec::new(),
            is_flat: Vec::new(),
            locals,
        };
        let mut open: Vec<usize> = Vec::new();
        while !reader.eof() {
            let at = code.ops.len();
            let offset = reader.original_position();
            let op = reader.read()?;
            let frame = validator.get_control_frame(0).context("a body goes on after its end")?;
            let height = validator.operand_stack_height() as usize;
            code.is_flat.push(height == frame.height && !frame.unreachable);
            validator.op(offset, &op)?;
            let mut partner = 0;
            match op {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
                Operator::Else => {
                    let start = *open.last().context("`else` without `if`")?;
                    code.other[start] = Some(at);
                }
                Operator::End => {
                    if let Some(start) = open.pop() {
                        code.partner[start] = at;
                        if let Some(other) = code.other[start] {
                            code.partner[other] = at;
                        }
                        partner = start;
                    }
                }
                Operator::TryTable { .. } => bail!("exceptions are not for this page"),
                _ => {}
            }
            code.ops.push(op);
            code.offsets.push(offset);
            code.partner.push(partner);
            code.other.push(None);
        }
        code.offsets.push(reader.original_position());
        Ok(code)
    }

    /// Bytes of the operators in a range.
    pub fn bytes(&self, from: usize, to: usize) -> usize {
        self.offsets[to] - self.offsets[from]
    }

    /// The operators at which a segment begins: there is no way into a segment but through its first operator.
    pub fn segments(&self) -> Vec<usize> {
        let breaks = |op: &Operator<'_>| {
            matches!(
                op,
                Operator::BrIf { .. }
                    | Operator::If { .. }
                    | Operator::Else
                    | Operator::End
                    | Operator::Loop { .. }
            )
        };
        let after = (1..self.ops.len()).filter(|at| breaks(&self.ops[at - 1]));
        std::iter::once(0).chain(after).collect()
    }

    /// A number for the body's shape, which does not change with the places of functions and data.
    pub fn shape(&self) -> u32 {
        self.print(0, self.ops.len())
    }

    /// A small number for each segment: of its operators, and of what `called` says of the functions that it calls.
    pub fn marks(&self, called: impl Fn(u32) -> u32) -> Vec<u16> {
        let starts = self.segments();
        let ends = starts.iter().skip(1).copied().chain([self.ops.len()]);
        let mark = |(start, end): (&usize, usize)| {
            let callees = callees(&self.ops[*start..end]).map(&called);
            let print = callees.fold(self.print(*start, end), |print, callee| print.rotate_left(9) ^ callee);
            (print % u32::from(MARKS)) as u16
        };
        starts.iter().zip(ends).map(mark).collect()
    }

    /// A number for the operators in a range, without their operands.
    fn print(&self, from: usize, to: usize) -> u32 {
        let (bytes, start) = (self.body.as_bytes(), self.body.range().start);
        fingerprint(self.offsets[from..to].iter().map(|offset| bytes[offset - start]))
    }
}

/// Whether control never goes on behind the operator.
pub fn leaves(op: &Operator<'_>) -> bool {
    matches!(op, Operator::Br { .. } | Operator::BrTable { .. } | Operator::Return | Operator::Unreachable)
}

/// The one value that a block leaves; an error for what compilers do not make here.
pub fn result_of(block: BlockType) -> Result<Option<ValType>> {
    match block {
        BlockType::Empty => Ok(None),
        BlockType::Type(kind) => Ok(Some(kind)),
        BlockType::FuncType(_) => bail!("a block of several values"),
    }
}

//! Go templates: `{{range .items}}{{.metadata.name}}{{"\n"}}{{end}}`.
//!
//! Upstream: Go's text/template; staging/src/k8s.io/cli-runtime/pkg/printers/template.go.
//! Simplified: no `define`, `block` and `template`; `printf` knows `%s %v %d %q %t` and widths.

mod call;
mod parse;

use super::jsonpath::go_value;
use parse::{Command, Node, Operand, Pipeline};
use serde_json::Value;

/// Steps after which a template is given up.
const MAX_STEPS: usize = 1_000_000;
/// Output after which a template is given up.
const MAX_OUTPUT: usize = 8 << 20;

/// A template that has been read.
pub struct Template(Vec<Node>);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Upstream's text, as far as it names the cause.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::template(text).map(Self).map_err(|why| format!("template: output:1: {why}"))
    }
    /// What the template prints about a value.
    ///
    /// # Errors
    /// What cannot be done with the value.
    pub fn print(&self, data: &Value) -> Result<String, String> {
        let mut run = Run { out: String::new(), variables: vec![("$".into(), data.clone())], steps: 0 };
        run.nodes(&self.0, data).map_err(|why| format!("template: output:1: executing \"output\": {why}"))?;
        Ok(run.out)
    }
}

struct Run {
    out: String,
    variables: Vec<(String, Value)>,
    steps: usize,
}

/// Whether a condition holds: what is empty does not.
fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

impl Run {
    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<(), String> {
        let scope = self.variables.len();
        for node in nodes {
            self.steps += 1;
            if self.steps > MAX_STEPS || self.out.len() > MAX_OUTPUT {
                return Err("the template is too much work".into());
            }
            self.node(node, dot)?;
        }
        self.variables.truncate(scope);
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Result<(), String> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.declares.is_empty() {
                    match value {
                        Value::Null => self.out.push_str("<no value>"),
                        value => self.out.push_str(&go_value(&value)),
                    }
                }
            }
            Node::If(pipeline, then, otherwise) => {
                let value = self.pipeline(pipeline, dot)?;
                self.nodes(if truth(&value) { then } else { otherwise }, dot)?;
            }
            Node::With(pipeline, then, otherwise) => {
                let value = self.pipeline(pipeline, dot)?;
                if truth(&value) { self.nodes(then, &value)? } else { self.nodes(otherwise, dot)? }
            }
            Node::Range(pipeline, body, otherwise) => self.range(pipeline, body, otherwise, dot)?,
        }
        Ok(())
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Value,
    ) -> Result<(), String> {
        let scope = self.variables.len();
        let quiet = Pipeline { declares: Vec::new(), commands: pipeline.commands.clone() };
        let entries: Vec<(Value, Value)> = match self.pipeline(&quiet, dot)? {
            Value::Array(items) => {
                items.into_iter().enumerate().map(|(index, item)| (index.into(), item)).collect()
            }
            Value::Object(map) => map.into_iter().map(|(key, value)| (key.into(), value)).collect(),
            Value::Null => Vec::new(),
            other => return Err(format!("range can't iterate over {}", go_value(&other))),
        };
        if entries.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, value) in entries {
            match pipeline.declares.as_slice() {
                [] => {}
                [item] => self.variables.push((item.clone(), value.clone())),
                [index, item, ..] => {
                    self.variables.push((index.clone(), key));
                    self.variables.push((item.clone(), value.clone()));
                }
            }
            self.nodes(body, &value)?;
            self.variables.truncate(scope);
        }
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, dot, last)?);
        }
        let value = last.unwrap_or_default();
        for name in &pipeline.declares {
            self.variables.push((name.clone(), value.clone()));
        }
        Ok(value)
    }

    /// Runs a command; the value of the one before it in the pipe is its last argument.
    fn command(&mut self, command: &Command, dot: &Value, piped: Option<Value>) -> Result<Value, String> {
        self.steps += 1;
        let Some((first, rest)) = command.0.split_first() else {
            return Err("missing value for command".into());
        };
        if let Operand::Function(name) = first {
            let mut args = Vec::new();
            for operand in rest {
                args.push(self.operand(operand, dot)?);
            }
            args.extend(piped);
            return call::function(name, &args);
        }
        if !rest.is_empty() || piped.is_some() {
            return Err("can't give argument to non-function".into());
        }
        self.operand(first, dot)
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, String> {
        let value = match operand {
            Operand::Literal(value) => return Ok(value.clone()),
            Operand::Function(name) => return call::function(name, &[]),
            Operand::Path(path) => return field(dot, path),
            Operand::Variable(name, path) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                let (_, value) = known.ok_or_else(|| format!("undefined variable {name:?}"))?;
                return field(value, path);
            }
            Operand::Group(pipeline, path) => (self.pipeline(pipeline, dot)?, path),
        };
        field(&value.0, value.1)
    }
}

fn field(value: &Value, path: &[String]) -> Result<Value, String> {
    let mut value = value;
    for name in path {
        value = match value {
            Value::Object(map) => match map.get(name) {
                Some(value) => value,
                None => return Ok(Value::Null),
            },
            Value::Null => return Err(format!("nil data; no entry for key {name:?}")),
            other => {
                return Err(format!(
                    "can't evaluate field {name} in type {}",
                    super::jsonpath::go_type(other)
                ));
            }
        };
    }
    Ok(value.clone())
}

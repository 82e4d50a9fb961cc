//! A control loop at work: observe, compare, act. And the arithmetic of a decision.

use super::parts::part;
use crate::view::side::{ask, go};
use crate::words::{self, thousands};
use setpoint_lab::inspect::{Lens, Reconcile, Working};
use yew::prelude::*;

/// What a part of the control plane does, how much of it, and its last runs.
pub fn view(lens: &Lens, has_queue: bool) -> Html {
    let figures = [
        ("in queue", u64::from(lens.queued)),
        ("at work", u64::from(lens.working)),
        ("runs", lens.runs),
        ("found nothing to do", lens.idle_runs),
    ];
    // The API server and its store compare nothing: they have writes to show, and no runs.
    let compares = lens.history.iter().any(|run| !run.diff.is_empty());
    let title = if compares { "Observe, compare, act" } else { "Newest first" };
    html! {
        <>
            <p class="does">{ lens.does.clone() }{ " " }<span class="muted">{ lens.like.clone() }</span></p>
            if has_queue {
                <dl class="figures">
                    { for figures.map(|(name, figure)| html! { <div><dt>{ name }</dt><dd>{ thousands(figure) }</dd></div> }) }
                </dl>
            }
            { part(title, lens.history.len(), html! {
                <ol class="runs">{ for lens.history.iter().map(run) }</ol>
            }) }
        </>
    }
}

fn run(run: &Reconcile) -> Html {
    html! {
        <li key={run.fact} class={if run.is_idle { "idle" } else { "" }}>
            <p class="of">
                <time>{ words::moment(run.at_us) }</time>
                if let Some(about) = &run.about {
                    { go(&about.to, &about.text, None) }
                }
                { ask(run.fact, &run.act, None) }
            </p>
            if run.diff.is_empty() {
                <p>{ run.act.clone() }{ for run.observed.iter().map(|line| format!(", {line}")) }</p>
            } else {
                <dl>
                    <div><dt>{ "Observe" }</dt>{ for run.observed.iter().map(|line| html! { <dd>{ line.clone() }</dd> }) }</div>
                    <div class="diff"><dt>{ "Diff" }</dt><dd>{ run.diff.clone() }</dd></div>
                    <div><dt>{ "Act" }</dt><dd>{ run.act.clone() }</dd></div>
                </dl>
            }
        </li>
    }
}

/// The arithmetic of a decision, so that it can be checked.
pub fn working(working: &Working) -> Html {
    let line = |(what, formula, remark): &(std::rc::Rc<str>, std::rc::Rc<str>, std::rc::Rc<str>)| {
        html! {
            <li key={&**what}>
                <span>{ what.clone() }</span>
                <b class="mono">{ formula.clone() }</b>
                <em>{ remark.clone() }</em>
            </li>
        }
    };
    let mut table = working.table.iter();
    html! {
        <section key="Decision" class="part card">
            <h3>{ "Last decision" }</h3>
            <p class="of"><b>{ working.title.clone() }</b><time>{ words::moment(working.at_us) }</time></p>
            <ol class="steps">{ for working.lines.iter().map(line) }</ol>
            if let Some(head) = table.next() {
                <div class="scores" tabindex="0" role="region" aria-label={working.title.to_string()}>
                    <table>
                        <thead><tr>{ for head.iter().map(|cell| html! { <th scope="col">{ cell.clone() }</th> }) }</tr></thead>
                        <tbody>{ for table.map(|row| html! { <tr>{ for row.iter().map(|cell| html! { <td>{ cell.clone() }</td> }) }</tr> }) }</tbody>
                    </table>
                </div>
            }
        </section>
    }
}

//! A control loop at work: observe, compare, act. And the arithmetic of a decision.

use super::parts::part;
use crate::view::side::{ask, go};
use crate::words::{self, thousands};
use setpoint_lab::inspect::{Lens, Reconcile, Resync, Working};
use yew::prelude::*;

/// What a part of the control plane does, how much of it, and its last runs.
pub fn view(lens: &Lens, has_queue: bool, now_us: i64) -> Html {
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
                <ol class="runs">{ for lens.history.iter().enumerate().map(|(at, run)| self::run(lens, at, run, now_us)) }</ol>
            }) }
        </>
    }
}

/// One run. The newest shows the whole turn of the loop, whose phases light up one after the other when it has run.
fn run(lens: &Lens, at: usize, run: &Reconcile, now_us: i64) -> Html {
    let is_turn = at == 0 && lens.up && lens.resync.is_some();
    let class = classes!(run.is_idle.then_some("idle"), is_turn.then_some("turn"));
    // Runs on several objects may have one fact; each run has its number.
    let number = if lens.resync.is_some() { lens.runs.saturating_sub(at as u64) } else { run.fact };
    html! {
        <li key={number} {class}>
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
                    <div>
                        <dt>{ "Observe" }</dt>
                        { for run.observed.iter().map(|line| html! { <dd>{ line.clone() }</dd> }) }
                        if run.is_resync {
                            <dd class="muted">{ "by resync" }</dd>
                        }
                    </div>
                    <div class="diff"><dt>{ "Diff" }</dt><dd>{ run.diff.clone() }</dd></div>
                    <div><dt>{ "Act" }</dt><dd>{ run.act.clone() }</dd></div>
                    if let Some(resync) = lens.resync.filter(|_| is_turn) {
                        <div class="repeat">
                            <dt>{ "Repeat" }</dt>
                            <dd>{ repeats(&resync, now_us) }</dd>
                        </div>
                    }
                </dl>
            }
        </li>
    }
}

/// When the loop turns next.
fn repeats(resync: &Resync, now_us: i64) -> String {
    match resync.next_us {
        Some(next_us) => format!("on change, or all in {}", words::seconds_left(next_us - now_us)),
        None if resync.here_us == resync.upstream_us => "on change, or all every 12 h".to_string(),
        None => format!("on change, or all every {}", words::span(resync.here_us)),
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

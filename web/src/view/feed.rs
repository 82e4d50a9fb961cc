//! What the cluster said, newest first.

use crate::words;
use setpoint_lab::frame::FeedLine;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Most lines on the page.
const LINES_MAX: usize = 100;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub feed: Rc<Vec<Rc<FeedLine>>>,
    /// Simulated seconds, for the ages.
    pub now_s: i64,
}

/// What the list is narrowed to.
#[derive(Default)]
pub struct Feed {
    warnings: bool,
    text: String,
}

/// A change of what the list is narrowed to.
pub enum Msg {
    /// Warnings only, or all.
    Warnings,
    /// Lines that hold this text.
    Text(String),
}

impl Component for Feed {
    type Message = Msg;
    type Properties = Props;

    fn create(_ctx: &Context<Self>) -> Self {
        Self::default()
    }

    fn update(&mut self, _ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Warnings => self.warnings = !self.warnings,
            Msg::Text(text) => self.text = text.to_lowercase(),
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let props = ctx.props();
        let mut lines = props.feed.iter().filter(|line| self.shows(line)).take(LINES_MAX).peekable();
        let nothing = if props.feed.is_empty() { "Nothing has happened yet." } else { "No event matches." };
        let ontext = ctx.link().callback(|event: InputEvent| {
            Msg::Text(event.target_unchecked_into::<HtmlInputElement>().value())
        });
        html! {
            <aside class="panel feed" aria-label="Cluster events">
                <header>
                    <h2>{ "Cluster events" }</h2>
                    <button aria-pressed={if self.warnings { "true" } else { "false" }}
                        onclick={ctx.link().callback(|_| Msg::Warnings)}>{ "▲ Warnings" }</button>
                    <input type="search" placeholder="Filter by object or text" aria-label="Filter events" oninput={ontext} />
                </header>
                if lines.peek().is_none() {
                    <p class="nothing">{ nothing }</p>
                }
                <ol tabindex="0" aria-label="Events, newest first">
                    { for lines.map(|line| html! {
                        <Line key={line.id} line={line.clone()} age={words::age(props.now_s * 1_000_000 - line.at_us)} />
                    }) }
                </ol>
            </aside>
        }
    }
}

impl Feed {
    fn shows(&self, line: &FeedLine) -> bool {
        let holds = |text: &str| text.to_lowercase().contains(&self.text);
        (!self.warnings || line.is_warning)
            && (self.text.is_empty()
                || [&line.reason, &line.object, &line.message, &line.source].into_iter().any(|t| holds(t)))
    }
}

#[derive(Properties, PartialEq)]
struct LineProps {
    line: Rc<FeedLine>,
    age: AttrValue,
}

#[component]
fn Line(props: &LineProps) -> Html {
    let line = &props.line;
    let class = match (line.is_warning, &*line.source) {
        (true, _) => "warning",
        (false, "you") => "you",
        _ => "",
    };
    html! {
        <li {class}>
            <time title={format!("at {}", words::clock(line.at_us))}>{ words::minute(line.at_us) }</time>
            <b>{ line.reason.clone() }</b>
            if line.count > 1 {
                <span class="times" aria-label={words::count(line.count, "time")}>{ format!("×{}", line.count) }</span>
            }
            <span class="age">{ props.age.clone() }</span>
            <p>{ line.message.clone() }</p>
            <p class="who">
                <span class="mono">{ line.object.clone() }</span>
                <span class="source">{ line.source.clone() }</span>
            </p>
        </li>
    }
}

//! A field that is typed, and stepped where it is a number.

use super::parts::{MINUS, PLUS, icon};
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct Props {
    /// Id of the field, for its label.
    pub id: &'static str,
    /// What the value in force is called, as text.
    pub value: AttrValue,
    /// A whole number between these; otherwise any text.
    #[prop_or_default]
    pub range: Option<(i32, i32)>,
    /// What it counts, such as `replica`; then a button on either side adds one.
    #[prop_or_default]
    pub noun: &'static str,
    /// The new value, once it is confirmed and differs.
    pub onchange: Callback<String>,
}

/// What is being typed stays while the page goes on, and counts when the field is left or confirmed.
pub struct Number {
    draft: Option<String>,
}

/// What happens to the field.
pub enum Msg {
    /// It holds this text.
    Type(String),
    /// It is confirmed or left.
    Commit,
    /// A button adds this.
    Add(i32),
}

impl Component for Number {
    type Message = Msg;
    type Properties = Props;

    fn create(_ctx: &Context<Self>) -> Self {
        Self { draft: None }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: Msg) -> bool {
        let props = ctx.props();
        let mut wish = match msg {
            Msg::Type(text) => {
                self.draft = Some(text);
                return true;
            }
            Msg::Commit => self.draft.take().map(|text| text.trim().to_string()),
            Msg::Add(by) => number(&props.value).map(|value| value.saturating_add(by).to_string()),
        };
        if let Some((min, max)) = props.range {
            // What is no number is dropped, and the field shows the value in force again.
            wish = wish.and_then(|text| number(&text)).map(|value| value.clamp(min, max).to_string());
        }
        if let Some(wish) = wish.filter(|wish| !wish.is_empty() && *wish != *props.value) {
            props.onchange.emit(wish);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let (props, link) = (ctx.props(), ctx.link());
        let value = self.draft.clone().unwrap_or_else(|| props.value.to_string());
        let field = html! {
            <input id={props.id} type="text" autocomplete="off" {value}
                inputmode={if props.range.is_some() { "numeric" } else { "text" }}
                oninput={link.callback(|event: InputEvent| Msg::Type(event.target_unchecked_into::<HtmlInputElement>().value()))}
                onchange={link.callback(|_: Event| Msg::Commit)} />
        };
        let Some((min, max)) = props.range.filter(|_| !props.noun.is_empty()) else { return field };
        let value = number(&props.value).unwrap_or(min);
        let button = |by: i32, off: bool, path: &'static str, word: &str| {
            html! {
                <button onclick={link.callback(move |_| Msg::Add(by))} disabled={off}
                    aria-label={format!("One {} {word}", props.noun)}>{ icon(path) }</button>
            }
        };
        html! {
            <div class="stepper">
                { button(-1, value <= min, MINUS, "fewer") }
                { field }
                { button(1, value >= max, PLUS, "more") }
            </div>
        }
    }
}

/// A whole number, however it is grouped: `1,000` is one.
fn number(text: &str) -> Option<i32> {
    text.replace([',', ' '], "").parse::<i64>().ok().map(|number| number.clamp(0, i64::from(i32::MAX)) as i32)
}

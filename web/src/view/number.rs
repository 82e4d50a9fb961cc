//! A number that is typed or stepped.

use super::parts::{MINUS, PLUS, icon};
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub struct Props {
    /// Id of the field, for its label.
    pub id: &'static str,
    /// What it counts, for the names of the buttons: `replica`.
    pub noun: &'static str,
    pub value: i32,
    pub min: i32,
    pub max: i32,
    pub onchange: Callback<i32>,
}

/// The field with a button on either side. What is being typed stays while the page goes on, and counts when it is left
/// or confirmed.
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
        let wish = match msg {
            Msg::Type(text) => {
                self.draft = Some(text);
                return true;
            }
            // What is no number is dropped, and the field shows the value in force again.
            Msg::Commit => self.draft.take().and_then(|text| text.trim().parse::<i32>().ok()),
            Msg::Add(by) => Some(props.value.saturating_add(by)),
        };
        if let Some(wish) =
            wish.map(|wish| wish.clamp(props.min, props.max)).filter(|wish| *wish != props.value)
        {
            props.onchange.emit(wish);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let (props, link) = (ctx.props(), ctx.link());
        let value = self.draft.clone().unwrap_or_else(|| props.value.to_string());
        html! {
            <div class="stepper">
                <button onclick={link.callback(|_| Msg::Add(-1))} disabled={props.value <= props.min}
                    aria-label={format!("One {} fewer", props.noun)}>{ icon(MINUS) }</button>
                <input id={props.id} type="text" inputmode="numeric" autocomplete="off" {value}
                    oninput={link.callback(|event: InputEvent| Msg::Type(event.target_unchecked_into::<HtmlInputElement>().value()))}
                    onchange={link.callback(|_: Event| Msg::Commit)} />
                <button onclick={link.callback(|_| Msg::Add(1))} disabled={props.value >= props.max}
                    aria-label={format!("One {} more", props.noun)}>{ icon(PLUS) }</button>
            </div>
        }
    }
}

//! What comes back from those who were asked: what a user filled in, and the tools that a model wants to use.

use serde_json::{Value, json};

/// The choices of the form.
pub(super) const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// The user in words, if the form was filled in as its schema says.
pub(super) fn person(content: &Value) -> Option<String> {
    let name = content.get("name")?.as_str().filter(|name| !name.is_empty())?;
    let fits = |member: &str, fits: &dyn Fn(&Value) -> bool| content.get(member).is_none_or(fits);
    let sound = fits("age", &|age| age.as_u64().is_some_and(|age| age <= 150))
        && fits("colour", &|colour| COLOURS.iter().any(|known| colour == known))
        && fits("news", &Value::is_boolean);
    sound.then(|| format!("the user is {name}"))
}

/// The params of a sampling request, continued by what the model said and the results of the tools that it wants; none
/// if it wants none.
pub(super) fn continued(mut params: Value, answer: &Value) -> Option<Value> {
    let content = answer.get("content")?;
    params.get("tools")?;
    let blocks = content.as_array().cloned().unwrap_or_else(|| vec![content.clone()]);
    let results: Vec<Value> = blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .filter_map(|wanted| {
            let said = json!([{"type": "text", "text": "18 degrees, cloudy"}]);
            Some(json!({"type": "tool_result", "toolUseId": wanted["id"].as_str()?, "content": said}))
        })
        .collect();
    if results.is_empty() {
        return None;
    }
    let messages = params.get_mut("messages")?.as_array_mut()?;
    messages.push(json!({"role": "assistant", "content": content}));
    messages.push(json!({"role": "user", "content": results}));
    Some(params)
}

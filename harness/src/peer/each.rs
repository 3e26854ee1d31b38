//! Asking for everything that was listed: reading resources, getting prompts, completing arguments.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::revision::Revision;
use crate::script::{Carriage, Edits, Say, What};

/// The most requests of one step.
const MOST: usize = 12;

/// The lists that must be known first, each with the member that holds its items.
pub(super) fn lists(method: &str) -> &'static [(&'static str, &'static str)] {
    match method {
        "resources/read" => &[("resources/list", "resources")],
        "prompts/get" => &[("prompts/list", "prompts")],
        _ => &[("prompts/list", "prompts"), ("resources/templates/list", "resourceTemplates")],
    }
}

/// The requests for what was listed, in the order of the lists.
pub(super) fn requests(method: &str, listed: &BTreeMap<&'static str, Vec<Json>>, revision: Revision) -> Vec<Say> {
    let items = |member: &str| listed.get(member).map(Vec::as_slice).unwrap_or_default();
    let params: Vec<Json> = match method {
        "resources/read" => {
            items("resources").iter().filter_map(|resource| Some(json!({"uri": resource["uri"].as_str()?}))).collect()
        }
        "prompts/get" => items("prompts").iter().filter_map(getting).collect(),
        _ => {
            let prompts = items("prompts").iter().filter_map(|prompt| {
                let name = prompt["name"].as_str()?;
                Some((json!({"type": "ref/prompt", "name": name}), arguments(prompt)))
            });
            let templates = items("resourceTemplates").iter().filter_map(|template| {
                let uri = template["uriTemplate"].as_str()?;
                Some((json!({"type": "ref/resource", "uri": uri}), variables(uri)))
            });
            prompts.chain(templates).flat_map(|(reference, names)| completing(&reference, &names, revision)).collect()
        }
    };
    let say = |params| Say {
        what: What::Request {
            method: method.to_owned(),
            params: Some(params),
            id: None,
            progress: None,
            edits: Edits::default(),
        },
        wait: true,
        repeat: 1,
        split: 1,
        newline: true,
        honest: true,
        http: Carriage::default(),
    };
    params.into_iter().take(MOST).map(say).collect()
}

fn getting(prompt: &Json) -> Option<Json> {
    let given: Map<String, Json> = arguments(prompt).into_iter().map(|name| (name, Json::from("1"))).collect();
    let mut params = json!({"name": prompt["name"].as_str()?});
    if !given.is_empty() {
        params["arguments"] = Json::Object(given);
    }
    Some(params)
}

/// Completions of the first argument: of nothing, of a letter, and with the others resolved.
fn completing(reference: &Json, names: &[String], revision: Revision) -> Vec<Json> {
    let Some((name, others)) = names.split_first() else { return Vec::new() };
    let ask = |value: &str| json!({"ref": reference, "argument": {"name": name, "value": value}});
    let mut all = vec![ask(""), ask("a")];
    if revision >= Revision::V2025_06_18 && !others.is_empty() {
        let resolved: Map<String, Json> = others.iter().map(|other| (other.clone(), Json::from("a"))).collect();
        let mut with_context = ask("");
        with_context["context"] = json!({"arguments": resolved});
        all.push(with_context);
    }
    all
}

fn arguments(prompt: &Json) -> Vec<String> {
    let names = prompt["arguments"].as_array().into_iter().flatten();
    names.filter_map(|argument| Some(argument["name"].as_str()?.to_owned())).collect()
}

/// The variables of a URI template.
fn variables(template: &str) -> Vec<String> {
    let expressions = template.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    expressions
        .flat_map(|expression| expression.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']).split(','))
        .map(|variable| variable.split(['*', ':']).next().unwrap_or_default().to_owned())
        .filter(|variable| !variable.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_templates() {
        assert_eq!(variables("a:///{x}/{+y,z*}{?q:3}"), ["x", "y", "z", "q"]);
        assert_eq!(variables("a:///{x"), Vec::<String>::new());
    }

    #[test]
    fn older_revisions_have_no_context() {
        let listed = BTreeMap::from([(
            "prompts",
            vec![json!({"name": "p", "arguments": [{"name": "a"}, {"name": "b"}]}), json!({"name": "q"})],
        )]);
        assert_eq!(requests("completion/complete", &listed, Revision::V2025_03_26).len(), 2);
        assert_eq!(requests("completion/complete", &listed, Revision::V2025_11_25).len(), 3);
        assert_eq!(requests("prompts/get", &listed, Revision::V2025_03_26).len(), 2);
    }
}

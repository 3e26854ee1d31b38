//! Retries that are not what they should be.

use serde_json::{Value, json};

use crate::reference::client::fault::ClientFault;
use crate::reference::client::requests::Pending;
use crate::reference::client::{Client, Outlet};
use crate::reference::message::Object;

impl Client {
    /// The params of a retry that leave in place of the honest ones; none if there is no retry any more.
    pub(in crate::reference::client) fn misretried(
        &mut self,
        pending: &Pending,
        mut params: Object,
        out: &mut Outlet,
    ) -> Option<Object> {
        let had_input = params.contains_key("inputResponses");
        let state = params.get("requestState").and_then(Value::as_str).map(str::to_owned);
        self.grudge.state = params.get("requestState").cloned();
        for fault in self.faults() {
            match (fault, &state) {
                (ClientFault::TrimsState, Some(state)) => {
                    let trimmed: String = state.trim().trim_end_matches('=').chars().take(1_000).collect();
                    params.insert("requestState".into(), trimmed.into());
                }
                (ClientFault::RewritesState, Some(state)) => {
                    params.insert("requestState".into(), format!("{state}#turncoat").into());
                }
                (ClientFault::KeepsOldState, None) => {
                    params
                        .extend(pending.params.get("requestState").map(|old| ("requestState".to_owned(), old.clone())));
                }
                (ClientFault::InventsState, None) => drop(params.insert("requestState".into(), json!(""))),
                (ClientFault::RetriesUnderSameId, _) => self.grudge.same_id = Some(pending.token.clone()),
                (ClientFault::AnswersFirstRequestOnly, _) => {
                    if let Some(Value::Object(responses)) = params.get_mut("inputResponses") {
                        *responses = std::mem::take(responses).into_iter().take(1).collect();
                    }
                }
                (ClientFault::DropsArguments, _) => {
                    params.retain(|name, _| !matches!(name.as_str(), "arguments" | "uri"));
                }
                (ClientFault::InventsInput, _) if !had_input => {
                    params.insert("inputResponses".into(), json!({"answer": {"action": "accept"}}));
                }
                (ClientFault::RefusesStateOnly, _) if !had_input => {
                    self.exit(1, out);
                    return None;
                }
                _ => {}
            }
        }
        Some(params)
    }
}

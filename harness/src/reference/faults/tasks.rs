//! Faults of tasks.

use serde_json::{Value, json};

use crate::reference::fault::Fault;
use crate::reference::legacy::Call;
use crate::reference::message::{Failure, Message, Object, object};
use crate::reference::server::{Answer, Occasion, Server};
use crate::revision::{code, meta};

pub(super) fn tamper(fault: Fault, occasion: Occasion<'_>, message: &mut Message) {
    let asks = message.method == Some("elicitation/create");
    if asks
        && fault == Fault::AsksWithoutRelatedTask
        && let Some(params) = message.params_mut()
    {
        params.remove("_meta");
    }
    let Some(result) = message.result_mut() else { return };
    match (fault, occasion.method) {
        (Fault::ResultWithoutTask, "tasks/result") => drop(result.remove("_meta")),
        (Fault::WrapsTaskResult, "tasks/result") => {
            let wrapped = Value::Object(result.clone()).to_string();
            result.insert("content".into(), json!([{"type": "text", "text": wrapped}]));
        }
        (Fault::TaskWithoutTtl, "tasks/get") => drop(result.remove("ttl")),
        (Fault::TaskWithLocalTime, "tasks/get") => {
            result.insert("createdAt".into(), "25 November, in the morning".into());
        }
        _ => {}
    }
}

impl Server {
    /// A wrong answer to a request about a task.
    pub(in crate::reference) fn mistreats_task(&self, call: &Call<'_>) -> Option<Answer> {
        let named = call.params.get("taskId").and_then(Value::as_str);
        let find = |id: Option<&str>| self.tasks.iter().find(|task| Some(task.id.as_str()) == id);
        let task = find(named);
        let as_if = |task, status: &str| -> Option<Answer> {
            let mut described = self.describe(task);
            described.insert("status".into(), status.into());
            Some(Ok(Some(described)))
        };
        if call.method != "tasks/list" && task.is_none() && self.faulty(Fault::WrongUnknownTaskCode) {
            return Some(Err(Failure::new(code::INTERNAL_ERROR, "no such task")));
        }
        match (call.method, task) {
            ("tasks/list", _) if self.faulty(Fault::HidesTasks) => Some(Ok(Some(object(json!({"tasks": []}))))),
            ("tasks/get", Some(task)) if task.has_ended() && self.faulty(Fault::RevivesTasks) => as_if(task, "working"),
            ("tasks/get", _) if self.faulty(Fault::MetadataNamesTask) => {
                let own = call.params.get("_meta").and_then(|metadata| metadata.get(meta::RELATED_TASK));
                let other = find(own.and_then(|own| own.get("taskId")).and_then(Value::as_str))?;
                Some(Ok(Some(self.describe(other))))
            }
            ("tasks/result", Some(task)) if !task.has_ended() && self.faulty(Fault::GivesResultsEarly) => {
                let mut early = Object::new();
                early.insert("content".into(), json!([]));
                early.insert("_meta".into(), json!({meta::RELATED_TASK: {"taskId": task.id}}));
                Some(Ok(Some(early)))
            }
            ("tasks/cancel", Some(task)) if task.has_ended() => {
                self.faulty(Fault::CancelsEndedTasks).then(|| as_if(task, "cancelled")).flatten()
            }
            ("tasks/cancel", Some(task)) if self.faulty(Fault::CancelsInWordsOnly) => as_if(task, "cancelled"),
            _ => None,
        }
    }
}

//! Scripts with fewer departures than another one: how a script is shrunk.

use super::{Carriage, Edits, Hello, Opening, Say, Script, Step, What};

/// The scripts that are one change simpler than this one, those that lose most first.
///
/// Every one of them is simpler by a measure that cannot fall for ever, so to go on with any of them comes to an end.
pub fn simpler(script: &Script) -> impl Iterator<Item = Script> + '_ {
    let with = |change: &dyn Fn(&mut Script)| {
        let mut simpler = script.clone();
        change(&mut simpler);
        simpler
    };
    let mut candidates = Vec::new();
    // Runs of steps, from half of them down to single ones.
    let mut run = script.steps.len().div_ceil(2);
    while run > 0 {
        for start in (0..script.steps.len()).step_by(run) {
            let end = (start + run).min(script.steps.len());
            candidates.push(with(&|simpler| {
                simpler.steps.drain(start..end);
            }));
        }
        run = if run == 1 { 0 } else { run.div_ceil(2) };
    }
    candidates.extend([
        with(&|simpler| simpler.hello = Hello::default()),
        with(&|simpler| simpler.capabilities = serde_json::json!({})),
        with(&|simpler| simpler.answers.clear()),
        with(&|simpler| simpler.open = Opening::Handshake),
    ]);
    for method in script.answers.keys() {
        candidates.push(with(&|simpler| {
            simpler.answers.remove(method);
        }));
    }
    for edits in simpler_edits(&script.hello.edits) {
        candidates.push(with(&|simpler| simpler.hello.edits = edits.clone()));
    }
    for (index, step) in script.steps.iter().enumerate() {
        for simpler_step in simpler_step(step) {
            candidates.push(with(&|simpler| simpler.steps[index] = simpler_step.clone()));
        }
    }
    candidates.into_iter().filter(move |simpler| simpler != script)
}

fn simpler_step(step: &Step) -> Vec<Step> {
    let several = |says: &[Say], kind: fn(Vec<Say>) -> Step| -> Vec<Step> {
        let mut found = Vec::new();
        for index in 0..says.len() {
            let mut fewer = says.to_vec();
            fewer.remove(index);
            found.push(kind(fewer));
            for say in simpler_say(&says[index]) {
                let mut changed = says.to_vec();
                changed[index] = say;
                found.push(kind(changed));
            }
        }
        if let [only] = says {
            found.push(Step::Say(only.clone()));
        }
        found
    };
    match step {
        Step::Say(say) => simpler_say(say).into_iter().map(Step::Say).collect(),
        Step::Burst(says) => several(says, Step::Burst),
        Step::Batch(says) => several(says, Step::Batch),
        Step::Handshake(hello) => {
            let plain = |edits| Step::Handshake(Hello { edits, ..hello.clone() });
            simpler_edits(&hello.edits).into_iter().map(plain).collect()
        }
        Step::Walk { method, pages } if *pages > 1 => vec![Step::Walk { method: method.clone(), pages: 1 }],
        _ => Vec::new(),
    }
}

fn simpler_say(say: &Say) -> Vec<Say> {
    let mut found = Vec::new();
    let mut with = |change: &dyn Fn(&mut Say)| {
        let mut simpler = say.clone();
        change(&mut simpler);
        if simpler != *say {
            found.push(simpler);
        }
    };
    with(&|simpler| simpler.repeat = simpler.repeat.min(1));
    with(&|simpler| simpler.repeat = simpler.repeat.div_ceil(2));
    with(&|simpler| simpler.split = simpler.split.min(1));
    with(&|simpler| simpler.newline = true);
    with(&|simpler| simpler.http = Carriage::default());
    with(&|simpler| match &mut simpler.what {
        What::Request { id, .. } | What::Call { id, .. } => *id = None,
        _ => {}
    });
    with(&|simpler| match &mut simpler.what {
        What::Request { progress, .. } | What::Call { progress, .. } => *progress = None,
        _ => {}
    });
    with(&|simpler| match &mut simpler.what {
        What::Request { params, .. } | What::Notify { params, .. } => *params = None,
        What::Call { spoil, .. } => *spoil = None,
        _ => {}
    });
    let edits = match &say.what {
        What::Request { edits, .. } | What::Notify { edits, .. } | What::Call { edits, .. } => simpler_edits(edits),
        What::Text(_) | What::Bytes(_) => Vec::new(),
    };
    for fewer in edits {
        with(&|simpler| match &mut simpler.what {
            What::Request { edits, .. } | What::Notify { edits, .. } | What::Call { edits, .. } => {
                *edits = fewer.clone();
            }
            What::Text(_) | What::Bytes(_) => {}
        });
    }
    found
}

fn simpler_edits(edits: &Edits) -> Vec<Edits> {
    let mut found = Vec::new();
    if !edits.is_empty() {
        found.push(Edits::default());
    }
    if edits.set.len() + edits.drop.len() > 1 {
        for pointer in edits.set.keys() {
            let mut fewer = edits.clone();
            fewer.set.remove(pointer);
            found.push(fewer);
        }
        for index in 0..edits.drop.len() {
            let mut fewer = edits.clone();
            fewer.drop.remove(index);
            found.push(fewer);
        }
    }
    found
}

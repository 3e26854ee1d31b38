//! A script that is near another one.

use arbitrary::{Result, Unstructured};

use super::once_in;
use super::script::{MOST, Writer, edits, hello, odd_id};
use crate::revision::Revision;
use crate::script::{Script, Step, What};

/// A script with one to four changes, for the same revision; some of its steps may be those of another one.
///
/// # Errors
///
/// None that a script of [`super::script`] brings about.
pub fn mutated(u: &mut Unstructured<'_>, script: &Script, other: &Script) -> Result<Script> {
    let mut script = script.clone();
    for _ in 0..u.int_in_range(1..=4)? {
        change(u, &mut script, other)?;
    }
    script.steps.truncate(2 * MOST);
    Ok(script)
}

fn change(u: &mut Unstructured<'_>, script: &mut Script, other: &Script) -> Result<()> {
    let revision = script.revisions.iter().next().unwrap_or(Revision::V2026_07_28);
    let mut writer = Writer::new(revision, script.transports);
    let place = u.int_in_range(0..=script.steps.len())?;
    match u.int_in_range(0..=11)? {
        0..=3 => script.steps.insert(place, writer.step(u)?),
        4 if place < script.steps.len() => {
            script.steps.remove(place);
        }
        5 if place < script.steps.len() => script.steps[place] = writer.step(u)?,
        6 if place < script.steps.len() => {
            let again = script.steps[place].clone();
            script.steps.insert(place, again);
        }
        7 if place + 1 < script.steps.len() => script.steps.swap(place, place + 1),
        8 => {
            let from = u.int_in_range(0..=other.steps.len())?;
            script.steps.truncate(place);
            script.steps.extend_from_slice(&other.steps[from..]);
        }
        9 if once_in(u, 3)? => script.hello = hello(u)?,
        _ => alter(u, script.steps.get_mut(place), &mut writer)?,
    }
    Ok(())
}

/// Changes what a step says, or how.
fn alter(u: &mut Unstructured<'_>, step: Option<&mut Step>, writer: &mut Writer) -> Result<()> {
    let say = match step {
        Some(Step::Say(say)) => say,
        Some(Step::Burst(says) | Step::Batch(says)) if !says.is_empty() => {
            let index = u.choose_index(says.len())?;
            &mut says[index]
        }
        _ => return Ok(()),
    };
    match u.int_in_range(0..=6)? {
        0 => say.wait = !say.wait,
        1 => say.repeat = *u.choose(&[0, 1, 2, 5])?,
        2 => say.split = u.int_in_range(1..=9)?,
        3 => {
            say.newline = !say.newline;
            say.honest = false;
        }
        4 => {
            say.http = writer.carriage(u)?;
            say.honest &= say.http.is_honest();
        }
        5 => {
            if let What::Request { id, .. } | What::Call { id, .. } = &mut say.what {
                *id = Some(odd_id(u)?);
                say.honest = false;
            }
        }
        _ => {
            let more = edits(u)?;
            if let What::Request { edits, .. } | What::Notify { edits, .. } | What::Call { edits, .. } = &mut say.what {
                edits.set.extend(more.set);
                edits.drop.extend(more.drop);
                say.honest = false;
            }
        }
    }
    Ok(())
}

//! What is known of a schema in one dialect, found once.
//!
//! Honest peers publish the same few schemas in every session, and a dozen rules look at each. What is found depends on the
//! text alone, so each thread remembers it across sessions.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::{Dialect, Outcome, Problem, Schema, metaschema, parse, problems};

/// The longest text that is remembered, in bytes: the longer ones are hostile, and seldom come twice.
const LONGEST: usize = 16 << 10;

/// The most schemas that are remembered at once.
const MOST: usize = 512;

/// What was read, by dialect and text.
type Known = HashMap<Dialect, HashMap<Box<str>, Rc<Reading>>>;

thread_local! {
    static READ: RefCell<Known> = RefCell::default();
}

/// A schema in a dialect, with all that was asked about it so far.
#[derive(Debug)]
pub struct Reading {
    text: Box<str>,
    dialect: Dialect,
    schema: OnceCell<Result<Schema, Outcome>>,
    metaschema: OnceCell<Outcome>,
    problems: OnceCell<Vec<Problem>>,
    over_budget: OnceCell<bool>,
}

impl Reading {
    /// A schema read as one of this dialect, whatever its own `$schema` says.
    #[must_use]
    pub fn of(text: &str, dialect: Dialect) -> Rc<Self> {
        if text.len() > LONGEST {
            return Rc::new(Self::new(text, dialect));
        }
        READ.with_borrow_mut(|read| {
            if let Some(known) = read.get(&dialect).and_then(|known| known.get(text)) {
                return Rc::clone(known);
            }
            if read.values().map(HashMap::len).sum::<usize>() >= MOST {
                read.clear();
            }
            let new = Rc::new(Self::new(text, dialect));
            read.entry(dialect).or_default().insert(text.into(), Rc::clone(&new));
            new
        })
    }

    fn new(text: &str, dialect: Dialect) -> Self {
        Self {
            text: text.into(),
            dialect,
            schema: OnceCell::new(),
            metaschema: OnceCell::new(),
            problems: OnceCell::new(),
            over_budget: OnceCell::new(),
        }
    }

    /// The schema.
    ///
    /// # Errors
    ///
    /// [`Outcome::OverBudget`] or [`Outcome::Unusable`].
    pub fn schema(&self) -> Result<&Schema, &Outcome> {
        self.schema.get_or_init(|| Schema::read(&self.text, self.dialect)).as_ref()
    }

    /// How it compares with the metaschema of the dialect; see [`metaschema`].
    pub fn metaschema(&self) -> &Outcome {
        self.metaschema.get_or_init(|| metaschema(&self.text, self.dialect))
    }

    /// What is wrong with its references; see [`problems`].
    pub fn problems(&self) -> &[Problem] {
        let find = || parse(&self.text).map(|tree| problems(&tree, self.dialect)).unwrap_or_default();
        self.problems.get_or_init(find)
    }

    /// Whether it, or holding an empty object against it, asks for more work than is put into one comparison.
    pub fn is_over_budget(&self) -> bool {
        *self.over_budget.get_or_init(|| match self.schema() {
            Ok(schema) => schema.check(&serde_json::json!({})) == Outcome::OverBudget,
            Err(outcome) => *outcome == Outcome::OverBudget,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_read_no_more() {
        let text = r#"{"type": "string", "title": "what_was_read_is_read_no_more"}"#;
        let first = Reading::of(text, Dialect::Draft07);
        assert!(Rc::ptr_eq(&first, &Reading::of(text, Dialect::Draft07)));
        assert!(!Rc::ptr_eq(&first, &Reading::of(text, Dialect::Draft2020_12)));
        let long = format!(r#"{{"title": "{}"}}"#, "x".repeat(LONGEST));
        assert!(!Rc::ptr_eq(&Reading::of(&long, Dialect::Draft07), &Reading::of(&long, Dialect::Draft07)));
    }

    #[test]
    fn no_more_than_a_bound_is_remembered() {
        for number in 0..=MOST {
            let _ = Reading::of(&format!(r#"{{"const": {number}}}"#), Dialect::Draft07);
        }
        assert!(READ.with_borrow(|read| read.values().map(HashMap::len).sum::<usize>()) <= MOST);
    }

    #[test]
    fn a_reading_says_what_its_parts_say() {
        for text in [r##"{"$ref": "#/$defs/no"}"##, r#"{"type": 7}"#, "no JSON", "true", r#"{"type": "string"}"#] {
            let reading = Reading::of(text, Dialect::Draft2020_12);
            assert_eq!(reading.schema().is_ok(), Schema::read(text, Dialect::Draft2020_12).is_ok(), "{text}");
            assert_eq!(*reading.metaschema(), metaschema(text, Dialect::Draft2020_12), "{text}");
            let tree = serde_json::from_str(text).ok();
            let found = tree.map(|tree| problems(&tree, Dialect::Draft2020_12)).unwrap_or_default();
            assert_eq!(reading.problems(), found, "{text}");
        }
    }
}

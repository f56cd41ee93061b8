//! Several errors told as one.

use std::error::Error;
use std::mem::{Discriminant, discriminant};

/// Each of `errors` on an indented line of its own, with its cause.
pub fn lines<E: Error>(errors: &[E]) -> String {
    let line = |error: &E| match error.source() {
        Some(source) => format!("\n  {error}: {source}"),
        None => format!("\n  {error}"),
    };
    errors.iter().map(line).collect()
}

/// The first of `errors` of each variant: what helps with one of them helps with all of its kind.
pub fn one_of_each<E>(errors: &[E]) -> Vec<&E> {
    let mut kinds: Vec<Discriminant<E>> = Vec::new();
    let mut is_new = |error: &&E| {
        let kind = discriminant(*error);
        let is_new = !kinds.contains(&kind);
        kinds.extend(is_new.then_some(kind));
        is_new
    };
    errors.iter().filter(|error| is_new(error)).collect()
}

//! Many files at a time, from wherever they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// So many transfers are under way at once: a service far away answers slowly, and not one after the other.
const AT_ONCE: usize = 8;

/// Calls `work` with each of `items`, some at a time; gives the results in the order of the items. After the first error
/// nothing new is begun, and that error is given.
///
/// # Errors
///
/// That of `work`.
pub fn for_each_at_once<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: &(dyn Fn(&T) -> Result<R, E> + Sync),
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Vec::with_capacity(items.len()), None));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let result = work(item);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    match result {
                        Ok(result) => done.0.push((at, result)),
                        Err(error) => {
                            done.1.get_or_insert(error);
                            next.store(items.len(), Ordering::Relaxed);
                            return;
                        }
                    }
                }
            });
        }
    });
    let (mut results, failed) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    match failed {
        Some(error) => Err(error),
        None => {
            results.sort_by_key(|(at, _)| *at);
            Ok(results.into_iter().map(|(_, result)| result).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_an_error_ends_it() {
        let items: Vec<u32> = (0..100).collect();
        let doubled = for_each_at_once(&items, &|item| Ok::<_, ()>(item * 2)).unwrap();
        assert!(doubled.iter().zip(&items).all(|(doubled, item)| *doubled == item * 2));
        let failed = for_each_at_once(&items, &|item| if *item == 7 { Err(*item) } else { Ok(()) });
        assert_eq!(failed, Err(7));
    }
}

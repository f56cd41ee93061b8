//! A table that can be read more than once.

use std::io::{self, Read};

/// Bytes that can be read from the beginning as often as needed: types first, then rows, then the few that differ.
///
/// Every `Fn() -> io::Result<impl Read>` is one.
pub trait Source: Sync {
    /// A reader at the first byte.
    ///
    /// # Errors
    ///
    /// Whatever opening meets.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

impl<F, R> Source for F
where
    F: Fn() -> io::Result<R> + Sync,
    R: Read + 'static,
{
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self()?))
    }
}

impl Source for &[u8] {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(*self))
    }
}

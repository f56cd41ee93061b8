//! Chunks of metric points: columns in binary, version 1 (`.mcol`).
//!
//! A million points as JSON lines take 65 MB, and 16 MB packed by Git; as such chunks 6.6 MB. Git packs blobs with zlib, so
//! nothing is compressed here; the columns are laid out so that zlib finds what repeats.
//!
//! Integers are little-endian. Points stand in the order in which they were logged.
//!
//! | offset | length | field |
//! | --- | --- | --- |
//! | 0 | 8 | `gitmlmc1` |
//! | 8 | 4 | `n`: number of points, 1 to 65,536 |
//! | 12 | 4 | `s`: length of the column of steps |
//! | 16 | 4 | `t`: length of the column of times |
//! | 20 | 4 | zero |
//! | 24 | `s` | steps: each as the difference from the one before (the first from 0), as a variable-length integer |
//! | 24+`s` | `t` | times in milliseconds since 1970, in the same way |
//! | 24+`s`+`t` | 8`n` | values, IEEE 754 binary64: the first byte of each, then the second byte of each, and so on |
//!
//! A variable-length integer is the difference `d` (wrapping, 64 bits) as `(d << 1) ^ (d >> 63)`, seven bits a byte, lowest
//! first, the top bit set in all bytes but the last; never longer than needed. Nothing follows the values.

use super::record::Point;

/// The most points of one chunk.
pub const MAX_POINTS: usize = 65_536;

const MAGIC: &[u8; 8] = b"gitmlmc1";
const HEADER: usize = 24;
const LONGEST_INTEGER: usize = 10;

/// Why bytes are no chunk of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetricChunkError {
    /// It does not begin as a chunk does.
    #[error("not a chunk of metric points, or of a newer version")]
    Magic,
    /// No points, or more than a chunk may have.
    #[error("a metric chunk of {0} points")]
    Count(u32),
    /// Shorter or longer than its header says.
    #[error("a metric chunk of the wrong length")]
    Length,
    /// A step or time that is not written as it should be.
    #[error("a metric chunk with a damaged column")]
    Column,
}

/// The bytes of a chunk.
///
/// # Errors
///
/// [`MetricChunkError::Count`] for no points or more than [`MAX_POINTS`].
pub fn encode(points: &[Point]) -> Result<Vec<u8>, MetricChunkError> {
    let count = u32::try_from(points.len()).unwrap_or(u32::MAX);
    if points.is_empty() || points.len() > MAX_POINTS {
        return Err(MetricChunkError::Count(count));
    }
    let steps = encode_column(points.iter().map(|point| point.step));
    let times = encode_column(points.iter().map(|point| point.time));
    let mut bytes = Vec::with_capacity(HEADER + steps.len() + times.len() + 8 * points.len());
    bytes.extend_from_slice(MAGIC);
    for number in [points.len(), steps.len(), times.len(), 0] {
        bytes.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend_from_slice(&steps);
    bytes.extend_from_slice(&times);
    for byte in 0..8 {
        bytes.extend(points.iter().map(|point| point.value.to_le_bytes()[byte]));
    }
    Ok(bytes)
}

/// The points of a chunk.
///
/// # Errors
///
/// [`MetricChunkError`] for anything that [`encode`] does not write; nothing is allocated for a count that the length does
/// not bear out.
pub fn decode(bytes: &[u8]) -> Result<Vec<Point>, MetricChunkError> {
    let header = bytes.get(..HEADER).ok_or(MetricChunkError::Length)?;
    let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if !header.starts_with(MAGIC) || field(20) != 0 {
        return Err(MetricChunkError::Magic);
    }
    let [count, steps_length, times_length] = [8, 12, 16].map(|at| field(at) as usize);
    if count == 0 || count > MAX_POINTS {
        return Err(MetricChunkError::Count(field(8)));
    }
    if steps_length > count * LONGEST_INTEGER || times_length > count * LONGEST_INTEGER {
        return Err(MetricChunkError::Length);
    }
    let columns = &bytes[HEADER..];
    if columns.len() != steps_length + times_length + 8 * count {
        return Err(MetricChunkError::Length);
    }
    let (steps, columns) = columns.split_at(steps_length);
    let (times, values) = columns.split_at(times_length);
    let (steps, times) = (decode_column(steps, count)?, decode_column(times, count)?);
    let value = |at: usize| f64::from_le_bytes(std::array::from_fn(|byte| values[byte * count + at]));
    Ok((0..count).map(|at| Point { step: steps[at], time: times[at], value: value(at) }).collect())
}

/// The first of several chunks that stand one after the other, and what follows it.
///
/// # Errors
///
/// [`MetricChunkError`] for bytes that do not begin with a whole chunk; the chunk itself is not looked into.
pub fn split_first(bytes: &[u8]) -> Result<(&[u8], &[u8]), MetricChunkError> {
    let field = |at: usize| -> Option<usize> {
        let field = bytes.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(field)).ok()
    };
    if !bytes.starts_with(MAGIC) {
        return Err(MetricChunkError::Magic);
    }
    let lengths = [Some(HEADER), field(12), field(16), field(8).and_then(|count| count.checked_mul(8))];
    let length = lengths.into_iter().try_fold(0_usize, |sum, length| sum.checked_add(length?));
    length.and_then(|length| bytes.split_at_checked(length)).ok_or(MetricChunkError::Length)
}

fn encode_column(numbers: impl Iterator<Item = i64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0_i64;
    for number in numbers {
        let difference = number.wrapping_sub(before);
        before = number;
        let mut rest = ((difference << 1) ^ (difference >> 63)).cast_unsigned();
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes
}

fn decode_column(mut bytes: &[u8], count: usize) -> Result<Vec<i64>, MetricChunkError> {
    let mut numbers = Vec::with_capacity(count);
    let mut before = 0_i64;
    for _ in 0..count {
        let (folded, rest) = decode_integer(bytes).ok_or(MetricChunkError::Column)?;
        bytes = rest;
        let difference = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
        before = before.wrapping_add(difference);
        numbers.push(before);
    }
    if bytes.is_empty() { Ok(numbers) } else { Err(MetricChunkError::Column) }
}

/// The first integer, and what follows it; `None` if it is cut off, longer than needed or too large.
fn decode_integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().take(LONGEST_INTEGER).position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(length);
    let overlong = length > 1 && digits[length - 1] == 0;
    let overflows = length == LONGEST_INTEGER && digits[length - 1] > 1;
    let number = digits.iter().rev().fold(0, |number: u64, byte| number << 7 | u64::from(byte & 0x7f));
    (!overlong && !overflows).then_some((number, rest))
}

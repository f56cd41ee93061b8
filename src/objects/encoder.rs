//! Which stored form suits a content: learned from its chunks while they are encoded.
//!
//! What a demanding user expects: text and tables shrink at the speed of the disk, checkpoints shrink more than any
//! general compressor makes them, and a photo costs nothing that a copy would not cost. Nobody has to say what a file is:
//! names and headers lie, and floats lie inside many formats (safetensors, NumPy, GGUF, raw tensors, stored members of
//! zip archives). So an [`Encoder`] tries, and remembers. restic asks its compressor about every chunk; Xet does too, and
//! decides by a sample whether the bytes are grouped.
//!
//! The forms: raw, zstd, and byte planes of floats, each plane a zstd frame of its own. The planes are only entropy-coded
//! (no matches are sought: there are none in mantissas, and in exponents they cost more than they give). Both forms are
//! tried on the first chunk, and again when a chunk comes out longer than the ones before it let expect. Where two chunks
//! in a row save less than a twentieth, the next ones are stored raw; one of sixteen is still tried.
//!
//! Measured on one core (CPU time, chunks of 64 KiB, zstd 1.5.7), MB/s and share that is left. CSV: level 1 390, 0.32;
//! level -1 413, 0.48 (the negative levels do not code literals, so they give up much and win little); level 3 259,
//! 0.33. Checkpoint of f32 and bf16: level 1 0.853; four planes in one frame 0.85, in a frame each 0.777 at 408 MB/s,
//! without matches 0.754 at 1104 MB/s. Four planes serve floats of 2 bytes as well as two planes do, but for a few bytes
//! a chunk; where they are equally good, two are taken. Noise: 7 GB/s at 64 KiB, but only 1.7 at 10 KiB, which is why
//! small files that do not shrink must not be tried one by one.

use std::cell::RefCell;
use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, ParamSwitch};

use crate::objects::codec::{Codec, plane_len, separate};

/// The level of zstd: see the measurements above.
pub const LEVEL: i32 = 1;
/// Of chunks that are stored raw because others did not shrink, one in so many is tried.
const RETRY: u64 = 16;
/// What a form must save for its next use: one part in so many.
const WORTH: usize = 20;
/// What a form must save of this chunk: one part in so many. Less is not worth the time that reading it takes.
const LEAST: usize = 32;
/// Shorter chunks are stored raw.
const SHORTEST: usize = 64;
/// Longer than expected by one part in so many: the other form is tried as well.
const SURPRISE: usize = 16;
/// So many chunks in a row that are not worth it end the trying.
const POOR: u8 = 2;
/// The longest step of the search for matches that zstd knows: the longest block.
const LONGEST_STEP: u32 = 128 << 10;
/// What a frame may have above the bytes in it.
const FRAME_MARGIN: usize = 64;

/// Encodes chunks of one content, or of contents that are alike, one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Encoder {
    form: Form,
    /// What was left of the last chunk on which forms were compared, in 1/65,536; 0: none was yet.
    left: usize,
    /// Chunks in a row that did not shrink.
    poor: u8,
    /// Chunks until one is tried again.
    rest: u64,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    #[default]
    Zstd,
    Planes2,
    Planes4,
}

impl Encoder {
    /// Appends the stored form of `raw` to `out`.
    pub fn encode(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Codec {
        let start = out.len();
        if raw.len() >= SHORTEST && !self.rests() {
            TOOLS.with_borrow_mut(|tools| self.shorten(tools, raw, out));
            let stored = out.len() - start;
            self.note(raw.len(), stored);
            if stored + raw.len() / LEAST < raw.len() {
                return self.form.codec();
            }
            out.truncate(start);
        }
        out.extend_from_slice(raw);
        Codec::Raw
    }

    /// The same experience, for the chunk with this `number` of the content: where most are stored raw, the number says
    /// whether this one is tried. So many may work on one content, and its stored bytes are the same each time.
    #[must_use]
    pub const fn at(self, number: u64) -> Self {
        Self { rest: number.wrapping_neg() % RETRY, ..self }
    }

    /// The experience of several that worked on parts of one content: if one found that compressing pays, all try again.
    pub fn united(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().min_by_key(|part| part.poor).unwrap_or_default()
    }

    /// Whether this chunk is stored raw unseen.
    const fn rests(&mut self) -> bool {
        if self.poor < POOR {
            return false;
        }
        let rests = self.rest > 0;
        self.rest = if rests { self.rest - 1 } else { RETRY - 1 };
        rests
    }

    /// Appends the form that was shortest before, or the shortest, where there was none or it disappoints.
    fn shorten(&mut self, tools: &mut Tools, raw: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        if self.left > 0 {
            tools.append(self.form, raw, out);
            let expected = (raw.len() * self.left) >> 16;
            if out.len() - start <= expected + expected / SURPRISE {
                return;
            }
            out.truncate(start);
        }
        self.form = Form::Zstd;
        tools.append(Form::Zstd, raw, out);
        for form in [Form::Planes2, Form::Planes4] {
            let end = out.len();
            tools.append(form, raw, out);
            if out.len() - end < end - start {
                out.drain(start..end);
                self.form = form;
            } else {
                out.truncate(end);
            }
        }
        self.left = (((out.len() - start) << 16) / raw.len()).max(1);
    }

    const fn note(&mut self, raw: usize, stored: usize) {
        if stored + raw / WORTH <= raw {
            self.poor = 0;
            return;
        }
        self.poor = self.poor.saturating_add(1);
        if self.poor <= POOR {
            self.rest = RETRY - 1;
        }
    }
}

impl Form {
    const fn codec(self) -> Codec {
        match self {
            Self::Zstd => Codec::Zstd,
            Self::Planes2 => Codec::Planes2,
            Self::Planes4 => Codec::Planes4,
        }
    }
}

thread_local! {
    /// Of each thread one set: making a compressor costs more than compressing a chunk.
    static TOOLS: RefCell<Tools> = RefCell::default();
}

#[derive(Default)]
struct Tools {
    general: Option<Compressor<'static>>,
    entropy: Option<Compressor<'static>>,
    planes: Vec<u8>,
    frame: Vec<u8>,
}

impl Tools {
    /// Appends this form of `raw`, or `raw` itself where the form is no shorter.
    fn append(&mut self, form: Form, raw: &[u8], out: &mut Vec<u8>) {
        let Self { general, entropy, planes, frame } = self;
        let start = out.len();
        let done = match form {
            Form::Zstd => {
                let general = made(general, || Compressor::new(LEVEL));
                append_frame(general, raw, raw.len(), frame, out)
            }
            Form::Planes2 => {
                separate::<2>(raw, planes);
                append_planes(made(entropy, entropy_coder), planes, 2, frame, out)
            }
            Form::Planes4 => {
                separate::<4>(raw, planes);
                append_planes(made(entropy, entropy_coder), planes, 4, frame, out)
            }
        };
        if done.is_none() || out.len() - start >= raw.len() {
            out.truncate(start);
            out.extend_from_slice(raw);
        }
    }
}

/// The compressor, which is made at its first use; `None` where the library refuses.
fn made<'a>(
    slot: &'a mut Option<Compressor<'static>>,
    make: impl FnOnce() -> io::Result<Compressor<'static>>,
) -> Option<&'a mut Compressor<'static>> {
    if slot.is_none() {
        *slot = make().ok();
    }
    slot.as_mut()
}

/// Codes literals and seeks no matches: the steps of the search are as long as a block.
fn entropy_coder() -> io::Result<Compressor<'static>> {
    let mut coder = Compressor::new(LEVEL)?;
    coder.set_parameter(CParameter::TargetLength(LONGEST_STEP))?;
    coder.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
    Ok(coder)
}

/// Appends each of the `count` planes as a frame.
fn append_planes(
    coder: Option<&mut Compressor<'static>>,
    planes: &[u8],
    count: usize,
    frame: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let coder = coder?;
    let mut rest = planes;
    for plane in 0..count {
        let (bytes, others) = rest.split_at(plane_len(planes.len(), count, plane));
        rest = others;
        append_frame(Some(coder), bytes, bytes.len() + FRAME_MARGIN, frame, out)?;
    }
    Some(())
}

/// Appends `bytes` as one frame; `None` where that would be longer than `most`.
fn append_frame(
    compressor: Option<&mut Compressor<'static>>,
    bytes: &[u8],
    most: usize,
    frame: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Option<()> {
    if frame.len() < most {
        frame.resize(most, 0);
    }
    let length = compressor?.compress_to_buffer(bytes, &mut frame[..most]).ok()?;
    out.extend_from_slice(&frame[..length]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::codec::decode;

    fn encoded(encoder: &mut Encoder, raw: &[u8]) -> (Codec, Vec<u8>) {
        let mut out = b"before".to_vec();
        let codec = encoder.encode(raw, &mut out);
        let stored = out.split_off(6);
        assert_eq!(out, b"before");
        assert_eq!(decode(codec, &stored, raw.len() as u32).unwrap(), raw);
        assert!(codec.allows(stored.len() as u32, raw.len() as u32), "{codec:?} {}", stored.len());
        (codec, stored)
    }

    fn noise(length: usize, mut state: u32) -> Vec<u8> {
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(next).collect()
    }

    fn floats(length: usize, seed: u32) -> impl Iterator<Item = f32> {
        noise(length * 2, seed)
            .into_iter()
            .zip(noise(length * 2, !seed))
            .map(|(a, b)| (f32::from(a) - 127.3) * (f32::from(b) + 0.7).sqrt() / 1e4)
    }

    #[test]
    fn floats_go_in_planes_whatever_their_width_and_where_they_begin() {
        let mut encoder = Encoder::default();
        let single: Vec<u8> = floats(16_000, 1).flat_map(f32::to_le_bytes).collect();
        let half: Vec<u8> =
            floats(32_000, 2).flat_map(|x| [x.to_le_bytes()[2], x.to_le_bytes()[3]]).collect();
        for raw in [&single[..], &half, &single[3..], &half[1..], &single] {
            let (codec, stored) = encoded(&mut encoder, raw);
            assert!(matches!(codec, Codec::Planes2 | Codec::Planes4), "{codec:?}");
            assert!(stored.len() < crate::objects::codec::encode(raw, LEVEL).1.len() * 97 / 100);
        }
    }

    #[test]
    fn text_is_compressed_and_noise_is_not() {
        let mut encoder = Encoder::default();
        let text = "adelie,39.1,18.7,181\n".repeat(3000);
        assert_eq!(encoded(&mut encoder, text.as_bytes()).0, Codec::Zstd);
        for seed in 0..40 {
            assert_eq!(encoded(&mut encoder, &noise(40_000, seed)).0, Codec::Raw);
        }
        let tries = (0..RETRY).map(|_| encoded(&mut encoder, text.as_bytes()).0);
        assert!(tries.collect::<Vec<_>>().contains(&Codec::Zstd), "one of them is tried");
        assert_eq!(encoded(&mut encoder, text.as_bytes()).0, Codec::Zstd, "and then all");
        assert_eq!(encoded(&mut encoder, b"penguin").0, Codec::Raw);
        assert_eq!(encoded(&mut encoder, b"").0, Codec::Raw);
    }

    #[test]
    fn parts_of_one_content_share_what_they_learned() {
        let mut poor = Encoder::default();
        for seed in 0..2 {
            encoded(&mut poor, &noise(40_000, seed));
        }
        let text = "gentoo,46.1,13.2,211\n".repeat(3000);
        let tried: Vec<u64> = (0..64)
            .filter(|number| encoded(&mut poor.at(*number), text.as_bytes()).0 != Codec::Raw)
            .collect();
        assert_eq!(tried, [0, 16, 32, 48]);
        let good = Encoder::default();
        assert_eq!(Encoder::united([poor, good, poor]).poor, 0);
    }
}

//! The three codings behind one step: some input, some room, what became of them.
//!
//! The libraries are used by their lowest interface, which neither allocates by what the input
//! claims nor writes beyond the room it is given. Their memory is bounded by their windows: 32 KiB,
//! 16 MiB (brotli, as far as the body is that long), 8 MiB (zstd).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::Coding;

/// Windows of gzip have 2^15 bytes.
const GZIP_WINDOW_BITS: u8 = 15;
/// RFC 9659: a decoder of the content coding need not, and this one does not, have a window
/// larger than 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;
/// First byte of a gzip member.
const GZIP_MAGIC: u8 = 0x1f;
/// First byte of a zstd frame.
const ZSTD_MAGIC: u8 = 0x28;
/// First byte of a zstd frame to be skipped.
const ZSTD_SKIPPABLE: std::ops::RangeInclusive<u8> = 0x50..=0x5f;
/// Longest head of a zstd frame, which nothing is decoded from: magic number, descriptor, window,
/// dictionary, size.
const ZSTD_HEAD: u64 = 18;
/// The part of a gzip head that is always there.
const GZIP_HEAD: u64 = 10;

type Brotli = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// The data are not of the coding.
pub(super) struct Broken;

/// What one step did.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    pub(super) read: usize,
    pub(super) written: usize,
    /// The member or frame is over and all of it was written.
    pub(super) ended: bool,
}

pub(super) enum Codec {
    Identity,
    Gzip(Decompress),
    Brotli(Box<Brotli>),
    /// With the bytes read of the present frame.
    Zstd(Option<DCtx<'static>>, u64),
}

impl Codec {
    pub(super) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip(Decompress::new_gzip(GZIP_WINDOW_BITS)),
            // SECURITY: `new` would accept windows up to 1 GiB, which the content coding has not.
            Coding::Brotli => Self::Brotli(Box::new(Brotli::new_strict(
                StandardAlloc::default(),
                StandardAlloc::default(),
                StandardAlloc::default(),
            ))),
            Coding::Zstd => Self::Zstd(zstd(), 0),
        }
    }

    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Progress, Broken> {
        match self {
            Self::Identity => {
                let read = input.len().min(out.len());
                let (Some(to), Some(from)) = (out.get_mut(..read), input.get(..read)) else {
                    return Err(Broken);
                };
                to.copy_from_slice(from);
                Ok(Progress { read, written: read, ended: false })
            }
            Self::Gzip(inflate) => step_gzip(inflate, input, out),
            Self::Brotli(state) => step_brotli(state, input, out),
            Self::Zstd(Some(context), head) => step_zstd(context, head, input, out),
            Self::Zstd(None, _) => Err(Broken),
        }
    }

    /// Whether another member or frame may begin with `first`, after one has ended.
    pub(super) fn may_begin(&self, first: u8) -> bool {
        match self {
            Self::Identity | Self::Brotli(_) => false,
            Self::Gzip(_) => first == GZIP_MAGIC,
            Self::Zstd(..) => first == ZSTD_MAGIC || ZSTD_SKIPPABLE.contains(&first),
        }
    }

    pub(super) fn begin_member(&mut self) {
        match self {
            Self::Gzip(inflate) => inflate.reset(true),
            Self::Zstd(_, read) => *read = 0,
            Self::Identity | Self::Brotli(_) => {}
        }
    }

    /// Whether no more than the head of the present member has been read.
    pub(super) fn is_at_head(&self) -> bool {
        match self {
            Self::Gzip(inflate) => inflate.total_out() == 0 && inflate.total_in() <= GZIP_HEAD,
            Self::Zstd(_, read) => *read <= ZSTD_HEAD,
            Self::Identity | Self::Brotli(_) => false,
        }
    }
}

fn zstd() -> Option<DCtx<'static>> {
    let mut context = DCtx::try_create()?;
    context.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
    Some(context)
}

fn step_gzip(inflate: &mut Decompress, input: &[u8], out: &mut [u8]) -> Result<Progress, Broken> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, out, FlushDecompress::None).map_err(|_| Broken)?;
    let short = |n: u64| usize::try_from(n).map_err(|_| Broken);
    Ok(Progress {
        read: short(inflate.total_in() - read)?,
        written: short(inflate.total_out() - written)?,
        ended: status == Status::StreamEnd,
    })
}

fn step_brotli(state: &mut Brotli, input: &[u8], out: &mut [u8]) -> Result<Progress, Broken> {
    let (mut read, mut written, mut total) = (0, 0, 0);
    let result = BrotliDecompressStream(
        &mut input.len(),
        &mut read,
        input,
        &mut out.len(),
        &mut written,
        out,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => Err(Broken),
        BrotliResult::ResultSuccess => Ok(Progress { read, written, ended: true }),
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {
            Ok(Progress { read, written, ended: false })
        }
    }
}

fn step_zstd(
    context: &mut DCtx<'static>,
    of_frame: &mut u64,
    input: &[u8],
    out: &mut [u8],
) -> Result<Progress, Broken> {
    let mut from = InBuffer::around(input);
    let mut to = OutBuffer::around(out);
    let hint = context.decompress_stream(&mut to, &mut from).map_err(|_| Broken)?;
    let (read, written) = (from.pos(), to.pos());
    *of_frame = of_frame.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    Ok(Progress { read, written, ended: hint == 0 })
}

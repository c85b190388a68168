use alloc::string::String;

use super::super::bits::{BitReader, OutOfBits};
use super::super::text::push_number;
use crate::codec::Error;
use crate::codec::avc::Colour;

/// A sequence header (5.5), as far as a player needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// `seq_profile`.
    pub profile: u8,
    /// `seq_level_idx` of the first operating point.
    pub level: u8,
    /// `seq_tier` of the first operating point.
    pub high_tier: bool,
    /// Bits per sample: 8, 10 or 12.
    pub bit_depth: u8,
    /// `mono_chrome`.
    pub monochrome: bool,
    /// `subsampling_x`.
    pub subsampling_x: bool,
    /// `subsampling_y`.
    pub subsampling_y: bool,
    /// `chroma_sample_position`.
    pub chroma_position: u8,
    /// `max_frame_width_minus_1` + 1.
    pub width: u16,
    /// `max_frame_height_minus_1` + 1.
    pub height: u16,
    /// How colours are to be understood.
    pub colour: Colour,
    /// Ticks of a picture and ticks of a second, if pictures are evenly spaced.
    pub timing: Option<(u32, u32)>,
}

impl Sequence {
    /// Reads the payload of a sequence header unit.
    ///
    /// # Errors
    /// [`Error::Truncated`] or [`Error::OutOfRange`].
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let bits = &mut BitReader::new(payload);
        let profile = bits.byte(3)?;
        if profile > 2 {
            return Err(Error::OutOfRange);
        }
        bits.flag()?; // still_picture
        let reduced = bits.flag()?;
        let mut timing = None;
        let (mut level, mut high_tier) = (0, false);
        if reduced {
            level = bits.byte(5)?;
        } else {
            let mut delay_bits = None;
            if bits.flag()? {
                timing = timing_info(bits)?;
                if bits.flag()? {
                    delay_bits = Some(bits.bits(5)?.saturating_add(1));
                    bits.skip(32)?; // num_units_in_decoding_tick
                    bits.skip(10)?; // buffer_removal_time_length, frame_presentation_time_length
                }
            }
            let has_display_delay = bits.flag()?;
            let points = bits.byte(5)?;
            for point in 0..=points {
                bits.skip(12)?; // operating_point_idc
                let own_level = bits.byte(5)?;
                let own_tier = own_level > 7 && bits.flag()?;
                if point == 0 {
                    (level, high_tier) = (own_level, own_tier);
                }
                if let Some(delay_bits) = delay_bits
                    && bits.flag()?
                {
                    bits.skip(delay_bits.saturating_mul(2).saturating_add(1))?;
                }
                if has_display_delay && bits.flag()? {
                    bits.skip(4)?;
                }
            }
        }
        let (width_bits, height_bits) = (bits.bits(4)?, bits.bits(4)?);
        let size = |minus_one: u32| u16::try_from(minus_one.saturating_add(1));
        let width = bits.bits(width_bits.saturating_add(1))?;
        let height = bits.bits(height_bits.saturating_add(1))?;
        let (Ok(width), Ok(height)) = (size(width), size(height)) else {
            return Err(Error::OutOfRange);
        };
        if !reduced && bits.flag()? {
            bits.skip(7)?; // lengths of frame ids
        }
        bits.skip(3)?; // superblocks, filter intra, intra edge filter
        if !reduced {
            skip_tools(bits)?;
        }
        bits.skip(3)?; // superres, cdef, restoration
        let mut sequence = Self {
            profile,
            level,
            high_tier,
            bit_depth: 8,
            monochrome: false,
            subsampling_x: true,
            subsampling_y: true,
            chroma_position: 0,
            width,
            height,
            colour: Colour {
                primaries: Colour::UNSPECIFIED,
                transfer: Colour::UNSPECIFIED,
                matrix: Colour::UNSPECIFIED,
                full_range: false,
            },
            timing,
        };
        sequence.read_colour(bits)?;
        Ok(sequence)
    }

    /// The codec string: `av01.P.LLT.DD`.
    #[must_use]
    pub fn codec_string(&self) -> String {
        let mut text = String::from("av01.");
        push_number(&mut text, self.profile, 1);
        text.push('.');
        push_number(&mut text, self.level, 2);
        text.push(if self.high_tier { 'H' } else { 'M' });
        text.push('.');
        push_number(&mut text, self.bit_depth, 2);
        text
    }

    /// 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    #[must_use]
    pub fn chroma_format(&self) -> u8 {
        match (self.monochrome, self.subsampling_x, self.subsampling_y) {
            (true, ..) => 0,
            (_, true, true) => 1,
            (_, true, false) => 2,
            _ => 3,
        }
    }

    /// `color_config()` (5.5.2).
    fn read_colour(&mut self, bits: &mut BitReader<'_>) -> Result<(), OutOfBits> {
        let high = bits.flag()?;
        self.bit_depth = match (self.profile, high) {
            (2, true) if bits.flag()? => 12,
            (_, true) => 10,
            _ => 8,
        };
        self.monochrome = self.profile != 1 && bits.flag()?;
        if bits.flag()? {
            self.colour.primaries = bits.byte(8)?;
            self.colour.transfer = bits.byte(8)?;
            self.colour.matrix = bits.byte(8)?;
        }
        if self.monochrome {
            self.colour.full_range = bits.flag()?;
            return Ok(());
        }
        let Colour { primaries, transfer, matrix, .. } = self.colour;
        if (primaries, transfer, matrix) == SRGB {
            self.colour.full_range = true;
            (self.subsampling_x, self.subsampling_y) = (false, false);
            return Ok(());
        }
        self.colour.full_range = bits.flag()?;
        (self.subsampling_x, self.subsampling_y) = match (self.profile, self.bit_depth) {
            (0, _) => (true, true),
            (1, _) => (false, false),
            (_, 12) => {
                let x = bits.flag()?;
                (x, x && bits.flag()?)
            }
            _ => (true, false),
        };
        if self.subsampling_x && self.subsampling_y {
            self.chroma_position = bits.byte(2)?;
        }
        Ok(())
    }
}

/// `timing_info()` (5.5.3).
fn timing_info(bits: &mut BitReader<'_>) -> Result<Option<(u32, u32)>, OutOfBits> {
    let (units, scale) = (bits.bits(32)?, bits.bits(32)?);
    if !bits.flag()? {
        return Ok(None);
    }
    let ticks = bits.ue()?.saturating_add(1);
    let valid = units != 0 && scale != 0;
    Ok(valid.then_some((units.saturating_mul(ticks), scale)))
}

/// The coding tools between the block sizes and the loop filters.
fn skip_tools(bits: &mut BitReader<'_>) -> Result<(), OutOfBits> {
    bits.skip(4)?; // interintra, masked, warped, dual filter
    let order_hint = bits.flag()?;
    if order_hint {
        bits.skip(2)?; // jnt_comp, ref_frame_mvs
    }
    let screen_content = bits.flag()? || bits.flag()?;
    // seq_choose_integer_mv, or else seq_force_integer_mv.
    if screen_content && !bits.flag()? {
        bits.flag()?;
    }
    if order_hint {
        bits.skip(3)?;
    }
    Ok(())
}

/// BT.709 primaries, sRGB, identity: never subsampled.
const SRGB: (u8, u8, u8) = (1, 13, 0);

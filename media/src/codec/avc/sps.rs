use alloc::string::String;

use super::super::bits::{OutOfBits, Patient};
use super::super::text::push_hex;
use super::Error;
use super::vui::{self, Vui};

/// A sequence parameter set (H.264, 7.3.2.1.1), as far as a player needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`.
    pub profile: u8,
    /// The constraint flags as one byte, `constraint_set0_flag` first.
    pub constraints: u8,
    /// `level_idc`: ten times the level (9, or 11 with `constraint_set3_flag`, is level 1b).
    pub level: u8,
    /// `chroma_format_idc`: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits per luma sample.
    pub luma_bit_depth: u8,
    /// Bits per chroma sample.
    pub chroma_bit_depth: u8,
    /// `max_num_ref_frames`.
    pub max_ref_frames: u32,
    /// Luma samples per line after cropping.
    pub width: u16,
    /// Lines after cropping.
    pub height: u16,
    /// The usability information; empty if the SPS has none.
    pub vui: Vui,
}

impl Sps {
    /// Reads an SPS with its NAL header, emulation prevention still in it.
    ///
    /// Usability information that is cut off is kept as far as it goes: it does not change what the
    /// pictures mean.
    ///
    /// # Errors
    /// [`Error::NotSps`], [`Error::Truncated`], [`Error::OutOfRange`] or [`Error::PictureSize`].
    pub fn parse(unit: &[u8]) -> Result<Self, Error> {
        let (&header, payload) = unit.split_first().ok_or(TRUNCATED)?;
        match header & 0x1F {
            7 => {}
            unit_type => return Err(Error::NotSps { unit_type }),
        }
        let mut bits = Patient::nal(payload);
        let profile = bits.byte(8);
        let constraints = bits.byte(8);
        let level = bits.byte(8);
        bits.ue(); // seq_parameter_set_id
        let format = if HIGH_PROFILES.contains(&profile) {
            Format::parse(&mut bits)?
        } else {
            Format { chroma: 1, separate_planes: false, luma_bits: 8, chroma_bits: 8 }
        };
        frame_numbers(&mut bits)?;
        let max_ref_frames = bits.ue();
        bits.flag(); // gaps_in_frame_num_value_allowed_flag
        let (width, height) = picture_size(&mut bits, &format)?;
        let mut vui = Vui::default();
        bits.check()?;
        if bits.flag() {
            // Cut off or not: see above.
            let _ = vui::parse(&mut bits, &mut vui);
        }
        Ok(Self {
            profile,
            constraints,
            level,
            chroma_format: format.chroma,
            luma_bit_depth: format.luma_bits,
            chroma_bit_depth: format.chroma_bits,
            max_ref_frames,
            width,
            height,
            vui,
        })
    }

    /// The codec string of RFC 6381 and ISO/IEC 14496-15 annex E: `avc1.PPCCLL`.
    #[must_use]
    pub fn codec_string(&self) -> String {
        let mut text = String::from("avc1.");
        for byte in [self.profile, self.constraints, self.level] {
            push_hex(&mut text, byte);
        }
        text
    }
}

struct Format {
    chroma: u8,
    separate_planes: bool,
    luma_bits: u8,
    chroma_bits: u8,
}

impl Format {
    fn parse(bits: &mut Patient<'_>) -> Result<Self, Error> {
        let chroma = ranged(bits.ue(), 3, "chroma_format_idc")?;
        let separate_planes = chroma == 3 && bits.flag();
        let luma_bits = ranged(bits.ue(), 6, "bit_depth_luma_minus8")?.saturating_add(8);
        let chroma_bits = ranged(bits.ue(), 6, "bit_depth_chroma_minus8")?.saturating_add(8);
        bits.flag(); // qpprime_y_zero_transform_bypass_flag
        if bits.flag() {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.flag() {
                    skip_scaling_list(bits, if list < 6 { 16 } else { 64 });
                }
            }
        }
        Ok(Self { chroma, separate_planes, luma_bits, chroma_bits })
    }
}

/// 7.3.2.1.1.1: a list ends early when its next scale is 0.
fn skip_scaling_list(bits: &mut Patient<'_>, size: u32) {
    let mut last: i32 = 8;
    let mut next: i32 = 8;
    for _ in 0..size {
        if next != 0 {
            next = last.wrapping_add(bits.se()) & 0xFF;
        }
        if next != 0 {
            last = next;
        }
    }
}

fn frame_numbers(bits: &mut Patient<'_>) -> Result<(), Error> {
    bits.ue(); // log2_max_frame_num_minus4
    match bits.ue() {
        0 => {
            bits.ue(); // log2_max_pic_order_cnt_lsb_minus4
        }
        1 => {
            bits.flag(); // delta_pic_order_always_zero_flag
            bits.se(); // offset_for_non_ref_pic
            bits.se(); // offset_for_top_to_bottom_field
            let count = ranged(bits.ue(), 255, "num_ref_frames_in_pic_order_cnt_cycle")?;
            for _ in 0..count {
                bits.se(); // offset_for_ref_frame
            }
        }
        2 => {}
        value => return Err(Error::OutOfRange { field: "pic_order_cnt_type", value }),
    }
    Ok(())
}

fn picture_size(bits: &mut Patient<'_>, format: &Format) -> Result<(u16, u16), Error> {
    let columns = bits.ue().saturating_add(1);
    let rows = bits.ue().saturating_add(1);
    let frames_only = bits.flag();
    if !frames_only {
        bits.flag(); // mb_adaptive_frame_field_flag
    }
    bits.flag(); // direct_8x8_inference_flag
    let fields: u32 = if frames_only { 1 } else { 2 };
    let mut width = columns.saturating_mul(16);
    let mut height = rows.saturating_mul(16).saturating_mul(fields);
    if bits.flag() {
        let (left, right, top, bottom) = (bits.ue(), bits.ue(), bits.ue(), bits.ue());
        // Table 6-1, for ChromaArrayType.
        let (unit_x, unit_y) = match (format.chroma, format.separate_planes) {
            (1, _) => (2, 2),
            (2, _) => (2, 1),
            _ => (1, 1),
        };
        let crop = |a: u32, b: u32, unit: u32| a.saturating_add(b).saturating_mul(unit);
        width = width.saturating_sub(crop(left, right, unit_x));
        height = height.saturating_sub(crop(top, bottom, unit_y).saturating_mul(fields));
    }
    match (u16::try_from(width), u16::try_from(height)) {
        (Ok(w), Ok(h)) if w > 0 && h > 0 => Ok((w, h)),
        _ => Err(Error::PictureSize { width, height }),
    }
}

fn ranged(value: u32, max: u8, field: &'static str) -> Result<u8, Error> {
    match u8::try_from(value) {
        Ok(small) if small <= max => Ok(small),
        _ => Err(Error::OutOfRange { field, value }),
    }
}

impl From<OutOfBits> for Error {
    fn from(OutOfBits: OutOfBits) -> Self {
        TRUNCATED
    }
}

const TRUNCATED: Error = Error::Truncated { what: "SPS" };

/// The profiles whose SPS says its chroma format (7.3.2.1.1).
const HIGH_PROFILES: [u8; 13] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135];

#[cfg(test)]
mod tests;

use alloc::string::String;

use super::super::bits::{BitReader, OutOfBits};
use super::super::text::{push_hex, push_number};
use crate::codec::Error;
use crate::codec::avc::{Colour, Timing, aspect_ratio};

/// A sequence parameter set (H.265, 7.3.2.2), as far as a player needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sps {
    /// `sps_seq_parameter_set_id`.
    pub id: u32,
    /// `sps_max_sub_layers_minus1` + 1.
    pub sub_layers: u8,
    /// `sps_temporal_id_nesting_flag`.
    pub temporal_id_nested: bool,
    /// Profile, tier and level.
    pub profile: ProfileTierLevel,
    /// `chroma_format_idc`: 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma_format: u8,
    /// Bits per luma sample.
    pub luma_bit_depth: u8,
    /// Bits per chroma sample.
    pub chroma_bit_depth: u8,
    /// Luma samples per line after cropping.
    pub width: u16,
    /// Lines after cropping.
    pub height: u16,
    /// `sps_max_num_reorder_pics` of the highest sub-layer.
    pub max_num_reorder: u32,
    /// `sps_max_dec_pic_buffering_minus1` of the highest sub-layer.
    pub max_dec_pic_buffering: u32,
    /// Sample aspect ratio as width and height, neither of them 0.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// How colours are to be understood.
    pub colour: Option<Colour>,
    /// The sender's frame clock; a frame lasts one tick here.
    pub timing: Option<Timing>,
}

/// The general part of `profile_tier_level()` (7.3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileTierLevel {
    /// `general_profile_space`, `general_tier_flag`, `general_profile_idc` as one byte.
    pub profile: u8,
    /// `general_profile_compatibility_flag`, the first the highest bit.
    pub compatibility: u32,
    /// The six bytes of constraint flags.
    pub constraints: [u8; 6],
    /// `general_level_idc`: thirty times the level.
    pub level: u8,
}

impl ProfileTierLevel {
    /// The codec string of ISO/IEC 14496-15 annex E: `hvc1.1.6.L93.B0`.
    #[must_use]
    pub fn codec_string(&self) -> String {
        let mut text = String::from("hvc1.");
        if let Some(space @ 1..=3) = Some(self.profile >> 6) {
            text.push(char::from(b'@'.saturating_add(space)));
        }
        push_number(&mut text, self.profile & 0x1F, 1);
        text.push('.');
        let compatibility = self.compatibility.reverse_bits();
        let mut started = false;
        for shift in (0..8u32).rev() {
            let digit = compatibility.checked_shr(shift.saturating_mul(4)).unwrap_or(0) & 15;
            started |= digit != 0 || shift == 0;
            if started {
                text.push(char::from_digit(digit, 16).unwrap_or('0'));
            }
        }
        text.push('.');
        text.push(if self.profile & 0x20 == 0 { 'L' } else { 'H' });
        push_number(&mut text, self.level, 1);
        let last = self.constraints.iter().rposition(|&byte| byte != 0);
        for &byte in self.constraints.iter().take(last.map_or(0, |last| last.saturating_add(1))) {
            text.push('.');
            if byte >= 16 {
                push_hex(&mut text, byte);
            } else {
                text.push(char::from_digit(byte.into(), 16).unwrap_or('0'));
            }
        }
        text
    }

    fn parse(bits: &mut BitReader<'_>, sub_layers: u8) -> Result<Self, OutOfBits> {
        let mut general = Self { profile: bits.byte(8)?, ..Self::default() };
        general.compatibility = bits.bits(32)?;
        for byte in &mut general.constraints {
            *byte = bits.byte(8)?;
        }
        general.level = bits.byte(8)?;
        let mut present = [(false, false); 8];
        let lower = usize::from(sub_layers.saturating_sub(1));
        for flags in present.iter_mut().take(lower) {
            *flags = (bits.flag()?, bits.flag()?);
        }
        if lower > 0 {
            bits.skip(u32::from(9u8.saturating_sub(sub_layers)).saturating_mul(2))?;
        }
        for (profile, level) in present.into_iter().take(lower) {
            bits.skip(if profile { 88 } else { 0 })?;
            bits.skip(if level { 8 } else { 0 })?;
        }
        Ok(general)
    }
}

impl Sps {
    /// Reads an SPS with its NAL header, emulation prevention still in it.
    ///
    /// Usability information that is cut off is kept as far as it goes.
    ///
    /// # Errors
    /// [`Error::Truncated`], [`Error::NotIt`] or [`Error::OutOfRange`].
    pub fn parse(unit: &[u8]) -> Result<Self, Error> {
        let (&[header, _], payload) = unit.split_first_chunk().ok_or(Error::Truncated)?;
        if header >> 1 & 0x3F != super::SPS {
            return Err(Error::NotIt);
        }
        let bits = &mut BitReader::nal(payload);
        bits.skip(4)?; // sps_video_parameter_set_id
        let sub_layers = bits.byte(3)?.saturating_add(1);
        if sub_layers > 7 {
            return Err(Error::OutOfRange);
        }
        let temporal_id_nested = bits.flag()?;
        let profile = ProfileTierLevel::parse(bits, sub_layers)?;
        let id = bits.ue()?;
        let chroma_format = ranged(bits.ue()?, 3)?;
        let separate_planes = chroma_format == 3 && bits.flag()?;
        let (mut width, mut height) = (bits.ue()?, bits.ue()?);
        if bits.flag()? {
            let (left, right, top, bottom) = (bits.ue()?, bits.ue()?, bits.ue()?, bits.ue()?);
            // Table 6-1.
            let (unit_x, unit_y) = match (chroma_format, separate_planes) {
                (1, _) => (2, 2),
                (2, _) => (2, 1),
                _ => (1, 1),
            };
            let crop = |a: u32, b: u32, unit: u32| a.saturating_add(b).saturating_mul(unit);
            width = width.saturating_sub(crop(left, right, unit_x));
            height = height.saturating_sub(crop(top, bottom, unit_y));
        }
        let luma_bit_depth = ranged(bits.ue()?, 8)?.saturating_add(8);
        let chroma_bit_depth = ranged(bits.ue()?, 8)?.saturating_add(8);
        let size = |size: u32| u16::try_from(size).ok().filter(|&size| size > 0);
        let (Some(width), Some(height)) = (size(width), size(height)) else {
            return Err(Error::OutOfRange);
        };
        let mut sps = Self {
            id,
            sub_layers,
            temporal_id_nested,
            profile,
            chroma_format,
            luma_bit_depth,
            chroma_bit_depth,
            width,
            height,
            max_num_reorder: 0,
            max_dec_pic_buffering: 0,
            sample_aspect_ratio: None,
            colour: None,
            timing: None,
        };
        sps.read_coding(bits)?;
        if bits.flag() == Ok(true) {
            // Cut off or not: see above.
            let _ = sps.read_vui(bits);
        }
        Ok(sps)
    }

    /// What stands between the bit depths and the VUI.
    fn read_coding(&mut self, bits: &mut BitReader<'_>) -> Result<(), Error> {
        let poc_bits = ranged(bits.ue()?, 12)?.saturating_add(4);
        let all_layers = bits.flag()?;
        for _ in 0..if all_layers { self.sub_layers } else { 1 } {
            self.max_dec_pic_buffering = bits.ue()?;
            self.max_num_reorder = bits.ue()?;
            bits.ue()?; // sps_max_latency_increase_plus1
        }
        for _ in 0..6 {
            bits.ue()?; // sizes of coding and transform blocks, depths
        }
        if bits.flag()? && bits.flag()? {
            skip_scaling_lists(bits)?;
        }
        bits.skip(2)?; // amp_enabled_flag, sample_adaptive_offset_enabled_flag
        if bits.flag()? {
            bits.skip(8)?; // pcm bit depths
            bits.ue()?;
            bits.ue()?;
            bits.flag()?; // pcm_loop_filter_disabled_flag
        }
        skip_short_term_sets(bits)?;
        if bits.flag()? {
            let count = ranged(bits.ue()?, 32)?;
            for _ in 0..count {
                bits.skip(u32::from(poc_bits).saturating_add(1))?;
            }
        }
        bits.skip(2)?; // temporal mvp, strong intra smoothing
        Ok(())
    }

    /// `vui_parameters()` (E.2.1) up to the timing.
    fn read_vui(&mut self, bits: &mut BitReader<'_>) -> Result<(), OutOfBits> {
        if bits.flag()? {
            self.sample_aspect_ratio = aspect_ratio(bits)?;
        }
        if bits.flag()? {
            bits.flag()?; // overscan_appropriate_flag
        }
        if bits.flag()? {
            self.colour = Some(Colour::parse(bits)?);
        }
        if bits.flag()? {
            bits.ue()?; // chroma_sample_loc_type_top_field
            bits.ue()?; // chroma_sample_loc_type_bottom_field
        }
        bits.skip(3)?; // neutral_chroma_indication, field_seq, frame_field_info_present
        if bits.flag()? {
            for _ in 0..4 {
                bits.ue()?; // default display window
            }
        }
        if bits.flag()? {
            let (num_units_in_tick, time_scale) = (bits.bits(32)?, bits.bits(32)?);
            self.timing = (num_units_in_tick != 0 && time_scale != 0).then_some(Timing {
                num_units_in_tick,
                time_scale,
                fixed_frame_rate: false,
            });
        }
        Ok(())
    }
}

/// `scaling_list_data()` (7.3.4).
fn skip_scaling_lists(bits: &mut BitReader<'_>) -> Result<(), OutOfBits> {
    for size in 0..4u32 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !bits.flag()? {
                bits.ue()?; // scaling_list_pred_matrix_id_delta
                continue;
            }
            if size > 1 {
                bits.se()?; // scaling_list_dc_coef_minus8
            }
            for _ in 0..if size == 0 { 16 } else { 64 } {
                bits.se()?; // scaling_list_delta_coef
            }
        }
    }
    Ok(())
}

/// The `st_ref_pic_set()`s (7.3.7). A set may be told by the difference to the one before, which is
/// as long as that one has pictures.
fn skip_short_term_sets(bits: &mut BitReader<'_>) -> Result<(), Error> {
    let count = ranged(bits.ue()?, 64)?;
    let mut pictures: u32 = 0;
    for index in 0..count {
        if index > 0 && bits.flag()? {
            bits.flag()?; // delta_rps_sign
            bits.ue()?; // abs_delta_rps_minus1
            let mut kept: u32 = 0;
            for _ in 0..=pictures {
                // used_by_curr_pic_flag, or else use_delta_flag
                if bits.flag()? || bits.flag()? {
                    kept = kept.saturating_add(1);
                }
            }
            pictures = kept;
        } else {
            let (before, after) = (ranged(bits.ue()?, 16)?, ranged(bits.ue()?, 16)?);
            pictures = u32::from(before).saturating_add(after.into());
            for _ in 0..pictures {
                bits.ue()?; // delta_poc_minus1
                bits.flag()?; // used_by_curr_pic_flag
            }
        }
    }
    Ok(())
}

fn ranged(value: u32, max: u8) -> Result<u8, Error> {
    u8::try_from(value).ok().filter(|value| *value <= max).ok_or(Error::OutOfRange)
}

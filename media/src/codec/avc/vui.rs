use super::super::bits::{BitReader, OutOfBits, Patient};

/// Video usability information (H.264, annex E), as far as a player needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vui {
    /// Sample aspect ratio as width and height, neither of them 0.
    pub sample_aspect_ratio: Option<(u16, u16)>,
    /// How colours are to be understood.
    pub colour: Option<Colour>,
    /// The sender's frame clock.
    pub timing: Option<Timing>,
    /// What a decoder must hold back.
    pub bitstream_restriction: Option<BitstreamRestriction>,
}

/// `video_signal_type` (E.2.1); the numbers are those of ISO/IEC 23091-2 (H.273).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// `colour_primaries`.
    pub primaries: u8,
    /// `transfer_characteristics`.
    pub transfer: u8,
    /// `matrix_coefficients`.
    pub matrix: u8,
    /// `video_full_range_flag`.
    pub full_range: bool,
}

impl Colour {
    /// A number of H.273 that leaves it open.
    pub const UNSPECIFIED: u8 = 2;

    /// Reads `video_signal_type`, which H.265 has alike.
    pub(in crate::codec) fn parse(bits: &mut BitReader<'_>) -> Result<Self, OutOfBits> {
        bits.skip(3)?; // video_format
        let full_range = bits.flag()?;
        let (mut primaries, mut transfer, mut matrix) =
            (Self::UNSPECIFIED, Self::UNSPECIFIED, Self::UNSPECIFIED);
        if bits.flag()? {
            primaries = bits.byte(8)?;
            transfer = bits.byte(8)?;
            matrix = bits.byte(8)?;
        }
        Ok(Self { primaries, transfer, matrix, full_range })
    }
}

/// `timing_info` (E.2.1). A frame lasts two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// `num_units_in_tick`, not 0.
    pub num_units_in_tick: u32,
    /// `time_scale` in Hz, not 0.
    pub time_scale: u32,
    /// `fixed_frame_rate_flag`.
    pub fixed_frame_rate: bool,
}

impl Timing {
    /// Frames per second.
    #[must_use]
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.time_scale) / (2.0 * f64::from(self.num_units_in_tick))
    }
}

/// `bitstream_restriction` (E.2.1). Without it a decoder may hold back a full buffer of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitstreamRestriction {
    /// `max_num_reorder_frames`: 0 when pictures come in the order they are shown.
    pub max_num_reorder_frames: u32,
    /// `max_dec_frame_buffering`.
    pub max_dec_frame_buffering: u32,
}

/// Reads `vui_parameters()` into `vui`, each part as soon as it is complete.
pub(super) fn parse(bits: &mut Patient<'_>, vui: &mut Vui) -> Result<(), OutOfBits> {
    if bits.flag() {
        vui.sample_aspect_ratio = bits.read(aspect_ratio);
    }
    if bits.flag() {
        bits.flag(); // overscan_appropriate_flag
    }
    if bits.flag() {
        vui.colour = bits.read(|bits| Colour::parse(bits).map(Some));
    }
    if bits.flag() {
        bits.ue(); // chroma_sample_loc_type_top_field
        bits.ue(); // chroma_sample_loc_type_bottom_field
    }
    if bits.flag() {
        let num_units_in_tick = bits.bits(32);
        let time_scale = bits.bits(32);
        let fixed_frame_rate = bits.flag();
        bits.check()?;
        vui.timing = (num_units_in_tick != 0 && time_scale != 0).then_some(Timing {
            num_units_in_tick,
            time_scale,
            fixed_frame_rate,
        });
    }
    let nal_hrd = bits.flag();
    if nal_hrd {
        skip_hrd(bits)?;
    }
    let vcl_hrd = bits.flag();
    if vcl_hrd {
        skip_hrd(bits)?;
    }
    if nal_hrd || vcl_hrd {
        bits.flag(); // low_delay_hrd_flag
    }
    bits.flag(); // pic_struct_present_flag
    if bits.flag() {
        bits.flag(); // motion_vectors_over_pic_boundaries_flag
        bits.ue(); // max_bytes_per_pic_denom
        bits.ue(); // max_bits_per_mb_denom
        bits.ue(); // log2_max_mv_length_horizontal
        bits.ue(); // log2_max_mv_length_vertical
        let restriction = BitstreamRestriction {
            max_num_reorder_frames: bits.ue(),
            max_dec_frame_buffering: bits.ue(),
        };
        bits.check()?;
        vui.bitstream_restriction = Some(restriction);
    }
    Ok(())
}

/// `hrd_parameters()` (E.1.2).
fn skip_hrd(bits: &mut Patient<'_>) -> Result<(), OutOfBits> {
    let count = bits.ue();
    if count > 31 {
        return Err(OutOfBits);
    }
    bits.bits(8); // bit_rate_scale, cpb_size_scale
    for _ in 0..=count {
        bits.ue(); // bit_rate_value_minus1
        bits.ue(); // cpb_size_value_minus1
        bits.flag(); // cbr_flag
    }
    bits.bits(20); // four lengths of 5 bits
    Ok(())
}

/// The sample aspect ratio, which H.265 has alike; `None` if it is left open.
pub(in crate::codec) fn aspect_ratio(
    bits: &mut BitReader<'_>,
) -> Result<Option<(u16, u16)>, OutOfBits> {
    let (width, height) = match bits.byte(8)? {
        255 => (size(bits)?, size(bits)?),
        index => ASPECT_RATIOS.get(usize::from(index)).copied().unwrap_or_default(),
    };
    Ok((width != 0 && height != 0).then_some((width, height)))
}

fn size(bits: &mut BitReader<'_>) -> Result<u16, OutOfBits> {
    u16::try_from(bits.bits(16)?).map_err(|_| OutOfBits)
}

/// Table E-1; 0 is unspecified.
const ASPECT_RATIOS: [(u16, u16); 17] = [
    (0, 0),
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

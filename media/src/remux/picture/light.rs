//! `colorInfo`: what the container says of colours and high dynamic range (Enhanced RTMP v2,
//! "Metadata Frame").

use crate::amf0::{Decoder, Value};
use crate::codec::avc::Colour;
use crate::mp4::Light;
use crate::remux::picture::Framing;
use crate::remux::sei;

/// What a metadata message asks for. Empty: what the pictures say themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::remux) struct Hint {
    /// Primaries, transfer and matrix.
    pub(in crate::remux) colour: Option<(u8, u8, u8)>,
    pub(in crate::remux) light: Light,
}

impl Hint {
    /// Reads the body of a metadata message. `None` if it is about something else.
    pub(in crate::remux) fn parse(body: &[u8]) -> Option<Self> {
        let mut values = Decoder::new(body);
        while let Some(name) = values.next_value().ok()? {
            let value = values.next_value().ok()?;
            if name.as_str() == Some("colorInfo") {
                return Some(value.map_or_else(Self::default, |info| Self::of(&info)));
            }
        }
        None
    }

    /// What it makes of the colours that the pictures say.
    pub(in crate::remux) fn over(&self, own: Option<Colour>) -> Option<Colour> {
        let Some((primaries, transfer, matrix)) = self.colour else { return own };
        let full_range = own.is_some_and(|own| own.full_range);
        Some(Colour { primaries, transfer, matrix, full_range })
    }

    /// The same, or what the pictures say of light where it says nothing.
    pub(in crate::remux) fn or(&self, pictures: Light) -> Self {
        let light = Light {
            mastering: self.light.mastering.or(pictures.mastering),
            content: self.light.content.or(pictures.content),
        };
        Self { light, ..*self }
    }

    fn of(info: &Value) -> Self {
        let number = |name: &str| {
            let value = info.get("colorConfig")?.get(name)?.as_f64()?;
            scaled(value, 1.0).and_then(|value| u8::try_from(value).ok())
        };
        let open = |name| number(name).unwrap_or(Colour::UNSPECIFIED);
        let colour = number("colorPrimaries")
            .or(number("transferCharacteristics"))
            .or(number("matrixCoefficients"))
            .map(|_| {
                (
                    open("colorPrimaries"),
                    open("transferCharacteristics"),
                    open("matrixCoefficients"),
                )
            });
        let light = Light { mastering: mastering(info), content: content(info) };
        Self { colour, light }
    }
}

/// Takes up what the messages in a picture say of light (H.265, D.2.28 and D.2.35): the boxes hold the
/// same bytes.
pub(in crate::remux) fn take_messages(light: &mut Light, framing: Framing, body: &[u8]) {
    sei::each_message(framing, body, &mut |payload_type, payload| match payload_type {
        MASTERING_DISPLAY => light.mastering = payload.first_chunk().copied().or(light.mastering),
        CONTENT_LIGHT => light.content = payload.first_chunk().copied().or(light.content),
        _ => {}
    });
}

const MASTERING_DISPLAY: u32 = 137;
const CONTENT_LIGHT: u32 = 144;

/// Chromaticities in steps of 0.00002 and luminances in steps of 0.0001 cd/m².
fn mastering(info: &Value) -> Option<[u8; 24]> {
    let display = info.get("hdrMdcv")?;
    let number = |name: &str, scale| scaled(display.get(name)?.as_f64()?, scale);
    let mut out = [0; 24];
    let names =
        ["greenX", "greenY", "blueX", "blueY", "redX", "redY", "whitePointX", "whitePointY"];
    for (room, name) in out.chunks_exact_mut(2).zip(names) {
        let value = u16::try_from(number(name, 50_000.0)?).ok()?;
        room.copy_from_slice(&value.to_be_bytes());
    }
    for (room, name) in out.chunks_exact_mut(4).skip(4).zip(["maxLuminance", "minLuminance"]) {
        room.copy_from_slice(&number(name, 10_000.0)?.to_be_bytes());
    }
    Some(out)
}

/// In cd/m².
fn content(info: &Value) -> Option<[u8; 4]> {
    let levels = info.get("hdrCll")?;
    let number = |name: &str| u16::try_from(scaled(levels.get(name)?.as_f64()?, 1.0)?).ok();
    let [m1, m0] = number("maxCLL")?.to_be_bytes();
    let [a1, a0] = number("maxFall")?.to_be_bytes();
    Some([m1, m0, a1, a0])
}

/// A number in steps of 1/`scale`, if it is one.
fn scaled(value: f64, scale: f64) -> Option<u32> {
    // Half a step more, cut off by `as`, which is exact between these: `core` cannot round.
    let steps = value * scale + 0.5;
    (0.0..=f64::from(u32::MAX)).contains(&steps).then_some(steps as u32)
}

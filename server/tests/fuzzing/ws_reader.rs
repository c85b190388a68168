//! What a WebSocket viewer says: the same in any pieces, and as another implementation understands it.

use pushpull::flv::ws::reader::{Reader, Said};

use super::Script;

/// Reads `input` as a way to cut, and what a viewer says: frames that are made of it, or the bytes themselves.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let (is_made, seed) = (script.byte().is_multiple_of(2), script.byte());
    if is_made {
        let (bytes, expected) = frames(&mut script);
        assert_eq!(said(&bytes, seed), expected);
        assert_eq!(said(&bytes, 0), expected);
    } else {
        let bytes = script.rest();
        assert_eq!(said(bytes, seed), said(bytes, 0));
    }
}

/// Everything that is said up to the end, in pieces.
fn said(bytes: &[u8], seed: u8) -> Vec<Said> {
    let mut reader = Reader::default();
    let mut all = Vec::new();
    for mut piece in super::script::cut(bytes, seed) {
        while let Some(said) = reader.next(&mut piece) {
            if let Said::Ping(payload) = &said {
                assert!(payload.len() <= 125);
            }
            let is_end = !matches!(said, Said::Ping(_));
            all.push(said);
            if is_end {
                return all;
            }
        }
        assert!(piece.is_empty(), "all was read");
    }
    all
}

/// Frames by the rules (RFC 6455 §5), and what is said in them.
fn frames(script: &mut Script<'_>) -> (Vec<u8>, Vec<Said>) {
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    // Bytes of a message whose end has not come.
    let mut message: Option<usize> = None;
    for _ in 0..64 {
        if script.is_over() {
            break;
        }
        let choice = script.below(6);
        let payload = match choice {
            0..=2 => script.payload(),
            _ => script.short_bytes().iter().copied().take(125).collect(),
        };
        match choice {
            0..=2 => {
                let is_final = choice != 1;
                let opcode = if message.is_some() { 0 } else { 1 + (choice & 1) as u8 };
                frame(&mut bytes, script, is_final, opcode, &payload);
                let len = message.unwrap_or(0) + payload.len();
                if len > 4096 {
                    expected.push(Said::Violation(1009));
                    break;
                }
                message = (!is_final).then_some(len);
            }
            3 => {
                frame(&mut bytes, script, true, 9, &payload);
                expected.push(Said::Ping(payload.into()));
            }
            4 => frame(&mut bytes, script, true, 10, &payload),
            _ => {
                let code = 3000 + u16::from(script.byte());
                let reason = String::from_utf8_lossy(&payload);
                let reason: String = reason.chars().take(30).collect();
                let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
                frame(&mut bytes, script, true, 8, &payload);
                expected.push(Said::Close(Some(code)));
                break;
            }
        }
    }
    (bytes, expected)
}

/// Writes a frame, its length in any of the forms that hold it.
fn frame(bytes: &mut Vec<u8>, script: &mut Script<'_>, is_final: bool, opcode: u8, payload: &[u8]) {
    bytes.push(u8::from(is_final) << 7 | opcode);
    let is_control = opcode >= 8;
    let form = if is_control { 0 } else { script.below(3) };
    match form {
        2 => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
        1 => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
        _ if payload.len() > 125 => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
        _ => bytes.push(0x80 | payload.len() as u8),
    }
    let mask = [script.byte(), script.byte(), script.byte(), script.byte()];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.into_iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

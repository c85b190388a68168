//! Signatures, by which a hook server knows that it is us.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{config::Secret, hex::hex};

/// `sha256=` and the HMAC-SHA256 of `timestamp`, a dot and `body`, in hexadecimal digits.
pub(super) fn signature(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    // Keys of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        return String::new();
    };
    for part in [timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_openssl() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let made = signature(&Secret::new("secret"), "1700000000", br#"{"a":1}"#);
        assert_eq!(made, format!("sha256={OPENSSL}"));
        assert_ne!(made, signature(&Secret::new("secret"), "1700000001", br#"{"a":1}"#));
        assert_ne!(made, signature(&Secret::new("Secret"), "1700000000", br#"{"a":1}"#));
    }

    const OPENSSL: &str = "49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
}

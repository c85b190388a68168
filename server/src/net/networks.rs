//! Networks as operators write them: `10.0.0.0/8`, `2001:db8::/32`, or one address.

use std::{fmt, net::IpAddr, str::FromStr};

/// The addresses whose first `bits` bits are those of `base`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether `address` is one of them. An IPv4 address that comes in IPv6's clothes (`::ffff:10.0.0.1`, as sockets
    /// that take both have it) is an IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                mask(u128::from(address.to_bits()), 32, self.bits) == u128::from(base.to_bits())
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                mask(address.to_bits(), 128, self.bits) == base.to_bits()
            }
            _ => false,
        }
    }
}

/// `number`, which has `width` bits, with all but the first `bits` zero.
fn mask(number: u128, width: u32, bits: u32) -> u128 {
    let away = width.saturating_sub(bits);
    number.checked_shr(away).and_then(|kept| kept.checked_shl(away)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Network, String> {
        let wrong = || {
            format!(
                "{text:?} is not a network: write an address or a network, such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
            )
        };
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| wrong())?;
        let written_width = width(written);
        let bits = match bits {
            // A sign is none of a network's, and parse() takes one.
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= written_width).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
            None => written_width,
        };
        // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
        let base = written.to_canonical();
        let bits = match written_width - width(base) {
            0 => bits,
            in_front => bits.checked_sub(in_front).ok_or_else(wrong)?,
        };
        let masked = match base {
            IpAddr::V4(base) => {
                let first = mask(u128::from(base.to_bits()), 32, bits);
                // Nothing above 32 bits is left of an IPv4 address.
                IpAddr::V4(u32::try_from(first).map_err(|_| wrong())?.into())
            }
            IpAddr::V6(base) => IpAddr::V6(mask(base.to_bits(), 128, bits).into()),
        };
        if masked != base {
            return Err(format!(
                "{text:?} says more than {bits} bits: write {} for the network, or {base} for the one address",
                Network { base: masked, bits }
            ));
        }
        Ok(Network { base, bits })
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.base) {
            self.base.fmt(f)
        } else {
            write!(f, "{}/{}", self.base, self.bits)
        }
    }
}

/// A list of networks, often empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

impl Networks {
    /// Parses networks with commas between them; no text is no network.
    ///
    /// # Errors
    /// In words, with what is not a network.
    pub fn parse(text: &str) -> Result<Networks, String> {
        if text.is_empty() {
            return Ok(Networks::default());
        }
        text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Networks)
    }

    /// Whether `address` is in one of them.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.7/32", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.0/31", "192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
            ("::1", "::1", "127.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"),
        ] {
            let network = network(text);
            assert!(network.contains(inside.parse().unwrap()), "{text} has {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{text} has not {outside}");
        }
    }

    #[test]
    fn what_is_no_network_is_said_to_be_none() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10/8",
            "::/129",
            "example.org",
            "10.0.0.0/8/8",
            " 10.0.0.1",
            "::ffff:0:0/95",
            "10.0.0.0/99999999999",
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains("is not a network"), "{text}: {error}");
        }
        let error = "10.0.0.1/8".parse::<Network>().unwrap_err();
        assert!(error.contains("10.0.0.0/8") && error.contains("10.0.0.1 for"), "{error}");
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for text in ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "0.0.0.0/0"] {
            assert_eq!(network(text).to_string(), text);
        }
    }

    #[test]
    fn a_list_has_commas() {
        let list = Networks::parse("10.0.0.0/8, ::1").unwrap();
        assert!(list.contain("10.1.1.1".parse().unwrap()));
        assert!(list.contain("::1".parse().unwrap()));
        assert!(!list.contain("192.0.2.1".parse().unwrap()));
        let none = Networks::parse("").unwrap();
        assert!(none.is_empty() && !none.contain("::1".parse().unwrap()));
        assert!(Networks::parse("10.0.0.0/8,").is_err());
    }
}

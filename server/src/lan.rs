//! The addresses at which another device, such as a phone, can reach this machine.

use std::net::{IpAddr, Ipv4Addr};

use if_addrs::{IfOperStatus, Interface};

/// Addresses of this machine that another device may reach through a listener bound to `bound`, the most likely first.
///
/// A listener on every address (`0.0.0.0`, `::`) is reached at the addresses of the network interfaces: private IPv4
/// first, then other IPv4; IPv6 only where there is no IPv4. Loopback, link-local and what containers and virtual
/// machines make is left out. A listener on one address is reached there, and on loopback not at all.
pub fn addresses(bound: IpAddr) -> Vec<IpAddr> {
    if !bound.is_unspecified() {
        return if bound.is_loopback() { Vec::new() } else { vec![bound] };
    }
    // Without the list the banner still shows loopback: not worth failing for.
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    reachable(&interfaces, bound.is_ipv6())
}

fn reachable(interfaces: &[Interface], ipv6_too: bool) -> Vec<IpAddr> {
    let mut candidates: Vec<&Interface> =
        interfaces.iter().filter(|interface| is_usable(interface)).collect();
    candidates.sort_by_key(|interface| rank(interface));
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) =
        candidates.into_iter().map(Interface::ip).partition(IpAddr::is_ipv4);
    let mut found = if v4.is_empty() && ipv6_too { v6 } else { v4 };
    found.dedup();
    found
}

fn is_usable(interface: &Interface) -> bool {
    !interface.is_loopback()
        && !interface.is_link_local()
        && !interface.ip().is_unspecified()
        && !matches!(
            interface.oper_status,
            IfOperStatus::Down | IfOperStatus::NotPresent | IfOperStatus::LowerLayerDown
        )
        && !is_virtual(&interface.name)
}

/// Interfaces of containers, virtual machines and their bridges: a phone on the same Wi-Fi does not reach them.
fn is_virtual(name: &str) -> bool {
    // A home router's own bridge is `br0` or `br-lan`; docker's are `br-` and twelve hexadecimal digits.
    let docker_bridge = name
        .strip_prefix("br-")
        .is_some_and(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    docker_bridge || VIRTUAL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Smaller is shown earlier.
fn rank(interface: &Interface) -> u8 {
    match interface.ip() {
        // A tunnel (VPN) may well have a private address, and the phone is not in it.
        IpAddr::V4(ip) if ip.is_private() && !interface.is_p2p => rank_private(ip),
        IpAddr::V4(_) => 3,
        IpAddr::V6(_) => 4,
    }
}

/// Home networks are mostly 192.168/16; 172.16/12 is where container engines place theirs.
fn rank_private(ip: Ipv4Addr) -> u8 {
    match ip.octets() {
        [192, 168, ..] => 0,
        [10, ..] => 1,
        _ => 2,
    }
}

const VIRTUAL_PREFIXES: &[&str] = &[
    "docker",
    "podman",
    "cni",
    "flannel",
    "cali",
    "veth",
    "virbr",
    "vmnet",
    "vboxnet",
    "lxc",
    "lxdbr",
    "incusbr",
    "vnet",
    "vEthernet",
    "awdl",
    "llw",
    "utun",
    "anpi",
];

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use if_addrs::{IfAddr, Ifv4Addr, Ifv6Addr};

    use super::*;

    #[test]
    fn the_home_network_comes_first_and_containers_do_not_come() {
        let interfaces = [
            v4("lo", [127, 0, 0, 1]),
            v4("docker0", [172, 17, 0, 1]),
            v4("br-0123456789ab", [172, 18, 0, 1]),
            v4("ens4", [203, 0, 113, 7]),
            v4("eth1", [10, 1, 2, 3]),
            v4("eth2", [169, 254, 3, 4]),
            v4("wlan0", [192, 168, 1, 5]),
            v6("wlan0", "2001:db8::5"),
        ];
        let found = reachable(&interfaces, true);
        let expected: Vec<IpAddr> =
            ["192.168.1.5", "10.1.2.3", "203.0.113.7"].map(|ip| ip.parse().unwrap()).to_vec();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_bridge_of_the_house_is_no_container() {
        assert!(!is_virtual("br-lan"));
        assert!(!is_virtual("br0"));
        assert!(is_virtual("br-0123456789ab"));
        assert!(is_virtual("veth12ab"));
    }

    #[test]
    fn ipv6_only_where_there_is_nothing_else_and_the_listener_takes_it() {
        let interfaces = [v6("eth0", "fe80::1"), v6("eth0", "2001:db8::5")];
        assert_eq!(reachable(&interfaces, true), ["2001:db8::5".parse::<IpAddr>().unwrap()]);
        assert!(reachable(&interfaces, false).is_empty());
    }

    #[test]
    fn an_interface_that_is_down_is_left_out() {
        let mut interface = v4("wlan0", [192, 168, 1, 5]);
        interface.oper_status = IfOperStatus::Down;
        assert!(reachable(&[interface], true).is_empty());
    }

    #[test]
    fn a_listener_on_one_address_is_reached_there_only() {
        assert!(addresses("127.0.0.1".parse().unwrap()).is_empty());
        let one: IpAddr = "192.168.7.7".parse().unwrap();
        assert_eq!(addresses(one), [one]);
    }

    fn v4(name: &str, ip: [u8; 4]) -> Interface {
        let addr = IfAddr::V4(Ifv4Addr {
            ip: ip.into(),
            netmask: Ipv4Addr::new(255, 255, 255, 0),
            prefixlen: 24,
            broadcast: None,
        });
        interface(name, addr)
    }

    fn v6(name: &str, ip: &str) -> Interface {
        let ip: Ipv6Addr = ip.parse().unwrap();
        interface(
            name,
            IfAddr::V6(Ifv6Addr {
                ip,
                netmask: Ipv6Addr::UNSPECIFIED,
                prefixlen: 64,
                broadcast: None,
            }),
        )
    }

    fn interface(name: &str, addr: IfAddr) -> Interface {
        Interface {
            name: name.to_owned(),
            addr,
            index: None,
            oper_status: IfOperStatus::Up,
            is_p2p: false,
        }
    }
}

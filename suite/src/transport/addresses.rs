use std::{io, net::IpAddr};

/// This machine's own addresses that are neither loopback nor link-local: where a server answers
/// that listens beyond loopback.
pub fn own_addresses() -> io::Result<Vec<IpAddr>> {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .iter()
        .map(if_addrs::Interface::ip)
        .filter(is_reached_from_outside)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

fn is_reached_from_outside(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !address.is_loopback() && !address.is_unspecified() && !link_local
}

#[cfg(test)]
mod tests {
    use super::{is_reached_from_outside, own_addresses};

    #[test]
    fn loopback_and_link_local_addresses_are_left_out() {
        let outside = |address: &str| is_reached_from_outside(&address.parse().unwrap());
        for address in [
            "127.0.0.1",
            "127.8.0.1",
            "::1",
            "169.254.1.1",
            "fe80::1",
            "0.0.0.0",
        ] {
            assert!(!outside(address), "{address}");
        }
        for address in [
            "10.0.0.7",
            "192.168.1.2",
            "8.8.8.8",
            "fd00::1",
            "2001:db8::1",
        ] {
            assert!(outside(address), "{address}");
        }
    }

    #[test]
    fn own_addresses_can_be_bound_and_come_once() {
        let addresses = own_addresses().unwrap();
        for (at, address) in addresses.iter().enumerate() {
            assert!(!addresses[..at].contains(address));
            std::net::TcpListener::bind((*address, 0)).unwrap();
        }
    }
}

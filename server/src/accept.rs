//! Who is let in: connections in all and of one address, and what to do when there are no more descriptors.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::sleep;
use tracing::{debug, warn};

use crate::limits::{Hits, Limit};

/// Places for connections, shared by every listener of a protocol; or for what else each address has its share of.
#[derive(Clone, Debug, Default)]
pub struct Places {
    taken: Arc<Mutex<Taken>>,
}

/// How many places there are. It is said whenever one is taken, as it may change: whoever has a place keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Connections at a time.
    pub all: usize,
    /// Connections of one address at a time; 0 for as many as there are.
    pub of_one: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    /// Of how many in all: none, for who comes on a connection that has its place.
    all: usize,
    /// Among whose places; nobody's, for a proxy.
    address: Option<IpAddr>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// There are as many connections as there may be.
    All,
    /// This address has as many as one may have.
    Address,
}

impl Places {
    /// A place for a connection from `address`.
    ///
    /// # Errors
    /// [`Full`]
    pub fn take(&self, address: IpAddr, most: Most) -> Result<Place, Full> {
        self.place(1, Some(address), most)
    }

    /// A place for the connection of a proxy, which has those of many addresses.
    ///
    /// # Errors
    /// [`Full::All`]
    pub fn take_for_proxy(&self, most: Most) -> Result<Place, Full> {
        self.place(1, None, most)
    }

    /// A place among those of `address` for who comes over a proxy, whose connection has its own.
    ///
    /// # Errors
    /// [`Full::Address`]
    pub fn take_behind_proxy(&self, address: IpAddr, most: Most) -> Result<Place, Full> {
        self.place(0, Some(address), most)
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.lock().all
    }

    fn place(&self, all: usize, address: Option<IpAddr>, most: Most) -> Result<Place, Full> {
        let address = address.map(household);
        let mut taken = self.lock();
        if taken.all + all > most.all {
            return Err(Full::All);
        }
        if let Some(address) = address {
            let count = taken.by_address.entry(address).or_default();
            if most.of_one > 0 && *count >= most.of_one {
                return Err(Full::Address);
            }
            *count += 1;
        }
        taken.all += all;
        Ok(Place { places: self.clone(), all, address })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= self.all;
        let Some(address) = self.address else { return };
        if let Some(count) = taken.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}

/// What one customer of a network has: an IPv4 address, or the first half of an IPv6 address.
pub fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            Ipv6Addr::from(network).into()
        }
    }
}

/// Accepting fails for the connection (go on at once) or for want of descriptors (which need time to come free; trying
/// again at once would take a core, and say so in the log as fast as it goes).
pub async fn pause_after(error: &io::Error, hits: &Hits) {
    match error.kind() {
        io::ErrorKind::ConnectionAborted
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionRefused => debug!(%error, "a connection was gone at once"),
        _ => {
            hits.hit(Limit::OpenFiles);
            warn!(%error, "cannot accept a connection; trying again in {PAUSE:?}");
            sleep(PAUSE).await;
        }
    }
}

const PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn accepting_pauses_when_descriptors_run_out_and_not_for_a_lost_peer() {
        let hits = Hits::default();
        let paused = async |error: io::Error| {
            let begin = tokio::time::Instant::now();
            pause_after(&error, &hits).await;
            begin.elapsed()
        };
        // EMFILE
        assert!(paused(io::Error::from_raw_os_error(24)).await >= PAUSE);
        assert_eq!(hits.of(Limit::OpenFiles), 1);
        assert_eq!(paused(io::ErrorKind::ConnectionAborted.into()).await, Duration::ZERO);
        assert_eq!(hits.of(Limit::OpenFiles), 1);
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_come_free_again() {
        let (places, most) = (Places::default(), Most { all: 2, of_one: 0 });
        let first = places.take(address("192.0.2.1"), most).unwrap();
        let _second = places.take(address("192.0.2.1"), most).unwrap();
        assert_eq!(places.take(address("192.0.2.2"), most).unwrap_err(), Full::All);
        drop(first);
        let third = places.take(address("192.0.2.2"), most).unwrap();
        drop((third, _second));
        assert!(places.lock().by_address.is_empty(), "no address is remembered");
    }

    #[test]
    fn a_proxy_has_the_places_of_those_behind_it() {
        let (places, most) = (Places::default(), Most { all: 3, of_one: 1 });
        let _proxy = [places.take_for_proxy(most).unwrap(), places.take_for_proxy(most).unwrap()];
        let behind = places.take_behind_proxy(address("192.0.2.1"), most).unwrap();
        let again = places.take_behind_proxy(address("192.0.2.1"), most);
        assert_eq!(again.unwrap_err(), Full::Address);
        assert_eq!(places.take(address("192.0.2.1"), most).unwrap_err(), Full::Address);
        drop(behind);
        let _third = places.take(address("192.0.2.1"), most).unwrap();
        assert_eq!(places.take_for_proxy(most).unwrap_err(), Full::All);
        let _other = places.take_behind_proxy(address("192.0.2.2"), most).unwrap();
    }

    #[test]
    fn one_address_gets_no_more_than_its_share() {
        let (places, most) = (Places::default(), Most { all: 10, of_one: 1 });
        for (first, same, other) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ] {
            let _first = places.take(address(first), most).unwrap();
            assert_eq!(places.take(address(same), most).unwrap_err(), Full::Address, "{same}");
            let _other = places.take(address(other), most).unwrap();
        }
    }
}

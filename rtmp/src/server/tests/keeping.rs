//! Acknowledgements, pings and limits of time.

use super::*;

#[test]
fn every_window_is_acknowledged_with_the_bytes_so_far() {
    let mut peer = Peer::publishing();
    peer.send(5, 0, &100_000u32.to_be_bytes());
    let mut acknowledged = vec![];
    for _ in 0..240 {
        peer.send(9, 1, &[0; 10_000]);
        peer.media();
        for said in peer.said() {
            let Said::Control(Control::Acknowledgement(bytes)) = said else { panic!("{said:?}") };
            assert_eq!(u64::from(bytes), peer.server.received);
            acknowledged.push(bytes);
        }
    }
    assert!(acknowledged.len() >= 24, "{acknowledged:?}");
    assert!(acknowledged.windows(2).all(|pair| pair[1] - pair[0] <= 100_000));
}

#[test]
fn acknowledgements_wrap_and_a_window_of_0_is_the_default() {
    let mut peer = Peer::publishing();
    peer.send(5, 0, &[0; 4]);
    peer.send(9, 1, &[0; 10_000]);
    assert_eq!(peer.said(), []);
    peer.server.received = u64::from(u32::MAX) - 5;
    peer.send(9, 1, b"x");
    let [Said::Control(Control::Acknowledgement(bytes))] = peer.said()[..] else { panic!() };
    assert_eq!(u64::from(bytes), peer.server.received - (1 << 32));
    // The smallest window must not flood.
    peer.send(5, 0, &[0, 0, 0, 1]);
    assert_eq!(peer.said().len(), 1);
}

#[test]
fn pings_are_answered() {
    let mut peer = Peer::connected();
    peer.send(4, 0, &[0, 6, 1, 2, 3, 4]);
    assert_eq!(peer.said(), [Said::Control(Control::PingResponse(0x0102_0304))]);
}

#[test]
fn a_silent_publisher_is_pinged_and_then_given_up() {
    let mut peer = Peer::publishing();
    peer.send(9, 1, b"picture");
    peer.media();
    let config = ServerConfig::default();
    let mut pings = 0;
    loop {
        let now = peer.server.timeout().unwrap();
        assert!(now > peer.server.clock.now);
        match peer.server.on_timeout(now) {
            Ok(()) => {
                let millis = u32::try_from((now - START).as_millis()).unwrap();
                assert_eq!(peer.said(), [Said::Control(Control::PingRequest(millis))]);
                pings += 1;
            }
            Err(error) => {
                assert_eq!(error, Error::IdleTimeout { limit: config.idle_timeout });
                assert_eq!(now, START + config.idle_timeout);
                break;
            }
        }
    }
    assert_eq!(pings, 5);
}

#[test]
fn any_byte_keeps_a_publisher_alive() {
    let mut peer = Peer::publishing();
    for minute in 1..100 {
        let now = START + Duration::from_secs(20 * minute);
        peer.server.on_timeout(now).unwrap();
        peer.server.clock.now = now;
        peer.send(4, 0, &[0, 7, 0, 0, 0, 0]);
        peer.send(8, 1, b"sound");
    }
}

#[test]
fn a_handshake_that_trickles_is_given_up() {
    let mut server = server();
    for second in 0..10 {
        let now = START + Duration::from_secs(second);
        server.receive(&[3], now).unwrap();
        server.on_timeout(now).unwrap();
    }
    assert_eq!(server.timeout(), Some(START + Duration::from_secs(10)));
    let error = server.on_timeout(START + Duration::from_secs(10)).unwrap_err();
    assert_eq!(error, Error::HandshakeTimeout { limit: Duration::from_secs(10) });
}

#[test]
fn a_connection_without_a_purpose_is_given_up() {
    for mut peer in [Peer::new(), Peer::connected()] {
        let mut failed = None;
        for second in 0..40 {
            let now = START + Duration::from_secs(second);
            peer.server.clock.now = now;
            failed = peer.server.on_timeout(now).err().map(|error| (second, error));
            if failed.is_some() {
                break;
            }
            peer.send(4, 0, &[0, 7, 0, 0, 0, 0]);
        }
        assert_eq!(failed, Some((30, Error::SetupTimeout { limit: Duration::from_secs(30) })));
    }
}

//! Sockets under TLS, against a client that is rustls's own.

use std::{
    future::poll_fn,
    io::{Read, Write},
    net::TcpStream as Std,
    sync::Arc,
    task::Poll,
    thread,
};

use bytes::BytesMut;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{PrivateKeyDer, ServerName},
};
use tokio::net::TcpListener;

use super::*;

type Client = StreamOwned<ClientConnection, Std>;

/// The server's end and the client's, shaken hands.
async fn pair(limits: &Limits) -> (Socket, Client) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = vec![made.cert.der().clone()];
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut roots = RootCertStore::empty();
    roots.add(chain[0].clone()).unwrap();
    let provider = Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let far = thread::spawn(move || {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut stream = StreamOwned::new(connection, Std::connect(address).unwrap());
        stream.write_all(b"hello").unwrap();
        stream
    });
    let near = listener.accept().await.unwrap().0;
    tune(&near, limits);
    let mut connection = ServerConnection::new(Arc::new(server)).unwrap();
    while connection.is_handshaking() || connection.wants_write() {
        if connection.wants_write() {
            near.writable().await.unwrap();
            let _ = connection.write_tls(&mut cipher::Wire(&near));
            continue;
        }
        near.readable().await.unwrap();
        if connection.read_tls(&mut cipher::Wire(&near)).is_ok() {
            connection.process_new_packets().unwrap();
        }
    }
    (Socket::secured(near, connection).unwrap(), far.join().unwrap())
}

fn tight(stall: Duration) -> Limits {
    Limits { send_buffer: 16 << 10, unsent: 16 << 10, stall, ..Limits::default() }
}

/// What the peer says next; nothing at its end.
async fn read(socket: &Socket, room: usize) -> io::Result<Vec<u8>> {
    let mut buffer = BytesMut::with_capacity(room);
    loop {
        poll_fn(|context| socket.poll_read_ready(context)).await?;
        match socket.try_read_buf(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => return outcome.map(|_| buffer.to_vec()),
        }
    }
}

#[tokio::test]
async fn everything_arrives_in_order_and_the_end_is_told() {
    let limits = tight(Duration::from_secs(20));
    let (near, mut far) = pair(&limits).await;
    let mut outbox = Outbox::new(&limits);
    let mut expected = Vec::new();
    for index in 0..100_usize {
        let part: Vec<u8> = (0..index * index * 20).map(|at| (at * 31 + index) as u8).collect();
        expected.extend_from_slice(&part);
        outbox.push(part.into());
    }
    let reader = thread::spawn(move || {
        let mut arrived = Vec::new();
        // An end without a goodbye is an error here.
        far.read_to_end(&mut arrived).unwrap();
        arrived
    });
    poll_fn(|context| outbox.poll_send(context, &near)).await.unwrap();
    assert!(outbox.is_empty() && near.is_flushed());
    drop(near);
    let arrived = reader.join().unwrap();
    assert!(arrived == expected, "{} of {} bytes", arrived.len(), expected.len());
}

#[tokio::test]
async fn what_the_peer_says_is_read_in_any_sizes_to_its_end() {
    let (near, mut far) = pair(&Limits::default()).await;
    let writer = thread::spawn(move || {
        far.write_all(&[7; 40_000]).unwrap();
        far.conn.send_close_notify();
        far.flush().unwrap();
        far
    });
    let mut heard = Vec::new();
    loop {
        let piece = read(&near, 1 + heard.len() % 700).await.unwrap();
        if piece.is_empty() {
            break;
        }
        heard.extend(piece);
    }
    assert_eq!(heard[..5], *b"hello");
    assert_eq!(heard[5..], [7; 40_000]);
    assert!(read(&near, 10).await.unwrap().is_empty(), "it stays the end");

    // It may still be spoken to.
    near.try_write(b"bye").unwrap();
    near.end().unwrap();
    let mut answer = String::new();
    writer.join().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "bye");
}

#[tokio::test]
async fn a_peer_that_goes_without_a_goodbye_has_ended_too() {
    let (near, far) = pair(&Limits::default()).await;
    assert_eq!(read(&near, 10).await.unwrap(), b"hello");
    far.sock.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(read(&near, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_tls_is_an_error() {
    let (near, mut far) = pair(&Limits::default()).await;
    assert_eq!(read(&near, 10).await.unwrap(), b"hello");
    far.sock.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(read(&near, 10).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_peer_that_takes_nothing_times_out_and_holds_next_to_nothing() {
    let limits = tight(Duration::from_millis(100));
    let (near, _far) = pair(&limits).await;
    let mut outbox = Outbox::new(&limits);
    let total = 16 << 20;
    outbox.push(vec![0; total].into());
    let outcome = poll_fn(|context| outbox.poll_send(context, &near)).await;
    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert!((1..total).contains(&outbox.len()), "{}", outbox.len());
    assert!(!near.is_flushed());
}

#[tokio::test]
async fn nothing_more_is_asked_for_while_some_is_held_back() {
    let limits = tight(Duration::from_secs(20));
    let (near, _far) = pair(&limits).await;
    let mut outbox = Outbox::new(&limits);
    let mut asked = 0;
    let halt = poll_fn(|context| {
        // In pieces that the cipher takes whole: the outbox is empty while it holds them.
        let halt = outbox.pump(context, &near, |outbox, _| {
            asked += 1;
            outbox.push(vec![0; OUTBOX_MAX].into());
            Poll::Ready(Step::<()>::More)
        });
        match halt {
            Ok(Halt::Full) => Poll::Ready(halt),
            _ => Poll::Pending,
        }
    });
    assert!(matches!(halt.await, Ok(Halt::Full)));
    let before = asked;
    let again = poll_fn(|context| {
        Poll::Ready(outbox.pump(context, &near, |_, _| -> Poll<Step<()>> {
            panic!("there is no room");
        }))
    });
    assert!(matches!(again.await, Ok(Halt::Full)));
    assert!(before < 400, "{before} times 64 KiB are more than any two ends hold");
}

//! Heads of HTTP requests: the same in any pieces, and within what may be kept.

use pushpull::http::inlet::{Arrival, Inlet, Payload};

use super::Script;

/// Reads `input` as a limit, a way to cut, and what a peer says.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let limit = [64, 1024, 16 << 10][script.below(3)];
    let seed = script.byte();
    let said = script.rest();
    // Whether what is no head is noticed at once or at its end is left open: it comes to an end.
    let pieces = |seed| [super::script::cut(said, seed), vec![b"\r\n\r\n"]].concat();
    assert_eq!(read(&pieces(seed), limit), read(&pieces(0), limit), "in pieces by {seed}");
}

/// What is made of what comes in `pieces`: a line for each head, and how it ends.
fn read(pieces: &[&[u8]], limit: usize) -> Vec<String> {
    let mut inlet = Inlet::new(limit);
    let mut found = Vec::new();
    for piece in pieces {
        let mut piece = *piece;
        // A socket is read for as long as there is room.
        while !piece.is_empty() {
            let room = limit.saturating_sub(inlet.bytes().len()).max(1);
            let (now, later) = piece.split_at(room.min(piece.len()));
            inlet.push(now);
            piece = later;
            while let Some(arrival) = inlet.arrival() {
                match arrival {
                    Arrival::Head(head) => {
                        assert!(head.len <= inlet.bytes().len() && head.len > 0);
                        let again = inlet.arrival().expect("it stays until it is used");
                        assert!(matches!(again, Arrival::Head(again) if again.len == head.len));
                        found.push(describe(&head));
                        inlet.consume(head.len);
                        if !passes(&head) {
                            return found;
                        }
                    }
                    Arrival::Strange => {
                        found.push("strange".to_owned());
                        return found;
                    }
                    Arrival::End => panic!("there is an end only to a connection"),
                }
            }
        }
    }
    found.push(format!("{} bytes wait", inlet.bytes().len()));
    found
}

fn describe(head: &pushpull::http::inlet::Head) -> String {
    let request = &head.request;
    assert!(request.headers().len() <= pushpull::http::inlet::FIELDS_MAX);
    format!("{} {:?} {} {}", head.len, request, head.keeps_open(), payload(head))
}

fn payload(head: &pushpull::http::inlet::Head) -> String {
    let fields = head.request.headers();
    let payload = head.payload();
    // Who could be misled about where a request ends gets no second one.
    if fields.contains_key("transfer-encoding")
        || fields.get_all("content-length").iter().count() > 1
    {
        assert_eq!(payload, Payload::Unknown);
    }
    format!("{payload:?}")
}

/// Whether another request may follow at once.
fn passes(head: &pushpull::http::inlet::Head) -> bool {
    head.payload() == Payload::Length(0)
}

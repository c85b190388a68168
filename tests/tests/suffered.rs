//! What servers of this kind have been seen to suffer from, each as a test: here those that stand in no other file.

use pushpull_tests::{
    Scene,
    rtmp::{self, COMMAND, Peer, VIDEO},
    stage,
};

/// Memory follows what was received: a message of six bytes must not cost a hundred times as much.
#[test]
fn half_a_million_tiny_messages_in_one_gop() {
    stage(async |stage| {
        let mut scene = Scene::open(stage, &[]).await?;
        let mut peer = Peer::publishing(scene.server.rtmp, "tiny").await?;
        peer.send(&rtmp::message(6, 0, VIDEO, 1, &AVC_HEADER)).await?;
        peer.send(&rtmp::message(6, 0, VIDEO, 1, &[0x17, 1, 0, 0, 0, 1])).await?;
        peer.send(&rtmp::message(6, 0, VIDEO, 1, &[0x27, 1, 0, 0, 0, 1])).await?;
        // Fmt 3: the same head again, and the same time.
        let many = [0xC6, 0x27, 1, 0, 0, 0, 1].repeat(10_000);
        for _ in 0..50 {
            peer.send(&many).await?;
        }
        // Answered once all of it was read.
        peer.send(&rtmp::message(3, 0, COMMAND, 0, &ping())).await?;
        peer.answered(b"_result").await?;
        scene.is_unharmed(64 << 20).await
    });
}

/// A command that has an answer and does nothing.
fn ping() -> Vec<u8> {
    [rtmp::string("_checkbw"), rtmp::number(9.0), rtmp::null()].concat()
}

/// An AVC configuration record with a sequence parameter set of 64 × 64 pictures.
const AVC_HEADER: [u8; 30] = [
    0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x0A, 0xFF, 0xE1, 0, 9, 0x67, 0x42, 0xC0, 0x0A, 0xD9, 0x01,
    0x0E, 0x88, 0xC8, 1, 0, 4, 0x68, 0xCE, 0x3C, 0x80, 0,
];

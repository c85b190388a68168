//! Publishers that are lost and come back, that want a name somebody has, that go silent, that are thrown out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pushpull_tests::{
    Server, http,
    phone::{Phone, headers, picture, watched},
    rtmp::{self, Peer},
    server::PATIENCE,
    stage, until,
};

#[test]
fn a_phone_that_comes_back_three_times_in_ten_seconds_gets_its_name_back() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let (first, mut witnesses) = watched(&server, "phone?key=1").await?;
        // Half-open, as a lost Wi-Fi leaves it: no goodbye, no end of the connection, only silence. The last one is
        // cut in the middle of a message.
        let mut gone = vec![first];
        for word in ["second", "third", "fourth"] {
            let mut phone = Phone::start(&server, "phone?key=1", word)
                .await
                .with_context(|| format!("the {word} connection is let in"))?;
            let seeing = async {
                for witness in &mut witnesses {
                    witness.sees(word).await?;
                }
                Ok(())
            };
            phone.shooting(seeing).await?;
            phone.peer.send(&picture(word, phone.time + 40)[..30]).await?;
            gone.push(phone);
        }
        Ok(())
    });
}

#[test]
fn a_connection_that_ends_makes_room_at_once_for_whoever_comes_from_elsewhere() {
    stage(async |stage| {
        // Nothing but the end of the connection frees the name in time.
        let server = Server::start(stage, &["--takeover-idle", "1h"]).await?;
        let (mut phone, mut witnesses) = watched(&server, "phone?key=1").await?;
        for word in ["second", "third", "fourth"] {
            // A newcomer asks while the connection still looks alive.
            let newcomer = Phone::start(&server, "phone?other=2", word);
            let ends = async {
                phone.shoot().await?;
                drop(phone);
                Ok(())
            };
            (phone, ()) = tokio::try_join!(newcomer, ends)?;
            let seeing = async {
                for witness in &mut witnesses {
                    witness.sees(word).await?;
                }
                Ok(())
            };
            phone.shooting(seeing).await?;
        }
        Ok(())
    });
}

#[test]
fn a_stranger_cannot_take_a_stream_that_is_alive() {
    stage(async |stage| {
        let server = Server::start(stage, &[]).await?;
        let (mut phone, mut witnesses) = watched(&server, "phone?key=1").await?;
        let strangers = async {
            // One with another link, one that knows the whole link; with more media behind it than the server holds.
            for key in ["phone", "phone?key=1"] {
                let mut stranger = Peer::connected(server.rtmp).await?;
                let pictures = picture(&"stranger".repeat(4000), 0);
                let said = async {
                    stranger.throw(&[rtmp::publish(key), headers()].concat()).await;
                    for _ in 0..100 {
                        stranger.throw(&pictures).await;
                    }
                    stranger.hung_up().await
                };
                let said = String::from_utf8_lossy(&said.await?).into_owned();
                ensure!(
                    said.contains("NetStream.Publish.BadName"),
                    "{key}: it is told why: {said:?}"
                );
                ensure!(!said.contains("NetStream.Publish.Start"), "{key}: {said:?}");
            }
            Ok(())
        };
        phone.shooting(strangers).await?;
        phone.word = "still there".to_owned();
        let seeing = async {
            for witness in &mut witnesses {
                witness.sees("still there").await?;
                let seen = witness.words();
                ensure!(!seen.iter().any(|word| word.contains("stranger")), "{seen:?}");
            }
            Ok(())
        };
        phone.shooting(seeing).await
    });
}

#[test]
fn media_behind_a_publish_that_waits_is_kept() {
    stage(async |stage| {
        let server = Server::start(stage, &["--takeover-idle", "2s"]).await?;
        let (_silent, mut witnesses) = watched(&server, "phone").await?;
        let mut phone = Peer::connected(server.rtmp).await?;
        let all = [rtmp::publish("phone?other"), headers(), picture("at once", 0)].concat();
        phone.send(&all).await?;
        phone.answered(b"NetStream.Publish.Start").await?;
        for witness in &mut witnesses {
            witness.sees("at once").await?;
        }
        Ok(())
    });
}

#[test]
fn of_two_that_wait_the_newer_gets_the_name() {
    stage(async |stage| {
        let server = Server::start(stage, &["--takeover-idle", "3s"]).await?;
        let (_silent, _witnesses) = watched(&server, "phone").await?;
        let mut older = Peer::connected(server.rtmp).await?;
        let mut newer = Peer::connected(server.rtmp).await?;
        older.send(&rtmp::publish("phone?older")).await?;
        older.answered(b"_result").await?;
        newer.send(&rtmp::publish("phone?newer")).await?;
        let said = older.hung_up().await?;
        ensure!(String::from_utf8_lossy(&said).contains("NetStream.Publish.BadName"));
        newer.answered(b"NetStream.Publish.Start").await
    });
}

#[test]
fn one_that_gives_up_waiting_is_in_nobodys_way() {
    stage(async |stage| {
        let server = Server::start(stage, &["--takeover-idle", "2s"]).await?;
        let (_silent, _witnesses) = watched(&server, "phone").await?;
        let mut gone = Peer::connected(server.rtmp).await?;
        gone.send(&rtmp::publish("phone?gone")).await?;
        gone.answered(b"_result").await?;
        drop(gone);
        Phone::start(&server, "phone?newer", "second").await?;
        Ok(())
    });
}

#[test]
fn a_dead_publisher_is_found_by_its_silence() {
    stage(async |stage| {
        let server = Server::start(
            stage,
            &["--rtmp-ping-after", "200ms", "--rtmp-idle-timeout", "1s", "--grace", "1s"],
        )
        .await?;
        let (mut phone, mut witnesses) = watched(&server, "phone").await?;
        // Its connection stays open; nobody answers the ping.
        phone.peer.hung_up().await?;
        until("its stream waits for it", PATIENCE, async || {
            let stream = server.stream("live/phone").await?;
            Ok(stream.is_none_or(|stream| stream["state"] == "waiting").then_some(()))
        })
        .await?;
        for witness in &mut witnesses {
            witness.ends().await?;
        }
        counted(&server, "rtmp_idle_timeout").await
    });
}

#[test]
fn a_publisher_that_sends_nothing_is_let_go_and_its_name_is_free() {
    stage(async |stage| {
        let server = Server::start(stage, &["--first-media", "1s", "--takeover", "reject"]).await?;
        let mut silent = Peer::publishing(server.rtmp, "phone").await?;
        let said = silent.hung_up().await?;
        ensure!(String::from_utf8_lossy(&said).contains("NetStream.Publish.Failed"));
        Phone::start(&server, "phone", "second").await?;
        counted(&server, "first_media").await
    });
}

#[test]
fn a_publisher_that_only_answers_pings_is_let_go_in_the_end() {
    stage(async |stage| {
        let arguments = ["--media-idle", "2s", "--grace", "1s", "--rtmp-ping-after", "100ms"];
        let server = Server::start(stage, &arguments).await?;
        let (mut phone, mut witnesses) = watched(&server, "phone").await?;
        // An honest pause.
        tokio::time::sleep(Duration::from_secs(1)).await;
        phone.word = "after a pause".to_owned();
        phone.shoot().await?;
        phone.shoot().await?;
        for witness in &mut witnesses {
            witness.sees("after a pause").await?;
        }
        let pong = rtmp::message(2, 0, 4, 0, &[0, 7, 0, 0, 0, 0]);
        until("it is let go", PATIENCE, async || {
            let sent = phone.peer.send(&pong).await;
            let stream = server.stream("live/phone").await?;
            let lost = stream.is_none_or(|stream| stream["state"] == "waiting");
            Ok((sent.is_err() || lost).then_some(()))
        })
        .await?;
        for witness in &mut witnesses {
            witness.ends().await?;
        }
        counted(&server, "media_idle").await
    });
}

#[test]
fn a_kicked_publisher_is_told_and_stays_out_for_the_time_it_is_banned() {
    stage(async |stage| {
        let server = Server::start(stage, &["--max-bans", "1"]).await?;
        let (mut phone, mut witnesses) = watched(&server, "phone").await?;
        let host = [("Host", "localhost")];
        let delete = async |path: &str| -> Result<u16> {
            Ok(http::request(server.http, "DELETE", path, &host).await?.status)
        };
        ensure!(delete("/api/v1/streams/live/phone?ban=3s").await? == 204);
        let said = String::from_utf8_lossy(&phone.peer.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.Denied"), "{said:?}");
        for witness in &mut witnesses {
            witness.ends().await?;
        }
        let mut back = Peer::connected(server.rtmp).await?;
        back.send(&rtmp::publish("phone")).await?;
        let said = String::from_utf8_lossy(&back.hung_up().await?).into_owned();
        ensure!(said.contains("NetStream.Publish.Denied") && said.contains("operator"), "{said:?}");
        ensure!(delete("/api/v1/streams/live/other?ban=3s").await? == 503, "one ban is the limit");
        counted(&server, "max_bans").await?;
        until("the ban is over", PATIENCE, async || {
            Ok(Phone::start(&server, "phone", "back").await.ok())
        })
        .await?;
        Ok(())
    });
}

/// Waits until a limit is counted.
async fn counted(server: &Server, limit: &str) -> Result<()> {
    until(&format!("{limit} is counted"), PATIENCE, async || {
        Ok((server.hits(limit).await? > 0).then_some(()))
    })
    .await
}

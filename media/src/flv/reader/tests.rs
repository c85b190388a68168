use proptest::prelude::*;

use super::*;

fn flv(tags: &[Tag]) -> Vec<u8> {
    let mut bytes = Header { has_audio: true, has_video: true }.to_bytes().to_vec();
    for tag in tags {
        bytes.extend_from_slice(tag.bytes());
    }
    bytes
}

fn drain(reader: &mut Reader) -> (Vec<Tag>, Vec<Error>) {
    let (mut tags, mut errors) = (Vec::new(), Vec::new());
    loop {
        match reader.next() {
            Ok(Some(Item::Tag(tag))) => tags.push(tag),
            Ok(Some(Item::Header(_))) => {}
            Ok(None) => match reader.doubt() {
                Ok(()) => return (tags, errors),
                Err(error) => errors.push(error),
            },
            Err(error) => {
                errors.push(error);
                assert!(errors.len() < 1000, "the same error for ever: {errors:?}");
            }
        }
    }
}

fn tag(kind: TagKind, time: i64, len: usize) -> Tag {
    let data: Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
    Tag::new(kind, time, &data).unwrap()
}

fn three() -> Vec<Tag> {
    vec![
        tag(TagKind::Script, 0, 30),
        tag(TagKind::Video, 0xFFFF_FFFF, 500),
        tag(TagKind::Audio, 20, 0),
        tag(TagKind::Video, 40, 5000),
    ]
}

#[test]
fn an_answer_that_is_not_flv_is_told_from_its_first_bytes() {
    let mut reader = Reader::new();
    reader.push(b"{\"e");
    assert_eq!(reader.next(), Err(Error::NotFlv { found: *b"{\"e" }));
    reader.push(b"rror");
    assert!(reader.next().is_err(), "the error is final");
}

#[test]
fn other_versions_and_absurd_header_lengths_are_refused() {
    let mut reader = Reader::new();
    reader.push(b"FLV\x02\x05\x00\x00\x00\x09");
    assert_eq!(reader.next(), Err(Error::UnsupportedVersion { version: 2 }));
    let mut reader = Reader::new();
    reader.push(b"FLV\x01\x05\xFF\x00\x00\x09");
    assert_eq!(reader.next(), Err(Error::BadHeaderLength { len: 0xFF00_0009 }));
}

#[test]
fn a_wrong_previous_tag_size_is_forgiven_when_a_tag_follows() {
    let tags = three();
    let mut bytes = flv(&tags);
    let end_of_first = Header::LEN + tags[0].bytes().len();
    bytes[end_of_first - 4..end_of_first].copy_from_slice(&[0; 4]);
    let mut reader = Reader::new();
    reader.push(&bytes);
    assert_eq!(drain(&mut reader), (tags, vec![]));
}

#[test]
fn noise_between_tags_costs_the_noise_alone() {
    let tags = three();
    let mut bytes = flv(&tags[..2]);
    let noise: Vec<u8> =
        (0..777_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let at = bytes.len() as u64;
    bytes.extend_from_slice(&noise);
    bytes.extend_from_slice(tags[2].bytes());
    bytes.extend_from_slice(tags[3].bytes());
    let mut reader = Reader::new();
    let (mut seen, mut errors) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(100) {
        reader.push(piece);
        let (t, e) = drain(&mut reader);
        seen.extend(t);
        errors.extend(e);
    }
    assert_eq!(seen, tags);
    assert!(matches!(errors[..], [Error::LostSync { offset, .. }] if offset == at), "{errors:?}");
}

#[test]
fn a_wrong_size_costs_its_own_tag_alone() {
    let tags = three();
    let mut bytes = flv(&tags);
    bytes[Header::LEN + tags[0].bytes().len() + 3] ^= 0x55;
    let mut reader = Reader::new();
    reader.push(&bytes);
    let (seen, errors) = drain(&mut reader);
    assert_eq!(seen, [tags[0].clone(), tags[2].clone(), tags[3].clone()]);
    assert_eq!(errors.len(), 1);
}

#[test]
fn a_size_far_too_large_is_noticed_with_the_third_tag_behind_it() {
    let tags: Vec<Tag> = (0..20).map(|n| tag(TagKind::Video, n * 40, 700)).collect();
    let mut bytes = flv(&tags);
    let at = Header::LEN + 2 * tags[0].bytes().len();
    bytes[at + 1] = 0x70;
    for piece in [1, 100, 1400, 100_000] {
        let mut reader = Reader::new();
        let (mut seen, mut errors, mut noticed) = (Vec::new(), Vec::new(), 0);
        for (n, bytes) in bytes.chunks(piece).enumerate() {
            reader.push(bytes);
            let (t, e) = drain(&mut reader);
            if errors.is_empty() && !e.is_empty() {
                noticed = (n + 1) * piece;
            }
            seen.extend(t);
            errors.extend(e);
        }
        assert_eq!(seen.len(), 19, "{piece}");
        assert_eq!(seen[2..], tags[3..]);
        assert!(noticed <= at + 4 * tags[0].bytes().len() + piece, "{piece}: {noticed}");
        assert!(
            matches!(errors[..], [Error::LostSync { offset, reason: SyncLoss::Tags }] if offset == at as u64)
                || piece == 100_000,
            "{errors:?}"
        );
    }
}

#[test]
fn recordings_are_read_without_a_loss_in_pieces_of_any_size() {
    for flv in [
        include_bytes!("../../../testdata/bframes.flv").as_slice(),
        include_bytes!("../../../testdata/baseline.flv"),
    ] {
        let mut whole = Reader::new();
        whole.push(flv);
        let (expected, errors) = drain(&mut whole);
        assert_eq!(errors, []);
        for piece in [1, 13, 300, 1400] {
            let mut reader = Reader::new();
            let mut seen = Vec::new();
            for bytes in flv.chunks(piece) {
                reader.push(bytes);
                let (tags, errors) = drain(&mut reader);
                assert_eq!(errors, []);
                seen.extend(tags);
            }
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn a_tag_over_the_limit_is_named_and_passed_over() {
    let tags = three();
    let mut reader = Reader::with_limits(Limits { max_tag_len: 4000 });
    reader.push(&flv(&tags));
    reader.push(tags[0].bytes());
    let (seen, errors) = drain(&mut reader);
    assert_eq!(seen, [tags[0].clone(), tags[1].clone(), tags[2].clone(), tags[0].clone()]);
    assert!(
        matches!(errors[..], [Error::LostSync { reason: SyncLoss::Size(5000), .. }]),
        "{errors:?}"
    );
}

#[test]
fn endless_noise_is_not_kept() {
    let mut reader = Reader::new();
    reader.push(&flv(&[]));
    // Looks like the beginning of an 8 MB tag at every twelfth byte.
    let noise = [9, 0x7F, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1].repeat(1000);
    for _ in 0..300 {
        reader.push(&noise);
        drain(&mut reader);
        assert!(reader.filled <= Limits::default().max_tag_len + noise.len());
    }
}

#[test]
fn a_host_may_write_in_place() {
    let tags = three();
    let bytes = flv(&tags);
    let mut reader = Reader::new();
    let mut seen = Vec::new();
    for piece in bytes.chunks(333) {
        let room = reader.reserve(400);
        assert_eq!(room.len(), 400);
        room[..piece.len()].copy_from_slice(piece);
        reader.commit(piece.len());
        seen.extend(drain(&mut reader).0);
    }
    assert_eq!(seen, tags);
    assert_eq!(reader.offset(), bytes.len() as u64);
}

fn any_tag() -> impl Strategy<Value = Tag> {
    let kind = prop_oneof![Just(TagKind::Audio), Just(TagKind::Video), Just(TagKind::Script)];
    (kind, any::<u32>(), prop::collection::vec(any::<u8>(), 0..300))
        .prop_map(|(kind, time, data)| Tag::new(kind, i64::from(time), &data).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn split_anywhere_gives_the_same_tags(
        tags in prop::collection::vec(any_tag(), 0..20),
        cuts in prop::collection::vec(1_usize..200, 1..50),
    ) {
        let bytes = flv(&tags);
        let mut reader = Reader::new();
        let (mut rest, mut seen) = (&bytes[..], Vec::new());
        for cut in cuts.iter().cycle() {
            let (piece, behind) = rest.split_at((*cut).min(rest.len()));
            reader.push(piece);
            let (tags, errors) = drain(&mut reader);
            prop_assert_eq!(errors, vec![]);
            seen.extend(tags);
            rest = behind;
            if rest.is_empty() { break }
        }
        prop_assert_eq!(seen, tags);
    }

    /// Damage costs the tags it hits, and those until a row of whole ones; none is made up.
    #[test]
    fn damage_costs_little(
        hits in prop::collection::vec((0_usize..20_000, any::<u8>()), 1..4),
        noise in (0_usize..20_000, prop::collection::vec(any::<u8>(), 0..900)),
        piece in prop::sample::select(vec![60_usize, 1400, 9000]),
    ) {
        let tags: Vec<Tag> = (0..60)
            .map(|n| {
                let kind = if n % 3 == 0 { TagKind::Video } else { TagKind::Audio };
                tag(kind, n * 20, 40 + (n as usize * 37) % 600)
            })
            .collect();
        let clean = flv(&tags);
        let mut bytes = clean.clone();
        let mut damaged: Vec<usize> = Vec::new();
        for (at, xor) in hits {
            let at = Header::LEN + at % (clean.len() - Header::LEN);
            bytes[at] ^= xor;
            damaged.push(at);
        }
        let at = Header::LEN + noise.0 % (clean.len() - Header::LEN);
        bytes.splice(at..at, noise.1.iter().copied());
        damaged.push(at);
        let mut reader = Reader::new();
        let mut seen = Vec::new();
        for piece in bytes.chunks(piece) {
            reader.push(piece);
            seen.extend(drain(&mut reader).0);
        }
        let mut end = Header::LEN;
        let whole: Vec<bool> = tags
            .iter()
            .map(|tag| {
                let start = end;
                end += tag.bytes().len();
                // The four bytes before a tag belong to the one before.
                !damaged.iter().any(|at| (start.saturating_sub(4)..end).contains(at))
            })
            .collect();
        let mut first = 0;
        for row in whole.chunk_by(|one, next| one == next) {
            let range = first..first + row.len();
            first = range.end;
            // Fewer than a row may be taken for data of a damaged tag that says it is longer, and at
            // the end of the stream what is missing may still come.
            if whole[range.start] && row.len() >= ROW && range.end + ROW <= tags.len() {
                for (n, tag) in tags.iter().enumerate().take(range.end).skip(range.start) {
                    prop_assert!(seen.iter().any(|seen| seen.bytes() == tag.bytes()), "tag {}", n);
                }
            }
        }
        let sound = seen.iter().filter(|seen| tags.iter().any(|tag| tag.bytes() == seen.bytes()));
        prop_assert!(sound.count() + 2 * damaged.len() >= seen.len(), "made up");
    }

    #[test]
    fn any_bytes_end_in_items_or_errors(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut reader = Reader::new();
        reader.push(&bytes);
        // Errors of the header repeat by design; past it every error makes progress.
        if reader.next().is_ok() { drain(&mut reader); }
        let mut reader = Reader::new();
        reader.push(&flv(&[]));
        reader.push(&bytes);
        drain(&mut reader);
    }
}

use proptest::prelude::*;

use super::*;

fn resolved(tc_url: &str, app: &str, stream: &str) -> String {
    let target = resolve(tc_url, app, stream).unwrap();
    format!("{} [{}]", target.name, target.query)
}

#[test]
fn typed_names() {
    for (text, name) in [
        ("stream1", "live/stream1"),
        (" stream1 ", "live/stream1"),
        ("live/stream1", "live/stream1"),
        ("/live//stream1/", "live/stream1"),
        ("a/b/c.d_e~f-g", "a/b/c.d_e~f-g"),
        ("直播/频道1", "直播/频道1"),
        ("my key", "live/my key"),
        ("हिन्दी/समाचार", "हिन्दी/समाचार"),
        ("ภาษาไทย/ช่อง๑", "ภาษาไทย/ช่อง๑"),
        ("می‌خواهم", "live/می‌خواهم"),
        ("cafe\u{301}", "live/cafe\u{301}"),
        ("🎥👩‍💻", "live/🎥👩‍💻"),
    ] {
        assert_eq!(StreamName::parse(text).unwrap().as_str(), name);
    }
    let name = StreamName::parse("a/b/c").unwrap();
    assert_eq!((name.app(), name.stream()), ("a/b", "c"));
}

#[test]
fn bad_names_say_what_is_wrong() {
    use NameError::*;
    let long = "x".repeat(251);
    for (text, error) in [
        ("", Empty),
        ("//", Empty),
        ("live/..", Level { level: "..".into() }),
        ("./x", Level { level: ".".into() }),
        ("live/ /x", Level { level: "".into() }),
        ("a\0b", Character { character: '\0' }),
        ("a\nb", Character { character: '\n' }),
        ("<script>", Character { character: '<' }),
        ("a\u{202e}b", Character { character: '\u{202e}' }),
        ("a\\b", Character { character: '\\' }),
        ("a\u{7f}b", Character { character: '\u{7f}' }),
        ("a\u{85}b", Character { character: '\u{85}' }),
        ("a\u{a0}b", Character { character: '\u{a0}' }),
        ("a\u{2028}b", Character { character: '\u{2028}' }),
        ("a\u{200b}b", Character { character: '\u{200b}' }),
        ("a\u{3164}b", Character { character: '\u{3164}' }),
        ("\u{feff}ab", Character { character: '\u{feff}' }),
        ("a\u{e0041}b", Character { character: '\u{e0041}' }),
        ("a?b", Character { character: '?' }),
        ("a#b", Character { character: '#' }),
        ("a|b", Character { character: '|' }),
        (&long, TooLong { len: 256 }),
    ] {
        assert_eq!(StreamName::parse(text), Err(error), "{text:?}");
    }
    assert!(StreamName::parse(&long[1..]).is_ok());
}

#[test]
fn paths_have_percent_escapes() {
    for (path, name) in [
        ("/live/stream1", "live/stream1"),
        ("/live/caf%C3%a9", "live/café"),
        ("/live/my%20key", "live/my key"),
    ] {
        assert_eq!(StreamName::parse_path(path).unwrap().as_str(), name);
    }
    for (path, error) in [
        ("/live/%2e%2E", NameError::Level { level: "..".into() }),
        ("/live/a%2Fb", NameError::Character { character: '/' }),
        ("/live/a%00", NameError::Character { character: '\0' }),
        ("/live/100%", NameError::Character { character: '%' }),
        ("/live/%zz", NameError::Character { character: '%' }),
        ("/live/%ff", NameError::Escape),
    ] {
        assert_eq!(StreamName::parse_path(path), Err(error), "{path}");
    }
}

#[test]
fn what_encoders_send() {
    for (tc_url, app, stream, expected) in [
        // ffmpeg, librtmp
        ("rtmp://h:1935/live", "live", "stream1", "live/stream1 []"),
        ("rtmp://h/live?a=1", "live?a=1", "stream1?b=2", "live/stream1 [b=2&a=1]"),
        // OBS: a slash at the end of the server field; the whole URL in it
        ("rtmp://h/live/", "live/", "stream1", "live/stream1 []"),
        ("rtmp://h/live//", "live//", "/stream1", "live/stream1 []"),
        ("rtmp://h/live/stream1", "live/stream1", "", "live/stream1 []"),
        ("rtmp://h/live/stream1?k=v", "live/stream1?k=v", "", "live/stream1 [k=v]"),
        ("rtmp://h/live?k=v/", "live?k=v/", "stream1", "live/stream1 [k=v]"),
        // Several levels
        ("rtmp://h/live/room", "live/room", "stream1", "live/room/stream1 []"),
        ("rtmp://h/live", "live", "room/stream1", "live/room/stream1 []"),
        // GoPro: no key
        ("rtmp://h/live", "live", "", "live/default []"),
        ("rtmp://h/", "", "", "live/default []"),
        // No app
        ("rtmp://h", "", "stream1", "live/stream1 []"),
        ("rtmp://h/event", "", "stream1", "event/stream1 []"),
        // RootEncoder: the URL cut inside the query
        ("rtmp://h/live?x", "live?x", "123", "live/123 [x]"),
        ("rtmp://h/live?x/123", "live?x/123", "", "live/123 [x]"),
        ("rtmp://h/live", "live", "?x/123", "live/123 [x]"),
        // A token with slashes is not cut
        ("rtmp://h/live", "live", "s?token=ab/cd=", "live/s [token=ab/cd=]"),
        ("rtmp://h/live/s?t=ab/c", "live/s?t=ab/c", "", "live/s [t=ab/c]"),
        // The whole URL for a key
        ("rtmp://h/live", "live", "rtmp://h:1935/room/s?k=v", "room/s [k=v]"),
        ("rtmp://h/live?a=1", "live?a=1", "rtmp://h/s", "live/s [a=1]"),
        ("rtmp://h/live", "live", "s?back=http://x/y", "live/s [back=http://x/y]"),
        // A virtual host is a parameter like others
        ("rtmp://h/live?vhost=a.b", "live?vhost=a.b", "s", "live/s [vhost=a.b]"),
        ("rtmp://h/live", "live", "s?vhost=a.b&k=1", "live/s [vhost=a.b&k=1]"),
        // Tencent
        (
            "rtmp://h/live",
            "live",
            "s1?txSecret=ab&txTime=5C27",
            "live/s1 [txSecret=ab&txTime=5C27]",
        ),
        // The stream's parameter counts before the app's, that before the tcUrl's
        ("rtmp://h/live?a=3&t=3", "live?a=2&b=2", "s?b=1", "live/s [b=1&a=2&t=3]"),
        ("rtmp://h/live?a=3", "live?a=2&b=2", "s?a=1&a=4&b=1", "live/s [a=1&a=4&b=1]"),
        // Flash, VLC, Neko
        ("rtmp://h/live/_definst_", "live/_definst_", "mp4:s", "live/s []"),
        ("rtmp://h/live", "live", "_definst_/flv:s", "live/s []"),
        ("rtmp://h/live", "live", "flv:room/s", "live/room/s []"),
        ("\"rtmp://h/live", "\"live", "s\"", "live/s []"),
        // A tcUrl that is no URL
        ("%%%", "live", "s", "live/s []"),
        ("rtmp://h/live", "live", "caf%C3%A9", "live/café []"),
        ("rtmp://h/live", "live", "a.b", "live/a.b []"),
    ] {
        assert_eq!(resolved(tc_url, app, stream), expected, "{tc_url} {app} {stream}");
    }
    assert!(resolve("", "live", "../x").is_err());
    assert!(resolve("", "live", "x\0").is_err());
}

/// A name as the path of a URL, every byte escaped that may be.
fn escaped(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'/' => "/".into(),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

/// Levels of letters, and of what is likely to go wrong.
fn name() -> impl Strategy<Value = String> {
    let level = prop_oneof![
        4 => "[a-c]{1,4}",
        1 => "\\PC{1,6}",
        1 => ".{0,4}",
        1 => Just("..".to_owned()),
        1 => Just(" x ".to_owned()),
        1 => "[\u{0}-\u{20}%?&=\"':_.]{1,4}",
        1 => "x{100,200}",
    ];
    prop::collection::vec(level, 1..4).prop_map(|levels| levels.join("/"))
}

proptest! {
    #[test]
    fn whatever_is_resolved_is_a_good_name(
        tc_url in "(rtmp://h/)?.{0,40}",
        app in prop_oneof!["[a-c/?=%.&\\PC]{0,20}", name()],
        stream in prop_oneof!["[a-c/?=%.&:\\PC]{0,20}", name()],
    ) {
        if let Ok(target) = resolve(&tc_url, &app, &stream) {
            let name = target.name.as_str();
            let again = StreamName::parse(name).unwrap();
            prop_assert_eq!(&again, &target.name);
            prop_assert_eq!(format!("{}/{}", again.app(), again.stream()), again.to_string());
            prop_assert!(name.len() <= StreamName::MAX_LEN);
            prop_assert!(!name.chars().any(char::is_control));
            for level in name.split('/') {
                prop_assert!(!matches!(level, "" | "." | ".."), "{name}");
                prop_assert_eq!(level, level.trim());
            }
        }
    }

    #[test]
    fn rtmp_and_http_mean_the_same(name in name()) {
        let http = StreamName::parse_path(&format!("/{}", escaped(&name)));
        prop_assert_eq!(&http, &StreamName::parse(&name));
        if let Ok(good) = http {
            // Escaped, nothing in it is cut, cleaned or split off.
            let (app, stream) = (escaped(good.app()), escaped(good.stream()));
            let target = resolve("rtmp://h/other", &app, &stream).unwrap();
            prop_assert_eq!(&target.name, &good);
            let whole = format!("{app}/{stream}");
            prop_assert_eq!(resolve("", &whole, "").unwrap().name, good);
        }
    }

    #[test]
    fn what_one_refuses_the_other_does(level in "[a-z\u{0}-\u{1f}\u{7f}-\u{a0}\u{202e}<>]{1,10}") {
        let typed = StreamName::parse(&format!("live/{level}"));
        let path = StreamName::parse_path(&format!("/live/{}", escaped(&level)));
        prop_assert_eq!(&typed, &path);
        let published = resolve("", "live", &escaped(&level)).map(|target| target.name);
        prop_assert_eq!(&published, &path);
    }
}

#[test]
fn what_is_kept_of_parameters_is_bounded() {
    let long = "y".repeat(60_000);
    let (tc_url, key) = (format!("rtmp://h/live?k={long}"), format!("x?token=1&z={long}&sign=2"));
    assert_eq!(resolved(&tc_url, "live", &key), "live/x [token=1&sign=2]");
}

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_500_000_000;

fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

/// What a signature is held against in these tests.
#[derive(Clone, Copy)]
struct Case<'a> {
    name: &'a str,
    uri: &'a str,
    address: &'a str,
    secrets: &'a [&'a str],
    tokens: &'a [&'a str],
    skew: u64,
    max_life: u64,
    now: u64,
}

impl Default for Case<'_> {
    fn default() -> Self {
        let (secrets, tokens) = (&["secret"], &[]);
        let address = "192.0.2.7";
        Case {
            name: "live/x",
            uri: "/live/x",
            address,
            secrets,
            tokens,
            skew: 0,
            max_life: 0,
            now: NOW,
        }
    }
}

impl Case<'_> {
    fn check(&self, query: &str) -> Result<Option<u64>, Failure> {
        let name = name(self.name);
        let subject =
            Subject { name: &name, uri: self.uri, address: self.address.parse().unwrap() };
        let template = Template::default();
        let rules = Rules {
            secrets: self.secrets,
            tokens: self.tokens,
            secure_link: &template,
            skew: self.skew,
            max_life: self.max_life,
        };
        check(&subject, query, &rules, self.now).map(|good| good.map(|good| good.expires))
    }

    fn code(&self, query: &str) -> &'static str {
        self.check(query).err().map_or("admitted", |failure| failure.code())
    }

    fn sign(&self, form: Form, expires: u64) -> String {
        let name = name(self.name);
        let subject =
            Subject { name: &name, uri: self.uri, address: self.address.parse().unwrap() };
        sign(form, &subject, expires, self.secrets[0], &Template::default())
    }
}

const FORMS: [Form; 3] = [Form::Nms, Form::Tencent, Form::Nginx];

#[test]
fn node_media_server_s_own_example() {
    let case =
        Case { name: "live/stream", secrets: &["nodemedia2017privatekey"], ..Case::default() };
    let query = "sign=1503458721-80c1d1ad2e0c2ab63eebb50eed64201a";
    assert_eq!(case.check(query), Ok(Some(1_503_458_721)));
    assert_eq!(case.sign(Form::Nms, 1_503_458_721), query);
    // Python's hashlib says so.
    for (name, query) in [
        ("a/b/c", "sign=1503458721-87cff99c376800ba4548f86b65cb6ca8"),
        ("演示/直播", "sign=1503458721-9ab052693d386999d577350345d1ccf0"),
    ] {
        let case = Case { name, secrets: &["k"], ..case };
        assert_eq!(case.check(query), Ok(Some(1_503_458_721)), "{name}");
    }
}

#[test]
fn tencent_s_own_example() {
    let case = Case {
        name: "live/test",
        secrets: &["e12c46f2612d5106e2034781ab261ca3"],
        ..Case::default()
    };
    let query = "txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099";
    assert_eq!(case.check(query), Ok(Some(0x5C27_1099)));
    assert_eq!(case.sign(Form::Tencent, 0x5C27_1099), query);
    assert_eq!(
        Case { name: "other/test", ..case }.code(query),
        "admitted",
        "the app is not signed"
    );
    // Python's hashlib says so.
    let sha256 =
        "txSecret=2fe51d13bff48deaddd7e4e086265e69d5a04a64db9a2cbc737bd585c472fd07&txTime=5C271099";
    assert_eq!(case.check(sha256), Ok(Some(0x5C27_1099)));
}

#[test]
fn the_end_of_a_name_is_not_taken_for_the_beginning_of_an_expiry() {
    // 2026 in decimal, and all but its first two digits in hexadecimal: the same letters are signed.
    let signed = Case { name: "live/room17", ..Case::default() };
    let query = signed.sign(Form::Tencent, 0x6920_0000);
    let digest = query.strip_suffix("&txTime=69200000").unwrap();
    assert_eq!(signed.code(&query), "admitted");
    for (name, expiry) in
        [("live/room", "1769200000"), ("live/room1", "769200000"), ("live/room176", "9200000")]
    {
        let other = Case { name, ..Case::default() };
        assert_eq!(other.code(&format!("{digest}&txTime={expiry}")), "signature_wrong", "{name}");
    }
}

#[test]
fn nginx_s_own_example() {
    let case = Case { uri: "/s/link", address: "127.0.0.1", ..Case::default() };
    let query = "md5=_e4Nc3iduzkWRm01TBBNYw&expires=2147483647";
    assert_eq!(case.check(query), Ok(Some(2_147_483_647)));
    assert_eq!(case.sign(Form::Nginx, 2_147_483_647), query);
    assert_eq!(case.code("md5=_e4Nc3iduzkWRm01TBBNYw==&expires=2147483647"), "admitted");
    assert_eq!(Case { address: "::ffff:127.0.0.1", ..case }.code(query), "admitted", "the same");
    assert_eq!(Case { address: "127.0.0.2", ..case }.code(query), "signature_wrong");
    assert_eq!(Case { uri: "/s/link.flv", ..case }.code(query), "signature_wrong");
    // Python's hashlib says so.
    let case = Case { uri: "/live/x", address: "2001:db8::1", ..case };
    assert_eq!(case.code("md5=eRl2H8dwLsrCMXpcAJmH3w&expires=2147483647"), "admitted");
}

#[test]
fn templates_say_what_is_signed() {
    let subject =
        Subject { name: &name("live/x"), uri: "/live/x", address: Ipv4Addr::LOCALHOST.into() };
    let template = Template::parse("{secret}:{uri}:{expires}").unwrap();
    assert_eq!(template.fill(&subject, "7", "s"), "s:/live/x:7");
    assert!(!template.has_address() && Template::default().has_address());
    for (text, reason) in [
        ("", "{expires} is missing"),
        ("{expires}{secret}", "{uri} is missing"),
        ("{uri}{secret}", "{expires} is missing"),
        ("$secure_link_expires$uri$remote_addr secret", "$secure_link_expires"),
        ("{expires}{uri}{secret}{port}", "may stand in braces"),
        ("{expires}{uri}{secret}{", "may stand in braces"),
    ] {
        let error = Template::parse(text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn who_needs_nothing_is_let_in_and_who_brings_nothing_is_not() {
    let none: &[&str] = &[];
    let open = Case { secrets: none, ..Case::default() };
    assert_eq!(open.check("sign=anything&token=any"), Ok(None));
    let signed = Case::default();
    for query in ["", "a=b", "token=t", "expires=1", "SIGN=1-2"] {
        assert_eq!(signed.code(query), "signature_missing", "{query}");
    }
    let said = signed.check("").unwrap_err().to_string();
    assert!(said.contains("sign=") && !said.contains("token="), "{said}");
    let tokens = Case { secrets: none, tokens: &["t"], ..Case::default() };
    let said = tokens.check(&signed.sign(Form::Nms, NOW)).unwrap_err().to_string();
    assert_eq!(said, "a token is needed: token=");
    let both = Case { tokens: &["t"], ..Case::default() };
    assert!(both.check("").unwrap_err().to_string().contains("or token="));
}

#[test]
fn an_expired_signature_says_when_and_what_time_it_is() {
    for form in FORMS {
        let case = Case::default();
        let query = case.sign(form, NOW);
        assert_eq!(case.check(&query), Ok(Some(NOW)), "the last second counts");
        let later = Case { now: NOW + 10, ..case };
        let failure = later.check(&query).unwrap_err();
        assert_eq!(failure.code(), "signature_expired");
        assert_eq!(
            failure.to_string(),
            "signature expired 10 s ago (server time Fri, 14 Jul 2017 02:40:10 GMT)"
        );
        assert_eq!(Case { skew: 10, ..later }.check(&query), Ok(Some(NOW)), "clocks differ");
        assert_eq!(Case { skew: 9, ..later }.code(&query), "signature_expired");
    }
}

#[test]
fn a_life_that_is_too_long_is_told() {
    for form in FORMS {
        let case = Case { max_life: 86_400, ..Case::default() };
        assert_eq!(case.code(&case.sign(form, NOW + 86_400)), "admitted");
        let failure = case.check(&case.sign(form, NOW + 7 * 86_400)).unwrap_err();
        assert_eq!(failure.code(), "signature_too_long");
        assert_eq!(
            failure.to_string(),
            "signature is good for 7 days more, over the 24 h that are accepted (sign_max_life)"
        );
    }
}

#[test]
fn any_of_several_secrets_may_have_signed() {
    for form in FORMS {
        for secret in ["old", "new"] {
            let query = Case { secrets: &[secret], ..Case::default() }.sign(form, NOW);
            assert_eq!(
                Case { secrets: &["new", "old"], ..Case::default() }.code(&query),
                "admitted"
            );
            assert_eq!(
                Case { secrets: &["third"], ..Case::default() }.code(&query),
                "signature_wrong"
            );
        }
    }
}

#[test]
fn a_token_is_one_of_those_configured_and_no_secret() {
    let case = Case { tokens: &["first", "two words/ü"], ..Case::default() };
    for query in ["token=first", "a=b&token=first", "token=two%20words%2F%c3%bc", "token=%66irst"] {
        assert_eq!(case.check(query), Ok(None), "{query}");
    }
    for query in ["token=", "token", "token=secret", "token=firs", "token=firstt", "token=First"] {
        assert_eq!(case.code(query), "token_wrong", "{query}");
    }
    assert_eq!(token::query("two words/ü"), "token=two%20words%2F%C3%BC");
}

#[test]
fn of_several_forms_one_has_to_be_good() {
    let case = Case { tokens: &["t"], ..Case::default() };
    let (good, expired) = (case.sign(Form::Nginx, NOW), case.sign(Form::Nms, 7));
    assert_eq!(case.check(&format!("{expired}&{good}")), Ok(Some(NOW)));
    assert_eq!(case.check(&format!("{expired}&token=t")), Ok(None));
    assert_eq!(case.code(&format!("token=wrong&{expired}")), "signature_expired");
}

#[test]
fn what_is_repeated_or_malformed_is_told() {
    let case = Case { tokens: &["t"], ..Case::default() };
    let sign = case.sign(Form::Nms, NOW);
    for (query, reason) in [
        (format!("{sign}&{sign}").as_str(), "sign= is there twice"),
        ("sign=", "sign= is not <expiry"),
        ("sign", "sign= is not <expiry"),
        ("sign=12", "sign= is not <expiry"),
        ("sign=+12-80c1d1ad2e0c2ab63eebb50eed64201a", "sign= is not <expiry"),
        ("sign=012-80c1d1ad2e0c2ab63eebb50eed64201a", "sign= is not <expiry"),
        ("sign=-80c1d1ad2e0c2ab63eebb50eed64201a", "sign= is not <expiry"),
        ("sign=9999999999999-80c1d1ad2e0c2ab63eebb50eed64201a", "sign= is not <expiry"),
        ("sign=12-80c1d1ad2e0c2ab63eebb50eed64201", "sign= is not <expiry"),
        ("sign=12-80c1d1ad2e0c2ab63eebb50eed64201g", "sign= is not <expiry"),
        ("txSecret=00", "without txTime="),
        ("txTime=00", "without txSecret="),
        ("txSecret=00&txTime=00", "neither an md5 nor a sha256"),
        ("txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=+5C27109", "txTime= is not"),
        ("txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=", "txTime= is not"),
        ("txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C2710990", "txTime= is not"),
        ("txTime=1&txTime=2&txSecret=3", "txTime= is there twice"),
        ("md5=x", "without expires="),
        ("md5=x&expires=soon", "expires= is not"),
        ("md5=ff8e0d73789dbb391646 6d354c104d63&expires=7", "not an md5 in base64url"),
        ("md5=x&md5=y", "md5= is there twice"),
        ("token=t&token=t", "token= is there twice"),
    ] {
        let failure = case.check(query).unwrap_err();
        assert_eq!(failure.code(), "signature_wrong", "{query}");
        assert!(failure.to_string().contains(reason), "{query}: {failure}");
    }
}

/// A character that is not `letter`, and does not mean the same where case means nothing.
fn another(letter: char, choice: usize) -> char {
    let others: Vec<char> =
        ('0'..='9').chain('a'..='f').filter(|other| !other.eq_ignore_ascii_case(&letter)).collect();
    others[choice % others.len()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_signed_is_let_in_until_it_expires(
        form in 0..3usize, stream in "[a-zA-Z0-9 ü._=&+-]{0,20}x", secret in "\\PC{1,30}",
        life in 0..1_000_000u64, late in 1..1_000_000u64, v6 in any::<u128>(),
    ) {
        let (form, stream) = (FORMS[form], format!("live/{stream}"));
        let address = std::net::Ipv6Addr::from(v6).to_string();
        let (uri, secrets) = (format!("/{stream}"), [secret.as_str()]);
        let case = Case { name: &stream, uri: &uri, address: &address, secrets: &secrets, ..Case::default() };
        let query = case.sign(form, NOW + life);
        prop_assert_eq!(case.check(&query), Ok(Some(NOW + life)));
        let late = Case { now: NOW + life + late, ..case };
        prop_assert_eq!(late.code(&query), "signature_expired");
    }

    #[test]
    fn a_change_of_any_byte_is_refused(form in 0..3usize, at in 0..200usize, choice in 0..16usize) {
        let case = Case { name: "live/room7", uri: "/live/room7", ..Case::default() };
        let query = case.sign(FORMS[form], NOW + 60);
        let at = at % query.len();
        let mut changed: Vec<char> = query.chars().collect();
        changed[at] = another(changed[at], choice);
        let changed: String = changed.into_iter().collect();
        prop_assert!(case.check(&changed).is_err(), "{} admitted instead of {}", changed, query);
        let mut shorter = query.clone();
        shorter.remove(at);
        prop_assert!(case.check(&shorter).is_err(), "{}", shorter);
    }

    #[test]
    fn another_name_or_secret_is_refused(
        form in 0..3usize, name in "[a-z0-9]{1,12}", secret in "[a-z0-9]{1,12}",
    ) {
        let case = Case::default();
        let query = case.sign(FORMS[form], NOW);
        let (full, uri, secrets) = (format!("live/{name}"), format!("/live/{name}"), [secret.as_str()]);
        if name != "x" {
            prop_assert_eq!(Case { name: &full, uri: &uri, ..case }.code(&query), "signature_wrong");
        }
        if secret != "secret" {
            prop_assert_eq!(Case { secrets: &secrets, ..case }.code(&query), "signature_wrong");
        }
    }

    #[test]
    fn no_query_is_let_in_by_chance_or_panics(
        query in "((sign|txSecret|txTime|md5|expires|token|\\PC{0,4})=?[0-9a-f%=+-]{0,40}\\PC{0,4}&?){0,5}",
        now in any::<u64>(), skew in any::<u64>(), max_life in any::<u64>(),
    ) {
        let case = Case { tokens: &["a token of some length"], now, skew, max_life, ..Case::default() };
        let failure = case.check(&query).unwrap_err();
        prop_assert!(!failure.to_string().is_empty());
    }
}

#[test]
fn times_of_any_size_can_be_said() {
    for expires in [0, 1, NOW, 253_370_764_800, u64::MAX] {
        let failure = Failure::Expired { expires: 0, now: expires };
        assert!(failure.to_string().contains("server time"), "{failure}");
    }
    let spans = [119, 120, 7199, 7200, 172_799, 172_800].map(|seconds| Span(seconds).to_string());
    assert_eq!(spans, ["119 s", "2 min", "119 min", "2 h", "47 h", "2 days"]);
}

//! Signatures and tokens in a query: nobody gets in by a query that was not made for them, and nobody stays for longer than it
//! says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pushpull::access::sign::{Failure, Form, Rules, Subject, Template, check as holds, sign};
use pushpull_rtmp::StreamName;

use super::Script;

/// Reads `input` as choices, a name, a secret, and a query.
pub fn check(input: &[u8]) {
    let mut script = Script::new(input);
    let choices = script.byte();
    // Tencent's form ends in 2106.
    let now = 1_700_000_000 + u64::from(script.u32() % 1_000_000_000);
    let life = u64::from(script.u32() % 1_500_000_000);
    let skew = script.byte().into();
    let name = String::from_utf8_lossy(script.short_bytes()).into_owned();
    let name =
        StreamName::parse(&name).or_else(|_| StreamName::parse("live/x")).expect("it is a name");
    let secret = String::from_utf8_lossy(script.short_bytes()).into_owned();
    let template = String::from_utf8_lossy(script.short_bytes()).into_owned();
    let template = Template::parse(&template)
        .or_else(|_| Template::parse(Template::DEFAULT))
        .expect("the default is right");
    let address = match choices & 4 {
        0 => IpAddr::V4(Ipv4Addr::from(script.u32())),
        _ => IpAddr::V6(Ipv6Addr::from(u128::from(script.u32()))),
    };
    let uri = match choices & 8 {
        0 => format!("/{name}"),
        _ => format!("/{name}.flv"),
    };
    let subject = Subject { name: &name, uri: &uri, address };
    let form = [Form::Nms, Form::Tencent, Form::Nginx, Form::Token][usize::from(choices & 3)];
    let at = script.byte();
    let by = script.byte();
    let query = String::from_utf8_lossy(script.rest()).into_owned();

    nobody_gets_in_by_chance(&subject, &query, &template, now);
    if !secret.is_empty() {
        let signed = sign(form, &subject, now + life, &secret, &template);
        let case = Case { subject, secret: &secret, template: &template, form, now, life, skew };
        case.good_as_long_as_it_says(&signed);
        case.nothing_is_won_by_a_change(&signed, at, by);
        // Whatever else the address says does not matter, unless it says the same parameters again.
        let more = format!("{query}&{signed}");
        if ["sign", "tx", "md5", "expires", "token"].iter().all(|word| !query.contains(word)) {
            case.good_as_long_as_it_says(&more);
        }
    }
}

/// Secrets that are nowhere in the input: a query that is good for them would have been forged.
fn nobody_gets_in_by_chance(subject: &Subject<'_>, query: &str, template: &Template, now: u64) {
    let unknown = "a secret of thirty-two letters at least";
    for (secrets, tokens) in
        [(&[unknown][..], &[][..]), (&[], &[unknown]), (&[unknown], &[unknown])]
    {
        let rules = Rules { secrets, tokens, secure_link: template, skew: 0, max_life: 0 };
        let failure = holds(subject, query, &rules, now).expect_err("it is forged");
        if failure == (Failure::Missing { signature: false, token: true }) {
            assert!(!query.split('&').any(|pair| pair.starts_with("token=")), "{query}");
        }
        // What is wrong is told without the query: it goes to logs.
        assert!(failure.to_string().len() < 300, "{failure}");
        assert!(!failure.to_string().contains(unknown));
    }
    let open = Rules { secrets: &[], tokens: &[], secure_link: template, skew: 0, max_life: 0 };
    assert_eq!(holds(subject, query, &open, now), Ok(None));
}

struct Case<'a> {
    subject: Subject<'a>,
    secret: &'a str,
    template: &'a Template,
    form: Form,
    now: u64,
    life: u64,
    skew: u64,
}

impl Case<'_> {
    fn holds(&self, query: &str, now: u64, max_life: u64) -> Result<Option<u64>, Failure> {
        let own = [self.secret];
        // A second one is valid at the same time, as when they are changed.
        let both = ["the next one", self.secret];
        let (secrets, tokens): (&[&str], &[&str]) = match self.form {
            Form::Token => (&[], &own),
            _ => (&both, &[]),
        };
        let rules =
            Rules { secrets, tokens, secure_link: self.template, skew: self.skew, max_life };
        holds(&self.subject, query, &rules, now).map(|good| good.map(|good| good.expires))
    }

    fn good_as_long_as_it_says(&self, query: &str) {
        let expires = self.now + self.life;
        if self.form == Form::Token {
            assert_eq!(self.holds(query, self.now, 0), Ok(None), "{query}");
            return;
        }
        assert_eq!(self.holds(query, self.now, 0), Ok(Some(expires)), "{query}");
        assert_eq!(self.holds(query, expires + self.skew, 0), Ok(Some(expires)), "{query}");
        let late = self.holds(query, expires + self.skew + 1, 0);
        assert!(matches!(late, Err(Failure::Expired { .. })), "{query}: {late:?}");
        if self.life > self.skew + 1 {
            let long = self.holds(query, self.now, self.life - self.skew - 1);
            assert!(matches!(long, Err(Failure::TooLong { .. })), "{query}: {long:?}");
        }
    }

    /// One letter of it is another: it is refused, or means what it meant.
    fn nothing_is_won_by_a_change(&self, query: &str, at: u8, by: u8) {
        let mut bytes = query.as_bytes().to_vec();
        let place = usize::from(at) % bytes.len();
        bytes[place] = by & 0x7F;
        let Ok(changed) = String::from_utf8(bytes) else { return };
        if let Ok(until) = self.holds(&changed, self.now, 0) {
            let meant = (self.form != Form::Token).then_some(self.now + self.life);
            assert_eq!(until, meant, "{query} {changed}");
        }
    }
}

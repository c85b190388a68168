//! Names of streams: `app/stream`, the same for RTMP and HTTP.
//!
//! [`resolve`] takes what comes and finds the one name that was meant; [`StreamName`] can only hold a good one.

mod resolve;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use resolve::{Target, resolve};

/// The name of a stream: one or more levels of app, and the stream in it. Cheap to clone.
///
/// What can be read in any script, spaces inside, and `-._~!$&'()*+,;=:@` may occur; other ASCII, control and invisible
/// characters, `.` and `..` as a level, and names over [`StreamName::MAX_LEN`] may not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The longest name in bytes of UTF-8: what a file name can hold.
    pub const MAX_LEN: usize = 255;

    /// The app of a name that has none.
    pub const DEFAULT_APP: &str = "live";

    /// The stream when an encoder sends no key at all.
    pub const DEFAULT_STREAM: &str = "default";

    /// Reads a name as a person types it: `stream1` (in the app `live`) or `live/stream1`.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Self::from_levels(levels(text).map(Into::into).collect())
    }

    /// Reads the path of a URL: like [`StreamName::parse`], with percent escapes.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn parse_path(path: &str) -> Result<Self, NameError> {
        Self::from_levels(levels(path).map(percent_decode).collect::<Result<_, _>>()?)
    }

    /// All of it: `live/stream1`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The app, of one or more levels: `live`.
    #[must_use]
    pub fn app(&self) -> &str {
        self.split().0
    }

    /// The stream in the app: `stream1`.
    #[must_use]
    pub fn stream(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or((Self::DEFAULT_APP, &self.0))
    }

    fn from_levels(mut levels: Vec<String>) -> Result<Self, NameError> {
        match levels.len() {
            0 => return Err(NameError::Empty),
            1 => levels.insert(0, Self::DEFAULT_APP.into()),
            _ => {}
        }
        for level in &mut levels {
            *level = level.trim().into();
            if matches!(level.as_str(), "" | "." | "..") {
                return Err(NameError::Level { level: level.clone() });
            }
            if let Some(character) = level.chars().find(|&c| !is_allowed(c)) {
                return Err(NameError::Character { character });
            }
        }
        let name = levels.join("/");
        if name.len() > Self::MAX_LEN {
            return Err(NameError::TooLong { len: name.len() });
        }
        Ok(Self(name.into()))
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for StreamName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is none.
    #[error("the stream name is empty")]
    Empty,
    /// It is over [`StreamName::MAX_LEN`].
    #[error("the stream name has {len} bytes, over the limit of {}", StreamName::MAX_LEN)]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A level is blank, `.` or `..`.
    #[error("{level:?} cannot be a part of a stream name")]
    Level {
        /// The level.
        level: String,
    },
    /// A character that may not occur.
    #[error("the character {character:?} cannot be in a stream name")]
    Character {
        /// The first such character.
        character: char,
    },
    /// The percent escapes are not UTF-8.
    #[error("the percent escapes in the stream name are not UTF-8")]
    Escape,
}

fn levels(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|level| !level.is_empty())
}

/// Replaces `%41` by `A`. A `%` that begins no escape stays, and is then refused as a character.
fn percent_decode(text: &str) -> Result<String, NameError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = after.split_first_chunk::<2>().filter(|_| byte == b'%');
        let value = escape.and_then(|([high, low], _)| {
            let (high, low) = (char::from(*high).to_digit(16)?, char::from(*low).to_digit(16)?);
            u8::try_from(high << 4 | low).ok()
        });
        decoded.push(value.unwrap_or(byte));
        rest = match (value, escape) {
            (Some(_), Some((_, rest))) => rest,
            _ => after,
        };
    }
    String::from_utf8(decoded).map_err(|_| NameError::Escape)
}

/// Whether a character may be in a name: of ASCII a few, of all else whatever people can see and tell apart in a list
/// (letters with their marks, emoji).
fn is_allowed(character: char) -> bool {
    match character {
        ' '..='~' => character.is_ascii_alphanumeric() || " -._~!$&'()*+,;=:@".contains(character),
        _ => is_visible(character),
    }
}

/// Whether a character shows: it is not a control character, not a space other than the space, and none of those that show
/// nothing or turn the text around.
#[must_use]
pub fn is_visible(character: char) -> bool {
    match character {
        // Joiners: words of Persian and Hindi need them, and emoji.
        ' ' | '\u{200C}' | '\u{200D}' => true,
        '\u{AD}'
        | '\u{61C}'
        | '\u{180E}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{3164}'
        | '\u{FFA0}'
        | '\u{FEFF}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{FFFE}'..='\u{FFFF}'
        | '\u{E0000}'..='\u{10FFFF}' => false,
        _ => !character.is_control() && !character.is_whitespace(),
    }
}

#[cfg(test)]
mod tests;

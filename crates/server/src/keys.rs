//! Who may what in which room: the moderator's key, and tokens that name a role.

use crate::messages::{Code, Refusal};
use crate::name::{self, RoomName};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The only algorithm that is taken: whatever else a token's header says, `none` included, the token is refused (RFC 8725 §3.1).
const ALGORITHM: Algorithm = Algorithm::HS256;

/// Seconds by which clocks of different machines may differ.
const LEEWAY: u64 = 10;

/// A token's room that stands for all of them.
const ANY_ROOM: &str = "*";

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// Everything that a member may, and: remove, mute, lock, let in, end.
    Moderator,
    /// Send and receive, chat.
    Member,
    /// Receive, chat.
    Listener,
}

/// Which rooms let in only bearers of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Needed {
    /// None: the link is the key.
    #[default]
    Nowhere,
    /// These.
    In(Vec<RoomName>),
    /// All.
    Everywhere,
}

/// What a token says (RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claims {
    /// The room, as its link names it; `*` for all.
    room: String,
    role: Role,
    /// Seconds since 1970 at which it ends; a token without an end is refused.
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    /// The name under which its bearer joins, whatever the client says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// How somebody comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) role: Role,
    /// The name that the token gives.
    pub(crate) name: Option<Arc<str>>,
}

/// The secrets of a server, and where they are needed.
pub(crate) struct Keys {
    /// Makes a moderator of whoever knows it; empty: of nobody.
    moderator: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    needed: Needed,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("needed", &self.needed).finish_non_exhaustive()
    }
}

impl Keys {
    pub(crate) fn new(moderator: String, token_secret: &str, needed: Needed) -> Self {
        let secret = token_secret.as_bytes();
        Self {
            moderator,
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            needed,
        }
    }

    /// Judges the key that somebody brings to a room. A wrong key is refused also where none is needed: whoever brings one wants to know.
    ///
    /// # Errors
    /// [`Code::KeyNeeded`], or [`Code::BadKey`] with what is wrong with it.
    pub(crate) fn judge(&self, room: &RoomName, key: Option<&str>) -> Result<Admission, Refusal> {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            let needed = match &self.needed {
                Needed::Nowhere => false,
                Needed::In(rooms) => rooms.contains(room),
                Needed::Everywhere => true,
            };
            return if needed {
                Err(Code::KeyNeeded.into())
            } else {
                Ok(Admission { role: Role::Member, name: None })
            };
        };
        if !self.moderator.is_empty() && same(key, &self.moderator) {
            return Ok(Admission { role: Role::Moderator, name: None });
        }
        let claims = self.read(key)?;
        if claims.room != ANY_ROOM && RoomName::parse(&claims.room).as_ref() != Some(room) {
            return Err(Refusal::new(Code::BadKey).saying("The key is for another room."));
        }
        // Only we sign tokens, but not only we choose what they say.
        let name = claims.name.as_deref().map(|text| name::person(text).ok_or(Code::BadName)).transpose()?;
        Ok(Admission { role: claims.role, name })
    }

    /// A token for a room (`None`: for all), valid from now on for a while.
    pub(crate) fn token(
        &self,
        room: Option<&RoomName>,
        role: Role,
        name: Option<String>,
        valid: Duration,
    ) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let claims = Claims {
            room: room.map_or(ANY_ROOM, RoomName::as_str).to_owned(),
            role,
            exp: now.checked_add(valid)?.as_secs(),
            nbf: None,
            name,
        };
        jsonwebtoken::encode(&Header::new(ALGORITHM), &claims, &self.encoding).ok()
    }

    fn read(&self, key: &str) -> Result<Claims, Refusal> {
        let mut validation = Validation::new(ALGORITHM);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp"]);
        let sentence = match jsonwebtoken::decode::<Claims>(key, &self.decoding, &validation) {
            Ok(data) => return Ok(data.claims),
            Err(error) => match error.kind() {
                ErrorKind::ExpiredSignature => "The key has expired.",
                ErrorKind::ImmatureSignature => "The key is not valid yet.",
                _ => "The key is not one of this server.",
            },
        };
        Err(Refusal::new(Code::BadKey).saying(sentence))
    }
}

/// Compares in constant time.
fn same(a: &str, b: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "a secret of the tests";

    fn keys(needed: Needed) -> Keys {
        Keys::new("moderator-secret".into(), SECRET, needed)
    }

    fn room(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    fn signed(algorithm: Algorithm, secret: &str, claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    const FAR: u64 = 4_000_000_000;

    #[test]
    fn where_no_key_is_needed_everybody_is_a_member() {
        let admission = keys(Needed::Nowhere).judge(&room("hall"), None).unwrap();
        assert_eq!(admission, Admission { role: Role::Member, name: None });
        let some = keys(Needed::In(vec![room("Council")]));
        assert!(some.judge(&room("hall"), None).is_ok());
        assert_eq!(some.judge(&room("council"), None).unwrap_err().code, Code::KeyNeeded);
        assert_eq!(some.judge(&room("council"), Some("")).unwrap_err().code, Code::KeyNeeded);
        assert_eq!(keys(Needed::Everywhere).judge(&room("hall"), None).unwrap_err().code, Code::KeyNeeded);
    }

    #[test]
    fn the_secret_makes_a_moderator_and_an_empty_one_makes_none() {
        let role = |keys: &Keys, key: &str| keys.judge(&room("hall"), Some(key)).map(|a| a.role);
        assert_eq!(role(&keys(Needed::Everywhere), "moderator-secret"), Ok(Role::Moderator));
        assert!(role(&keys(Needed::Nowhere), "moderator-secre").is_err());
        assert!(role(&Keys::new(String::new(), SECRET, Needed::Nowhere), " ").is_err());
    }

    #[test]
    fn a_token_of_ours_gives_its_role_in_its_room_under_its_name() {
        let keys = keys(Needed::Everywhere);
        let (hall, hour) = (room("hall"), Duration::from_secs(3600));
        let token = keys.token(Some(&hall), Role::Listener, Some("Ada".into()), hour).unwrap();
        let admission = keys.judge(&hall, Some(&token)).unwrap();
        assert_eq!(admission, Admission { role: Role::Listener, name: Some("Ada".into()) });
        assert_eq!(keys.judge(&room("other"), Some(&token)).unwrap_err().code, Code::BadKey);
        let anywhere = keys.token(None, Role::Moderator, None, hour).unwrap();
        assert_eq!(keys.judge(&room("other"), Some(&anywhere)).unwrap().role, Role::Moderator);
    }

    /// RFC 8725 §2.1, §3.1: what attackers try first.
    #[test]
    fn no_other_token_opens_anything() {
        let keys = keys(Needed::Nowhere);
        let good = json!({"room": "hall", "role": "moderator", "exp": FAR});
        assert!(keys.judge(&room("hall"), Some(&signed(ALGORITHM, SECRET, &good))).is_ok());
        let unsigned = |header: &str| {
            let part = |text: &str| {
                // URL-safe base64 without padding (RFC 7515 §2), of texts whose length is a multiple of 3: no other case is needed.
                const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let padded = format!("{text}{}", " ".repeat((3 - text.len() % 3) % 3));
                let mut out = String::new();
                for chunk in padded.as_bytes().chunks(3) {
                    let n = chunk.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
                    out.extend([18, 12, 6, 0].map(|shift| char::from(DIGITS[n >> shift & 63])));
                }
                out
            };
            format!("{}.{}.", part(header), part(&good.to_string()))
        };
        let cases = [
            ("algorithm none", unsigned(r#"{"alg":"none","typ":"JWT"}"#)),
            ("algorithm None", unsigned(r#"{"alg":"None"}"#)),
            ("HS256 without a signature", unsigned(r#"{"alg":"HS256","typ":"JWT"}"#)),
            ("another algorithm", signed(Algorithm::HS512, SECRET, &good)),
            ("another secret", signed(ALGORITHM, "guess", &good)),
            ("the empty secret", signed(ALGORITHM, "", &good)),
            (
                "expired",
                signed(ALGORITHM, SECRET, &json!({"room": "hall", "role": "moderator", "exp": 1_000})),
            ),
            ("no end", signed(ALGORITHM, SECRET, &json!({"room": "hall", "role": "moderator"}))),
            (
                "not yet",
                signed(
                    ALGORITHM,
                    SECRET,
                    &json!({"room": "hall", "role": "member", "exp": FAR, "nbf": FAR - 1}),
                ),
            ),
            (
                "an unknown role",
                signed(ALGORITHM, SECRET, &json!({"room": "hall", "role": "king", "exp": FAR})),
            ),
            ("no room", signed(ALGORITHM, SECRET, &json!({"role": "member", "exp": FAR}))),
            ("garbage", "a.b.c".into()),
            ("dots", "..".into()),
            ("long", "x".repeat(100_000)),
        ];
        for (what, token) in cases {
            assert_eq!(keys.judge(&room("hall"), Some(&token)).unwrap_err().code, Code::BadKey, "{what}");
        }
        let named = json!({"room": "*", "role": "member", "exp": FAR, "name": "a\nb"});
        assert_eq!(
            keys.judge(&room("hall"), Some(&signed(ALGORITHM, SECRET, &named))).unwrap_err().code,
            Code::BadName
        );
    }
}

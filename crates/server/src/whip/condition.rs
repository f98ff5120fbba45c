//! Which ICE session a request means.

use super::refused::{Reason, Refused};
use axum::http::{HeaderMap, header};

/// Whether `If-Match` names the ICE session that is (RFC 9110 §13.1.1, compared strongly) or any, as a restart does.
pub(crate) fn check(headers: &HeaderMap, current: &str) -> Result<(), Refused> {
    let mut given = headers.get_all(header::IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return Err(Reason::NoCondition.into());
    }
    // Our tags hold no comma. `"*"` is how the examples of RFC 9725 §4.3.3 write the star.
    let named =
        |text: &str| text.split(',').map(str::trim).any(|tag| tag == current || tag == "*" || tag == "\"*\"");
    if given.any(|value| value.to_str().is_ok_and(named)) {
        Ok(())
    } else {
        Err(Reason::StaleCondition.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_strongly() {
        let verdict = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_MATCH, value.parse().unwrap());
            }
            check(&headers, "\"0ab\"").err().map(|refused| refused.reason)
        };
        for fine in [&["\"0ab\""][..], &["*"], &["\"*\""], &["\"x\", \"0ab\""], &["\"x\"", "\"0ab\""]] {
            assert_eq!(verdict(fine), None, "{fine:?}");
        }
        for stale in ["\"x\"", "W/\"0ab\"", "0ab", "", "\"0AB\"", "\"0ab"] {
            assert_eq!(verdict(&[stale]), Some(Reason::StaleCondition), "{stale}");
        }
        assert_eq!(verdict(&[]), Some(Reason::NoCondition));
    }
}

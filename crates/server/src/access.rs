//! Who may: origins of pages, and the administrator's token.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;

/// Whether a page of this origin may open a WebSocket here. Browsers always send `Origin` with one (RFC 6455 §10.2), and no page can
/// forge it; what has none is no browser, holds no one else's rights, and may.
pub(crate) fn origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|one| one.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let (Some(origin), Some(host)) =
        (parts(authority, port), host(headers).and_then(|host| parts(host, port)))
    else {
        return false;
    };
    origin == host
}

/// The request's own host, if it is one (RFC 9110 §7.2).
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return None };
    let host = host.to_str().ok()?;
    // No user:password@, and nothing that could end a header field or a policy's source expression.
    let clean = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    (clean && host.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty())).then_some(host)
}

fn parts(authority: &str, default_port: u16) -> Option<(String, u16)> {
    let authority: Authority = authority.parse().ok()?;
    Some((authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(default_port)))
}

/// What the request bears (RFC 6750 §2.1), if anything.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, given) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| given.trim())
}

/// Whether the request bears this token. Compared in constant time; where it comes from does not matter.
pub(crate) fn is_admin(headers: &HeaderMap, token: &str) -> bool {
    bearer(headers).is_some_and(|given| {
        aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), token.as_bytes()).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
        entries.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn origins() {
        let allowed = ["https://Partner.example/".to_owned()];
        for (host, origin, expected) in [
            ("salon.example", "https://salon.example", true),
            ("salon.example:443", "https://salon.example", true),
            ("salon.example", "https://SALON.example:443", true),
            ("10.0.0.1:8080", "https://10.0.0.1:8080", true),
            ("10.0.0.1:8080", "http://10.0.0.1:8080", true),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("salon.example", "https://partner.example", true),
            ("salon.example", "https://salon.example:8443", false),
            ("salon.example", "https://evil.example", false),
            ("salon.example", "https://salon.example.evil.example", false),
            ("salon.example", "null", false),
            ("salon.example", "", false),
            ("salon.example", "file://salon.example", false),
            ("salon.example", "chrome-extension://salon.example", false),
            ("", "https://", false),
        ] {
            assert_eq!(
                origin_allowed(&headers(&[("host", host), ("origin", origin)]), &allowed),
                expected,
                "{host} {origin}"
            );
        }
        assert!(origin_allowed(&headers(&[("host", "a")]), &[]), "no browser");
        assert!(!origin_allowed(&headers(&[("origin", "https://a")]), &[]), "no host");
    }

    #[test]
    fn hosts_that_could_break_out_of_a_header_are_none() {
        for host_text in ["a b", "a;b", "a'b", "a,b", "u@a", "a/b", ""] {
            assert_eq!(host(&headers(&[("host", host_text)])), None, "{host_text}");
        }
        assert_eq!(host(&headers(&[("host", "[fe80::1]:80")])), Some("[fe80::1]:80"));
        let mut two = headers(&[("host", "a")]);
        two.append(HOST, "b".parse().unwrap());
        assert_eq!(host(&two), None);
    }

    #[test]
    fn tokens() {
        for (value, expected) in [
            ("Bearer s3cret", true),
            ("bearer s3cret", true),
            ("Bearer  s3cret", true),
            ("Bearer s3cre", false),
            ("Bearer s3crets", false),
            ("Bearer ", false),
            ("Basic s3cret", false),
            ("s3cret", false),
        ] {
            assert_eq!(is_admin(&headers(&[("authorization", value)]), "s3cret"), expected, "{value}");
        }
        assert!(!is_admin(&HeaderMap::new(), "s3cret"));
        assert!(!is_admin(&HeaderMap::new(), ""));
    }
}

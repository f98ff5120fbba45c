//! Messages of the room protocol.

/// A text is read as a client's message: it is of a known kind, or is refused by a code with a reply that is JSON.
pub(crate) fn message(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let verdict = salon_server::judge_message(&text);
    assert_eq!(verdict, salon_server::judge_message(&text), "the same text, another verdict");
    match verdict {
        Ok(_) => true,
        Err(reply) => {
            assert!(
                reply.starts_with("{\"type\":\"") && reply.ends_with('}') && reply.len() < 2_000,
                "{reply}"
            );
            false
        }
    }
}

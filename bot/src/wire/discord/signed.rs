//! Whether Discord signed what is posted to us.

use axum::http::HeaderMap;
use ring::signature::{ED25519, UnparsedPublicKey};

/// What is older, or as far ahead, is not believed, in milliseconds.
const AGE_MS: i64 = 5 * 60_000;

/// Whether Discord signed a body in the last five minutes.
pub(crate) fn is_proven(headers: &HeaderMap, body: &[u8], public_key: &[u8; 32], now_ms: i64) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(time)) = (text("x-signature-ed25519"), text("x-signature-timestamp")) else {
        return false;
    };
    let Ok(signature) = hex::decode(signature) else { return false };
    let Some(at_ms) = time.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000)) else { return false };
    if now_ms.abs_diff(at_ms) > AGE_MS.unsigned_abs() {
        return false;
    }
    let signed = [time.as_bytes(), body].concat();
    UnparsedPublicKey::new(&ED25519, public_key).verify(&signed, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    #[test]
    fn only_what_is_signed_whole_and_lately_is_proven() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
        let key: [u8; 32] = pair.public_key().as_ref().try_into().expect("32 bytes");
        let (now_ms, body) = (1_800_000_000_000, br#"{"type":1}"#.as_slice());
        let headers = |time: &str, signed: &[u8]| {
            let mut headers = HeaderMap::new();
            let signature = hex::encode(pair.sign(signed).as_ref());
            headers.insert("x-signature-ed25519", signature.parse().expect("a header"));
            headers.insert("x-signature-timestamp", time.parse().expect("a header"));
            headers
        };
        let time = "1800000000";
        let good = headers(time, &[time.as_bytes(), body].concat());
        assert!(is_proven(&good, body, &key, now_ms));
        assert!(!is_proven(&good, br#"{"type":2}"#, &key, now_ms), "another body");
        assert!(!is_proven(&good, body, &[9; 32], now_ms), "another key");
        assert!(!is_proven(&good, body, &key, now_ms + AGE_MS + 1_000), "long ago");
        assert!(!is_proven(&good, body, &key, now_ms - AGE_MS - 1_000), "ahead");
        assert!(
            !is_proven(&headers("1800000001", &[time.as_bytes(), body].concat()), body, &key, now_ms),
            "another time"
        );
        for time in ["", "x", "-9223372036854775808", "99999999999999999999"] {
            assert!(!is_proven(&headers(time, &[time.as_bytes(), body].concat()), body, &key, now_ms), "{time}");
        }
        assert!(!is_proven(&HeaderMap::new(), body, &key, now_ms));
    }
}

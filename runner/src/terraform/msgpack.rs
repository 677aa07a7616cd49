//! Values as Terraform writes them into saved plans. A library's reader was not taken: what is not known before the apply is an
//! extension, at which serde's readers stop, and it can stand anywhere in a value.
//!
//! Source: the MessagePack specification, and `cty/msgpack`, which Terraform writes with.

use serde_json::{Map, Number, Value};

/// How deep values may lie in one another.
const DEPTH_MAX: u32 = 64;

/// The value that `bytes` hold; what is not known yet is null. `None` where they are cut off, hold more than one, or no value at all.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader(bytes);
    let value = reader.value(0)?;
    reader.0.is_empty().then_some(value)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of so many bytes, the highest first.
    fn number(&mut self, len: usize) -> Option<u64> {
        Some(self.take(len)?.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn length(&mut self, len: usize) -> Option<usize> {
        usize::try_from(self.number(len)?).ok()
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        let tag = u8::try_from(self.number(1)?).ok()?;
        let low = |mask: u8| usize::from(tag & mask);
        Some(match tag {
            0x00..=0x7f => Value::from(tag),
            0x80..=0x8f => self.map(low(0x0f), depth)?,
            0x90..=0x9f => self.list(low(0x0f), depth)?,
            0xa0..=0xbf => self.text(low(0x1f))?,
            0xc0 => Value::Null,
            // Never used.
            0xc1 => return None,
            0xc2 | 0xc3 => Value::Bool(tag == 0xc3),
            0xc4..=0xc6 => {
                let len = self.length(1 << (tag - 0xc4))?;
                self.nothing(len)?
            }
            0xc7..=0xc9 => {
                let len = self.length(1 << (tag - 0xc7))?;
                self.nothing(len.checked_add(1)?)?
            }
            0xca => real(f64::from(f32::from_bits(u32::try_from(self.number(4)?).ok()?))),
            0xcb => real(f64::from_bits(self.number(8)?)),
            0xcc..=0xcf => Value::from(self.number(1 << (tag - 0xcc))?),
            0xd0 => Value::from(i8::from_be_bytes(self.take(1)?.try_into().ok()?)),
            0xd1 => Value::from(i16::from_be_bytes(self.take(2)?.try_into().ok()?)),
            0xd2 => Value::from(i32::from_be_bytes(self.take(4)?.try_into().ok()?)),
            0xd3 => Value::from(i64::from_be_bytes(self.take(8)?.try_into().ok()?)),
            0xd4..=0xd8 => self.nothing((1 << (tag - 0xd4)) + 1)?,
            0xd9..=0xdb => {
                let len = self.length(1 << (tag - 0xd9))?;
                self.text(len)?
            }
            0xdc | 0xdd => {
                let len = self.length(2 << (tag - 0xdc))?;
                self.list(len, depth)?
            }
            0xde | 0xdf => {
                let len = self.length(2 << (tag - 0xde))?;
                self.map(len, depth)?
            }
            0xe0..=0xff => Value::from(tag.cast_signed()),
        })
    }

    /// Bytes that nobody here reads, and what is not known yet.
    fn nothing(&mut self, len: usize) -> Option<Value> {
        self.take(len).map(|_| Value::Null)
    }

    fn text(&mut self, len: usize) -> Option<Value> {
        Some(Value::from(std::str::from_utf8(self.take(len)?).ok()?))
    }

    fn list(&mut self, len: usize, depth: u32) -> Option<Value> {
        // Not made with so much room at once: the length is as the file says.
        let mut list = Vec::new();
        for _ in 0..len {
            list.push(self.value(depth + 1)?);
        }
        Some(Value::Array(list))
    }

    fn map(&mut self, len: usize, depth: u32) -> Option<Value> {
        let mut map = Map::new();
        for _ in 0..len {
            let Value::String(key) = self.value(depth + 1)? else { return None };
            map.insert(key, self.value(depth + 1)?);
        }
        Some(Value::Object(map))
    }
}

fn real(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_terraform_writes_is_read_and_what_is_not_known_yet_is_null() {
        for (bytes, value) in [
            (&b"\x83\xa1a\x28\xa1b\xd4\x00\x00\xa1c\x92\xc3\xff"[..], json!({ "a": 40, "b": null, "c": [true, -1] })),
            (b"\xc0", json!(null)),
            (b"\xcd\x01\x00", json!(256)),
            (b"\xd1\xff\x00", json!(-256)),
            (b"\xd0\x80", json!(-128)),
            (b"\xd2\xff\xff\xff\xff", json!(-1)),
            (b"\xd3\xff\xff\xff\xff\xff\xff\xff\xfe", json!(-2)),
            (b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00", json!(0.5)),
            (b"\xd9\x06\xe6\x97\xa5\xe6\x9c\xac", json!("日本")),
            (b"\xdc\x00\x01\x07", json!([7])),
            (b"\xde\x00\x01\xa1k\xc2", json!({ "k": false })),
            (b"\xc7\x02\x0c\x80\x80", json!(null)),
            (b"\xc4\x02\x01\x02", json!(null)),
        ] {
            assert_eq!(read(bytes), Some(value), "{bytes:x?}");
            for end in 0..bytes.len() {
                assert_eq!(read(&bytes[..end]), None, "{:x?} is cut off", &bytes[..end]);
            }
        }
    }

    #[test]
    fn what_is_no_value_is_none() {
        let deep = [vec![0x91; 100], vec![0xc0]].concat();
        for bytes in [&b"\xc1"[..], b"\xc0\xc0", b"\xdf\xff\xff\xff\xff", b"\x81\x01\x02", b"\xa1\xff", &deep] {
            assert_eq!(read(bytes), None, "{bytes:x?}");
        }
    }
}

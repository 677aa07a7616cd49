//! `protect`: globs over resource addresses that no run may delete or replace.

/// True when `pattern` names `address`, or a module or resource that `address` is an instance of or lies in.
///
/// `*` stands for any characters, also none; everything else stands for itself, so that `aws_instance.web[0]` means
/// just that. `module.db` protects `module.db.aws_db_instance.main`, `aws_s3_bucket.assets` protects
/// `aws_s3_bucket.assets["logs"]`.
#[must_use]
pub fn protects(pattern: &str, address: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let address: Vec<char> = address.chars().collect();
    (0..=address.len())
        .filter(|end| *end == address.len() || matches!(address.get(*end), Some('[' | '.')))
        .any(|end| glob(&pattern, address.get(..end).unwrap_or_default()))
}

/// True when `pattern` names, or may name, resources of this type in whichever module: for what has no address, as nothing but its type is
/// known. `module.db` names a module and no type.
#[must_use]
pub fn protects_kind(pattern: &str, kind: &str) -> bool {
    let pieces: Vec<&str> = pattern.split('.').collect();
    let mut rest = pieces.as_slice();
    loop {
        rest = match rest {
            ["module", _, after @ ..] => after,
            // `*.aws_instance.*`: in whichever module.
            ["*", after @ ..] if after.len() >= 2 => after,
            [of, ..] => return names(of, kind),
            [] => return false,
        };
    }
}

/// True when `pattern` names `text`: `*` stands for any characters, also none; everything else for itself.
#[must_use]
pub fn names(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    glob(&pattern, &text)
}

/// Matches with one point to come back to: linear in practice, at most pattern x text.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_protects_itself_its_instances_and_what_lies_in_it() {
        let yes = [
            ("aws_db_instance.*", "aws_db_instance.main"),
            ("aws_db_instance.*", "aws_db_instance.main[0]"),
            ("module.app.aws_s3_bucket.assets", "module.app.aws_s3_bucket.assets"),
            ("module.app.aws_s3_bucket.assets", "module.app.aws_s3_bucket.assets[\"a.b\"]"),
            ("module.db", "module.db.aws_db_instance.main"),
            ("*.aws_db_instance.*", "module.a.aws_db_instance.b"),
            ("aws_instance.web[0]", "aws_instance.web[0]"),
            ("*", "anything.at_all"),
        ];
        for (pattern, address) in yes {
            assert!(protects(pattern, address), "{pattern} should protect {address}");
        }
        let no = [
            ("aws_db_instance.*", "module.a.aws_db_instance.main"),
            ("aws_instance.web[0]", "aws_instance.web[01]"),
            ("aws_instance.web", "aws_instance.web2"),
            ("module.db", "module.db2.aws_instance.a"),
            ("", "a.b"),
        ];
        for (pattern, address) in no {
            assert!(!protects(pattern, address), "{pattern} should not protect {address}");
        }
    }

    #[test]
    fn a_type_is_protected_by_whatever_may_name_one_of_it() {
        for (pattern, kind) in [
            ("aws_db_instance.*", "aws_db_instance"),
            ("module.app.aws_s3_bucket.assets", "aws_s3_bucket"),
            ("module.a.module.b.aws_vpc.this[0]", "aws_vpc"),
            ("*.aws_vpc.*", "aws_vpc"),
            ("aws_*.*", "aws_vpc"),
            ("*", "aws_vpc"),
            ("module.db.*", "aws_vpc"),
            ("aws_vpc", "aws_vpc"),
        ] {
            assert!(protects_kind(pattern, kind), "{pattern} {kind}");
        }
        for (pattern, kind) in [
            ("aws_db_instance.*", "aws_vpc"),
            ("module.db", "aws_vpc"),
            ("*.aws_vpc.*", "aws_instance"),
            ("", "aws_vpc"),
        ] {
            assert!(!protects_kind(pattern, kind), "{pattern} {kind}");
        }
    }
}

//! What a regex cannot do without: literal texts of which one must stand in a line that it matches. One search for
//! all rules' needles then tells which rules are worth asking.

use regex_syntax::hir::{Hir, HirKind};

/// More alternatives than this are not worth searching for.
const NEEDLES_MAX: usize = 16;

/// A needle shorter than this stands in every other line.
const NEEDLE_BYTES_MIN: usize = 2;

/// The needles of a regex, or `None` where it has none and must always be asked.
pub(super) fn needles(regex: &str) -> Option<Vec<Vec<u8>>> {
    let hir = regex_syntax::parse(regex).ok()?;
    needles_of(&hir).filter(|needles| worth(needles) >= NEEDLE_BYTES_MIN)
}

fn needles_of(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Capture(capture) => needles_of(&capture.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => needles_of(&repeated.sub),
        HirKind::Concat(parts) => {
            parts.iter().filter_map(needles_of).max_by_key(|found| worth(found))
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(needles_of(part)?);
            }
            (all.len() <= NEEDLES_MAX).then_some(all)
        }
        _ => None,
    }
}

/// A set of needles is as good as its shortest.
fn worth(needles: &[Vec<u8>]) -> usize {
    needles.iter().map(Vec::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(regex: &str, expected: Option<&[&str]>) {
        let found = needles(regex);
        let found = found.map(|needles| {
            needles.into_iter().map(|needle| String::from_utf8(needle).unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(found, expected.map(|all| all.iter().map(|&one| one.to_owned()).collect()));
    }

    #[test]
    fn the_longest_text_that_must_stand_is_found() {
        check(r"^evt=paper_out\b", Some(&["evt=paper_out"]));
        check(r"rc=(?<rc>\w+) approved", Some(&[" approved"]));
        check("缺纸|请装纸", Some(&["缺纸", "请装纸"]));
        check("(a long one)?x y", Some(&["x y"]));
        check(r"(?i)paper", None);
        check(r"\d+|paper", None);
        check("a", None);
    }
}

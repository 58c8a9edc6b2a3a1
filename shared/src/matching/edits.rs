//! Edit distance between two folded names.

use super::fold::{MAX_CHARS, Name};

/// Returns one minus the share of characters to change; 0 above two fifths, which is never accepted.
pub(super) fn edit_ratio(a: Name<'_>, b: Name<'_>) -> f64 {
    let longest = a.length().max(b.length());
    match (distance(a, b, longest * 2 / 5), u32::try_from(longest)) {
        (Some(distance), Ok(longest)) if longest > 0 => {
            1.0 - f64::from(distance) / f64::from(longest)
        }
        _ => 0.0,
    }
}

/// Counts the insertions, deletions, substitutions and swaps of neighbours that turn one name into the other; `None`
/// above `limit`.
///
/// Optimal string alignment by rows, which ends as soon as a whole row exceeds the limit.
#[expect(
    clippy::indexing_slicing,
    reason = "every row is one longer than a name can be"
)]
pub(super) fn distance(a: Name<'_>, b: Name<'_>, limit: usize) -> Option<u16> {
    if a.length().abs_diff(b.length()) > limit {
        return None;
    }
    let (mut left, mut right) = (['\0'; MAX_CHARS + 1], ['\0'; MAX_CHARS + 1]);
    let (a, b) = (a.spell(&mut left), b.spell(&mut right));
    let (a, b) = without_common_ends(a, b);
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let limit = u16::try_from(limit).ok()?;
    let mut rows = [[0_u16; MAX_CHARS + 2]; 3];
    let [before_last, last, current] = &mut rows;
    let (mut before_last, mut last, mut current) = (before_last, last, current);
    last.iter_mut()
        .zip(0..)
        .take(b.len() + 1)
        .for_each(|(cost, at)| *cost = at);
    for (row, &x) in a.iter().enumerate() {
        current[0] = u16::try_from(row + 1).ok()?;
        let mut least = current[0];
        for (column, &y) in b.iter().enumerate() {
            let mut cost = (last[column] + u16::from(x != y))
                .min(last[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && a[row - 1] == y && b[column - 1] == x {
                cost = cost.min(before_last[column - 1] + 1);
            }
            current[column + 1] = cost;
            least = least.min(cost);
        }
        if least > limit {
            return None;
        }
        (before_last, last, current) = (last, current, before_last);
    }
    Some(last[b.len()]).filter(|cost| *cost <= limit)
}

fn without_common_ends<'a>(a: &'a [char], b: &'a [char]) -> (&'a [char], &'a [char]) {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (
        a.get(start..).unwrap_or_default(),
        b.get(start..).unwrap_or_default(),
    );
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    (
        a.get(..a.len() - end).unwrap_or_default(),
        b.get(..b.len() - end).unwrap_or_default(),
    )
}

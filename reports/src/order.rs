//! The order of case ids.

use std::cmp::Ordering;

use crate::record::CaseKey;

/// Orders ids by their parts, numbers by value and before letters: `2.9`, `2.10`, `10.1`, `F.2`.
pub(crate) fn ids(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            // `1` and `01` are of one value and two ids.
            (None, None) => return a.cmp(b),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => match (x.parse::<u64>(), y.parse::<u64>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => x.cmp(y),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Orders keys by id, then by role, then by carrier, TCP first.
pub(crate) fn keys(a: &CaseKey, b: &CaseKey) -> Ordering {
    let rest = |key: &CaseKey| (key.role, key.carrier != "tcp", key.carrier.clone());
    ids(&a.id, &b.id).then_with(|| rest(a).cmp(&rest(b)))
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;
    use crate::record::Role;

    #[test]
    fn numbers_are_ordered_by_value() {
        let mut found = ["10.1.1", "2.10", "F.10", "2.9", "F.2", "6.4", "6.4.1"];
        found.sort_by(|a, b| ids(a, b));
        assert_eq!(found, ["2.9", "2.10", "6.4", "6.4.1", "10.1.1", "F.2", "F.10"]);
    }

    #[test]
    fn tcp_comes_first() {
        let key =
            |carrier: &str| CaseKey { id: "1".to_owned(), role: Role::Server, carrier: carrier.to_owned() };
        let mut found = ["tls", "h2", "tcp"].map(key);
        found.sort_by(keys);
        assert_eq!(found.map(|key| key.carrier), ["tcp", "h2", "tls"]);
    }

    quickcheck! {
        fn only_what_is_the_same_is_equal(a: String, b: String) -> bool {
            (ids(&a, &b) == Ordering::Equal) == (a == b) && ids(&a, &b) == ids(&b, &a).reverse()
        }
    }
}

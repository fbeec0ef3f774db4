//! What a cursor remembers of the numbers that are missing.

use super::*;

#[test]
fn what_is_passed_over_is_remembered_and_a_cursor_carries_it() {
    let mut place = Place::default();
    for number in [1, 2, 5, 6, 9] {
        place.reach(seen(number), 100);
    }
    let gap = |first, last| Gap {
        first,
        last,
        found_ms: 100,
    };
    assert_eq!(
        (place.last.number, &*place.gaps),
        (9, [gap(3, 4), gap(7, 8)].as_slice())
    );
    let cursor = place.into_cursor();
    let place = Place::of(&cursor);
    assert_eq!(place.into_cursor(), cursor);
}

#[test]
fn what_appears_is_not_asked_for_again() {
    let gap = |first, last| Gap {
        first,
        last,
        found_ms: 7,
    };
    assert_eq!(gap(3, 8).without(&[]), [gap(3, 8)]);
    assert_eq!(gap(3, 8).without(&[3, 5, 8]), [gap(4, 4), gap(6, 7)]);
    assert_eq!(gap(3, 4).without(&[3, 4]), []);
}

#[test]
fn a_gap_is_given_up_when_no_transaction_can_be_that_old() {
    let mut place = Place::default();
    place.reach(seen(3), 100);
    place.reach(seen(6), 200);
    place.forget(0, u64::MAX, 1_150, 1_000);
    assert_eq!(
        place.gaps.iter().map(|gap| gap.first).collect::<Vec<_>>(),
        [4]
    );
}

/// Nobody could ask for as long as a transaction may take, so what was missing then is asked for once
/// more, and no part of it that a full page did not come to is given up.
#[test]
fn a_gap_that_was_not_asked_for_is_not_given_up() {
    let mut place = Place::default();
    place.reach(seen(3), 100);
    place.reach(seen(6), 100);
    place.forget(0, 2, 9_000, 1_000);
    assert_eq!(
        place.gaps.iter().map(|gap| gap.first).collect::<Vec<_>>(),
        [4]
    );
    place.forget(4, u64::MAX, 9_000, 1_000);
    assert_eq!(place.gaps.len(), 1);
    place.forget(3, u64::MAX, 9_000, 1_000);
    assert!(place.gaps.is_empty());
}

/// A follower's memory is bounded, and no gap is lost for it.
#[test]
fn gaps_beyond_the_bound_are_joined_and_not_dropped() {
    let mut place = Place::default();
    for number in 1..=500 {
        place.reach(seen(number * 2), number);
    }
    place.join_gaps(600_000);
    assert_eq!(place.gaps.len(), MOST_GAPS);
    for missing in (1..1000).step_by(2) {
        let covers = |gap: &Gap| gap.first <= missing && missing <= gap.last;
        assert!(place.gaps.iter().any(covers), "{missing}");
    }
}

/// Records that were purged leave a gap beside each that is left; however many there are, the
/// pages come to an end, and after them nothing but what is between joined gaps is read again.
#[test]
fn the_pages_of_a_list_full_of_gaps_come_to_an_end() {
    let present: Vec<u64> = (1..=4_000).filter(|number| number % 5 < 3).collect();
    let mut cursor = RevocationCursor::default();
    for poll in 1..=3 {
        let mut pages = 0;
        loop {
            let mut place = Place::of(&cursor);
            let mut room = 1_000;
            if let Some(values) = place.what_is_missing(room) {
                let found = answers::missing(&values, present.iter().copied());
                room -= u32::try_from(found.len()).unwrap();
                place.pass_missing(&found, room, poll, 600_000);
            }
            if room > 0 {
                let came = answers::after(&place.what_comes_after(room), present.iter().copied());
                let came: Vec<Seen> = came.into_iter().map(seen).collect();
                let known = place.pass_after(&came, poll).unwrap();
                room -= u32::try_from(came.len() - known).unwrap();
            }
            place.end_page(room == 0, 600_000);
            assert!(place.gaps.len() <= MOST_GAPS);
            cursor = place.into_cursor();
            pages += 1;
            assert!(pages <= 4, "poll {poll} does not end");
            if room > 0 {
                break;
            }
        }
    }
    assert_eq!(Place::of(&cursor).last.number, 4_000);
}

/// One that is found every second does not keep the oldest alive.
#[test]
fn joined_gaps_are_given_up_like_any_other() {
    let (longest_ms, mut place) = (600_000, Place::default());
    for second in 1..=2_000 {
        place.forget(0, u64::MAX, second * 1_000, longest_ms);
        place.reach(seen(second * 2), second * 1_000);
        place.join_gaps(longest_ms);
        assert!(place.gaps.len() <= MOST_GAPS);
    }
    let oldest = place.gaps.first().unwrap();
    assert!(oldest.first > 2 * (2_000 - 600 - 40), "{oldest:?}");
    for missing in (2 * 1_400 + 1..4_000).step_by(2) {
        let covers = |gap: &Gap| gap.first <= missing && missing <= gap.last;
        assert!(place.gaps.iter().any(covers), "{missing}");
    }
}

fn seen(number: u64) -> Seen {
    Seen {
        number,
        mark: number + 1_000,
    }
}

//! Which wire case is held by which case of the suite, and why some do not apply.

/// A wire case and what becomes of it here.
#[derive(Debug)]
#[non_exhaustive]
pub struct WireCase {
    /// Its number.
    pub number: u8,
    /// What becomes of it.
    pub coverage: Coverage,
}

/// What becomes of a wire case.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum Coverage {
    /// These cases of the suite hold it.
    Held(&'static [&'static str]),
    /// It does not apply to a server that owns its sessions and keys, for this reason.
    DoesNotApply(&'static str),
}

const fn held(number: u8, cases: &'static [&'static str]) -> WireCase {
    WireCase {
        number,
        coverage: Coverage::Held(cases),
    }
}

const fn not_ours(number: u8, reason: &'static str) -> WireCase {
    WireCase {
        number,
        coverage: Coverage::DoesNotApply(reason),
    }
}

/// The report: every wire case by number, with the cases that hold it or the reason why it does not
/// apply.
pub fn report() -> String {
    use std::fmt::Write as _;

    let mut report = String::new();
    let (mut run, mut left_out) = (0, 0);
    for WireCase { number, coverage } in &CASES {
        let line = match coverage {
            Coverage::Held(cases) => {
                run += 1;
                format!("{number:>2} held by {}", cases.join(", "))
            }
            Coverage::DoesNotApply(reason) => {
                left_out += 1;
                format!("{number:>2} does not apply: {reason}")
            }
        };
        writeln!(report, "{line}").unwrap();
    }
    writeln!(report, "{run} wire cases run, {left_out} do not apply").unwrap();
    report
}

/// Every wire case, in order.
pub const CASES: [WireCase; 75] = [
    held(1, &["a_token_names_its_algorithm_version_and_key"]),
    held(2, &["a_static_key_is_used_where_it_is_configured"]),
    held(3, &["a_token_has_all_claims_of_the_session"]),
    held(4, &["protected_names_from_a_client_are_dropped"]),
    not_ours(
        5,
        "there is no core behind the API; a payload with a protected name is refused where it is made (B10)",
    ),
    held(6, &["members_that_say_nothing_may_be_missing"]),
    held(7, &["a_token_of_another_version_is_none"]),
    held(8, &["a_token_of_another_kind_is_none"]),
    held(9, &["unknown_keys_are_looked_for_once_a_second"]),
    held(10, &["unknown_keys_are_looked_for_once_a_second"]),
    not_ours(11, "there are no core hosts to choose from"),
    not_ours(12, "keys are local; known ones are never fetched"),
    held(13, &["a_token_of_the_other_kind_of_key_is_refreshed"]),
    held(14, &["a_token_expires_on_the_second"]),
    not_ours(
        15,
        "refresh tokens have a format of their own, opaque to clients",
    ),
    not_ours(
        16,
        "tokens rotate when they are refreshed, never when they are used",
    ),
    not_ours(
        17,
        "tokens rotate when they are refreshed; both refreshes get one successor (F2)",
    ),
    not_ours(18, "a verification writes nothing and promotes nothing"),
    not_ours(19, "a verification writes nothing and promotes nothing"),
    not_ours(20, "tokens rotate when they are refreshed"),
    held(21, &["a_replay_after_the_window_is_theft"]),
    not_ours(22, "there are no siblings: one token has one successor"),
    held(23, &["a_forged_refresh_token_is_refused"]),
    held(24, &["an_expired_session_is_not_refreshed"]),
    held(25, &["a_change_by_handle_reaches_the_client"]),
    held(
        26,
        &["a_replay_inside_the_grace_window_gets_the_same_token"],
    ),
    not_ours(
        27,
        "one token has one successor, so a replay displaces nothing (F2)",
    ),
    not_ours(
        28,
        "a replay after the window is always reported as theft (F1)",
    ),
    not_ours(29, "a refresh request has no lifetime field"),
    held(30, &["a_cookie_login_sets_two_cookies_and_a_front_token"]),
    held(31, &["a_header_login_sends_both_tokens_in_headers"]),
    held(32, &["a_login_without_a_wish_sends_headers"]),
    held(33, &["an_anti_csrf_token_is_sent_and_exposed"]),
    held(
        34,
        &[
            "the_refresh_cookie_follows_the_base_path",
            "the_access_cookie_has_the_configured_path",
        ],
    ),
    held(35, &["the_cookies_expire_when_they_should"]),
    held(36, &["a_header_token_beats_a_cookie"]),
    held(37, &["a_foreign_bearer_token_does_not_hide_the_cookie"]),
    held(
        38,
        &[
            "a_cookie_login_clears_header_tokens",
            "a_header_login_clears_cookies",
        ],
    ),
    held(39, &["a_refresh_with_both_uses_the_header"]),
    held(40, &["an_exposed_access_token_travels_twice"]),
    held(
        41,
        &[
            "two_access_cookies_have_to_be_refreshed",
            "cookies_are_read_over_all_lines",
            "split_duplicates_are_seen_over_http2",
        ],
    ),
    held(
        42,
        &[
            "an_older_cookie_is_cleared_where_its_domain_is_known",
            "split_duplicates_are_seen_over_http2",
        ],
    ),
    held(43, &["the_cookie_of_an_older_protocol_is_refreshed_away"]),
    held(44, &["a_request_without_a_token_is_refused"]),
    held(45, &["an_optional_route_goes_on_without_a_token"]),
    held(46, &["a_malformed_token_is_as_if_it_were_not_there"]),
    held(
        47,
        &["an_expired_session_is_refused_even_where_it_is_optional"],
    ),
    held(
        48,
        &[
            "a_revoked_session_is_refused_where_the_database_is_asked",
            "a_revoked_session_is_refused_where_the_blacklist_is_asked",
        ],
    ),
    held(
        49,
        &[
            "a_token_is_asked_of_changing_requests",
            "a_session_without_a_token_gets_one_by_refreshing",
        ],
    ),
    held(50, &["a_custom_header_is_asked_of_changing_requests"]),
    held(51, &["a_preflight_reaches_its_handler"]),
    held(
        52,
        &[
            "stateless_routes_go_on_without_the_store",
            "what_needs_the_store_says_that_it_is_away",
        ],
    ),
    held(53, &["a_claim_that_does_not_suffice_is_refused"]),
    held(54, &["a_refetched_claim_travels_with_the_answer"]),
    held(55, &["a_missing_claim_says_what_was_expected"]),
    held(56, &["a_refresh_without_a_token_is_refused"]),
    held(57, &["an_access_cookie_alone_does_not_refresh"]),
    held(58, &["a_refresh_gives_the_next_tokens"]),
    held(59, &["a_refresh_is_checked"]),
    held(
        60,
        &[
            "a_sign_out_ends_the_session",
            "a_sign_out_without_a_session_is_refused",
            "a_sign_out_of_an_ended_session_is_done",
            "a_signed_out_app_stays_quiet",
        ],
    ),
    held(61, &["a_sign_out_ignores_claims"]),
    held(
        62,
        &[
            "the_keys_are_public_and_nothing_else",
            "the_keys_may_be_kept_until_the_next_one",
            "another_service_verifies_with_the_set",
        ],
    ),
    held(63, &["a_merge_sets_and_removes"]),
    held(
        64,
        &["a_merge_after_the_token_has_expired_waits_for_the_refresh"],
    ),
    held(65, &["a_session_belongs_to_its_tenant"]),
    not_ours(66, "there is no core to call"),
    not_ours(67, "there is no core to call"),
    not_ours(68, "there is no core to call"),
    held(69, &["sites_decide_about_cookies"]),
    not_ours(
        70,
        "the browser SDK's own behaviour; what our side answers is case 56",
    ),
    not_ours(71, "the browser SDK's own behaviour"),
    not_ours(
        72,
        "the browser SDK's own behaviour; what our side answers is case 60",
    ),
    not_ours(
        73,
        "the browser SDK's own behaviour; our side never clears tokens for a fault of ours (F16)",
    ),
    held(
        74,
        &[
            "the_documents_are_read_with_get",
            "the_route_is_matched_exactly",
            "the_sign_out_route_is_matched_exactly",
        ],
    ),
    held(75, &["unknown_keys_are_looked_for_once_a_second"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wire_case_is_there_once_and_says_what_becomes_of_it() {
        for (case, number) in CASES.iter().zip(1..) {
            assert_eq!(case.number, number);
            let says_something = match case.coverage {
                Coverage::Held(cases) => !cases.is_empty(),
                Coverage::DoesNotApply(reason) => !reason.is_empty(),
            };
            assert!(says_something, "{number}");
        }
    }

    #[test]
    fn the_report_has_a_line_for_each_and_a_sum() {
        let report = report();
        assert_eq!(report.lines().count(), CASES.len() + 1);
        assert!(report.contains("66 does not apply: there is no core to call"));
    }
}

//! The list of cases.

/// Declares one test per case of the HTTP suite.
///
/// Takes an expression that makes an [`Adapter`](crate::http::Adapter); it is evaluated once for
/// each case. For a framework that does not speak HTTP/2, write `http_suite!(MyAdapter, no http2)`:
/// the test harness then names the cases that were left out as ignored.
#[macro_export]
macro_rules! http_suite {
    ($adapter:expr $(,)?) => {
        $crate::__http_suite! { $adapter; }
    };
    ($adapter:expr, no http2 $(,)?) => {
        $crate::__http_suite! { $adapter; #[ignore = "the framework does not speak HTTP/2"] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_suite {
    ($adapter:expr; $(#[$http2:meta])?) => {
        #[test]
        fn every_wire_case_is_held_or_does_not_apply() {
            println!("{}", $crate::http::coverage::report());
        }

        $crate::__http_cases! { __http_tests { $adapter } $(#[$http2])? }
    };
}

/// Declares one test per case of the HTTP suite that runs it against every adapter and compares the
/// complete answers.
///
/// Takes an expression that makes the [`Contender`](crate::http::Contender)s; it is evaluated once
/// for each case.
#[macro_export]
macro_rules! same_answers {
    ($contenders:expr $(,)?) => {
        $crate::__http_cases! { __http_comparisons { $contenders } }
    };
}

/// Every case by its subject, for the macro `$run`.
#[doc(hidden)]
#[macro_export]
macro_rules! __http_cases {
    ($run:ident { $with:expr } $(#[$http2:meta])?) => {
        $crate::$run! { $with;
            anti_csrf {
                a_token_is_asked_of_changing_requests
                only_the_sessions_own_token_will_do
                a_session_without_a_token_gets_one_by_refreshing
                a_custom_header_is_asked_of_changing_requests
                a_foreign_bearer_token_does_not_switch_the_check_off
                a_cross_site_request_changes_nothing
                a_refresh_is_checked
                no_other_site_can_refresh_or_sign_out
            }
            claims {
                a_claim_that_does_not_suffice_is_refused
                a_refetched_claim_travels_with_the_answer
                a_missing_claim_says_what_was_expected
                global_validators_run_unless_a_route_says_otherwise
                a_sign_out_ignores_claims
                a_handler_sets_removes_and_fetches_claims
                a_claim_that_cannot_be_fetched_is_our_fault
            }
            confusion {
                a_refresh_token_is_no_access_token
                an_access_token_is_no_refresh_token
                no_other_token_of_ours_is_an_access_token
                another_applications_token_is_refused
                a_session_stays_in_its_tenant
                a_hash_is_no_refresh_token
            }
            cookies {
                two_access_cookies_have_to_be_refreshed
                cookies_are_read_over_all_lines
                a_name_that_only_looks_like_ours_is_not_ours
                quotes_hide_nothing
                a_value_is_decoded_once
                an_older_cookie_is_cleared_where_its_domain_is_known
                the_cookie_of_an_older_protocol_is_refreshed_away
                a_bearer_token_has_one_form
                two_authorization_lines_are_refused
                a_token_anywhere_else_is_ignored
            }
            documents {
                the_keys_are_public_and_nothing_else
                the_keys_may_be_kept_until_the_next_one
                another_service_verifies_with_the_set
                the_discovery_document_names_the_keys
                only_the_documents_are_for_every_origin
                the_documents_are_read_with_get
            }
            forgeries {
                a_token_without_a_signature_is_refused
                a_mac_under_the_public_key_is_refused
                another_algorithm_of_our_own_key_is_refused
                the_algorithm_is_spelt_in_one_way
                a_key_in_the_token_is_not_used
                a_critical_extension_is_refused
                a_signature_that_is_not_the_tokens_is_refused
                a_flipped_bit_is_refused
                a_key_id_is_nothing_but_a_name
            }
            http2 $(#[$http2])? {
                a_session_lives_over_http2
                split_cookies_are_read_over_http2
                split_duplicates_are_seen_over_http2
            }
            injection {
                a_naughty_name_travels_unchanged_and_injects_nothing
                an_impossible_name_is_refused
                names_that_look_alike_are_different_users
            }
            limits {
                a_cookie_bomb_is_refused
                an_oversize_token_is_refused
                a_signed_token_beyond_the_limit_is_refused
                forged_signatures_reach_no_store
                unknown_keys_are_looked_for_once_a_second
                a_broken_request_breaks_nothing
            }
            login {
                a_login_ends_the_session_before_it
                a_client_does_not_choose_its_handle
                no_two_sessions_share_anything
                an_expired_session_does_not_keep_anybody_out
                a_session_belongs_to_its_tenant
                a_handler_ends_the_users_other_sessions
            }
            outages {
                stateless_routes_go_on_without_the_store
                what_needs_the_store_says_that_it_is_away
                a_store_that_hangs_is_given_up
                an_unconfirmed_revocation_is_not_reported
                a_lost_answer_of_the_store_costs_nothing
                an_outage_during_a_refresh_ends_no_session
                a_deaf_node_asks_the_database
            }
            payload {
                protected_names_from_a_client_are_dropped
                a_protected_name_is_refused
                a_merge_sets_and_removes
                a_merge_after_the_token_has_expired_waits_for_the_refresh
                a_change_by_handle_reaches_the_client
                concurrent_merges_are_all_kept
                numbers_keep_their_value
                a_payload_too_large_for_its_transport_is_refused
                a_payload_without_measure_is_refused
                session_data_stays_on_the_server
            }
            refresh {
                a_refresh_gives_the_next_tokens
                a_refresh_without_a_token_is_refused
                an_access_cookie_alone_does_not_refresh
                a_forged_refresh_token_is_refused
                an_expired_session_is_not_refreshed
                an_absolute_lifetime_is_not_moved
                an_ended_session_is_not_refreshed
                the_route_is_matched_exactly
                a_refresh_token_comes_as_a_bearer_token
            }
            responses {
                two_logins_in_one_handler_send_the_last_ones_tokens
                a_revocation_in_the_handler_wins
                a_handler_that_revokes_clears_the_requests_tokens
                an_error_of_the_handlers_own_carries_the_tokens
                a_failure_after_a_change_keeps_client_and_database_together
                an_operation_on_an_ended_session_clears_the_tokens
                a_layer_applied_twice_writes_once
                the_applications_own_headers_are_kept
                a_cookie_of_our_name_is_replaced
                no_cache_keeps_what_carries_tokens
                a_panic_takes_nothing_with_it
                refusals_say_no_more_than_their_contract
                a_bearer_client_is_challenged
            }
            rotation {
                a_replay_inside_the_grace_window_gets_the_same_token
                a_replay_after_the_window_is_theft
                a_slow_tab_gets_the_current_token
                a_token_beyond_memory_is_theft
                a_hundred_refreshes_at_once_are_one_lineage
                without_a_window_one_of_many_succeeds
                a_client_that_goes_away_can_try_again
                a_listener_delays_nothing
                a_restart_forgets_no_rotation
                nodes_agree_on_the_successor
                a_rotated_key_logs_nobody_out
                a_revocation_beats_a_refresh_under_way
                shadow_mode_tells_and_lets_live
                a_change_during_a_refresh_is_not_lost
            }
            routes {
                what_is_not_ours_is_the_applications
                an_unknown_route_looks_at_no_token
            }
            sdk_calls {
                a_first_launch_asks_for_a_session_once
                an_expired_token_is_refreshed_unseen_by_the_caller
                calls_at_once_share_one_refresh
                an_app_that_was_killed_before_it_kept_an_answer_goes_on
                an_app_that_comes_back_too_late_is_signed_out
                an_app_that_kept_its_refresh_token_first_goes_on
                a_signed_out_app_stays_quiet
                a_stolen_token_ends_the_session_of_thief_and_owner
                a_route_that_always_refuses_is_given_up_after_ten_refreshes
                a_refresh_that_fails_is_shown_and_the_session_kept
            }
            settings {
                the_refresh_cookie_follows_the_base_path
                the_access_cookie_has_the_configured_path
                sites_decide_about_cookies
                prefixed_cookies_are_the_only_ones
                a_configured_domain_is_on_every_cookie
                the_statuses_are_the_configured_ones
                only_the_allowed_method_counts
                expiry_is_spread_where_it_is_configured
                contradictions_are_refused_at_the_start
                a_cookie_line_cannot_be_written_by_a_setting
            }
            sign_out {
                a_sign_out_ends_the_session
                a_sign_out_without_a_session_is_refused
                a_sign_out_of_an_ended_session_is_done
                a_sign_out_ends_no_other_session
                the_sign_out_route_is_matched_exactly
            }
            streams {
                a_stream_ends_with_its_session
                streams_may_be_left
            }
            token_texts {
                a_token_of_another_shape_is_refused
                another_encoding_of_the_same_bytes_is_refused
                a_name_twice_is_refused
                a_payload_that_is_not_plain_json_is_refused
                the_signature_is_over_the_bytes_that_came
            }
            tokens {
                a_token_names_its_algorithm_version_and_key
                a_static_key_is_used_where_it_is_configured
                a_token_has_all_claims_of_the_session
                members_that_say_nothing_may_be_missing
                a_token_of_another_version_is_none
                a_token_of_another_kind_is_none
                a_token_of_the_other_kind_of_key_is_refreshed
                a_removed_key_no_longer_verifies
                times_out_of_line_are_refused
            }
            transfer {
                a_cookie_login_sets_two_cookies_and_a_front_token
                a_header_login_sends_both_tokens_in_headers
                a_login_without_a_wish_sends_headers
                an_anti_csrf_token_is_sent_and_exposed
                the_cookies_expire_when_they_should
                a_header_token_beats_a_cookie
                a_foreign_bearer_token_does_not_hide_the_cookie
                a_cookie_login_clears_header_tokens
                a_header_login_clears_cookies
                a_refresh_with_both_uses_the_header
                an_exposed_access_token_travels_twice
            }
            verification {
                a_request_without_a_token_is_refused
                an_optional_route_goes_on_without_a_token
                a_malformed_token_is_as_if_it_were_not_there
                an_expired_session_is_refused_even_where_it_is_optional
                a_token_expires_on_the_second
                a_revoked_session_is_refused_where_the_database_is_asked
                a_revoked_session_is_refused_where_the_blacklist_is_asked
                the_default_check_is_the_configured_one
                a_route_may_ask_for_more_by_method
                checks_of_one_request_add_up
                a_preflight_reaches_its_handler
                a_route_may_ask_for_a_token_that_lasts
                a_handler_may_answer_for_itself
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_tests {
    ($adapter:expr; $($subject:ident $(#[$attribute:meta])? { $($case:ident)* })*) => {
        $($crate::__http_tests! { @subject $adapter; $subject { $(#[$attribute])? } $($case)* })*
    };
    (@subject $adapter:expr; $subject:ident $attribute:tt $($case:ident)*) => {
        $($crate::__http_tests! { @case $adapter; $subject $attribute $case })*
    };
    (@case $adapter:expr; $subject:ident { $($attribute:tt)* } $case:ident) => {
        #[test]
        $($attribute)*
        fn $case() {
            $crate::http::run($adapter, &$crate::http::$subject::$case);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __http_comparisons {
    ($contenders:expr; $($subject:ident { $($case:ident)* })*) => {
        $($crate::__http_comparisons! { @subject $contenders; $subject $($case)* })*
    };
    (@subject $contenders:expr; $subject:ident $($case:ident)*) => {
        $($crate::__http_comparisons! { @case $contenders; $subject $case })*
    };
    (@case $contenders:expr; $subject:ident $case:ident) => {
        #[test]
        fn $case() {
            let case = concat!(stringify!($subject), "::", stringify!($case));
            $crate::http::transcript::compare($contenders, case, &$crate::http::$subject::$case);
        }
    };
}

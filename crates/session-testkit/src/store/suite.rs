//! The list of cases.

/// Declares one test per case of the store suite.
///
/// Takes an expression that makes a fresh [`TestDatabase`](crate::store::TestDatabase); it is
/// evaluated once for each case.
#[macro_export]
macro_rules! store_suite {
    ($database:expr $(,)?) => {
        $crate::__store_tests! { $database;
            sessions {
                a_session_is_read_back_byte_for_byte
                an_unknown_handle_names_no_session
                an_expired_session_is_still_read
                a_taken_handle_is_refused
                a_revoked_handle_stays_taken
                of_racing_creations_with_one_handle_one_wins
                json_is_kept_to_the_byte
                the_largest_texts_are_kept
                times_of_any_size_are_kept
                counters_of_any_size_are_kept
            }
            updates {
                a_payload_is_replaced_from_the_version_that_was_read
                of_racing_payload_updates_one_wins
                racing_payload_updates_lose_nothing
                a_payload_update_beside_a_rotation_loses_neither
                data_is_replaced_without_conflict
                an_update_makes_no_session
            }
            rotation {
                a_rotation_writes_what_it_brings_and_nothing_else
                of_racing_rotations_one_wins
                a_rotation_from_another_generation_is_lost
                a_rotation_may_skip_generations
                an_expired_session_is_not_rotated
                a_rotation_makes_no_session
                the_latest_access_expiry_is_kept
                a_session_revoked_beside_a_rotation_is_dead
            }
            revocation {
                a_revoked_session_is_gone_and_recorded
                a_record_lasts_as_long_as_the_latest_access_token
                a_record_outlives_tokens_of_lost_rotations
                a_record_never_ends_early_by_overflow
                revoking_is_idempotent_and_exact
                ten_thousand_handles_are_one_call
                of_racing_revocations_one_returns_each_session
                revoking_all_ends_every_session_acknowledged_before
                revoking_all_beside_rotations_spares_none
                a_scope_ends_nothing_outside_it
            }
            list {
                pages_join_in_the_order_of_age
                a_page_is_no_longer_than_asked_for
                an_expired_session_is_not_listed
                a_scope_shows_nothing_outside_it
                too_many_handles_are_not_looked_up
            }
            feed {
                pages_hold_each_revocation
                a_cursor_yields_what_came_since
                an_expired_revocation_is_left_out
                a_purge_moves_no_place
                a_list_full_of_gaps_comes_to_an_end
                a_follower_beside_racing_revocations_misses_nothing
                a_bulk_revocation_appears_at_once
                the_way_of_hearing_is_usable
            }
            nodes {
                a_node_attends_until_it_leaves
                a_lease_ends_by_itself_and_a_renewal_extends_it
                an_acknowledgement_is_not_taken_back
                of_racing_raisers_each_gets_a_barrier_of_its_own
                a_barrier_is_later_than_those_that_were_lost
                a_node_that_is_gone_is_purged
            }
            keys {
                a_key_is_read_back_byte_for_byte
                keys_come_newest_first
                a_hundred_first_starts_make_one_key
                a_fresher_key_of_the_purpose_keeps_another_out
                a_taken_key_id_is_not_overwritten
                a_resealed_key_keeps_everything_else
                a_removed_key_is_gone
            }
            ids {
                naughty_handles_name_their_own_session
                naughty_users_find_their_own_sessions
                naughty_key_ids_name_their_own_key
                lookalikes_are_not_equal
                the_longest_identifiers_are_kept_whole
                what_databases_disagree_about_never_reaches_one
            }
            purge {
                what_has_expired_is_deleted_and_nothing_else
                a_purge_goes_in_batches
                a_purge_takes_no_session_that_is_being_refreshed
            }
            dropped_futures {
                what_follows_a_dropped_call_is_not_lost
                what_follows_a_call_given_up_is_not_lost
                a_dropped_revocation_is_whole_or_not_at_all
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ($database:expr; $($subject:ident { $($case:ident)* })*) => {
        $($(
            #[test]
            fn $case() {
                $crate::store::run(&$database, &$crate::store::$subject::$case);
            }
        )*)*
    };
}

//! Plays real streams through the built package (`player-wasm/pkg`) in a browser: bytes in, and the
//! `<video>` element's time moves. The scenarios are in `scenarios.js`.
#![cfg(target_arch = "wasm32")]

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/tests/scenarios.js")]
extern "C" {
    fn plays_live_on_the_page() -> Promise;
    fn plays_in_a_worker() -> Promise;
    fn a_worker_that_cannot_start_is_replaced() -> Promise;
    fn plays_from_the_smallest_pieces() -> Promise;
    fn plays_pictures_alone() -> Promise;
    fn plays_sound_alone() -> Promise;
    fn promised_sound_that_comes_late_follows_silence() -> Promise;
    fn settles_close_to_live_after_a_stored_group() -> Promise;
    fn plays_on_after_the_network_stood_still() -> Promise;
    fn plays_on_when_the_publishers_clock_jumps() -> Promise;
    fn plays_on_after_noise_between_tags() -> Promise;
    fn a_decoder_that_fails_gets_another_start() -> Promise;
    fn a_decoder_that_always_fails_is_an_error() -> Promise;
    fn a_proper_end_is_told_and_played_to() -> Promise;
    fn a_lost_connection_is_an_error() -> Promise;
    fn a_lost_connection_is_opened_again() -> Promise;
    fn an_empty_answer_is_an_error() -> Promise;
    fn what_is_not_flv_is_a_format_error() -> Promise;
    fn an_unsupported_codec_is_named() -> Promise;
    fn unsupported_sound_leaves_the_pictures() -> Promise;
    fn not_found_is_told_alike_for_both_transports() -> Promise;
    fn a_refused_connection_is_told() -> Promise;
    fn an_answer_that_does_not_come_is_told() -> Promise;
    fn a_stream_that_falls_silent_is_told() -> Promise;
    fn missing_webassembly_is_told() -> Promise;
    fn can_be_unloaded_and_loaded_again() -> Promise;
    fn can_be_destroyed_at_any_time() -> Promise;
    fn a_listener_may_destroy_the_player() -> Promise;
    fn a_paused_player_goes_on_live() -> Promise;
    fn refuses_what_it_cannot_take() -> Promise;
}

macro_rules! scenarios {
    ($($name:ident,)*) => {
        $(
            mod $name {
                #[super::wasm_bindgen_test]
                async fn passes() {
                    super::$name().await.unwrap();
                }
            }
        )*
    };
}

scenarios! {
    plays_live_on_the_page,
    plays_in_a_worker,
    a_worker_that_cannot_start_is_replaced,
    plays_from_the_smallest_pieces,
    plays_pictures_alone,
    plays_sound_alone,
    promised_sound_that_comes_late_follows_silence,
    settles_close_to_live_after_a_stored_group,
    plays_on_after_the_network_stood_still,
    plays_on_when_the_publishers_clock_jumps,
    plays_on_after_noise_between_tags,
    a_decoder_that_fails_gets_another_start,
    a_decoder_that_always_fails_is_an_error,
    a_proper_end_is_told_and_played_to,
    a_lost_connection_is_an_error,
    a_lost_connection_is_opened_again,
    an_empty_answer_is_an_error,
    what_is_not_flv_is_a_format_error,
    an_unsupported_codec_is_named,
    unsupported_sound_leaves_the_pictures,
    not_found_is_told_alike_for_both_transports,
    a_refused_connection_is_told,
    an_answer_that_does_not_come_is_told,
    a_stream_that_falls_silent_is_told,
    missing_webassembly_is_told,
    can_be_unloaded_and_loaded_again,
    can_be_destroyed_at_any_time,
    a_listener_may_destroy_the_player,
    a_paused_player_goes_on_live,
    refuses_what_it_cannot_take,
}

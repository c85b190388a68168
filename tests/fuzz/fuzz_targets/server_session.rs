#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pushpull_fuzz::server_session::check_with(
    input,
    &pushpull_fuzz::live
));

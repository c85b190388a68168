#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pushpull_fuzz::server::access_signature::check(input));

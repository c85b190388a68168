#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pushpull_fuzz::amf0::check(input));

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pushpull_fuzz::flv_reader::check(input));

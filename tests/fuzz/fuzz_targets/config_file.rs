#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pushpull_fuzz::server::config_file::check(input));

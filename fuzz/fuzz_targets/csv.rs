#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| life_rooms_fuzz::csv::run(data));

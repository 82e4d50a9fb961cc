#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| setpoint_tests::fuzz::manifest(text));

//! Gives the fuzzer's inputs to the target `grammar`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    tidegate_tests::fuzz::grammar(&String::from_utf8_lossy(input));
});

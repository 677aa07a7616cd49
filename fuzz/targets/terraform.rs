//! Gives the fuzzer's inputs to the target `terraform`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    tidegate_tests::fuzz::terraform(input);
});

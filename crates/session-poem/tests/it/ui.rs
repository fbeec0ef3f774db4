//! What the compiler says to a mistake.

/// Style §1: the message names the policies that there are.
#[test]
fn a_type_that_is_no_policy_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

//! What is built is what the manifest names.

fn main() {}

//! `Session<P>` wants a policy, and says which there are.

use session_poem::Session;

struct NotAPolicy;

fn handler(_: Session<NotAPolicy>) {}

fn main() {}

//! `session::<P>()` wants a policy, and says which there are.

use session_warp::session;

struct NotAPolicy;

fn main() {
    let _ = session::<NotAPolicy>();
}

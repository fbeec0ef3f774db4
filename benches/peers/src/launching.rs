//! How Rocket serves, which opens its own socket.

use rocket::{Build, Config, Rocket, config::LogLevel, fairing::AdHoc};

use crate::{Problem, listening};

/// That of a release build, on a free port, with one worker and without a log.
pub fn config() -> Config {
    Config {
        port: 0,
        workers: 1,
        log_level: LogLevel::Off,
        ..Config::release_default()
    }
}

/// Serves until the process ends, and says where.
pub async fn serve(app: Rocket<Build>) -> Result<(), Problem> {
    let announced = AdHoc::on_liftoff("its address", |rocket| {
        Box::pin(async {
            let config = rocket.config();
            listening::announce((config.address, config.port).into());
        })
    });
    app.attach(announced).launch().await?;
    Ok(())
}

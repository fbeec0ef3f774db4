//! Configuration: the lines of the input are API domain, website domain, base path, gateway path and
//! cookie domain.

use session_core::{AppInfo, SessionConfig};

const LINES: &[u8] = b"HTTPS://API.Example.com:8443/x\nexample.com\n/auth/\n/gateway\n.Example.com";

/// E11, J8: no text causes a panic, what is accepted can be written into a header, and it stays as
/// it is when it is configured again (wire §9.1).
#[test]
fn config_normalisation() {
    assert!(normalise(LINES));
    bolero::check!(name = "config_normalisation").for_each(|input: &[u8]| {
        normalise(input);
        normalise(&fuzz::edited(&[LINES], input));
    });
}

fn normalise(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let app = AppInfo::new(line(), line());
    let app = app.api_base_path(line()).api_gateway_path(line());
    let Ok(config) = SessionConfig::builder(app).cookie_domain(line()).build() else {
        return false;
    };
    let written = |config: &SessionConfig| {
        let (app, cookies) = (config.app(), config.cookies());
        [
            app.api_domain(),
            app.website_domain(),
            app.base_path(),
            app.issuer(),
            app.refresh_path(),
            cookies.domain().unwrap_or_default(),
            cookies.refresh_path(),
        ]
        .map(str::to_owned)
    };
    let first = written(&config);
    for text in &first {
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b';')
        );
    }
    let [api, website, base, .., domain, _] = first.clone();
    let again = SessionConfig::builder(AppInfo::new(api, website).api_base_path(base));
    let again = if domain.is_empty() {
        again
    } else {
        again.cookie_domain(domain)
    };
    assert_eq!(
        again.build().ok().map(|config| written(&config)),
        Some(first)
    );
    true
}

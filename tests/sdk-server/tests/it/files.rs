//! What is served of the suite's own files.

use crate::{
    framework::{Framework, on_every_framework},
    server::Server,
};

on_every_framework! {
    the_page_is_the_file_that_is_named,
    scripts_are_served_as_such,
    nothing_outside_of_the_folder_is_served,
}

/// Contract §1 GET /index.html.
async fn the_page_is_the_file_that_is_named(framework: Framework) {
    let server = Server::shared(framework);
    let answer = server.get("/index.html").await;
    answer.assert_text(200, "<title>suite</title>");
    assert_eq!(answer.header("content-type"), Some("text/html"));
    // The page's address is not the application's.
    assert_eq!(server.get("/").await.status, 401);
}

/// Contract §1 GET /angular: with a content type of JavaScript, and whether the folder that is named
/// has `angular` or is it. The page's own scripts are beside it.
async fn scripts_are_served_as_such(framework: Framework) {
    let server = Server::shared(framework);
    for (path, text) in [
        ("/angular/main.js", "run()"),
        ("/angular/runtime.js", "start()"),
        ("/runtime.js", "start()"),
    ] {
        let answer = server.get(path).await;
        answer.assert_text(200, text);
        let content_type = answer.header("content-type").unwrap();
        assert!(content_type.starts_with("text/javascript"), "{answer:?}");
    }
    assert_eq!(server.get("/angular/nothing.js").await.status, 404);
}

/// Contract §1, anything else: also where there is a file.
async fn nothing_outside_of_the_folder_is_served(framework: Framework) {
    let server = Server::shared(framework);
    for path in [
        "/page.html",
        "/../page.html",
        "/..%2Fpage.html",
        "/angular",
        "/angular/",
    ] {
        let answer = server.get(path).await;
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
    }
}

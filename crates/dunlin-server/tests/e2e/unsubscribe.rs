//! The link that ends the marketing stream: a GET shows a button, a POST without cookie or origin does it (RFC 8058).

use dunlin_tell::Stream;
use dunlin_tell::send::{Queue, Recipients};
use reqwest::Method;

use crate::bench::Bench;

#[tokio::test]
async fn a_mail_programs_post_ends_the_stream_and_looking_does_not() {
    let bench = Bench::new().await;
    let queue = Queue::new(bench.workspace.state().clone(), Recipients::new(bench.workspace.keys()).unwrap());
    let ana = queue.recipients().recipient(&"ana@canary.example".parse().unwrap());
    let path = format!("/tell/unsubscribe/{}", queue.recipients().token(ana, Stream::Marketing));
    let silenced = async || -> i64 {
        let count = sqlx::query_scalar("select count(*) from tell_suppressed where stream = 'marketing'");
        count.fetch_one(bench.workspace.state().pool()).await.unwrap()
    };
    // A scanner of mail opens the link.
    let page =
        bench.bare(Method::GET, &path).header("accept-language", "es-ES,es;q=0.9").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let html = page.text().await.unwrap();
    assert!(html.contains("lang=\"es\"") && html.contains("<form method=\"post\">"), "{html}");
    assert!(html.contains("Atlas &#60;Ltd&#62;") || html.contains("Atlas &lt;Ltd&gt;"), "{html}");
    assert_eq!(silenced().await, 0);

    let post = || {
        bench
            .bare(Method::POST, &path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body("List-Unsubscribe=One-Click")
    };
    assert_eq!(post().send().await.unwrap().status(), 200);
    assert_eq!(silenced().await, 1);
    assert_eq!(post().send().await.unwrap().status(), 200, "twice is as good as once");
    assert_eq!(silenced().await, 1);
    let last = if path.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{last}", &path[..path.len() - 1]);
    for method in [Method::GET, Method::POST] {
        assert_eq!(bench.bare(method, &forged).send().await.unwrap().status(), 404);
    }
    let required = queue.recipients().token(ana, Stream::Required);
    let path = format!("/tell/unsubscribe/{required}");
    assert_eq!(
        bench.bare(Method::POST, &path).send().await.unwrap().status(),
        404,
        "nothing silences the law"
    );
}

//! What the SDK does when things go wrong: every fault, for every kind of operation.

use futures_util::future::join_all;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tenantry_sdk::{
    Client, ClientPatch, Error, ListClients, ListConnections, NewClient, Page, Patch, SearchClients,
};
use tenantry_testkit::scripted::{Fault, Scripted};

const MILLISECOND: Duration = Duration::from_millis(1);

fn new() -> NewClient {
    NewClient { name: "n".into(), ..NewClient::default() }
}

/// An operation: what it is, and whether doing it twice is the same as doing it once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Create,
    Rotate,
    Get,
    List,
    Update,
    Delete,
}

use Operation::{Create, Delete, Get, List, Rotate, Update};

/// Does it once against a server of its own, with this fault. The result, how often it was sent, how long it took, and
/// the server.
async fn with_fault(operation: Operation, fault: Fault) -> (Result<(), Error>, usize, Duration, Scripted) {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().attempt_timeout(300 * MILLISECOND).build().unwrap();
    let clients = sdk.clients();
    // The token is there, and something to work on.
    let id = clients.create(&new()).await.unwrap().client_id.unwrap();
    let _ = scripted.seen();
    scripted.script([fault]);
    let begun = Instant::now();
    let patch = ClientPatch { name: Patch::Value("m".into()), ..ClientPatch::default() };
    let result = match operation {
        Create => clients.create(&new()).await.map(drop),
        Rotate => clients.rotate_secret(&id).await.map(drop),
        Get => clients.get(&id).await.map(drop),
        List => clients.list(&ListClients::default()).await.map(drop),
        Update => clients.update(&id, &patch).await.map(drop),
        Delete => clients.delete(&id).await,
    };
    (result, scripted.seen().len(), begun.elapsed(), scripted)
}

#[tokio::test]
async fn each_fault_is_handled_for_each_operation() {
    let unreadable = |body: &str| Fault::Instead(200, vec![], body.into());
    // The fault; how often an operation is sent that can be repeated, and one that cannot.
    let mut faults = vec![
        (Fault::Cut, 2, 1),
        (Fault::CutAfter, 2, 1),
        (Fault::CutWithin, 2, 1),
        (Fault::Silent, 2, 1),
        (Fault::Endless, 2, 1),
        (Fault::Late(50 * MILLISECOND), 1, 1),
        (unreadable("{\"client_id\": 5"), 1, 1),
        (unreadable("<html>"), 1, 1),
        (Fault::refuse_with(302, "location", "/api/v2/elsewhere"), 1, 1),
        (Fault::refuse(429), 2, 2),
        (Fault::refuse(408), 2, 1),
        (Fault::Answer(502, vec![], "<html>".into()), 2, 1),
        (Fault::Instead(500, vec![], "{}".into()), 2, 1),
    ];
    faults.extend([400, 403, 404, 405, 409, 413, 418, 451, 501].map(|status| (Fault::refuse(status), 1, 1)));
    faults.extend([500, 503, 504, 507, 599].map(|status| (Fault::refuse(status), 2, 1)));
    let cases = faults.into_iter().flat_map(|(fault, repeatable, other)| {
        [Create, Rotate, Get, List, Update, Delete].map(move |operation| {
            let times = if matches!(operation, Create | Rotate) { other } else { repeatable };
            (operation, fault.clone(), times)
        })
    });
    join_all(cases.map(|(operation, fault, times)| async move {
        // What comes back, if it is sent once: the fault, unless the answer is only late.
        let is_good = times == 2 || matches!(fault, Fault::Late(_));
        let is_unread = matches!(&fault, Fault::Instead(200, ..));
        let (result, sent, took, scripted) = with_fault(operation, fault.clone()).await;
        let case = format!("{operation:?} {fault:?}: {result:?}, sent {sent} times, {took:?}");
        assert_eq!(sent, times, "{case}");
        assert_eq!(result.is_ok(), is_good, "{case}");
        assert!(took < Duration::from_secs(10), "{case}");
        let error = result.err();
        if operation == Create {
            assert!(scripted.made() <= 2, "created twice: {case}");
            let was_made = scripted.made() == 2;
            // Whoever is told that nothing can have happened may do it again.
            if let Some(error) = &error
                && was_made
            {
                assert!(error.may_have_taken_effect(), "{case}");
            }
            assert_eq!(is_good, was_made && error.is_none(), "{case}");
        }
        if is_unread && let Some(error) = error {
            assert!(matches!(error, Error::Decode(_)), "{case}");
        }
    }))
    .await;
}

#[tokio::test]
async fn retries_end() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    scripted.script(vec![Fault::refuse(503); 10]);
    let error = sdk.clients().get("x").await.unwrap_err();
    assert!(error.is_server_error() && scripted.seen().len() == 3, "{error}");
    let error = sdk.clients().get("x").max_retries(0).await.unwrap_err();
    assert!(error.is_server_error() && scripted.seen().len() == 1, "{error}");
    let more = scripted.sdk().max_retries(4).build().unwrap();
    assert!(more.clients().get("x").await.is_err());
    assert_eq!(scripted.seen().len(), 5);
}

#[tokio::test]
async fn what_cannot_be_reached_was_not_reached() {
    let gone = {
        let scripted = Scripted::start().await;
        scripted.sdk().token("t").build().unwrap()
    };
    tokio::time::sleep(20 * MILLISECOND).await;
    let begun = Instant::now();
    let error = gone.clients().create(&new()).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)) && !error.may_have_taken_effect(), "{error}");
    assert!(begun.elapsed() > 370 * MILLISECOND, "it was tried again after pauses");
}

#[tokio::test]
async fn the_server_says_when() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    let _ = sdk.clients().create(&new()).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the header is a time of day")]
    let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2;
    for (fault, least, most) in [
        (Fault::refuse_with(429, "retry-after", 1), 1000, 2000),
        (Fault::refuse_with(503, "retry-after", 1), 1000, 2000),
        (Fault::refuse_with(429, "retry-after", 0), 100, 900),
        (Fault::refuse_with(429, "retry-after", "nonsense"), 100, 900),
        (Fault::refuse_with(429, "x-ratelimit-reset", 1), 100, 900),
        // Stands in every answer, and says nothing about a failure.
        (Fault::refuse_with(503, "x-ratelimit-reset", reset + 3600), 100, 900),
    ] {
        scripted.script([fault.clone()]);
        let begun = Instant::now();
        let _ = sdk.clients().list(&ListClients::default()).await.unwrap();
        let took = begun.elapsed().as_millis();
        assert!((least..most).contains(&took), "{fault:?}: {took}");
    }
    let begun = Instant::now();
    #[expect(clippy::disallowed_methods, reason = "the header is a time of day")]
    let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2;
    scripted.script([Fault::refuse_with(429, "x-ratelimit-reset", reset)]);
    let _ = sdk.clients().create(&new()).await.unwrap();
    assert!((900..3500).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
    // Longer than there is time, and longer than time lasts: the refusal is returned at once.
    for seconds in [61, u64::MAX] {
        let begun = Instant::now();
        scripted.script([Fault::refuse_with(429, "retry-after", seconds)]);
        let error = sdk.clients().get("x").await.unwrap_err();
        assert!(error.is_rate_limited() && begun.elapsed() < 900 * MILLISECOND, "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
    }
}

/// Does something up to three times, until it takes no more than 50 ms longer than `time`: the machine may be busy with
/// other tests, but not each time.
async fn on_time<R: Future<Output = Error>>(what: &str, time: Duration, attempt: impl Fn() -> R) {
    let mut took = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let error = attempt().await;
        took.push(begun.elapsed());
        if begun.elapsed() <= time + 50 * MILLISECOND {
            return;
        }
        assert!(took.len() < 3, "{what}: {took:?} instead of {time:?}: {error}");
    }
}

#[tokio::test]
async fn no_deadline_is_passed() {
    let time = 250 * MILLISECOND;
    let faults = [
        vec![Fault::Silent; 9],
        vec![Fault::Endless; 9],
        vec![Fault::Late(Duration::from_secs(5)); 9],
        vec![Fault::refuse(503); 9],
        vec![Fault::refuse_with(429, "retry-after", 5); 9],
        vec![Fault::Cut; 9],
        vec![Fault::CutWithin; 9],
    ];
    for faults in faults {
        let scripted = Scripted::start().await;
        let sdk = scripted.sdk().max_retries(100).build().unwrap();
        let _ = sdk.clients().create(&new()).await.unwrap();
        let what = format!("{:?}", faults[0]);
        // The whole call.
        on_time(&what, time, async || {
            scripted.script(faults.clone());
            sdk.clients().get("client1").timeout(time).await.unwrap_err()
        })
        .await;
        // One attempt, and no other.
        on_time(&what, time, async || {
            scripted.script(faults.clone());
            sdk.clients().get("client1").attempt_timeout(time).max_retries(0).await.unwrap_err()
        })
        .await;
        // The first call, which waits for its token.
        on_time(&format!("token: {what}"), time, async || {
            scripted.script_tokens(faults.clone());
            let fresh = scripted.sdk().max_retries(100).timeout(time).build().unwrap();
            let error = fresh.clients().create(&new()).await.unwrap_err();
            assert!(!error.may_have_taken_effect(), "{error}");
            error
        })
        .await;
    }
}

#[tokio::test]
async fn a_call_is_cancelled_at_once_also_while_it_pauses() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    let _ = sdk.clients().create(&new()).await.unwrap();
    let _ = scripted.seen();
    for fault in [Fault::refuse_with(503, "retry-after", 1), Fault::Late(MILLISECOND * 900), Fault::Silent] {
        scripted.script([fault.clone()]);
        let call = sdk.clients().get("client1");
        let running = tokio::spawn(call.into_future());
        tokio::time::sleep(MILLISECOND * 300).await;
        assert_eq!(scripted.seen().len(), 1, "{fault:?}: it is under way");
        let begun = Instant::now();
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        assert!(begun.elapsed() < 50 * MILLISECOND, "{fault:?}");
        tokio::time::sleep(MILLISECOND * 900).await;
        assert_eq!(scripted.seen().len(), 0, "{fault:?}: it was sent again");
    }
    assert!(sdk.clients().get("client1").await.is_ok());
}

#[tokio::test]
async fn lists_that_make_no_sense_are_errors_and_end() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    let page = |body: &str| Fault::Instead(200, vec![], body.into());
    let list = || sdk.clients().list(&ListClients { take: Some(1), ..ListClients::default() });
    for body in ["{}", "5", "null", "", "[5]", r#"{"clients": 5}"#, r#"{"connections": []}"#] {
        scripted.script([page(body)]);
        let error = list().await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{body}: {error}");
    }
    // A checkpoint that leads to itself.
    let stuck = page(r#"{"clients": [{"name": "a"}], "next": "x"}"#);
    scripted.script(vec![stuck; 5]);
    assert!(matches!(list().stream().collect().await, Err(Error::Decode(_))));
    assert_eq!(scripted.seen().iter().rev().take_while(|seen| seen.query.len() == 2).count(), 1);
    // An empty page in the middle.
    scripted.script([
        page(r#"{"clients": [], "next": "x"}"#),
        page(r#"{"clients": [{"name": "a"}], "next": ""}"#),
    ]);
    assert_eq!(list().stream().collect().await.unwrap().len(), 1);
    // A server that takes no page numbers, and says everything at once.
    let many: Vec<_> = (0..60).map(|_| serde_json::json!({})).collect();
    scripted.script([page(&serde_json::json!(many).to_string())]);
    assert_eq!(sdk.clients().list(&ListClients::default()).stream().collect().await.unwrap().len(), 60);
    // An error in the middle ends the walk.
    scripted.script([page(r#"{"clients": [{"name": "a"}], "next": "x"}"#), Fault::refuse(400)]);
    let mut items = list().stream();
    assert!(items.next().await.unwrap().is_ok());
    assert!(items.next().await.unwrap().unwrap_err().is_bad_request());
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn searches_and_connections_go_by_checkpoints() {
    let scripted = Scripted::start().await;
    let sdk = scripted.sdk().build().unwrap();
    for _ in 0..101 {
        let _ = sdk.clients().create(&new()).await.unwrap();
    }
    let found: Page<Client> = sdk.clients().search(&SearchClients::default()).await.unwrap();
    assert_eq!((found.items.len(), found.next.as_deref()), (50, Some("50")));
    let search = SearchClients { take: Some(101), ..SearchClients::default() };
    assert!(sdk.clients().search(&search).await.unwrap().next_page().is_none());
    let all = sdk.clients().search(&SearchClients::default()).stream().collect().await.unwrap();
    assert_eq!(all.len(), 101);
    let connections = sdk.clients().connections("client1");
    let all = connections.stream(&ListConnections::default()).collect().await.unwrap();
    assert_eq!((all.len(), all[119].name.as_deref()), (120, Some("n119")));
    let _ = scripted.seen();
    let exact = ListConnections { take: Some(60), ..ListConnections::default() };
    assert_eq!(connections.list(&exact).stream().collect().await.unwrap().len(), 120);
    assert_eq!(scripted.seen().len(), 2, "no page is asked for behind the last");
}

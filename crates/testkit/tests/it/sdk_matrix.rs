//! What the SDK promises, against the real server over TLS and against the scripted one alike.

use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tenantry_sdk::{
    AccessToken, Builder, Client, ClientPatch, Error, ListClients, ManagementClient, NewClient, Page, Patch,
    Stage,
};
use tenantry_testkit::Testkit;
use tenantry_testkit::scripted::Scripted;

enum Place {
    Real(Box<Testkit>),
    Scripted(Scripted),
}

impl Place {
    async fn both() -> [Self; 2] {
        [Self::Real(Box::new(Testkit::start().await)), Self::Scripted(Scripted::start().await)]
    }

    async fn builder(&self) -> Builder {
        match self {
            Self::Real(t) => t.sdk_builder().await,
            Self::Scripted(s) => s.sdk(),
        }
    }

    async fn sdk(&self) -> ManagementClient {
        self.builder().await.build().unwrap()
    }

    /// A token of this place.
    async fn token(&self) -> String {
        let (http, base, id, secret) = match self {
            Self::Real(t) => {
                let admin = t.admin_credentials().await;
                (t.http.clone(), &t.base, admin.client_id, admin.client_secret)
            }
            Self::Scripted(s) => (reqwest::Client::new(), &s.base, "id".into(), "s3cr3t".into()),
        };
        let audience = match self {
            Self::Real(t) => t.audience(),
            Self::Scripted(s) => format!("{}/api/v2/", s.base),
        };
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &id),
            ("client_secret", &secret),
            ("audience", &audience),
        ];
        let answer = http.post(format!("{base}/oauth/token")).form(&form).send().await.unwrap();
        tenantry_testkit::reply(answer).await.text("access_token").to_owned()
    }
}

fn named(name: &str) -> NewClient {
    NewClient { name: name.into(), ..NewClient::default() }
}

#[tokio::test]
async fn a_client_lives_its_life() {
    for place in Place::both().await {
        let sdk = place.sdk().await;
        let new = NewClient { organization_usage: Some("deny".into()), ..named("n") };
        let answer = sdk.clients().create(&new).with_response().await.unwrap();
        assert_eq!(answer.status, 201);
        assert!(answer.rate_limit().is_some() && answer.rate_limit_reset().is_some());
        let created = answer.value;
        let id = created.client_id.clone().unwrap();
        let read = sdk.clients().get(&id).await.unwrap();
        assert_eq!((&read.name, &read.client_secret), (&created.name, &created.client_secret));
        let patch = ClientPatch {
            name: Patch::Value("m".into()),
            organization_usage: Patch::Null,
            ..ClientPatch::default()
        };
        let changed = sdk.clients().update(&id, &patch).await.unwrap();
        assert_eq!(changed.name.as_deref(), Some("m"));
        assert!(changed.organization_usage.is_none() && !changed.other.contains_key("organization_usage"));
        let rotated = sdk.clients().rotate_secret(&id).await.unwrap();
        assert_ne!(rotated.client_secret, created.client_secret);
        sdk.clients().delete(&id).await.unwrap();
        sdk.clients().delete(&id).await.unwrap();
        let gone = sdk.clients().get(&id).await.unwrap_err();
        assert!(gone.is_not_found() && gone.code() == Some("inexistent_client"), "{gone}");
        assert_eq!((gone.stage(), gone.may_have_taken_effect()), (Stage::Refused, false));
        assert!(!gone.headers().unwrap()["content-length"].is_empty());
    }
}

async fn names(mut page: Page<Client>) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        names.extend(page.items.iter().map(|client| client.name.clone().unwrap()));
        let Some(next) = page.next_page() else { return names };
        page = next.await.unwrap();
    }
}

#[tokio::test]
async fn every_form_of_paging_shows_everything_once() {
    for place in Place::both().await {
        let sdk = place.sdk().await;
        for n in 0..105 {
            let _ = sdk.clients().create(&named(&format!("c{n:03}"))).await.unwrap();
        }
        let lists = [
            ListClients::default(),
            ListClients { per_page: Some(15), ..ListClients::default() },
            ListClients { per_page: Some(107), ..ListClients::default() },
            ListClients { include_totals: true, ..ListClients::default() },
            ListClients { include_totals: true, per_page: Some(35), ..ListClients::default() },
            ListClients { take: Some(40), ..ListClients::default() },
            ListClients { take: Some(35), ..ListClients::default() },
        ];
        for list in lists {
            if list.per_page.is_some_and(|n| n > 100) && matches!(place, Place::Real(_)) {
                continue; // the API's limit
            }
            let page = sdk.clients().list(&list).await.unwrap();
            if list.include_totals {
                assert!(page.total.unwrap() >= 105 && page.start == Some(0) && page.limit.is_some());
            }
            assert_eq!(page.next.is_some(), list.take.is_some());
            let walked = names(page).await;
            let streamed = sdk.clients().list(&list).stream().collect().await.unwrap();
            assert_eq!(streamed.len(), walked.len(), "{list:?}");
            let ours: Vec<_> = walked.iter().filter(|name| name.starts_with('c')).collect();
            let different: BTreeSet<_> = ours.iter().collect();
            assert_eq!((ours.len(), different.len()), (105, 105), "{list:?}");
        }
        // From the middle on.
        let list = ListClients { page: Some(1), per_page: Some(50), ..ListClients::default() };
        let all = sdk.clients().stream(&ListClients::default()).collect().await.unwrap().len();
        assert_eq!(names(sdk.clients().list(&list).await.unwrap()).await.len(), all - 50);
    }
}

#[tokio::test]
async fn one_token_serves_all_and_another_one_replaces_it_when_it_is_refused() {
    for place in Place::both().await {
        let good = place.token().await;
        let fetched = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&fetched);
        let supply = move || {
            // The first one is no good.
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let token = if is_first { "a.b.c".to_owned() } else { good.clone() };
            async move { Ok(AccessToken { token: token.into(), expires_in: None }) }
        };
        let sdk = place.builder().await.token_source(supply).build().unwrap();
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let sdk = sdk.clone();
                tokio::spawn(async move { sdk.clients().get("nobody").await.unwrap_err().is_not_found() })
            })
            .collect();
        for call in calls {
            assert!(call.await.unwrap());
        }
        assert_eq!(fetched.load(Ordering::SeqCst), 2, "one for everybody, and one after the refusal");

        let fixed = place.builder().await.token("a.b.c").build().unwrap();
        assert!(fixed.clients().get("x").await.unwrap_err().is_unauthorized());
        let none = || async { Err(Error::supplier("the vault is sealed")) };
        let none = place.builder().await.token_source(none).build().unwrap();
        let error = none.clients().get("x").await.unwrap_err();
        assert_eq!(error.to_string(), "cannot get a token: the vault is sealed");
        assert_eq!(error.stage(), Stage::Token);
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_or_out_of_time_leaves_nothing_behind() {
    for place in Place::both().await {
        let sdk = place.sdk().await;
        // In each stage of a first call: for a token, for the answer, and after it.
        for micros in (0..6000).step_by(500) {
            let fresh = place.sdk().await;
            let call = fresh.clients().list(&ListClients::default());
            let time = Duration::from_micros(micros);
            let _ = tokio::time::timeout(time, call.into_future()).await;
            let begun = Instant::now();
            let late = fresh.clients().list(&ListClients::default()).timeout(time).await;
            assert!(begun.elapsed() < time + Duration::from_millis(500));
            if let Err(error) = late {
                assert!(error.is_timeout(), "{error}");
            }
            assert!(fresh.clients().get("x").await.unwrap_err().is_not_found());
        }
        let none = sdk.clients().create(&named("never")).timeout(Duration::ZERO).await.unwrap_err();
        assert!(none.is_timeout() && !none.may_have_taken_effect(), "{none}");
        let all = sdk.clients().stream(&ListClients::default()).collect().await.unwrap();
        assert!(all.iter().all(|client| client.name.as_deref() != Some("never")));
        // Longer than time lasts.
        let forever = sdk.clients().get("x").timeout(Duration::MAX).attempt_timeout(Duration::MAX).await;
        assert!(forever.unwrap_err().is_not_found());
    }
}

#[tokio::test]
async fn options_reach_the_server() {
    for place in Place::both().await {
        let sdk = place.sdk().await;
        let id = sdk.clients().create(&named("n")).await.unwrap().client_id.unwrap();
        let call = sdk
            .clients()
            .get(&id)
            .header(http::header::AUTHORIZATION, http::HeaderValue::from_static("Bearer a.b.c"));
        let refused = call.max_retries(0).await.unwrap_err();
        assert!(refused.is_unauthorized(), "{refused}");
        if let Place::Scripted(scripted) = place {
            let _ = scripted.seen();
            let _ = sdk.clients().get(&id).without_fields(&["name", "x y"]).query("q", "ä&=").await;
            let seen = &scripted.seen()[0];
            let query = json!([["fields", "name,x y"], ["include_fields", "false"], ["q", "ä&="]]);
            assert_eq!(json!(seen.query), query);
        } else {
            let part = sdk.clients().get(&id).without_fields(&["name"]).await.unwrap();
            assert!(part.name.is_none() && part.client_secret.is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blocking_api_does_the_same() {
    for place in Place::both().await {
        let sdk = place.builder().await.build_blocking().unwrap();
        // Also where there is a runtime already, and on many threads.
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let sdk = sdk.clone();
                std::thread::spawn(move || {
                    let client = sdk.clients().create(&named(&format!("c{n}"))).send().unwrap();
                    client.client_id.unwrap()
                })
            })
            .collect();
        let ids: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let names = sdk.clients().stream(&ListClients::default()).map(|client| client.unwrap().name.unwrap());
        assert_eq!(names.filter(|name| name.starts_with('c')).count(), 8);
        let list = ListClients { per_page: Some(3), ..ListClients::default() };
        let call = sdk.clients().list(&list);
        let first = call.clone().send().unwrap();
        let second = call.after(&first).unwrap().send().unwrap();
        assert_ne!(first.items[0].client_id, second.items[0].client_id);
        assert_eq!(sdk.clients().get(&ids[0]).fields(&["name"]).with_response().unwrap().status, 200);
        let begun = Instant::now();
        let late = sdk.clients().get(&ids[0]).timeout(Duration::ZERO).send();
        assert!(late.unwrap_err().is_timeout() && begun.elapsed() < Duration::from_millis(500));
        sdk.clients().delete(&ids[0]).send().unwrap();
        let gone = sdk.clients().get(&ids[0]).max_retries(0).send().unwrap_err();
        assert!(gone.is_not_found());
        // Dropped with its thread, inside of a runtime.
        drop((sdk, call));
    }
}

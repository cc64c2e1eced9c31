use super::*;
use proptest::prelude::*;
use serde_json::json;

fn document(value: &Value) -> Object {
    value.as_object().unwrap().clone()
}

fn client() -> Object {
    document(&json!({
        "name": "Corp Payments-Service", "client_id": "abc", "app_type": "spa", "is_first_party": false,
        "external_client_id": "https://a.example/c.json",
        "callbacks": ["https://App.example.com:8443/cb", "http://localhost:3000", "myapp:/x"],
        "client_metadata": {"env": "prod-eu", "tier.bronze": "true", "long": "x".repeat(65)},
    }))
}

/// 2024-05-01T12:00:00Z.
const UPDATED: i64 = 1_714_564_800_000;

fn finds(search: &Search, document: &Object) -> bool {
    let searched = Searched::new(document, UPDATED);
    search.0.iter().any(|all| all.iter().all(|condition| searched.matches(condition)))
}

#[track_caller]
fn check(language: Language, good: &[&str], other: &[&str], bad: &[&str]) {
    for (texts, expected) in [(good, true), (other, false)] {
        for text in texts {
            let search = Search::parse(language, text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(finds(&search, &client()), expected, "{text}");
        }
    }
    for text in bad {
        let error = Search::parse(language, text).expect_err(text);
        assert_eq!(
            (error.status, error.code.map(crate::ErrorCode::as_str)),
            (400, Some("invalid_query_string"))
        );
    }
}

#[test]
fn scim_filters() {
    check(
        Language::Scim,
        &[
            r#"name eq "corp payments-service""#,
            r#"name sw "CORP""#,
            r#"name ew "vice""#,
            r#"name co "ments-S""#,
            r#"name ne "x""#,
            r#"client_id eq "abc""#,
            r#"external_client_id eq "https://a.example/c.json""#,
            r#"app_type eq "spa" AND is_first_party eq false"#,
            r#"app_type eq "native" or (name pr and not (client_id eq "d"))"#,
            r#"metadata.env eq "prod-eu" and metadata.tier.bronze eq true"#,
            r#"metadata.env sw "prod""#,
            r#"metadata.env ne "dev" and metadata.env pr and metadata.long pr"#,
            r#"callback_host eq "app.example.com""#,
            r#"callback_host ew ".example.com""#,
            r#"updated_at ge "2024-05-01" and updated_at lt "2024-05-01T12:00:00.001Z""#,
            r#"updated_at eq "2024-05-01" and updated_at le "2024-05-01""#,
        ],
        &[
            r#"name eq "corp""#,
            r#"client_id eq "ABC""#,
            r#"app_type ne "spa""#,
            r#"metadata.none ne "dev""#,
            r"metadata.Env pr",
            r#"not (metadata.env ne "dev")"#,
            r#"updated_at gt "2024-05-01""#,
            r#"app_type eq "spa" and (name eq "x" or name eq "y")"#,
            r#"callback_host ew ".com.example""#,
        ],
        &[
            "",
            "name",
            "name eq",
            "name eq x",
            r#"name eq "x"#,
            r#"name is "x""#,
            r#"callbacks eq "x""#,
            r#"metadata. eq "x""#,
            r#"client_id sw "a""#,
            r#"name gt "a""#,
            r#"is_first_party eq "maybe""#,
            r#"updated_at gt "yesterday""#,
            r#"updated_at co "2024""#,
            r#"name eq "\u0000""#,
            r#"metadata.env co "x""#,
            r"(name pr",
            r"name pr)",
            r"name pr name pr",
            r"name pr and name pr and name pr and name pr and name pr and name pr",
            "((((((((((((((((((((((name pr))))))))))))))))))))))",
        ],
    );
}

#[test]
fn lucene_queries() {
    check(
        Language::Lucene,
        &[
            "name:corp",
            "name:payments",
            r#"name:"corp payments-service""#,
            "name:*ments*",
            "name:corp*",
            "name:*service",
            "payments",
            "pay",
            r"name:payments\-service",
            "app_type:(native OR spa) AND is_first_party:false",
            "app_type:(native spa) OR name:corp",
            "NOT app_type:native",
            "-app_type:native +name:corp",
            "name:corp payments",
            "metadata.env:prod*",
            "metadata.env:prod-eu && _exists_:metadata.long",
            "metadata.env:*",
            "external_client_id:https://a.example/c.json",
            "callback_host:*.example.com || name:x",
            "updated_at:[2024-05-01 TO 2024-05-01]",
            "updated_at:{2024-04-30 TO *]",
            "updated_at:>=2024-05-01T12:00:00Z",
            "(name:x OR name:corp) AND NOT (app_type:native OR app_type:rms)",
        ],
        &[
            "name:corps",
            "name:serv",
            r#"name:"corp""#,
            "NOT name:corp",
            "metadata.env:prod",
            "metadata.env:PROD*",
            "updated_at:{2024-05-01 TO *]",
            "updated_at:<2024-05-01",
            "name:corp nothing",
        ],
        &[
            "",
            "name:",
            "name:\"x",
            "(name:x",
            "name:x)",
            "callbacks:x",
            "name:a*b",
            "name:a?b",
            "client_id:a*",
            "is_first_party:1",
            "name:[a TO b]",
            "updated_at:[2024-05-01 2024-06-01]",
            "updated_at:[2024-05-01 TO 2024-06-01",
            "AND",
            "name:a AND",
            "a b c d e f",
            "----------------------a",
        ],
    );
}

#[test]
fn what_is_not_searched_is_not_found() {
    let long = Search::parse(Language::Scim, &format!("metadata.long eq \"{}\"", "x".repeat(65))).unwrap();
    assert!(!finds(&long, &client()));
    assert!(finds(&Search::all(), &client()));
}

/// A search from pieces that are likely to match, and to be odd.
fn searches() -> impl Strategy<Value = String> {
    let text = "[aAbBé ]{0,4}";
    let condition = prop_oneof![
        (prop_oneof![Just("eq"), Just("sw"), Just("ew"), Just("co"), Just("ne")], text)
            .prop_map(|(operator, text)| format!("name {operator} \"{text}\"")),
        (prop_oneof![Just("eq"), Just("sw"), Just("ne")], text)
            .prop_map(|(operator, text)| format!("metadata.k {operator} \"{text}\"")),
        Just("metadata.k pr".to_owned()),
        prop_oneof![Just("a.b"), Just("b")].prop_map(|host| format!("callback_host eq \"{host}\"")),
        Just("callback_host ew \".b\"".to_owned()),
    ];
    proptest::collection::vec((condition, any::<bool>(), any::<bool>()), 1..5).prop_map(|conditions| {
        let mut text = String::new();
        for (i, (condition, not, or)) in conditions.into_iter().enumerate() {
            let joined = if i == 0 {
                ""
            } else if or {
                " or "
            } else {
                " and "
            };
            text.push_str(joined);
            let condition = if not { ["not (", &condition, ")"].concat() } else { condition };
            text.push_str(&condition);
        }
        text
    })
}

#[test]
fn hosts_that_are_too_long_are_not_indexed() {
    let of = |labels: usize| {
        terms(&document(&json!({"callbacks": [format!("https://{}b/", "a.".repeat(labels))]}))).len()
    };
    assert!(of(126) > 126);
    assert_eq!(of(127), of(0) - 1);
}

proptest! {
    #[test]
    fn no_text_makes_a_search_panic(text in r#"((name|metadata\.k|updated_at)?[ :()"\[\]{}*\\!<>=a-zA-Zé+-]{0,6}){0,6}"#) {
        let _ = Search::parse(Language::Lucene, &text);
        let _ = Search::parse(Language::Scim, &text);
    }

    /// What the index is for: a client that matches is found under the terms of the conditions.
    #[test]
    fn whatever_matches_is_under_its_terms(
        text in searches(), name in "[aAbBéİ ]{0,6}", value in "[ab ]{0,3}", host in "(a\\.)?b",
    ) {
        let document = document(&json!({
            "name": name, "client_metadata": {"k": value}, "callbacks": [format!("https://{host}/")],
        }));
        let terms = terms(&document);
        let searched = Searched::new(&document, 0);
        for condition in Search::parse(Language::Scim, &text).unwrap().0.iter().flatten() {
            if !searched.matches(condition) {
                continue;
            }
            match condition.cover() {
                Cover::Terms(needed) => {
                    for term in needed {
                        prop_assert!(terms.contains(&term), "{condition:?}");
                    }
                }
                Cover::Range(from, to) => prop_assert!(terms.range(from..to).next().is_some(), "{condition:?}"),
                Cover::Unknown => {}
            }
        }
    }
}

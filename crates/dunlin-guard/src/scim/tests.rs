//! What Okta and Entra do, step by step, and what they must not be able to do.

use dunlin_ledger::{Actor, Body};
use serde_json::{Value, json};

use super::*;
use crate::audit::scene::Scene;
use crate::{Limit, Origin, Reason};

const BEN: &str = "ben@partner.example";

fn by() -> Actor {
    Actor::Person { id: "01900000-0000-7000-8000-000000000001".into() }
}

async fn scim(scene: &Scene) -> Scim {
    let settings = ScimSettings::default().with_role("dunlin-engineers", "engineer").unwrap();
    Scim::new(scene.guard().await, settings, "https://dunlin.example/scim/v2/")
}

fn ben() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "userName": "Ben@Partner.example",
        "externalId": "00u1",
        "name": { "givenName": "Ben", "familyName": "Okoye" },
        "emails": [{ "primary": true, "value": BEN, "type": "work" }],
        "roles": [{ "value": "dunlin-engineers" }],
        "active": true,
        "password": "canary-password",
    })
}

fn patch_of(operations: Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

#[tokio::test]
async fn okta_adds_finds_and_deactivates_somebody() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    let query = |filter: &str| ListQuery { filter: Some(filter.to_owned()), ..ListQuery::default() };
    let wanted = query(&format!("userName eq \"{BEN}\""));
    assert_eq!(scim.list(&wanted).await.unwrap()["totalResults"], 0);
    let made = scim.create(&by(), &ben()).await.unwrap();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["userName"], &made["displayName"], &made["active"]),
        (&json!(BEN), &json!("Ben Okoye"), &json!(true))
    );
    assert_eq!(made["roles"][0]["value"], "engineer");
    assert_eq!(made["meta"]["location"], format!("https://dunlin.example/scim/v2/Users/{id}"));
    assert!(!made.to_string().contains("canary-password"), "a password is not taken and not given back");
    let found = scim.list(&query("userName eq \"BEN@partner.example\"")).await.unwrap();
    assert_eq!(found["Resources"][0], made);
    assert_eq!(scim.list(&query("externalId eq \"00u1\"")).await.unwrap()["totalResults"], 1);
    assert_eq!(scim.create(&by(), &ben()).await.unwrap_err().status, 409);

    // He is signed in while the provider takes him out.
    let guard = scene.guard().await;
    let origin = Origin::new("192.0.2.7".parse().unwrap(), "Firefox/140.0");
    guard.sign_in_federated(&origin, &id, "oidc", true).await.unwrap();
    assert_eq!(guard.sessions(Some(&id)).await.unwrap().len(), 1);
    let off = patch_of(json!([{ "op": "replace", "value": { "active": false } }]));
    assert_eq!(scim.patch(&by(), &id, &off).await.unwrap()["active"], false);
    assert!(
        guard.sessions(Some(&id)).await.unwrap().is_empty(),
        "his sessions have ended when the answer comes"
    );
    assert!(guard.sign_in_federated(&origin, &id, "oidc", true).await.is_err());
    let bodies = scene.bodies().await;
    assert!(bodies.iter().any(
        |b| matches!(b, Body::PersonChanged { person, change } if *person == id && change == "status:left")
    ));
    assert!(bodies.iter().any(|b| matches!(b, Body::SessionEnded { person, .. } if *person == id)));

    let on = patch_of(json!([{ "op": "Replace", "path": "active", "value": "True" }]));
    assert_eq!(scim.patch(&by(), &id, &on).await.unwrap()["active"], true, "as Entra writes it");
    assert!(guard.sign_in_federated(&origin, &id, "oidc", true).await.is_ok());
}

#[tokio::test]
async fn deleting_makes_somebody_leave_and_the_record_stays() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    let id = scim.create(&by(), &ben()).await.unwrap()["id"].as_str().unwrap().to_owned();
    scim.delete(&by(), &id).await.unwrap();
    assert_eq!(scim.read(&id).await.unwrap_err().status, 404);
    assert_eq!(scim.delete(&by(), &id).await.unwrap_err().status, 404);
    assert_eq!(scim.list(&ListQuery::default()).await.unwrap()["totalResults"], 1, "the owner alone");
    let person = scene.guard().await.person(&id).await.unwrap();
    assert_eq!((person.status, person.name.as_str()), (crate::Status::Left, "Ben Okoye"));
    let again = scim.create(&by(), &ben()).await.unwrap();
    assert_eq!(
        (again["id"].as_str(), &again["active"]),
        (Some(id.as_str()), &json!(true)),
        "the same person is back"
    );
}

#[tokio::test]
async fn a_block_is_stronger_than_the_provider() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    let guard = scene.guard().await;
    let id = scim.create(&by(), &ben()).await.unwrap()["id"].as_str().unwrap().to_owned();
    let reason = Reason { category: "suspected_breach".into(), text: "Asked for too much.".into() };
    guard.block(&by(), &id, &reason).await.unwrap();
    assert_eq!(scim.read(&id).await.unwrap()["active"], false);
    let on = patch_of(json!([{ "op": "replace", "path": "active", "value": true }]));
    assert_eq!(scim.patch(&by(), &id, &on).await.unwrap_err().status, 409);
    assert_eq!(scim.replace(&by(), &id, &ben()).await.unwrap_err().status, 409);
    // Nor by a way round: another change, leaving and coming back, deleting and adding.
    let name = patch_of(json!([{ "op": "replace", "path": "displayName", "value": "B. Okoye" }]));
    scim.patch(&by(), &id, &name).await.unwrap();
    let off = patch_of(json!([{ "op": "replace", "path": "active", "value": false }]));
    scim.patch(&by(), &id, &off).await.unwrap();
    assert_eq!(scim.patch(&by(), &id, &on).await.unwrap_err().status, 409);
    scim.delete(&by(), &id).await.unwrap();
    assert_eq!(scim.create(&by(), &ben()).await.unwrap_err().status, 409);
    assert_eq!(guard.person(&id).await.unwrap().status, crate::Status::Blocked);
}

#[tokio::test]
async fn the_last_owner_cannot_be_taken_out_and_a_role_set_by_hand_stays() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    let off = patch_of(json!([{ "op": "replace", "path": "active", "value": false }]));
    assert_eq!(scim.patch(&by(), &scene.person, &off).await.unwrap_err().status, 409);
    assert_eq!(scim.delete(&by(), &scene.person).await.unwrap_err().status, 409);
    assert_eq!(scim.read(&scene.person).await.unwrap()["active"], true);

    let mut plain = ben();
    plain["roles"] = json!([{ "value": "owner" }]);
    let made = scim.create(&by(), &plain).await.unwrap();
    assert_eq!(made["roles"][0]["value"], "guest", "a role that the settings do not know gives nothing");
    let id = made["id"].as_str().unwrap();
    scene.guard().await.authorise(&by(), id, Role::Auditor).await.unwrap();
    let kept = scim.replace(&by(), id, &ben()).await.unwrap();
    assert_eq!(kept["roles"][0]["value"], "auditor");
    let limit = Limit { tables: Some(vec!["crm.customers".into()]), until: None };
    scene.guard().await.limit(&by(), id, &limit).await.unwrap();
    scim.replace(&by(), id, &ben()).await.unwrap();
    assert!(
        scene.guard().await.person(id).await.unwrap().limit_tables.is_some(),
        "a limit is not the provider's"
    );
}

#[tokio::test]
async fn changes_by_entra() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    let id = scim.create(&by(), &ben()).await.unwrap()["id"].as_str().unwrap().to_owned();
    let changes = patch_of(json!([
        { "op": "Replace", "path": "name.familyName", "value": "Okoye-Ruiz" },
        { "op": "Replace", "path": "userName", "value": "ben.ruiz@partner.example" },
        { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "ben.ruiz@partner.example" },
        { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "IT" },
        { "op": "Add", "path": "externalId", "value": "entra-7" },
    ]));
    let changed = scim.patch(&by(), &id, &changes).await.unwrap();
    assert_eq!(
        (&changed["userName"], &changed["displayName"]),
        (&json!("ben.ruiz@partner.example"), &json!("Ben Okoye-Ruiz"))
    );
    assert_eq!(changed["externalId"], "entra-7");
    assert_ne!(changed["meta"]["version"], json!("W/\"1\""));
    let taken = patch_of(json!([{ "op": "replace", "path": "userName", "value": "ana@example.com" }]));
    assert_eq!(scim.patch(&by(), &id, &taken).await.unwrap_err().scim_type, Some("uniqueness"));
}

#[tokio::test]
async fn what_is_wrong_is_said_as_scim_says_it_and_changes_nothing() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    let id = scim.create(&by(), &ben()).await.unwrap()["id"].as_str().unwrap().to_owned();
    let before = scim.read(&id).await.unwrap();
    for (body, kind) in [
        (json!({}), "invalidSyntax"),
        (patch_of(json!([{ "op": "explode", "path": "active" }])), "invalidSyntax"),
        (patch_of(json!([{ "op": "replace", "path": "active", "value": "perhaps" }])), "invalidValue"),
        (patch_of(json!([{ "op": "replace", "path": "userName", "value": "no address" }])), "invalidValue"),
        (patch_of(json!([{ "op": "remove", "path": "userName" }])), "invalidValue"),
        (
            patch_of(
                json!([{ "op": "replace", "path": "active", "value": false }, { "op": "replace", "path": "a b", "value": 1 }]),
            ),
            "invalidPath",
        ),
    ] {
        let error = scim.patch(&by(), &id, &body).await.unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(kind)), "{body}");
        assert_eq!(error.to_json()["status"], "400");
    }
    assert_eq!(scim.read(&id).await.unwrap(), before, "an operation that fails takes the others with it");
    assert_eq!(scim.create(&by(), &json!({ "userName": "x" })).await.unwrap_err().status, 400);
    assert_eq!(scim.read("nobody").await.unwrap_err().status, 404);
    let query = ListQuery { filter: Some("userName sw \"b\"".into()), ..ListQuery::default() };
    assert_eq!(scim.list(&query).await.unwrap_err().scim_type, Some("invalidFilter"));
}

#[tokio::test]
async fn pages_are_counted_from_one() {
    let scene = Scene::new().await;
    let scim = scim(&scene).await;
    for n in 0..5 {
        scim.create(&by(), &json!({ "userName": format!("p{n}@example.com") })).await.unwrap();
    }
    let page = |start, count| {
        let query = ListQuery { filter: None, start_index: Some(start), count: Some(count) };
        let scim = scim.clone();
        async move { scim.list(&query).await.unwrap() }
    };
    let second = page(3, 2).await;
    assert_eq!(
        (&second["totalResults"], &second["startIndex"], &second["itemsPerPage"]),
        (&json!(6), &json!(3), &json!(2))
    );
    assert_eq!(page(0, 1).await["startIndex"], 1);
    assert_eq!(page(1, -1).await["itemsPerPage"], 0);
    assert_eq!(page(99, 5).await["Resources"], json!([]));
}

#[test]
fn the_documents_say_what_is_supported() {
    let config = service_provider_config("https://d/scim/v2");
    assert_eq!((&config["patch"]["supported"], &config["bulk"]["supported"]), (&json!(true), &json!(false)));
    assert_eq!(resource_types("https://d")["Resources"][0]["endpoint"], "/Users");
    let schema = schemas("https://d")["Resources"][0].clone();
    let names: Vec<&str> =
        schema["attributes"].as_array().unwrap().iter().filter_map(|a| a["name"].as_str()).collect();
    assert_eq!(names, ["userName", "name", "displayName", "active", "emails", "roles"]);
}

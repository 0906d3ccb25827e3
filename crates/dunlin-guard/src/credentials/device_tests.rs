//! Passkeys, with an authenticator made in software: it keeps one P-256 key and answers as a browser would.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use dunlin_plan::Role;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING as ES256, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::testing::{PASSWORD, Site, here};
use crate::{GuardError, Secret, SignedIn, Stage};

struct Device {
    key: EcdsaKeyPair,
    id: [u8; 16],
    user: String,
    counter: u32,
    origin: &'static str,
    verifies: bool,
}

impl Device {
    fn new() -> Device {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ES256, pkcs8.as_ref(), &random).unwrap();
        let id = crate::token::random::<16>().unwrap();
        Device { key, id, user: String::new(), counter: 0, origin: "https://dunlin.example", verifies: true }
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["publicKey"]["challenge"].as_str().unwrap();
        let data =
            json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false });
        data.to_string().into_bytes()
    }

    fn head(&mut self, flags: u8) -> Vec<u8> {
        self.counter += 1;
        let verified = if self.verifies { 0x04 } else { 0 };
        let mut head = Sha256::digest(b"dunlin.example").to_vec();
        head.push(0x01 | verified | flags);
        head.extend(self.counter.to_be_bytes());
        head
    }

    /// `navigator.credentials.create`.
    fn create(&mut self, options: &Value) -> Value {
        self.user = options["publicKey"]["user"]["id"].as_str().unwrap().to_owned();
        let mut data = self.head(0x40);
        data.extend([0; 16]);
        data.extend(16u16.to_be_bytes());
        data.extend(self.id);
        let point = self.key.public_key().as_ref().to_vec();
        // COSE: kty EC2, alg ES256, crv P-256, x, y.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let client = self.client_data("webauthn.create", options);
        json!({ "id": B64.encode(self.id), "rawId": B64.encode(self.id), "type": "public-key", "extensions": {},
            "response": { "attestationObject": B64.encode(object), "clientDataJSON": B64.encode(client) } })
    }

    /// `navigator.credentials.get`.
    fn get(&mut self, options: &Value) -> Value {
        let client = self.client_data("webauthn.get", options);
        let data = self.head(0);
        let signed = [data.as_slice(), Sha256::digest(&client).as_slice()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({ "id": B64.encode(self.id), "rawId": B64.encode(self.id), "type": "public-key", "extensions": {},
            "response": { "authenticatorData": B64.encode(data), "clientDataJSON": B64.encode(client),
                "signature": B64.encode(signature.as_ref()), "userHandle": self.user } })
    }
}

async fn add(site: &Site, session: &SignedIn, device: &mut Device) -> Result<SignedIn, GuardError> {
    let who = site.who(session).await;
    let begun = site.guard.begin_passkey(&who).await?;
    let answer = device.create(&begun.options);
    site.guard.finish_passkey(&who, &here(), &begun.handle, &answer, "my key").await
}

async fn come_in(site: &Site, device: &mut Device) -> Result<SignedIn, GuardError> {
    let begun = site.guard.begin_passkey_sign_in().await.unwrap();
    let answer = device.get(&begun.options);
    site.guard.finish_passkey_sign_in(&here(), &begun.handle, &answer).await
}

#[tokio::test]
async fn a_passkey_signs_in_with_two_factors_also_where_the_password_is_locked() {
    let site = Site::new().await;
    let ana = site.person("ana@example.com", Role::Engineer).await;
    let mut device = Device::new();
    let first = site.sign_in("ana@example.com").await;
    assert_eq!(add(&site, &first, &mut device).await.unwrap().stage, Stage::Full);
    assert_eq!(site.guard.passkeys(&ana.id).await.unwrap()[0].label, "my key");
    for n in 0..10 {
        let wrong = Secret::new(format!("a wrong guess, number {n}"));
        site.guard.sign_in(&here(), "ana@example.com", &wrong).await.unwrap_err();
    }
    assert!(site.guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.is_err());
    let session = come_in(&site, &mut device).await.unwrap();
    assert_eq!(session.stage, Stage::Full);
    assert!(site.who(&session).await.need_fresh_factor(5).is_ok());
    // The password's lock is none of the passkey's business.
    assert!(site.guard.sign_in(&here(), "ana@example.com", &PASSWORD.into()).await.is_err());
}

#[tokio::test]
async fn a_passkey_is_the_second_factor_after_a_password() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    let mut device = Device::new();
    add(&site, &site.sign_in("ana@example.com").await, &mut device).await.unwrap();
    let half = site.sign_in("ana@example.com").await;
    assert_eq!(half.stage, Stage::SecondFactor);
    let who = site.who(&half).await;
    let begun = site.guard.begin_passkey_factor(&who).await.unwrap();
    assert_eq!(begun.options["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1);
    let answer = device.get(&begun.options);
    let full = site.guard.show_passkey(&who, &here(), &begun.handle, &answer).await.unwrap();
    assert_eq!(full.stage, Stage::Full);
    let again = site.guard.show_passkey(&who, &here(), &begun.handle, &answer).await;
    assert!(matches!(again, Err(GuardError::LinkSpent)), "an answer counts once");
}

#[tokio::test]
async fn answers_from_another_site_person_device_or_without_a_finger_are_refused() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    site.person("ben@example.com", Role::Engineer).await;
    let (mut ana, mut ben) = (Device::new(), Device::new());
    add(&site, &site.sign_in("ana@example.com").await, &mut ana).await.unwrap();
    add(&site, &site.sign_in("ben@example.com").await, &mut ben).await.unwrap();

    ana.origin = "https://dunlin.example.evil.example";
    assert!(come_in(&site, &mut ana).await.is_err(), "another site");
    ana.origin = "https://dunlin.example";
    ana.verifies = false;
    assert!(come_in(&site, &mut ana).await.is_err(), "nobody at the device");
    ana.verifies = true;
    let mut forged = Device { id: ana.id, user: ana.user.clone(), ..Device::new() };
    assert!(come_in(&site, &mut forged).await.is_err(), "another key");
    let own = std::mem::replace(&mut ana.user, ben.user.clone());
    assert!(come_in(&site, &mut ana).await.is_err(), "the key of one, the name of another");
    ana.user = own;

    let half = site.sign_in("ana@example.com").await;
    let who = site.who(&half).await;
    let begun = site.guard.begin_passkey_sign_in().await.unwrap();
    let answer = ben.get(&begun.options);
    let other = site.guard.show_passkey(&who, &here(), &begun.handle, &answer).await;
    assert!(matches!(other, Err(GuardError::FactorRefused)), "somebody else's key as second factor");
    assert!(come_in(&site, &mut ana).await.is_ok());
}

#[tokio::test]
async fn a_key_belongs_to_one_person_and_a_ceremony_to_one_session() {
    let site = Site::new().await;
    site.person("ana@example.com", Role::Engineer).await;
    site.person("ben@example.com", Role::Engineer).await;
    let mut device = Device::new();
    let ana = site.sign_in("ana@example.com").await;
    let ben = site.sign_in("ben@example.com").await;
    let begun = site.guard.begin_passkey(&site.who(&ana).await).await.unwrap();
    let answer = device.create(&begun.options);
    let stolen = site.guard.finish_passkey(&site.who(&ben).await, &here(), &begun.handle, &answer, "").await;
    assert!(matches!(stolen, Err(GuardError::LinkSpent)));
    add(&site, &ana, &mut device).await.unwrap();
    assert!(matches!(add(&site, &ben, &mut device).await, Err(GuardError::Taken(_))));
}

#[tokio::test]
async fn a_removed_passkey_and_a_blocked_person_do_not_come_in() {
    let site = Site::new().await;
    site.person("owner@example.com", Role::Owner).await;
    let ana = site.person("ana@example.com", Role::Engineer).await;
    let (mut one, mut two) = (Device::new(), Device::new());
    let full = add(&site, &site.sign_in("ana@example.com").await, &mut one).await.unwrap();
    let full = add(&site, &full, &mut two).await.unwrap();
    let who = site.who(&full).await;
    let keys = site.guard.passkeys(&ana.id).await.unwrap();
    site.guard.remove_passkey(&who, &keys[0].id).await.unwrap();
    assert!(come_in(&site, &mut one).await.is_err());
    assert!(come_in(&site, &mut two).await.is_ok());
    let reason = crate::Reason { category: "test".into(), text: "a test".into() };
    site.guard.block(&dunlin_ledger::Actor::System, &ana.id, &reason).await.unwrap();
    assert!(matches!(come_in(&site, &mut two).await, Err(GuardError::SignInRefused)));
    assert!(site.guard.attempts(&ana.id, 9).await.unwrap().iter().any(|a| a.credential == "passkey"));
}

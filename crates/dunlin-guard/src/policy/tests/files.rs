//! A workspace's own policy files: what they may change, and how a wrong one is refused.

use std::fs;

use dunlin_plan::Role;

use super::who;
use crate::policy::{Action, Authority, PolicyError, Resource};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("policies")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join("policies").join(name), text).unwrap();
    }
    dir
}

fn refused(text: &str) -> PolicyError {
    match Authority::load(folder(&[("own.cedar", text)]).path()) {
        Err(error) => error,
        Ok(_) => panic!("it was taken"),
    }
}

const WRITERS_RUN: &str = "@id(\"own.writers_run\")\n@says(\"Writers start runs here.\")\n\
    permit (principal, action == Action::\"run.start\", resource)\nwhen { principal.role == \"writer\" };\n";

#[test]
fn a_workspace_adds_and_replaces_and_its_sentences_are_shown() {
    let replaced = "@id(\"api.engineer\")\n@says(\"Engineers only look here.\")\n\
        permit (principal, action == Action::\"run.read\", resource)\nwhen { principal.role == \"engineer\" };\n";
    let dir = folder(&[("a.cedar", WRITERS_RUN), ("b.cedar", replaced), ("notes.txt", "not a policy")]);
    let authority = Authority::load(dir.path()).unwrap();
    let built_in = Authority::built_in().unwrap();
    assert_ne!(authority.fingerprint(), built_in.fingerprint());
    let may = |authority: &Authority, role, action| {
        let resource = if action == Action::RunStart { Resource::plan() } else { Resource::Workspace };
        authority.may(&who("me", role), action, &resource).allowed
    };
    assert!(
        may(&authority, Role::Writer, Action::RunStart) && !may(&built_in, Role::Writer, Action::RunStart)
    );
    assert!(
        !may(&authority, Role::Engineer, Action::RunStart)
            && may(&built_in, Role::Engineer, Action::RunStart)
    );
    let sentences = authority.sentences();
    let of = |id: &str| sentences.iter().find(|s| s.id == id).unwrap();
    assert_eq!(
        (of("own.writers_run").says.as_str(), of("own.writers_run").file.as_str()),
        ("Writers start runs here.", "policies/a.cedar")
    );
    assert_eq!(of("api.engineer").says, "Engineers only look here.");
    assert_eq!(of("api.lead").file, "built in");
}

#[test]
fn what_always_holds_cannot_be_replaced() {
    let error = refused(
        "// a note\n@id(\"always.own_plan\")\n@says(\"Anything goes.\")\npermit (principal, action, resource);",
    );
    insta::assert_snapshot!(error, @"policies/own.cedar:4: `always.own_plan` holds in every workspace and cannot be replaced; give your policy another @id");
}

#[test]
fn a_wrong_file_is_refused_with_its_line() {
    let error = refused(
        "@id(\"own.a\")\n@says(\"A.\")\npermit (principal, action, resource)\nwhen { principal.rule == \"owner\" };",
    );
    assert_eq!((error.file.as_str(), error.line), ("policies/own.cedar", Some(4)), "{error}");
    assert!(error.message.contains("rule"), "{error}");
    let error = refused(
        "@id(\"own.a\")\n@says(\"A.\")\npermit (principal,\n  action == Action::\"run.begin\", resource);",
    );
    assert_eq!((error.file.as_str(), error.line), ("policies/own.cedar", Some(4)), "{error}");
    let error = refused("\n\npermit (principal, action, resource) wehn { true };");
    assert_eq!((error.file.as_str(), error.line), ("policies/own.cedar", Some(3)), "{error}");
    // It fits the schema and can never act: its author meant something else.
    let error = refused(
        "@id(\"own.a\")\n@says(\"A.\")\nforbid (principal, action, resource)\nwhen { principal has nickname };",
    );
    assert_eq!(error.file, "policies/own.cedar", "{error}");
}

#[test]
fn a_policy_without_id_or_words_is_refused() {
    let error = refused("@says(\"A.\")\npermit (principal, action == Action::\"run.read\", resource);");
    insta::assert_snapshot!(error, @r#"policies/own.cedar:2: a policy has no id that can be used; write @id("…") above it: 1 to 48 characters of a-z 0-9 _ . -"#);
    let error = refused("@id(\"own.a\")\npermit (principal, action == Action::\"run.read\", resource);");
    insta::assert_snapshot!(error, @r#"policies/own.cedar:2: `own.a` does not say in words what it does; write @says("…") above it: people are shown that"#);
    let twice = format!("{WRITERS_RUN}{WRITERS_RUN}");
    insta::assert_snapshot!(refused(&twice), @r#"policies/own.cedar:7: there are two policies with @id("own.writers_run"); give one of them another @id"#);
    let slots = "@id(\"own.a\")\n@says(\"A.\")\npermit (principal == ?principal, action, resource);";
    assert!(refused(slots).message.contains("template"));
}

#[test]
fn a_file_that_breaks_later_changes_nothing_until_it_is_mended() {
    let dir = folder(&[("own.cedar", WRITERS_RUN)]);
    let authority = Authority::load(dir.path()).unwrap();
    let before = authority.fingerprint();
    let may = || authority.may(&who("me", Role::Writer), Action::RunStart, &Resource::plan()).allowed;
    fs::write(dir.path().join("policies/own.cedar"), "permit (principal").unwrap();
    assert!(authority.reload().is_err());
    assert_eq!((authority.fingerprint(), may()), (before, true));
    fs::remove_file(dir.path().join("policies/own.cedar")).unwrap();
    assert!(authority.reload().unwrap());
    assert!(!may());
    assert!(!authority.reload().unwrap(), "nothing has changed since");
}

#[test]
fn the_guide_has_every_sentence() {
    let guide = include_str!("../../../../../docs/policies.md");
    for sentence in Authority::built_in().unwrap().sentences() {
        let line = format!("- {} (`{}`)", sentence.says, sentence.id);
        assert!(guide.contains(&line), "docs/policies.md lacks: {line}");
    }
    let example = guide.split("```cedar\n").nth(1).unwrap().split("```").next().unwrap();
    Authority::load(folder(&[("own.cedar", example)]).path()).unwrap();
}

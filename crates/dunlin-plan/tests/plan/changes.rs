//! What a person reads about the difference of two plans.

use dunlin_plan::{diff, load};

fn changes(right: &[(&str, &str)]) -> String {
    let old = load(crate::DESIGN, "dunlin.toml").unwrap();
    let mut text = crate::DESIGN.to_owned();
    for (before, after) in right {
        assert!(text.contains(before), "{before}");
        text = text.replacen(before, after, 1);
    }
    let new = load(&text, "dunlin.toml").unwrap_or_else(|findings| panic!("{findings}"));
    let lines: Vec<String> = diff(&old, &new)
        .iter()
        .map(|change| format!("{} {change}", if change.moves { "moves" } else { "beside" }))
        .collect();
    lines.join("\n")
}

#[test]
fn changes_of_the_move() {
    let more = "[[table]]\nfrom = \"crm.orders\"\nto = \"atlas.orders\"\nkey = [\"id\"]\n[[notice]]";
    let said = changes(&[
        ("lower(trim(email))", "lower(email)"),
        (
            "clean = \"phone\", from = \"tel\", region = \"ES\"",
            "clean = \"phone\", from = \"tel\", region = \"FR\"",
        ),
        ("tax_id = { from = \"nif\", kind = \"tax_id\", protect = \"encrypt\" }", "tax_number = \"nif\""),
        ("otherwise = \"quarantine\"", "otherwise = \"exclude\""),
        ("key = [\"customer_id\"]", "key = [\"customer_id\", \"branch\"]"),
        ("protected = true", "protected = false"),
        ("env:ATLAS_URL", "env:ATLAS_2_URL"),
        ("above = 0.95", "above = 0.9"),
        ("[[notice]]", more),
    ]);
    insta::assert_snapshot!(said, @r#"
    moves store atlas: url: `env:ATLAS_URL` -> `env:ATLAS_2_URL`
    moves store atlas: protected: removed: `true`
    moves table atlas.people: key: `["customer_id"]` -> `["customer_id","branch"]`
    moves table atlas.people: column email: `lower(trim(email))` -> `lower(email)`
    moves table atlas.people: column phone: `{ clean = "phone", from = "tel", region = "ES" }` -> `{ clean = "phone", from = "tel", region = "FR" }`
    moves table atlas.people: column tax_id: removed: `"nif"`
    moves table atlas.people: column tax_number: added: `nif`
    moves table atlas.people: rule adults only: otherwise: `quarantine` -> `exclude`
    moves table atlas.people: duplicates: above: `0.95` -> `0.9`
    moves table atlas.orders: added: `crm.orders`
    "#);
}

#[test]
fn changes_beside_the_move() {
    let said = changes(&[
        ("name = \"CRM to Atlas\"", "name = \"CRM to Atlas, again\""),
        ("role = \"engineer\"", "role = \"steward\""),
        ("colour = \"#a8481f\"\n", ""),
        ("2026-12-01", "2026-12-08"),
        ("# where data lives today", "# another comment"),
    ]);
    insta::assert_snapshot!(said, @r"
    beside plan name: `CRM to Atlas` -> `CRM to Atlas, again`
    beside company: colour: removed: `#a8481f`
    beside person ben@partner.example: role: `engineer` -> `steward`
    beside notice notices/2026-move.md: publish: `2026-12-01` -> `2026-12-08`
    ");
}

#[test]
fn another_order_of_columns_is_a_change() {
    let said = changes(&[
        ("person_id = \"customer_id\"\n", ""),
        ("[table.drop]", "person_id = \"customer_id\"\n[table.drop]"),
    ]);
    insta::assert_snapshot!(said, @r"moves table atlas.people: columns: in another order: column email, column full_name, column phone, column born_on, column tax_id, column person_id");
}

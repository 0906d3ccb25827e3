use insta::assert_snapshot;

use super::*;

fn text(name: &str, sample: &[&str]) -> String {
    typed(name, &ColumnType::TEXT, sample)
}

fn typed(name: &str, ty: &ColumnType, sample: &[&str]) -> String {
    match detect(name, ty, sample) {
        Some(guess) => format!("{} {} {:.2}", guess.kind, guess.class, guess.confidence),
        None => "-".to_owned(),
    }
}

const EMAILS: [&str; 5] =
    ["a@example.com", "b@example.com", "c@example.org", "d@example.net", "e@example.com"];

#[test]
fn values_prove_a_kind_without_a_name() {
    assert_snapshot!(text("c7", &EMAILS), @"email personal 0.98");
    assert_snapshot!(text("c7", &["ES9121000418450200051332", "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"]), @"iban sensitive 0.98");
    assert_snapshot!(text("c7", &["4111111111111111", "5500005555555559", "340000000000009", "6011000000000004"]), @"card_number sensitive 0.98");
    assert_snapshot!(text("c7", &["123-45-6789", "001-01-0001", "219-09-9999", "457-55-5462"]), @"us_ssn sensitive 0.98");
    assert_snapshot!(text("c7", &["12345678Z", "X1234567L", "00000000T", "87654321X"]), @"national_id sensitive 0.98");
    assert_snapshot!(text("c7", &["10.0.0.1", "192.168.1.1", "2001:db8::1", "127.0.0.1"]), @"ip_address personal 0.98");
    assert_snapshot!(text("c7", &["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b8", "00:1B:44:11:3A:B9", "00:1B:44:11:3A:BA"]), @"mac_address personal 0.98");
}

#[test]
fn impossible_numbers_are_not_taken() {
    assert_snapshot!(text("c7", &["4111111111111112", "5500005555555550", "340000000000001", "6011000000000001"]), @"-");
    assert_snapshot!(text("c7", &["666-45-6789", "000-01-0001", "900-09-9999", "457-00-5462"]), @"-");
    assert_snapshot!(text("c7", &["ES9121000418450200051333", "DE89370400440532013001", "GB29NWBK60161331926810", "x"]), @"-");
}

#[test]
fn names_and_values_together() {
    for (name, sample) in [
        ("first_name", ["Ana", "Bo", "Cy", "Dee"]),
        ("apellidos", ["Ruiz Gil", "Li", "Oh", "Paz"]),
        ("fechaNacimiento", ["1990-01-01", "02/03/1985", "1970-12-31", "2001-05-05"]),
        ("dob", ["01/02/1990", "31/12/1985", "15/06/1970", "n/a"]),
        ("Geburtsdatum", ["1990-01-01", "1985-03-02", "1970-12-31", "2001-05-05"]),
        ("tel", ["+34 612 345 678", "612345678", "915 555 123", "(91) 555-1234"]),
        ("nif", ["12345678Z", "X1234567L", "B12345678", "00000000T"]),
        ("cod_postal", ["28001", "08001", "41001", "50001"]),
        ("pays", ["France", "España", "DE", "Italia"]),
        ("Straße", ["Hauptstr. 1", "Am Markt 7", "Weg 2", "Ring 3"]),
        ("mot_de_passe", ["a", "b", "c", "d"]),
        (
            "notes",
            [
                "called twice, wants an invoice by post please",
                "ok",
                "will move to another town in the spring",
                "-",
            ],
        ),
        ("cidade", ["Lisboa", "Porto", "Braga", "Faro"]),
        ("religion", ["a", "b", "a", "b"]),
        ("sexo", ["M", "F", "F", "M"]),
    ] {
        let guess = detect(name, &ColumnType::TEXT, &sample).map(|g| g.kind);
        let wanted = match name {
            "first_name" => "given_name",
            "apellidos" => "family_name",
            "fechaNacimiento" | "dob" | "Geburtsdatum" => "birth_date",
            "tel" => "phone",
            "nif" => "tax_id",
            "cod_postal" => "postcode",
            "pays" => "country",
            "Straße" => "postal_address",
            "mot_de_passe" => "credential",
            "notes" => "free_text",
            "cidade" => "city",
            "religion" => "special_category",
            _ => "gender",
        };
        assert_eq!(guess.as_deref(), Some(wanted), "{name}");
    }
}

#[test]
fn ordinary_columns_are_left_alone() {
    for name in
        ["id", "status", "amount", "created_at", "product_name", "email_verified", "country_id", "quantity"]
    {
        assert_eq!(detect(name, &ColumnType::TEXT, &["12", "34", "56", "78", "90"]), None, "{name}");
    }
    assert_eq!(typed("order_id", &ColumnType::Int64, &["1", "2", "3", "4", "5"]), "-");
    assert_eq!(typed("email", &ColumnType::Binary, &[]), "-");
}

#[test]
fn a_name_alone_is_enough_for_an_empty_table() {
    assert_snapshot!(text("email", &[]), @"email personal 0.87");
    assert_snapshot!(typed("born_on", &ColumnType::Date, &[]), @"birth_date personal 0.87");
}

#[test]
fn evidence_counts_and_shows_nothing() {
    let guess = detect("correo", &ColumnType::TEXT, &EMAILS).unwrap();
    assert_snapshot!(guess.evidence.join("; "), @"the name says `correo`; 5 of 5 sampled values agree; 5 of 5 sampled values have the form of `email`");
    assert!(!guess.evidence.join(" ").contains("example"));
}

#[test]
fn a_sold_thing_and_a_state_are_not_persons() {
    let names = ["ACME Chair", "Blue Lamp", "Desk", "Oak Table"];
    assert_eq!(text("product_name", &names), "-");
    assert_eq!(text("state", &["open", "closed", "open", "late"]), "-");
    assert_eq!(
        text("customer_name", &["Ana Ruiz", "Bo Li", "Cy Oh", "Dee Paz"]),
        "person_name personal 0.98"
    );
    assert_eq!(typed("tax_rate", &ColumnType::Decimal { precision: 5, scale: 2 }, &["0.21", "0.10"]), "-");
    assert_eq!(typed("total", &ColumnType::Int64, &["4111111111111111"; 3]), "-");
}

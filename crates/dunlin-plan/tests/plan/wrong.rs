//! Wrong plans, and what a person reads about them.

use dunlin_plan::load;

/// A small plan that is right.
const RIGHT: &str = r#"[plan]
name = "small"
[store.crm]
url = "sqlite:crm.db"
[store.atlas]
url = "env:ATLAS_URL"
[store.files]
url = "file:out/"
[[person]]
name = "Ana"
email = "ana@example.com"
role = "lead"
[[table]]
from = "crm.customers"
to = "atlas.people"
key = ["id"]
[table.columns]
person_id = "id"
email = { sql = "lower(email)", kind = "email" }
[[table]]
from = "crm.orders"
to = "files.orders"
key = ["id"]
"#;

/// What is said when a part of the right plan is replaced.
fn said(right: &str, wrong: &str) -> String {
    assert!(RIGHT.contains(right), "{right}");
    said_of(&RIGHT.replacen(right, wrong, 1))
}

/// What is said when something is added to the right plan.
fn said_with(more: &str) -> String {
    said_of(&format!("{RIGHT}{more}"))
}

fn said_of(text: &str) -> String {
    match load(text, "dunlin.toml") {
        Ok(plan) => {
            format!("accepted; {:?}", plan.findings.iter().map(|f| f.message.as_str()).collect::<Vec<_>>())
        }
        Err(findings) => findings.to_string(),
    }
}

#[test]
fn the_right_plan_is_right() {
    insta::assert_snapshot!(said_with(""), @r"accepted; []");
}

#[test]
fn text_that_is_not_toml() {
    insta::assert_snapshot!(said("name = \"small\"", "name = small"), @r"
    dunlin.toml:2:8: error[plan-syntax]: this is not TOML: string values must be quoted, expected literal string
      | name = small
      |        ^^^^^
      help: texts stand in quotes, lists in [ ], and a key may be given once
    ");
    insta::assert_snapshot!(said("key = [\"id\"]\n[table.columns]", "key = [\"id\"]\nkey = [\"x\"]"), @r#"
    dunlin.toml:17:1: error[plan-syntax]: this is not TOML: duplicate key
      | key = ["x"]
      | ^^^
      help: texts stand in quotes, lists in [ ], and a key may be given once
    "#);
}

#[test]
fn keys_that_do_not_exist() {
    insta::assert_snapshot!(said("[table.columns]", "[table.colums]"), @r#"
    dunlin.toml:17:8: error[plan-unknown-key]: unknown key `colums` in [[table]] "atlas.people"
      | [table.colums]
      |        ^^^^^^
      help: did you mean `columns`?
    "#);
    insta::assert_snapshot!(said("[plan]", "[plan]\nowner = \"x\""), @r#"
    dunlin.toml:2:1: error[plan-unknown-key]: unknown key `owner` in [plan]
      | owner = "x"
      | ^^^^^
      help: known here: `name`, `summary`
    "#);
    insta::assert_snapshot!(said("kind = \"email\"", "knid = \"email\""), @r#"
    dunlin.toml:19:33: error[plan-unknown-key]: unknown key `knid` in column `email` of [[table]] "atlas.people"
      | email = { sql = "lower(email)", knid = "email" }
      |                                 ^^^^
      help: did you mean `kind`?
    "#);
    insta::assert_snapshot!(said_with("[windows]\n"), @r"
    dunlin.toml:24:2: error[plan-unknown-key]: unknown key `windows` in the plan
      | [windows]
      |  ^^^^^^^
      help: did you mean `window`?
    ");
}

#[test]
fn values_of_the_wrong_type() {
    insta::assert_snapshot!(said("key = [\"id\"]\n[table.columns]", "key = \"id\"\n[table.columns]"), @r#"
    dunlin.toml:16:7: error[plan-wrong-type]: `key` in [[table]] "atlas.people" is a text
      | key = "id"
      |       ^^^^
      help: it must be a list of texts
    "#);
    insta::assert_snapshot!(said("person_id = \"id\"", "person_id = 7"), @r#"
    dunlin.toml:18:13: error[plan-wrong-type]: column `person_id` of [[table]] "atlas.people" is a number
      | person_id = 7
      |             ^
      help: it must be an SQL expression as a text, or a table
    "#);
    insta::assert_snapshot!(said("[[person]]", "[person]"), @r"
    dunlin.toml:9:1: error[plan-wrong-type]: `person` in the plan is a table
      | [person]
      | ^^^^^^^^
      help: it must be a list of tables: head each by `[[person]]`
    ");
}

#[test]
fn keys_that_are_missing() {
    insta::assert_snapshot!(said("name = \"small\"\n", ""), @r#"
    dunlin.toml:1:1: error[plan-missing-key]: [plan] has no `name`
      | [plan]
      | ^^^^^^
      help: add `name = "what moves where"`
    "#);
    insta::assert_snapshot!(said("url = \"env:ATLAS_URL\"\n", ""), @r#"
    dunlin.toml:5:8: error[plan-missing-key]: [store.atlas] has no `url`
      | [store.atlas]
      |        ^^^^^
      help: add `url = "env:NAME"` or another address
    "#);
    insta::assert_snapshot!(said("from = \"crm.customers\"\nto = \"atlas.people\"\nkey = [\"id\"]", ""), @r#"
    dunlin.toml:13:1: error[plan-missing-key]: [[table]] has no `from`
      | [[table]]
      | ^^^^^^^^^
      help: add `from = "store.table"`
    dunlin.toml:13:1: error[plan-missing-key]: [[table]] has no `to`
      | [[table]]
      | ^^^^^^^^^
      help: add `to = "store.table"`
    "#);
    insta::assert_snapshot!(said("key = [\"id\"]\n[table.columns]", "key = []\n[table.columns]"), @r#"
    dunlin.toml:16:7: error[plan-key]: `key` in [[table]] "atlas.people" is empty
      | key = []
      |       ^^
      help: name the source columns that tell one row from another, or leave `key` out where there are none
    "#);
}

#[test]
fn stores() {
    insta::assert_snapshot!(said("from = \"crm.customers\"", "from = \"cmr.customers\""), @r#"
    dunlin.toml:14:8: error[plan-unknown-store]: `from = "cmr.customers"` names the store `cmr`, which the plan does not have
      | from = "cmr.customers"
      |        ^^^^^^^^^^^^^^^
      help: did you mean `crm`?
    "#);
    insta::assert_snapshot!(said("\"env:ATLAS_URL\"", "\"oracle://db/x\""), @r#"
    dunlin.toml:6:7: error[plan-url]: the URL of store `atlas` is refused: it does not begin with `sqlite:`, `file:`, `postgres://`, `mysql://`, `env:` or `secret:`
      | url = "oracle://db/x"
      |       ^^^^^^^^^^^^^^^
      help: for example `sqlite:data/crm.db` or `env:ATLAS_URL`
    "#);
    insta::assert_snapshot!(said("\"env:ATLAS_URL\"", "\"env:ATLAS_URL\"\ndelimiter = \";;\"\nencoding = \"utf8x\""), @r#"
    dunlin.toml:7:13: error[plan-file-option]: `delimiter` in [store.atlas] must be one ASCII character
      | delimiter = ";;"
      |             ^^^^
      help: for example ";" or "\t"
    dunlin.toml:8:12: error[plan-unknown-word]: unknown encoding `utf8x`
      | encoding = "utf8x"
      |            ^^^^^^^
      help: known here: `utf-8`, `windows-1252`, `iso-8859-1`, `iso-8859-15`, `utf-16le`, `utf-16be`, `macintosh`
    "#);
    insta::assert_snapshot!(said("\"sqlite:crm.db\"", "\"sqlite:crm.db\"\nheader = true\nregion = \"Spain\""), @r#"
    dunlin.toml:5:10: error[plan-file-option]: `header` in [store.crm] is for files, and this store is a database
      | header = true
      |          ^^^^
      help: remove it, or give the store a `file:` URL
    dunlin.toml:6:10: error[plan-region]: `Spain` is not a country code
      | region = "Spain"
      |          ^^^^^^^
      help: write the two letters of ISO 3166, for example "ES"
    "#);
    insta::assert_snapshot!(said("to = \"files.orders\"", "to = \"files\""), @r#"
    dunlin.toml:22:6: error[plan-table-name]: `to = "files"` names a store of several tables, not a table
      | to = "files"
      |      ^^^^^^^
      help: write `to = "files.table"`
    "#);
    insta::assert_snapshot!(said("\"file:out/\"", "\"file:out.csv\""), @r#"
    dunlin.toml:22:6: error[plan-table-name]: `to = "files.orders"` names a table in the store `files`, which is one table
      | to = "files.orders"
      |      ^^^^^^^^^^^^^^
      help: write `to = "files"`, or end the store's URL in `/` for a folder of tables
    "#);
    insta::assert_snapshot!(said("from = \"crm.orders\"", "from = \"crm.a.b.c\""), @r#"
    dunlin.toml:21:8: error[plan-table-name]: `crm.a.b.c` does not name a table: it has more than three parts
      | from = "crm.a.b.c"
      |        ^^^^^^^^^^^
      help: write `store.table` or `store.schema.table`; parts with dots or blanks stand in quotes
    "#);
    insta::assert_snapshot!(said_with("[store.spare]\nurl = \"env:SPARE\"\n"), @r#"accepted; ["no table uses the store `spare`"]"#);
}

#[test]
fn a_password_is_refused_and_not_repeated() {
    let said = said("\"env:ATLAS_URL\"", "\"postgres://ana:s3cret@db/crm\"");
    assert!(!said.contains("s3cret"), "{said}");
    insta::assert_snapshot!(said, @r#"
    dunlin.toml:6:7: error[plan-password]: the URL of store `atlas` is refused: it holds a password
      | url = ******************************
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: write `url = "env:ATLAS_URL"` and set that variable, or `url = "secret:PATH"`; then change the password, for this file may have been copied
    "#);
}

#[test]
fn a_password_as_a_key_is_not_repeated() {
    let said = said("url = \"env:ATLAS_URL\"", "url = \"env:ATLAS_URL\"\npassword = \"s3cret\"");
    assert!(!said.contains("s3cret"), "{said}");
    insta::assert_snapshot!(said, @r"
    dunlin.toml:7:1: error[plan-unknown-key]: unknown key `password` in [store.atlas]
      | password = ********
      | ^^^^^^^^
      help: known here: `url`, `region`, `protected`, `processor`, `agreement`, `transfer`, `environment`, `at_rest`, `delimiter`, `quote`, `header`, `encoding`, `null`, `format`
    ");
    let said = said_of("[store.a]\npassword = \"s3cret\" oops");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn text_from_other_systems() {
    let windows = format!("\u{feff}{}", RIGHT.replace('\n', "\r\n"));
    insta::assert_snapshot!(said_of(&windows), @r"accepted; []");
    insta::assert_snapshot!(said_of(&windows.replace("role", "rôle")), @r#"
    dunlin.toml:12:2: error[plan-syntax]: this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`
      | rôle = "lead"
      |  ^
      help: texts stand in quotes, lists in [ ], and a key may be given once
    "#);
    insta::assert_snapshot!(said_of(&windows.replace("\"lead\"", "\"leed\"")), @r#"
    dunlin.toml:12:8: error[plan-unknown-word]: unknown role `leed`
      | role = "leed"
      |        ^^^^^^
      help: did you mean `lead`?
    "#);
    insta::assert_snapshot!(said_of(""), @r"
    dunlin.toml:1:1: error[plan-missing-key]: the plan has no `plan`
      | 
      | ^
      help: add a table `[plan]` with a `name`
    dunlin.toml:1:1: error[plan-missing-key]: the plan has no `store`
      | 
      | ^
      help: add a table `[store.name]` with a `url` for each store
    ");
}

#[test]
fn words_that_do_not_exist() {
    insta::assert_snapshot!(said("role = \"lead\"", "role = \"leader\""), @r#"
    dunlin.toml:12:8: error[plan-unknown-word]: unknown role `leader`
      | role = "leader"
      |        ^^^^^^^^
      help: did you mean `lead`?
    "#);
    insta::assert_snapshot!(said("kind = \"email\"", "kind = \"e-mail\", protect = \"scramble\""), @r#"
    dunlin.toml:19:40: error[plan-unknown-word]: unknown kind `e-mail`
      | email = { sql = "lower(email)", kind = "e-mail", protect = "scramble" }
      |                                        ^^^^^^^^
      help: did you mean `email`?
    dunlin.toml:19:60: error[plan-unknown-word]: unknown protection `scramble`
      | email = { sql = "lower(email)", kind = "e-mail", protect = "scramble" }
      |                                                            ^^^^^^^^^^
      help: known here: `mask`, `hash`, `tokenise`, `encrypt`, `format`, `shift`, `general`, `fake`, `remove`
    "#);
    insta::assert_snapshot!(said("to = \"atlas.people\"", "to = \"atlas.people\"\nbasis = \"contrat\""), @r#"
    dunlin.toml:16:9: error[plan-unknown-word]: unknown basis `contrat`
      | basis = "contrat"
      |         ^^^^^^^^^
      help: did you mean `contract`?
    "#);
    insta::assert_snapshot!(said_with("[comply]\npacks = [\"gdrp\"]\n"), @r#"
    dunlin.toml:25:10: error[plan-unknown-word]: unknown pack `gdrp`
      | packs = ["gdrp"]
      |          ^^^^^^
      help: did you mean `gdpr`?
    "#);
}

#[test]
fn tables() {
    insta::assert_snapshot!(said("to = \"files.orders\"", "to = \"atlas.people\""), @r#"
    dunlin.toml:22:6: error[plan-duplicate-target]: two tables move to `atlas.people`
      | to = "atlas.people"
      |      ^^^^^^^^^^^^^^
      help: give the second one `into = "append"`, or another `to`
    "#);
    insta::assert_snapshot!(said("to = \"files.orders\"", "to = \"crm.orders\""), @r#"
    dunlin.toml:22:6: error[plan-same-table]: table `crm.orders` would move onto itself
      | to = "crm.orders"
      |      ^^^^^^^^^^^^
      help: name another `to`
    "#);
    let both = "to = \"files.orders\"\ninto = \"append\"\nreplace = true";
    insta::assert_snapshot!(said("to = \"files.orders\"", both), @r#"
    dunlin.toml:22:6: error[plan-mode]: `replace = true` and `into = "append"` contradict each other
      | to = "files.orders"
      |      ^^^^^^^^^^^^^^
      help: keep the one you mean
    "#);
}

#[test]
fn columns() {
    let column = "{ sql = \"lower(email)\", kind = \"email\" }";
    insta::assert_snapshot!(said(column, "{ kind = \"email\" }"), @r#"
    dunlin.toml:19:1: error[plan-column]: column `email` of [[table]] "atlas.people" does not say where its value comes from
      | email = { kind = "email" }
      | ^^^^^
      help: add `from = "source_column"` or `sql = "expression"`
    "#);
    insta::assert_snapshot!(said(column, "{ sql = \"a\", from = \"b\" }"), @r#"
    dunlin.toml:19:17: error[plan-column]: column `email` of [[table]] "atlas.people" has both `sql` and `from`
      | email = { sql = "a", from = "b" }
      |                 ^^^
      help: keep one of them
    "#);
    insta::assert_snapshot!(said(column, "{ from = \"b\", clean = \"trim\", formats = [\"%Y\"] }"), @r#"
    dunlin.toml:19:49: error[plan-column]: `formats` of column `email` of [[table]] "atlas.people" does not act
      | email = { from = "b", clean = "trim", formats = ["%Y"] }
      |                                                 ^^^^^^
      help: it belongs to `clean = "date"`
    "#);
    insta::assert_snapshot!(said(column, "\" \""), @r#"
    dunlin.toml:19:9: error[plan-empty]: the expression of column `email` of [[table]] "atlas.people" is empty
      | email = " "
      |         ^^^
      help: write SQL over source columns; for nothing at all write "null"
    "#);
    insta::assert_snapshot!(said(column, "\"x\"\n[table.drop]\nid = \"unused\"\nnotes = \"\""), @r#"
    dunlin.toml:21:1: error[plan-mapped-and-dropped]: column `id` is dropped, and mapped to `person_id`
      | id = "unused"
      | ^^
      help: remove it from [table.drop] or from [table.columns]
    dunlin.toml:22:9: error[plan-drop-reason]: column `notes` is dropped without a reason
      | notes = ""
      |         ^^
      help: say why it stays behind; the report shows it
    "#);
}

#[test]
fn rules() {
    let rule = |text: &str| said_with(&format!("[[table.rule]]\n{text}\n"));
    insta::assert_snapshot!(rule("check = \"true\"\notherwise = \"drop\""), @r#"
    dunlin.toml:24:1: error[plan-missing-key]: [[table.rule]] has no `name`
      | [[table.rule]]
      | ^^^^^^^^^^^^^^
      help: add a `name` that says what must hold
    dunlin.toml:26:13: error[plan-unknown-word]: unknown consequence `drop`
      | otherwise = "drop"
      |             ^^^^^^
      help: known here: `quarantine`, `exclude`, `fix`, `stop`, `warn`
    "#);
    insta::assert_snapshot!(rule("name = \"a\"\ncheck = \"true\"\notherwise = \"fix\""), @r#"
    dunlin.toml:27:13: error[plan-rule-fix]: [[table.rule]] "a" is to fix rows, but has no `fix`
      | otherwise = "fix"
      |             ^^^^^
      help: add `fix = { column = "expression over target columns" }`
    "#);
    insta::assert_snapshot!(rule("name = \"a\"\ncheck = \"true\"\notherwise = \"stop\"\nfix = { id = \"1\" }"), @r#"
    dunlin.toml:28:7: error[plan-rule-fix]: [[table.rule]] "a" has a `fix` that never acts
      | fix = { id = "1" }
      |       ^^^^^^^^^^^^
      help: write `otherwise = "fix"`, or remove `fix`
    "#);
    let one = "name = \"a\"\ncheck = \"true\"\notherwise = \"warn\"";
    insta::assert_snapshot!(rule(&format!("{one}\n[[table.rule]]\n{one}")), @r#"
    dunlin.toml:29:8: error[plan-duplicate-rule]: two rules of `files.orders` are named "a"
      | name = "a"
      |        ^^^
      help: reports tell rules apart by name: give each its own
    "#);
}

#[test]
fn duplicates_and_enrichments() {
    let more = |text: &str| said_with(&format!("{text}\n"));
    insta::assert_snapshot!(more("[table.duplicates]\nmatch = [\"email\"]\nabove = 0.7\nreview = 0.8"), @r"
    dunlin.toml:26:9: error[plan-duplicates]: `above` (0.7) is lower than `review` (0.8)
      | above = 0.7
      |         ^^^
      help: rows are merged at or above `above`; a person decides from `review` up to there
    ");
    insta::assert_snapshot!(more("[table.duplicates]\nmatch = [\"a +\"]\nabove = 95"), @r#"
    dunlin.toml:25:10: error[plan-duplicates]: `match` in [table.duplicates] names no column here
      | match = ["a +"]
      |          ^^^^^
      help: join target columns by `+`
    dunlin.toml:26:9: error[plan-duplicates]: `above` in [table.duplicates] is not a probability
      | above = 95
      |         ^^
      help: it lies between 0 and 1
    "#);
    insta::assert_snapshot!(more("[[table.enrich]]\nfrom = \"nowhere\"\non = \"id\"\nadd = {}"), @r#"
    dunlin.toml:26:6: error[plan-enrich]: `on` does not understand `id`
      | on = "id"
      |      ^^^^
      help: write "source_column = other_column"
    dunlin.toml:27:7: error[plan-enrich]: `add` in [[table.enrich]] adds nothing
      | add = {}
      |       ^^
      help: write `add = { target_column = "other_column" }`
    "#);
    let enrich = "[[table.enrich]]\nfrom = \"crm.vip\"\non = \"id = id\"\nadd = { vip = \"yes\" }\n";
    insta::assert_snapshot!(more(&format!("{enrich}{enrich}")), @r#"
    dunlin.toml:29:8: error[plan-enrich]: column `vip` is added by [[table.enrich]], but is already there
      | from = "crm.vip"
      |        ^^^^^^^^^
      help: give it another name, or remove one of the two
    "#);
}

#[test]
fn people_waivers_and_notices() {
    let person = "[[person]]\nname = \"Bo\"\nemail = \"ANA@example.com\"\nrole = \"guest\"\n";
    insta::assert_snapshot!(said_with(person), @r"
    dunlin.toml:24:1: error[plan-duplicate-person]: Ana and Bo have the same e-mail `ANA@example.com`
      | [[person]]
      | ^^^^^^^^^^
      help: people are told apart by e-mail: give each their own, or keep one entry
    ");
    insta::assert_snapshot!(said("\"ana@example.com\"", "\"ana at example\""), @r#"
    dunlin.toml:11:9: error[plan-email]: `ana at example` is not an e-mail address
      | email = "ana at example"
      |         ^^^^^^^^^^^^^^^^
      help: write it as name@example.com
    "#);
    insta::assert_snapshot!(said_with("[[comply.waiver]]\nrule = \"GDPR-1\"\nuntil = \"2027\"\n"), @r#"
    dunlin.toml:24:1: error[plan-missing-key]: [[comply.waiver]] has no `reason`
      | [[comply.waiver]]
      | ^^^^^^^^^^^^^^^^^
      help: add a `reason` that an auditor can follow
    dunlin.toml:24:1: error[plan-missing-key]: [[comply.waiver]] has no `by`
      | [[comply.waiver]]
      | ^^^^^^^^^^^^^^^^^
      help: add `by = "ana@example.com"`: who decided
    dunlin.toml:26:9: error[plan-wrong-type]: `until` in [[comply.waiver]] is a text
      | until = "2027"
      |         ^^^^^^
      help: it must be a date without quotes, for example 2027-06-30
    "#);
    let waiver = "[[comply.waiver]]\nrule = \"GDPR-1\"\nreason = \"hold\"\nby = \"anna@example.com\"\n";
    insta::assert_snapshot!(said_with(waiver), @r"
    dunlin.toml:24:1: error[plan-unknown-person]: the waiver of `GDPR-1` is by `anna@example.com`, who is not in the plan
      | [[comply.waiver]]
      | ^^^^^^^^^^^^^^^^^
      help: did you mean `ana@example.com`?
    dunlin.toml:24:1: warning[plan-waiver-open]: the waiver of `GDPR-1` has no end
      | [[comply.waiver]]
      | ^^^^^^^^^^^^^^^^^
      help: add `until`, for example `until = 2027-06-30`
    ");
    insta::assert_snapshot!(said_with("[[notice]]\nfile = \"../move.md\"\npublish = 2026-12-01T10:00:00\n"), @r#"
    dunlin.toml:25:8: error[plan-path]: the path `../move.md` leads out of the plan's folder
      | file = "../move.md"
      |        ^^^^^^^^^^^^
      help: put the file beside the plan and give the path from there
    dunlin.toml:26:11: error[plan-wrong-type]: `publish` in [[notice]] is a date or time
      | publish = 2026-12-01T10:00:00
      |           ^^^^^^^^^^^^^^^^^^^
      help: it must be a date without quotes, for example 2027-06-30
    "#);
    let rest = "[company]\nname = \"X\"\ncolour = \"red\"\n[ledger]\nverifier = \"key\"\n";
    insta::assert_snapshot!(said_with(rest), @r##"
    dunlin.toml:26:10: error[plan-colour]: `red` is not a colour
      | colour = "red"
      |          ^^^^^
      help: write it as "#a8481f"
    dunlin.toml:28:12: error[plan-verifier]: `verifier` in [ledger] is not a verifier key
      | verifier = "key"
      |            ^^^^^
      help: it has the form `name+8 hex digits+base64`; `dunlin keys list` shows it
    "##);
    insta::assert_snapshot!(said_with("[subject]\ntable = \"atlas.persons\"\nid = \"id\"\n"), @r#"accepted; ["the customers' table `atlas.persons` is not the target of any [[table]]"]"#);
    insta::assert_snapshot!(said_with("[subject]\ntable = \"atlas.people\"\nid = \"person\"\n"), @r#"accepted; ["[subject] names the column `person`, which `atlas.people` does not get"]"#);
}

#[test]
fn windows() {
    let window = |text: &str| said_with(&format!("[window]\n{text}\n"));
    let wrong = "days = [\"saturday\"]\nfrom = \"22\"\nto = \"25:00\"\nzone = \"Europe/Madird\"\nsource_load = \"slow\"";
    insta::assert_snapshot!(window(wrong), @r#"
    dunlin.toml:25:9: error[plan-unknown-word]: unknown day `saturday`
      | days = ["saturday"]
      |         ^^^^^^^^^^
      help: did you mean `sat`?
    dunlin.toml:26:8: error[plan-window]: `22` is not a time of the day
      | from = "22"
      |        ^^^^
      help: write hours and minutes, as "22:00"
    dunlin.toml:27:6: error[plan-window]: `25:00` is not a time of the day
      | to = "25:00"
      |      ^^^^^^^
      help: write hours and minutes, as "22:00"
    dunlin.toml:28:8: error[plan-window]: unknown time zone `Europe/Madird`
      | zone = "Europe/Madird"
      |        ^^^^^^^^^^^^^^^
      help: did you mean `Europe/Madrid`?
    dunlin.toml:29:15: error[plan-window]: `source_load` does not understand `slow`
      | source_load = "slow"
      |               ^^^^^^
      help: write "pause above 70% of the busiest hour", with a number from 1 to 100
    "#);
    insta::assert_snapshot!(window("days = []\nfrom = \"22:00\"\nto = \"22:00\"\nzone = \"Mars\""), @r#"
    dunlin.toml:25:8: error[plan-window]: `days` in [window] is empty
      | days = []
      |        ^^
      help: name at least one day, or remove [window]: then data may move at any time
    dunlin.toml:27:6: error[plan-window]: `from` and `to` in [window] are the same time
      | to = "22:00"
      |      ^^^^^^^
      help: for whole days write from = "00:00" and to = "24:00"
    dunlin.toml:28:8: error[plan-window]: unknown time zone `Mars`
      | zone = "Mars"
      |        ^^^^^^
      help: write a zone of the IANA database, for example `Europe/Madrid`
    "#);
}

#[test]
fn rules_on_whole_tables_and_control_totals() {
    let set = |text: &str| said_with(&format!("[[table.set]]\nname = \"a\"\n{text}\notherwise = \"stop\"\n"));
    for right in [
        "unique = [\"id\"]",
        "refers = [\"id\"]\nto = \"files.people\"\nkey = [\"id\"]",
        "sum = \"amount\"\nequals = \"-12.50\"",
        "at_least = 1\nat_most = 20",
    ] {
        assert_eq!(set(right), "accepted; []", "{right}");
    }
    for (wrong, told) in [
        ("", "must say one thing that holds"),
        ("unique = [\"id\"]\nat_least = 1", "must say one thing that holds"),
        ("unique = []", "names no column, or one twice"),
        ("unique = [\"id\", \"id\"]", "names no column, or one twice"),
        ("unique = [\"id\"]\nkey = [\"id\"]", "`key` in [[table.set]] \"a\" belongs to another rule"),
        ("refers = [\"id\"]\nto = \"files.people\"", "has no `key`"),
        ("refers = [\"id\"]\nto = \"files.people\"\nkey = [\"a\", \"b\"]", "refers by 1 columns to 2"),
        ("refers = [\"id\"]\nto = \"atlas.people\"\nkey = [\"id\"]", "which is in another store"),
        ("sum = \"amount\"\nequals = \"12,50\"", "is no decimal number"),
        ("at_least = 1.5", "is no number of rows"),
        ("at_least = 20\nat_most = 1", "is more than `at_most`"),
    ] {
        let said = set(wrong);
        assert!(said.contains(told) && said.contains("help:"), "{wrong}: {said}");
    }
    let rows = said_with("[[table.set]]\nname = \"a\"\nat_least = 1\notherwise = \"quarantine\"\n");
    assert!(rows.contains("no single row is to blame"), "{rows}");
    let totals = |text: &str| said_with(&format!("[table.totals]\n{text}\n"));
    assert_eq!(totals("sum = [\"amount\"]\nperiod = \"day\""), "accepted; []");
    for (wrong, told) in [
        ("period = \"day\"", "has no `sum`"),
        ("sum = []", "names no column"),
        ("sum = [\"a\", \"a\"]", "empty or repeated column"),
        ("sum = [\"a\"]\nsource = { b = \"1\" }", "which `sum` does not name"),
    ] {
        let said = totals(wrong);
        assert!(said.contains(told), "{wrong}: {said}");
    }
    let unknown = said(
        "[[table]]\nfrom = \"crm.orders\"",
        "[table.totals]\nsum = [\"emial\"]\n[[table]]\nfrom = \"crm.orders\"",
    );
    assert!(unknown.contains("did you mean `email`?"), "{unknown}");
    let group = said_with("[comply]\nsmallest_group = 1\n");
    assert!(group.contains("plan-group") && group.contains("from 2 to 1000"), "{group}");
}

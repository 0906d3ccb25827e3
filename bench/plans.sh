# Sourced by run.sh: the plans that dunlin runs. `plain` moves every column as it is; `rules` holds ten rules against
# each row and masks two columns.
# shellcheck shell=bash

# plan SHAPE TABLE KEY FROM-URL TO-URL FROM: writes a plan to stdout.
plan() {
  local shape=$1 table=$2 key=$3 from_url=$4 to_url=$5 from=$6
  cat <<TOML
[plan]
name = "bench $table $shape"
[store.old]
url = "$from_url"
[store.new]
url = "$to_url"
[[table]]
from = "$from"
to = "new.public.$table"
key = ["$key"]
TOML
  if [ "$shape" = rules ]; then "rules_$table"; fi
}

rule() {
  printf '\n[[table.rule]]\nname = "%s"\ncheck = "%s"\notherwise = "quarantine"\n' "$1" "$2"
}

rules_customers() {
  cat <<'TOML'
[table.columns]
id = "id"
email = { from = "email", kind = "email", protect = "mask" }
full_name = { from = "full_name", kind = "person_name" }
phone = { from = "phone", kind = "phone", protect = "mask" }
dob = "dob"
address = "address"
city = "city"
postcode = "postcode"
country = "country"
balance = "balance"
created_at = "created_at"
preferences = "preferences"
marketing_consent = "marketing_consent"
TOML
  rule 'a number' 'id > 0'
  rule 'an address' "email like '%_@_%'"
  rule 'a name' "full_name <> ''"
  rule 'an international number' "phone like '+%'"
  rule 'born in our time' "dob between date '1900-01-01' and date '2026-11-22'"
  rule 'a street' "address <> ''"
  rule 'a town' "city <> ''"
  rule 'five digits' 'character_length(postcode) = 5'
  rule 'a balance that can be true' 'balance between -10000 and 1000000'
  rule 'not from the future' "created_at < timestamp '2026-11-22 00:00:00'"
}

rules_firenibble() {
  cat <<'TOML'
[table.columns]
f0 = "f0"
f1 = "f1"
f2 = "f2"
f3 = "f3"
f4 = "f4"
f5 = "f5"
f6 = "f6"
f7 = "f7"
f8 = { from = "f8", kind = "credential", protect = "mask" }
f9 = { from = "f9", kind = "credential", protect = "mask" }
f10 = "f10"
f11 = "f11"
f12 = "f12"
f13 = "f13"
f14 = "f14"
f15 = "f15"
TOML
  rule 'key' 'f0 > 0'
  rule 'f1' 'f1 >= 0'
  rule 'f2' 'f2 >= 0'
  rule 'f3' 'f3 >= 0'
  rule 'f4' 'f4 >= 0'
  rule 'f5' 'f5 <= 1'
  rule 'f8' 'character_length(f8) = 32'
  rule 'f10' "f10 >= date '1970-01-01'"
  rule 'f11' "f11 < date '2040-01-01'"
  rule 'f13' "f13 <> ''"
}

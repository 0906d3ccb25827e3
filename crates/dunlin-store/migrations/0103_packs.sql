-- Rules of packs that were set aside. The reason's text is in `texts`; `plan_mark` names a waiver that stands in the plan,
-- so that it is entered once.
create table rule_waivers (
    id text primary key,
    rule text not null,
    reason text not null,
    waived_by text not null,
    until_day text,
    at bigint not null,
    plan_mark text unique,
    withdrawn_at bigint
);

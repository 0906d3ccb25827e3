-- What the latest look at a table's data found besides its rows, as JSON: control totals and rules on all rows together.
-- Sums of a company's amounts; no row is in them but where a month has one.
create table data_checks (
    run text not null,
    table_label text not null,
    checks text not null,
    at bigint not null,
    primary key (run, table_label)
);

-- Profiles of the plan's sources as they were, to tell what changed since: a line a look, as JSON without any value.
create table kept_profiles (
    table_label text not null,
    at bigint not null,
    profile text not null,
    primary key (table_label, at)
);

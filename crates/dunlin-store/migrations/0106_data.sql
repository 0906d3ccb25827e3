-- What the latest look at a table's data found besides its rows, as JSON: control totals and rules on all rows together.
-- Sums of a company's amounts; no row is in them but where a month has one.
create table data_checks (
    run text not null,
    table_label text not null,
    checks text not null,
    at bigint not null,
    primary key (run, table_label)
);

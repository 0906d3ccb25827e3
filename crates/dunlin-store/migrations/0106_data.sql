-- What is known about the data of a run besides its rows: control totals of a table as they were last compared, as JSON.
-- Sums of a company's amounts; no row is in them but where a month has one.
create table control_totals (
    run text not null,
    table_label text not null,
    totals text not null,
    at bigint not null,
    primary key (run, table_label)
);

"""DuckDB and polars over the same CSV: what dunlin does in one pass, as they do it. Prints the ten counts.
usage: quality_peers.py duckdb|polars FILE.csv"""
import sys

peer, path = sys.argv[1], sys.argv[2]
EM = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$"
PH = r"^\+[1-9][0-9]{7,14}$"
NA = r"^\S+( \S+)*$"
PC = r"^[0-9]{5}$"
NU = r"^-?[0-9]+(\.[0-9]+)?$"
CO = ["United States", "Germany", "France", "United Kingdom", "Spain", "Italy", "Netherlands", "Canada"]

if peer == "duckdb":
    import duckdb

    duckdb.sql("set threads = 2")
    source = f"read_csv('{path}', all_varchar = true, header = true)"
    duckdb.sql(f"summarize select * from {source}").fetchall()
    match = lambda column, pattern: f"count(*) filter (not coalesce(regexp_matches({column}, '{pattern}'), false))"
    checks = [
        "count(*) - count(distinct id)",
        match("email", EM),
        match("phone", PH),
        "count(*) filter (not coalesce(regexp_matches(dob, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') and try_cast(dob as date) between date '1900-01-01' and date '2026-11-22', false))",
        match("full_name", NA),
        "count(*) filter (not coalesce(country in (" + ", ".join(f"'{c}'" for c in CO) + "), false))",
        match("postcode", PC),
        match("balance", NU),
        "count(*) filter (not coalesce(try_cast(created_at as timestamp) < timestamp '2026-11-23', false))",
        "count(*) filter (not coalesce(marketing_consent in ('true', 'false'), false))",
    ]
    print(*duckdb.sql(f"select {', '.join(checks)} from {source}").fetchall()[0])
else:
    import polars as pl

    frame = pl.read_csv(path, infer_schema=False)
    frame.describe()
    c = pl.col
    bad = lambda good: (~good.fill_null(False)).sum()
    date = c("dob").str.to_date("%Y-%m-%d", strict=False)
    made = c("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False)
    counts = frame.select(
        id=c("id").len() - c("id").n_unique(),
        email=bad(c("email").str.contains(EM)),
        phone=bad(c("phone").str.contains(PH)),
        dob=bad(c("dob").str.contains(r"^\d{4}-\d{2}-\d{2}$") & date.is_between(pl.date(1900, 1, 1), pl.date(2026, 11, 22))),
        name=bad(c("full_name").str.contains(NA)),
        country=bad(c("country").is_in(CO)),
        postcode=bad(c("postcode").str.contains(PC)),
        balance=bad(c("balance").str.contains(NU)),
        created=bad(made < pl.datetime(2026, 11, 23)),
        consent=bad(c("marketing_consent").is_in(["true", "false"])),
    )
    print(*counts.row(0))

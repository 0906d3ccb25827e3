"""Others over the same CSV: what dunlin does in one pass, as they do it. Prints the ten counts; for those that know no
rules, what they say of each column.
usage: quality_peers.py duckdb|polars|pandera|soda|gx|presidio|dataprofiler FILE.csv"""
import sys

peer, path = sys.argv[1], sys.argv[2]
EM = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$"
PH = r"^\+[1-9][0-9]{7,14}$"
NA = r"^\S+( \S+)*$"
PC = r"^[0-9]{5}$"
NU = r"^-?[0-9]+(\.[0-9]+)?$"
CO = ["United States", "Germany", "France", "United Kingdom", "Spain", "Italy", "Netherlands", "Canada"]



def match(column, pattern):
    """SQL of DuckDB: rows whose column does not match."""
    return f"count(*) filter (not coalesce(regexp_matches({column}, '{pattern}'), false))"


# The ten rules as DuckDB counts what breaks them.
CHECKS = [
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


def frame_of(path):
    """The file as pandas has it, every column text, empty cells missing; days and moments read beside."""
    import pandas as pd

    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    dob = pd.to_datetime(frame["dob"], format="%Y-%m-%d", errors="coerce")
    iso = frame["dob"].str.fullmatch(r"\d{4}-\d{2}-\d{2}").fillna(False).astype(bool)
    frame["dob_ok"] = iso & dob.between("1900-01-01", "2026-11-22")
    made = pd.to_datetime(frame["created_at"], format="%Y-%m-%dT%H:%M:%S", errors="coerce")
    frame["created_ok"] = (made < "2026-11-23").fillna(False)
    return frame


def duckdb_counts():
    import duckdb

    duckdb.sql("set threads = 2")
    source = f"read_csv('{path}', all_varchar = true, header = true)"
    duckdb.sql(f"summarize select * from {source}").fetchall()
    print(*duckdb.sql(f"select {', '.join(CHECKS)} from {source}").fetchall()[0])


def polars_counts():
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


# Column, and the pattern that its values match; the others are checked otherwise.
PATTERNS = {"email": EM, "phone": PH, "full_name": NA, "postcode": PC, "balance": NU}


def pandera_counts():
    import pandera.pandas as pa

    frame = frame_of(path)
    columns = {name: pa.Column(str, pa.Check.str_matches(pattern)) for name, pattern in PATTERNS.items()}
    columns["id"] = pa.Column(str, unique=True, report_duplicates="exclude_first")
    columns["country"] = pa.Column(str, pa.Check.isin(CO))
    columns["marketing_consent"] = pa.Column(str, pa.Check.isin(["true", "false"]))
    columns["dob_ok"] = pa.Column(bool, pa.Check.equal_to(True))
    columns["created_ok"] = pa.Column(bool, pa.Check.equal_to(True))
    try:
        pa.DataFrameSchema(columns).validate(frame, lazy=True)
        found = {}
    except pa.errors.SchemaErrors as errors:
        found = errors.failure_cases["column"].value_counts().to_dict()
    order = ["id", "email", "phone", "dob_ok", "full_name", "country", "postcode", "balance", "created_ok", "marketing_consent"]
    print(*(found.get(name, 0) for name in order))


def soda_counts():
    import duckdb
    from soda.scan import Scan

    connection = duckdb.connect()
    connection.sql("set threads = 2")
    connection.sql(f"create view customers as select * from read_csv('{path}', all_varchar = true, header = true)")
    names = [f"rule_{at}" for at in range(len(CHECKS))]
    # A SodaCL text in YAML: a metric of one's own a rule, which must be nought.
    lines = ["checks for customers:"]
    for name, check in zip(names, CHECKS):
        text = check.replace("\\", "\\\\").replace('"', '\\"')
        lines += [f"  - {name} = 0:", f'      {name} expression: "{text}"']
    scan = Scan()
    scan.set_data_source_name("duckdb")
    scan.add_duckdb_connection(connection, "duckdb")
    scan.add_sodacl_yaml_str("\n".join(lines))
    scan.execute()
    values = {m["metricName"]: m["value"] for m in scan.get_scan_results()["metrics"]}
    print(*(int(values[name]) for name in names))


def gx_counts():
    import great_expectations as gx
    import great_expectations.expectations as gxe

    frame = frame_of(path)
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("files").add_dataframe_asset("customers")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    rules = [
        (gxe.ExpectColumnUniqueValueCountToBeBetween(column="id", min_value=len(frame)), None),
        *[(gxe.ExpectColumnValuesToMatchRegex(column=c, regex=PATTERNS[c]), c) for c in ["email", "phone"]],
        (gxe.ExpectColumnValuesToBeInSet(column="dob_ok", value_set=[True]), None),
        (gxe.ExpectColumnValuesToMatchRegex(column="full_name", regex=NA), "full_name"),
        (gxe.ExpectColumnValuesToBeInSet(column="country", value_set=CO), "country"),
        *[(gxe.ExpectColumnValuesToMatchRegex(column=c, regex=PATTERNS[c]), c) for c in ["postcode", "balance"]],
        (gxe.ExpectColumnValuesToBeInSet(column="created_ok", value_set=[True]), None),
        (gxe.ExpectColumnValuesToBeInSet(column="marketing_consent", value_set=["true", "false"]), "marketing_consent"),
    ]
    counts = []
    for expectation, column in rules:
        result = batch.validate(expectation).result
        if "unexpected_count" in result:
            # Great Expectations leaves missing values out of a rule on values; its own rule for them counts those.
            missing = batch.validate(gxe.ExpectColumnValuesToNotBeNull(column=column)).result["unexpected_count"] if column else 0
            counts.append(result["unexpected_count"] + missing)
        else:
            counts.append(len(frame) - result["observed_value"])
    print(*counts)


def presidio_kinds():
    """What Presidio finds in the first thousand rows of each column, by its patterns; no model of a language is loaded."""
    import collections

    import pandas as pd
    import spacy
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):
        def __init__(self):
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

        def load(self):
            pass

    analyzer = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=1000)
    told = []
    for column in frame.columns:
        found = collections.Counter()
        for value in frame[column]:
            hits = analyzer.analyze(text=value, language="en", score_threshold=0.5)
            found.update({max(hits, key=lambda hit: hit.score).entity_type} if hits else set())
        kind, rows = found.most_common(1)[0] if found else ("none", 0)
        told.append(f"{column}:{kind if rows * 2 > len(frame) else 'none'}")
    print(*told)


def dataprofiler_types():
    """DataProfiler's profile of the whole file, without its model for labels: the type that it gives each column."""
    import dataprofiler as dp

    options = dp.ProfilerOptions()
    options.set({"data_labeler.is_enabled": False, "correlation.is_enabled": False})
    report = dp.Profiler(dp.Data(path), options=options).report(report_options={"output_format": "compact"})
    print(*(f"{column['column_name']}:{column['data_type']}" for column in report["data_stats"]))


{
    "duckdb": duckdb_counts,
    "polars": polars_counts,
    "pandera": pandera_counts,
    "soda": soda_counts,
    "gx": gx_counts,
    "presidio": presidio_kinds,
    "dataprofiler": dataprofiler_types,
}[peer]()

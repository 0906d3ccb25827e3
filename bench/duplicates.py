"""dunlin's record linkage beside Splink's, over the same files in turn. Prints a Markdown table.

Both get the files without `cluster_id` and without a hint of the truth, and are used by their defaults: dunlin as
`dunlin duplicates FILE --key record_id`, Splink with the set-up that its own documentation gives for people (a comparison
a column by its kind, u by random sampling, m by expectation-maximisation in two blocked sessions, clusters at p >= 0.95).
"""

import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SETS = [
    ("febrl1",),
    ("febrl3",),
    ("febrl4a", "febrl4b"),
    ("splink_fake_1000",),
    ("historical_half_a",),
    ("synth_people_100k",),
]
HIDDEN = ("cluster_id",)
ROUNDS = int(os.environ.get("ROUNDS", "3"))
WITH_SPLINK = os.environ.get("SPLINK", "1") != "0"


def people(path, rows, seed=7):
    """A table of people of whom one in eight is there again, with slips, gaps, moves and swapped names."""
    dice = random.Random(seed)
    parts = "ba be bi da de do fa ga go ha he jo ka ki la le li lo ma me mo na ne no pa pe ra ri ro sa se ta te ti va vi".split()
    ends = "n r s l t na ra ta la nd rt ck man son ski ez ini".split()

    def word(length):
        return "".join(dice.choice(parts) for _ in range(length)) + dice.choice(ends)

    def often(words):
        return words[int(len(words) * dice.random() ** 2.2)]

    def slip(text):
        if len(text) < 3:
            return text
        at = dice.randrange(len(text) - 1)
        return dice.choice(
            [
                text[:at] + text[at + 1 :],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
                text[:at] + dice.choice("abcdefghijklmnopqrstuvwxyz0123456789") + text[at + 1 :],
            ]
        )

    given, family = [word(1 + n % 2) for n in range(3000)], [word(2) for _ in range(20000)]
    towns, streets = [word(2) for _ in range(3000)], [word(2) for _ in range(9000)]
    mails = ["example.com", "mail.example", "post.example", "web.example"]

    def home():
        town = dice.randrange(len(towns))
        street = f"{dice.randint(1, 400)} {dice.choice(streets)} street"
        return [street, towns[town], f"{town * 17 + dice.randrange(17):05}"]

    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow("record_id,first_name,last_name,dob,email,phone,address,city,postcode,country,cluster_id".split(","))
        written = person = 0
        while written < rows:
            first, last = often(given), often(family)
            born = f"{dice.randint(1930, 2006)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
            email = f"{first}.{last}{dice.randint(1, 99)}@{dice.choice(mails)}"
            phone, country = f"+34{dice.randrange(10**9):09}", dice.choice(["ES", "FR", "GB"])
            values = [first, last, born, email, phone, *home(), country]
            entries = 1 if dice.random() > 0.12 else dice.choice([2, 2, 2, 3, 4])
            for entry in range(min(entries, rows - written)):
                row = list(values)
                if entry:
                    for _ in range(dice.choice([1, 2, 2, 3])):
                        at = dice.randrange(8)
                        row[at] = "" if dice.random() < 0.25 else slip(row[at])
                    if dice.random() < 0.3:
                        row[5:8] = home()
                    if dice.random() < 0.1:
                        row[0], row[1] = row[1], row[0]
                out.writerow([f"p{written}", *row, person])
                written += 1
            person += 1


def hide(source, target):
    """The file without its truth; the truth by the line on which each record begins."""
    truth = {}
    with open(source, newline="", encoding="utf-8") as file, open(target, "w", newline="", encoding="utf-8") as out:
        rows, kept = csv.reader(file), csv.writer(out)
        head = next(rows)
        shown = [at for at, name in enumerate(head) if name not in HIDDEN]
        kept.writerow([head[at] for at in shown])
        line = 2
        for row in rows:
            values = [row[at].replace("\n", " ") for at in shown]
            kept.writerow(values)
            truth[line] = (row[head.index("record_id")], row[head.index("cluster_id")])
            line += 1
    return truth


def score(truths, clusters, between):
    """Pairwise precision, recall and F1. `clusters` are lists of (source, place); `truths` give each place its person."""
    pairs = lambda n: n * (n - 1) // 2
    people = [Counter(person for _, person in truth.values()) for truth in truths]
    if between:
        real = sum(n * people[1][person] for person, n in people[0].items())
    else:
        real = sum(pairs(n) for n in people[0].values())
    said = right = 0
    for cluster in clusters:
        if between:
            left = Counter(truths[0][place][1] for source, place in cluster if source == 0)
            other = Counter(truths[1][place][1] for source, place in cluster if source == 1)
            said += sum(left.values()) * sum(other.values())
            right += sum(n * other[person] for person, n in left.items())
        else:
            said += pairs(len(cluster))
            right += sum(pairs(n) for n in Counter(truths[0][place][1] for _, place in cluster).values())
    return right / max(said, 1), right / max(real, 1), 2 * right / max(said + real, 1)


def run_dunlin(files, truths, folder):
    out = folder / "found.csv"
    command = [os.environ["DUNLIN_BIN"], "--dir", str(folder), "duplicates", f"file:{files[0]}", "--key", "record_id"]
    command += ["--out", str(out)] + (["--link", f"file:{files[1]}"] if len(files) > 1 else [])
    started = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - started
    if status != 0:
        sys.exit(f"dunlin ended with {status}: {' '.join(command)}")
    clusters = {}
    with open(out, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["decision"] == "merge":
                clusters.setdefault(row["cluster"], []).append((int(row["source"]) - 1, int(row["row"])))
    return score(truths, clusters.values(), len(files) > 1), seconds, usage.ru_maxrss / 1024


def run_splink(files, truths, folder):
    """In a process of its own, so that its memory is its own."""
    started = time.monotonic()
    child = subprocess.Popen([sys.executable, __file__, "splink", *map(str, files)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - started
    if status != 0:
        return None
    places = [{record: line for line, (record, _) in truth.items()} for truth in truths]
    clusters = {}
    for row in csv.reader(text.splitlines()):
        source = int(row[1])
        clusters.setdefault(row[0], []).append((source, places[source][row[2]]))
    return score(truths, clusters.values(), len(files) > 1), seconds, usage.ru_maxrss / 1024


def splink(files):
    """Splink as its documentation sets it up for people; prints cluster, source, key."""
    import duckdb
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    tables = []
    for at, file in enumerate(files):
        table = duckdb.sql(f"select * from read_csv('{file}', all_varchar=true, nullstr='')").arrow()
        tables.append(table.read_all() if hasattr(table, "read_all") else table)
    names = [name for name in tables[0].schema.names if name != "record_id"]

    def is_a(name, words):
        return any(word in name for word in words)

    comparisons, blocks = [], []
    for name in names:
        if name in ("full_name", "first_and_surname"):
            continue
        if is_a(name, ("dob", "birth", "date_of")) and "place" not in name:
            comparisons.append(cl.DateOfBirthComparison(name, input_is_string=True) if "-" in str(tables[0][name].drop_null()[0]) else cl.LevenshteinAtThresholds(name, [1, 2]))
        elif "email" in name:
            comparisons.append(cl.EmailComparison(name))
        elif is_a(name, ("name", "surname")):
            comparisons.append(cl.NameComparison(name))
        elif is_a(name, ("gender", "state", "country", "street_number")):
            comparisons.append(cl.ExactMatch(name).configure(term_frequency_adjustments=True))
        elif is_a(name, ("phone", "soc_sec", "postcode")):
            comparisons.append(cl.LevenshteinAtThresholds(name, [1, 2]))
        else:
            comparisons.append(cl.JaroWinklerAtThresholds(name, [0.9, 0.8]).configure(term_frequency_adjustments=True))
    first = next((n for n in names if n in ("first_name", "given_name")), names[0])
    last = next((n for n in names if n in ("surname", "last_name")), names[1])
    date = next((n for n in names if is_a(n, ("dob", "date_of_birth"))), names[2])
    more = [n for n in names if is_a(n, ("email", "phone", "postcode", "soc_sec"))]
    blocks = [block_on(first, last), block_on(first, date), block_on(last, date)] + [block_on(n) for n in more]
    between = len(tables) > 1
    settings = SettingsCreator(
        link_type="link_only" if between else "dedupe_only",
        unique_id_column_name="record_id",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=blocks,
    )
    api = DuckDBAPI()
    linker = Linker([api.register(table, dataset_display_name=f"t{at}") for at, table in enumerate(tables)], settings)
    linker.training.estimate_probability_two_random_records_match([block_on(first, last, date)], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on(date))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on(first, last))
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    out = csv.writer(sys.stdout)
    for record in clusters.as_record_list():
        source = int(str(record["source_dataset"])[-1]) if between else 0
        out.writerow([record["cluster_id"], source, record["record_id"]])


def middle(runs):
    seconds = [run[1] for run in runs]
    return f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"


def main():
    data = os.environ.get("ER_DATA")
    made = int(os.environ.get("PEOPLE", "1000000"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sets = [[Path(data) / f"{name}.csv" for name in names] for names in SETS] if data else []
        sets = [files for files in sets if all(file.exists() for file in files)]
        if made:
            people(folder / f"made_{made}.csv", made)
            sets.append([folder / f"made_{made}.csv"])
        print("| set | rows | dunlin F1 (precision, recall) | seconds | MB | Splink F1 | seconds | MB |")
        print("| --- | ---: | --- | --- | ---: | --- | --- | ---: |", flush=True)
        for files in sets:
            hidden = [folder / f"hidden-{at}-{file.name}" for at, file in enumerate(files)]
            truths = [hide(*both) for both in zip(files, hidden)]
            rounds = []
            for _ in range(ROUNDS):
                rounds.append((run_dunlin(hidden, truths, folder), run_splink(hidden, truths, folder) if WITH_SPLINK else None))
            ours, theirs = [r[0] for r in rounds], [r[1] for r in rounds if r[1]]
            (precision, recall, f1), _, memory = ours[-1]
            cells = [" x ".join(f.stem for f in files), f"{sum(map(len, truths)):,}"]
            cells += [f"{f1:.4f} ({precision:.4f}, {recall:.4f})", middle(ours), f"{memory:.0f}"]
            cells += [f"{theirs[-1][0][2]:.4f}", middle(theirs), f"{theirs[-1][2]:.0f}"] if theirs else ["", "", ""]
            print("| " + " | ".join(cells) + " |", flush=True)
            for file in hidden:
                file.unlink()


if __name__ == "__main__":
    if sys.argv[1:2] == ["splink"]:
        splink(sys.argv[2:])
    else:
        main()

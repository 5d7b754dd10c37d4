"""A water utility: customers, meters, readings, bills, pipes, repairs, water quality, pumps and complaints."""

# One row of data stays on one line, however long.
# ruff: noqa: E501, SIM905
# fmt: off

import random
import sqlite3
from datetime import datetime, timedelta
from itertools import pairwise

DB_ID = "water_utility"
SPLIT = "train"

SCHEMA = """
CREATE TABLE zone (zcode TEXT PRIMARY KEY, zone_name TEXT, pressure_bar REAL, population TEXT, elev_m INTEGER);
CREATE TABLE account (
  acct_no TEXT PRIMARY KEY, holder TEXT, class TEXT, street TEXT, zone TEXT, opened TEXT, status TEXT, e_bill TEXT,
  deposit TEXT);
CREATE TABLE meter_model (model TEXT PRIMARY KEY, maker TEXT, tech TEXT, list_price TEXT, life_years INTEGER);
CREATE TABLE meter (
  serial TEXT PRIMARY KEY, acct_no TEXT, model TEXT, size TEXT, inst_ts INTEGER, amr TEXT, `Seal No` TEXT,
  FOREIGN KEY (acct_no) REFERENCES account (acct_no));
CREATE TABLE reading (
  serial TEXT, read_on TEXT, m3 INTEGER, how TEXT, reader INTEGER, PRIMARY KEY (serial, read_on));
CREATE TABLE tariff (class TEXT, tier INTEGER, `from` INTEGER, `to` INTEGER, rate REAL, PRIMARY KEY (class, tier));
CREATE TABLE bill (
  bill_no INTEGER PRIMARY KEY, acct_no TEXT, period TEXT, usage_m3 INTEGER, amount TEXT, due TEXT, paid TEXT,
  pay_method TEXT, FOREIGN KEY (acct_no) REFERENCES account (acct_no));
CREATE TABLE employee (
  emp_no INTEGER PRIMARY KEY, name TEXT, job TEXT, crew TEXT, boss INTEGER, hired TEXT, hourly TEXT);
CREATE TABLE pipe (
  pipe_id TEXT PRIMARY KEY, zone TEXT, material TEXT, diam_mm INTEGER, length TEXT, laid TEXT, risk INTEGER);
CREATE TABLE work_order (
  wo INTEGER PRIMARY KEY, pipe_id TEXT, kind TEXT, prio INTEGER, reported TEXT, closed TEXT, crew TEXT,
  `lost water` TEXT, cost REAL, note TEXT);
CREATE TABLE param (code TEXT PRIMARY KEY, param TEXT, unit TEXT, limit_max REAL, `group` TEXT);
CREATE TABLE sample (
  sample_id INTEGER PRIMARY KEY, site TEXT, zone TEXT, taken TEXT, param TEXT, value TEXT, sampler INTEGER);
CREATE TABLE pump_station (ps TEXT PRIMARY KEY, station TEXT, zone TEXT, pumps INTEGER, kw TEXT, built INTEGER);
CREATE TABLE pump_log (ps TEXT, day TEXT, hours REAL, kwh INTEGER, m3 INTEGER, alarm TEXT, PRIMARY KEY (ps, day));
CREATE TABLE complaint (
  id INTEGER PRIMARY KEY, acct_no TEXT, rec_ts INTEGER, channel TEXT, topic TEXT, solved TEXT, stars INTEGER);
CREATE VIEW unpaid_bills AS
  SELECT b.bill_no, b.acct_no, a.holder, b.period, b.amount, b.due
  FROM bill AS b JOIN account AS a ON a.acct_no = b.acct_no WHERE b.paid IS NULL OR b.paid = '';
"""

ZONES = [
    ("OT", "Old Town", 4.2, "12,400", 118), ("HB", "Harbour", 4.9, "8,150", 96), ("NH", "North Hill", 3.4, "15,900", 204), ("EF", "East Fields", 4.0, "21,300", 131),
    ("IV", "Industrial Valley", 5.6, "2,700", 102), ("LK", "Lakeside", 4.4, "6,080", 99), ("UP", "Upper Park", 2.9, "9,720", 241), ("SG", "St. George", 4.1, "11,050", 122),
]
SURNAMES = "Abara Blanchet Cordeiro Dvořák Eide Fontaine Guzmán Haas Ilić Jansen Kaya Lozano Mbeki Nowak Okoye Pereira Quirke Reyes Schulz Takács Urban Varga Wolff Yamada Zhou Bianchi Duarte Farkas Gill Hussain".split(" ")
GIVEN = "Alma Bilal Carla Dario Elif Femi Grete Hamza Iris Jude Kofi Lena Milo Nadia Otto Petra Ramon Selma Theo Uma Vera Wes Ximena Yann Zita".split(" ")
COMPANIES = [
    ("Bakery Nowak", "C"), ("Hotel Miramar", "C"), ("Miramar Hotel ", "C"), ("Lakeside Laundry", "C"), ("Valley Steel Works", "I"), ("VALLEY STEEL WORKS", "I"),
    ("Café Central", "C"), ("Green Car Wash", "C"), ("Brewery St. George", "I"), ("St George Brewery", "I"), ("Port Fish Market", "C"), ("Paper Mill Haas", "I"),
    ("City Hospital", "P"), ("Primary School 4", "P"), ("Public Baths", "P"), ("Town Hall", "P"), ("Fire Brigade", "P"), ("Botanic Garden", "P"),
]
STREETS = ["Mill Lane", "Harbour St", "Harbour Street", "Station Rd", "Station Road", "Chapel Hill", "Linden Avenue", "Foundry Way", "Lake View", "Castle Steps", "Orchard Row", "Market Sq"]
MODELS = [("AQ-20", "Aquadan", "M", "$48.50", 12), ("AQ-40", "Aquadan", "M", "$112.00", 12), ("SonoFlow 2", "Hydris", "U", "$139.90", 16), ("SonoFlow X", "Hydris", "U", "$1,240.00", 16), ("TurboMag 80", "Kessel", "E", "$2,310.00", 15), ("K-15", "Kessel", "M", "$39.00", 10), ("Drop One", "aquadan", "U", None, 16)]
TARIFFS = [("R", 1, 0, 15, 1.1), ("R", 2, 15, 45, 1.85), ("R", 3, 45, None, 3.2), ("C", 1, 0, 100, 2.05), ("C", 2, 100, None, 2.6), ("I", 1, 0, 2000, 1.75), ("I", 2, 2000, None, 1.4), ("P", 1, 0, None, 0.9)]
PARAMS = [
    ("CL2", "Free chlorine", "mg/L", 0.5, "disinfectant"), ("NO3", "Nitrate", "mg/L", 50, "chemical"), ("PB", "Lead", "ug/L", 10, "metal"), ("FE", "Iron", "ug/L", 200, "metal"),
    ("TUR", "Turbidity", "NTU", 1, "physical"), ("PH", "pH", None, 9.5, "physical"), ("ECO", "Escherichia coli", "CFU/100 mL", 0, "microbial"), ("COL", "Coliform bacteria", "CFU/100 mL", 0, "microbial"), ("THM", "Trihalomethanes", "ug/L", 100, "chemical"),
]
STATIONS = [("PS1", "Riverside", "HB", 4, "110 kW", 1968), ("PS2", "Hilltop Booster", "NH", 3, "75 kW", 1987), ("PS3", "Park Booster", "UP", 2, "45kW", 2004), ("PS4", "Valley", "IV", 3, "90 kW", 1979), ("PS5", "Lake Intake", "LK", 5, "160 kW", 1994), ("PS6", "East Reservoir", "EF", 3, "75 kW", 2015)]
TOPICS = ["Low pressure", "low pressure", "Low Pressure ", "Bill too high", "bill too high", "Brown water", "brown water", "Taste/odour", "No water", "Leak in street", "Meter reading", "staff behaviour", ""]
NOTES = [None, None, "", "root damage", "Frost", "frost", "traffic control needed", "valve stuck", "asbestos protocol", "third party (excavator)", "repeat burst"]
SITES = ["Kindergarten tap", "Hydrant 12", "Hydrant 31", "Town Hall tap", "Reservoir outlet", "Harbour kiosk", "School 4 tap", "Plant outlet"]


def build(connection: sqlite3.Connection, random: random.Random) -> None:
    """Make the tables and fill them."""
    connection.executescript(SCHEMA)
    employees = make_employees(random)
    accounts = make_accounts(random)
    meters = make_meters(random, accounts)
    readings = make_readings(random, meters, accounts, [e[0] for e in employees if e[2] == "RDR"])
    pipes = make_pipes(random)
    insert(connection, "zone", ZONES)
    insert(connection, "employee", employees)
    insert(connection, "account", accounts)
    insert(connection, "meter_model", MODELS)
    insert(connection, "meter", meters)
    insert(connection, "reading", readings)
    insert(connection, "tariff", TARIFFS)
    insert(connection, "bill", make_bills(random, accounts, meters, readings))
    insert(connection, "pipe", pipes)
    insert(connection, "work_order", make_work_orders(random, pipes))
    insert(connection, "param", PARAMS)
    insert(connection, "sample", make_samples(random, [e[0] for e in employees if e[2] == "LAB"]))
    insert(connection, "pump_station", STATIONS)
    insert(connection, "pump_log", make_pump_logs(random))
    insert(connection, "complaint", make_complaints(random, accounts))


def insert(connection: sqlite3.Connection, table: str, rows: list[tuple]) -> None:
    """Insert rows that all have the table's width."""
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def make_employees(random: random.Random) -> list[tuple]:
    """36 employees; `boss` points to another employee, hourly pay is text with a unit."""
    rows = []
    for number in range(36):
        job = "MGR" if number < 4 else "LAB" if number in (7, 15, 30) else random.choice(["FIT", "FIT", "FIT", "RDR", "LAB", "OFF", "PMP"])
        crew = ["A", "B", "C", "c ", "B", "A"][number % 6] if job == "FIT" else None
        boss = None if number == 0 else 11 if number < 4 else 11 + random.randrange(0, 4)
        hired = datetime(1994, 3, 1) + timedelta(days=random.randrange(10_600))
        pay = (38 if job == "MGR" else 17) + random.randrange(0, 60) / 4
        rows.append((11 + number, f"{random.choice(GIVEN)} {random.choice(SURNAMES)}", job, crew, boss, f"{hired:%b %d %Y}", f"{pay:.2f} $/h"))
    return rows


def make_accounts(random: random.Random) -> list[tuple]:
    """240 customers; opening date MM/DD/YYYY, deposits text such as '$50' or 'none'."""
    rows = []
    for number in range(240):
        person = f"{random.choice(SURNAMES)}, {random.choice(GIVEN)}"
        holder, kind = random.choice(COMPANIES) if number >= 205 else (person, "R")
        opened = datetime(1999, 1, 1) + timedelta(days=random.randrange(8600))
        zone = random.choice([z[0] for z in ZONES])
        rows.append((
            f"{number + 11:04d}-{random.randrange(100, 999)}", holder, kind, f"{random.choice(STREETS)} {random.randrange(1, 140)}",
            random.choice([zone] * 12 + [zone.lower()]), f"{opened:%m/%d/%Y}", random.choice("AAAAAAAAASX"), random.choice(["1", "1", "0", "0", "yes", ""]),
            random.choice(["$50", "$50", "$120", "$1,500", "none", None]),
        ))
    return rows


def make_meters(random: random.Random, accounts: list[tuple]) -> list[tuple]:
    """One meter for most accounts; installed as epoch seconds, remote reading as Y/N in both cases."""
    rows = []
    for account in accounts:
        if random.random() < 0.04:
            continue
        model = random.choice(["AQ-20", "AQ-20", "K-15", "SonoFlow 2", "Drop One"] if account[2] == "R" else ["AQ-40", "SonoFlow X", "TurboMag 80"])
        size = {"AQ-20": 20, "K-15": 15, "SonoFlow 2": 20, "Drop One": 15, "AQ-40": 40, "SonoFlow X": 50, "TurboMag 80": 80}[model]
        installed = datetime(2004, 1, 5) + timedelta(days=random.randrange(6500), hours=random.randrange(7, 17))
        remote = random.choice("YYn") if model in ("SonoFlow 2", "SonoFlow X", "Drop One") else random.choice("NNN")
        rows.append((f"{model[0]}{random.randrange(10**6, 10**7)}", account[0], model, random.choice([f"{size} mm"] * 5 + [f"{size}mm"]), int((installed - datetime(1970, 1, 1)).total_seconds()), remote, random.choice([None, f"S-{random.randrange(1000, 9999)}"])))
    return rows


def make_readings(random: random.Random, meters: list[tuple], accounts: list[tuple], readers: list[int]) -> list[tuple]:
    """Five quarterly readings a meter, YYYYMMDD; the counter only grows."""
    kinds = {account[0]: account[2] for account in accounts}
    rows = []
    for meter in meters:
        counter = random.randrange(20, 6000)
        usual = {"R": random.randrange(8, 60), "C": random.randrange(60, 420), "I": random.randrange(900, 5200), "P": random.randrange(40, 800)}[kinds[meter[1]]]
        for year, month in ((2022, 12), (2023, 3), (2023, 6), (2023, 9), (2023, 12)):
            how = "R" if meter[5] == "Y" else random.choice("AAAEC")
            rows.append((meter[0], f"{year}{month:02d}{random.randrange(10, 29)}", counter, how, random.choice(readers) if how == "A" else None))
            counter += round(usual * random.uniform(0.6, 1.5)) if random.random() < 0.97 else 0
    return rows


def make_bills(random: random.Random, accounts: list[tuple], meters: list[tuple], readings: list[tuple]) -> list[tuple]:
    """A bill a quarter of 2023 and meter, computed from the tariff; dates YYYY-MM-DD, amounts text with '$'."""
    owners = {meter[0]: meter[1] for meter in meters}
    kinds = {account[0]: account[2] for account in accounts}
    rows = []
    for before, after in pairwise(readings):
        if before[0] != after[0]:
            continue
        account, used = owners[after[0]], after[2] - before[2]
        quarter = (int(after[1][4:6]) + 2) // 3
        due = datetime.strptime(after[1], "%Y%m%d") + timedelta(days=random.choice([21, 28, 30]))
        paid = due + timedelta(days=random.choice([-15, -9, -4, -2, 0, 0, 6, 33]))
        late = random.random() < 0.11
        rows.append((
            880_000 + len(rows), account, f"2023Q{quarter}", used, f"${charge(kinds[account], used):,.2f}", f"{due:%Y-%m-%d}",
            random.choice([None, ""]) if late else f"{paid:%Y-%m-%d}", None if late else random.choice(["DD", "DD", "card", "Card", "cash", "BT"]),
        ))
    return rows


def charge(kind: str, used: int) -> float:
    """What a quarter costs by the tariff's tiers, with a standing charge of 9."""
    tiers = [row for row in TARIFFS if row[0] == kind]
    return 9 + sum(max(0, min(used, row[3] or used) - row[2]) * row[4] for row in tiers)


def make_pipes(random: random.Random) -> list[tuple]:
    """180 mains; material codes in mixed case, length text with unit, year laid uncertain for old ones."""
    rows = []
    for number in range(1, 181):
        year = random.randrange(1908, 2022)
        material = random.choice(["CI", "CI", "ci", "ST"] if year < 1955 else ["AC", "DI", "ST"] if year < 1980 else ["PVC", "PE", "DI", "pvc"])
        zone = random.choice(ZONES)[0]
        rows.append((
            f"{zone}-{number:03d}", zone, material, random.choice([80, 100, 100, 150, 200, 300, 500]), random.choice([f"{random.randrange(60, 999)} m", f"{random.randrange(1000, 3400):,} m", f"{random.randrange(11, 29) / 10} km"]),
            random.choice([f"{year}"] * 5 + ["unknown"]) if year > 1935 else random.choice([f"{year}", f"ca. {year}", "unknown", None]), random.choice([1, 2, 2, 3, 3, 4, 5]),
        ))
    return rows


def make_work_orders(random: random.Random, pipes: list[tuple]) -> list[tuple]:
    """330 orders of 2021-2023; reported as DD-Mon-YYYY HH:MM, closed NULL while open."""
    rows, moment = [], datetime(2021, 1, 4, 5)
    for number in range(330):
        moment += timedelta(hours=random.randrange(4, 150), minutes=random.randrange(60))
        kind = random.choice(["BRST", "BRST", "LEAK", "LEAK", "LEAK", "VLV", "FLSH", "INSP"])
        done = moment + timedelta(hours=random.randrange(3, 400))
        old = [p for p in pipes if p[2] in ("CI", "ci", "AC")]
        lost = f"{random.randrange(5, 2400):,} m3" if kind in ("BRST", "LEAK") and random.random() < 0.8 else None
        rows.append((
            4001 + number, random.choice(old if kind == "BRST" and random.random() < 0.6 else pipes)[0], kind, random.choice([1, 1, 2]) if kind == "BRST" else random.choice([2, 3, 3]), f"{moment:%d-%b-%Y %H:%M}",
            f"{done:%d-%b-%Y %H:%M}" if number < 321 else None, random.choice(["A", "A", "B", "C", "B", None]), lost, round(random.uniform(180, 900) * (6 if kind == "BRST" else 1), 2) if random.random() < 0.93 else None, random.choice(NOTES),
        ))
    return rows


def make_samples(random: random.Random, chemists: list[int]) -> list[tuple]:
    """520 measurements of 2023, D/M/YY; values are text: a number, '<' and a limit of detection, or 'n.d.'."""
    rows = []
    for number in range(520):
        code, _, _, limit, _ = random.choice(PARAMS)
        day = datetime(2023, 1, 2) + timedelta(days=number * 361 // 520)
        if code == "PH":
            value = f"{random.uniform(6.9, 8.4):.1f}"
        elif limit == 0:
            value = random.choice(["0"] * 14 + ["n.d.", "n.d.", "1", "3", "8"])
        else:
            value = random.choice([f"{limit * random.uniform(0.05, 0.95):.2f}"] * 12 + [f"<{limit * 0.05:g}", "n.d.", "", f"{limit * random.uniform(1.05, 1.9):.2f}"])
        rows.append((60_001 + number, random.choice(SITES), random.choice(ZONES)[0], f"{day.day}/{day.month}/{day:%y}", code, value, random.choice(chemists)))
    return rows


def make_pump_logs(random: random.Random) -> list[tuple]:
    """Every day of the last quarter of 2023 for six stations."""
    rows = []
    for station in STATIONS:
        power = int("".join(c for c in station[4] if c.isdigit()))
        for number in range(92):
            day = datetime(2023, 10, 1) + timedelta(days=number)
            hours = round(random.uniform(4, 22), 1) if random.random() < 0.97 else 0.0
            energy = round(hours * power * random.uniform(0.7, 0.95))
            rows.append((station[0], f"{day:%Y.%m.%d}", hours, energy, round(energy * random.uniform(2.1, 3.4)), random.choice([None] * 20 + ["", "OVT", "VIB", "LOWS", "PWR"])))
    return rows


def make_complaints(random: random.Random, accounts: list[tuple]) -> list[tuple]:
    """210 complaints, received as epoch seconds in 2022 and 2023."""
    rows, moment = [], datetime(2022, 1, 3, 8)
    for number in range(1, 211):
        moment += timedelta(minutes=random.randrange(60, 9600))
        rows.append((number, random.choice(accounts)[0] if random.random() < 0.94 else None, int((moment - datetime(1970, 1, 1)).total_seconds()), random.choice(["TEL", "TEL", "WEB", "WEB", "APP", "DESK"]), random.choice(TOPICS), random.choice(["Y", "Y", "Y", "N", "y", None]), random.choice([None, None, 1, 2, 3, 4, 5])))
    return rows


ENCODINGS = {"bill": "utf-8-sig", "work_order": "cp1252"}  # and `zone` has no CSV

DESCRIPTIONS = {
    "account": [
        ("acct_no", "account number", "number of the customer's account", "text", ""),
        ("holder", "holder", "name of the customer", "text", "'Last, First' for persons; companies are typed in several ways"),
        ("class", "customer class", "tariff class", "text", "R: residential\nC: commercial\nI: industrial\nP: public institution"),
        ("street", "street", "street and number", "text", "St and Street, Rd and Road are mixed"),
        ("zone", "zone", "supply zone", "text", "zcode of table zone, some in lower case"),
        ("opened", "opened", "opening date of the account", "text", "MM/DD/YYYY"),
        ("status", "status", "state of the account", "text", "A: active\nS: suspended\nX: closed"),
        ("e_bill", "electronic bill", "does the customer get bills by e-mail?", "text", "1 or yes: yes\n0: no\nempty: never asked"),
        ("deposit", "deposit", "deposit paid", "text", "with $; 'none': waived; NULL: unknown"),
    ],
    "meter_model": [
        ("model", "model", "name of the model", "text", ""),
        ("maker", "maker", "manufacturer", "text", "not normalised"),
        ("tech", "technology", "how it measures", "text", "M: mechanical\nU: ultrasonic\nE: electromagnetic"),
        ("list_price", "list price", "price in the catalogue", "text", "with $ and commas"),
        ("life_years", "life in years", "how long it may stay installed", "integer", "years"),
    ],
    "meter": [
        ("serial", "serial number", "serial number of the meter", "text", ""),
        ("acct_no", "account number", "account that it serves", "text", ""),
        ("model", "model", "model", "text", "model of table meter_model"),
        ("size", "size", "nominal diameter", "text", "e.g. 20 mm, 20mm"),
        ("inst_ts", "installed", "time of installation", "integer", "Unix epoch, seconds, UTC"),
        ("amr", "automatic meter reading", "can it be read by radio?", "text", "Y: yes; N or n: no"),
        ("Seal No", "seal number", "number of the lead seal", "text", "NULL: no seal found"),
    ],
    "reading": [
        ("serial", "serial number", "meter that was read", "text", ""),
        ("read_on", "reading date", "day of the reading", "text", "YYYYMMDD"),
        ("m3", "counter", "state of the counter", "integer", "cubic metres"),
        ("how", "method", "how the reading was got", "text", "A: read by our reader\nE: estimated\nC: told by the customer\nR: by radio"),
        ("reader", "reader", "who read it", "integer", "emp_no of table employee; only for A"),
    ],
    "tariff": [
        ("class", "customer class", "tariff class", "text", "as in account.class"),
        ("tier", "tier", "number of the block", "integer", ""),
        ("from", "from", "block begins at this quarterly use", "integer", "cubic metres"),
        ("to", "to", "block ends at this quarterly use", "integer", "cubic metres; NULL: no end"),
        ("rate", "rate", "price", "real", "$ per cubic metre"),
    ],
    "bill": [
        ("bill_no", "bill number", "number of the bill", "integer", ""),
        ("acct_no", "account number", "customer", "text", ""),
        ("period", "period", "billed quarter", "text", "e.g. 2023Q1"),
        ("usage_m3", "usage", "water used in the quarter", "integer", "cubic metres"),
        ("amount", "amount", "sum to pay", "text", "with $ and commas"),
        ("due", "due date", "last day to pay", "text", "YYYY-MM-DD"),
        ("paid", "payment date", "day of payment", "text", "YYYY-MM-DD; NULL or empty: not paid"),
        ("pay_method", "payment method", "how it was paid", "text", "DD: direct debit\nBT: bank transfer\ncard (also Card), cash"),
    ],
    "employee": [
        ("emp_no", "employee number", "number of the employee", "integer", ""),
        ("name", "name", "first and last name", "text", ""),
        ("job", "job", "job", "text", "MGR: manager\nFIT: pipe fitter\nRDR: meter reader\nLAB: chemist in the laboratory\nOFF: office clerk\nPMP: pump operator"),
        ("crew", "crew", "repair crew of a fitter", "text", "A, B or C; mind case and blanks"),
        ("boss", "boss", "direct superior", "integer", "emp_no of the same table; NULL for the director"),
        ("hired", "hired", "first day of work", "text", "e.g. Mar 01 1994"),
        ("hourly", "hourly pay", "pay per hour", "text", "e.g. 24.50 $/h"),
    ],
    "pipe": [
        ("pipe_id", "pipe id", "zone and number", "text", ""),
        ("zone", "zone", "zone", "text", "zcode of table zone"),
        ("material", "material", "material of the pipe", "text", "CI: cast iron\nDI: ductile iron\nST: steel\nAC: asbestos cement\nPVC, PE: plastics\nsome in lower case"),
        ("diam_mm", "diameter", "inner diameter", "integer", "millimetres"),
        ("length", "length", "length", "text", "in m or km, with unit"),
        ("laid", "year laid", "year in which it was laid", "text", "'ca. 1912': about 1912; unknown or NULL: not known"),
        ("risk", "risk class", "risk of failure", "integer", "1 (low) to 5 (very high)"),
    ],
    "work_order": [
        ("wo", "work order", "number of the order", "integer", ""),
        ("pipe_id", "pipe id", "pipe to work on", "text", "see ‘pipe’"),
        ("kind", "kind", "kind of work", "text", "BRST – burst\nLEAK – leak\nVLV – valve\nFLSH – flushing\nINSP – inspection"),
        ("prio", "priority", "priority", "integer", "1 – at once, 2 – this week, 3 – when possible"),
        ("reported", "reported", "when it was reported", "text", "DD-Mon-YYYY HH:MM"),
        ("closed", "closed", "when it was closed", "text", "DD-Mon-YYYY HH:MM; NULL – open"),
        ("crew", "crew", "crew in charge", "text", "A, B, C; NULL – contractor"),
        ("lost water", "lost water", "estimate of the water lost", "text", "e.g. 1,200 m3"),
        ("cost", "cost", "cost", "real", "dollars"),
        ("note", "note", "free text", "text", ""),
    ],
    "param": [
        ("code", "code", "code of the parameter", "text", ""),
        ("param", "parameter", "what is measured", "text", ""),
        ("unit", "unit", "unit", "text", ""),
        ("limit_max", "limit", "highest value that the law allows", "real", ""),
        ("group", "group", "group of the parameter", "text", ""),
    ],
    "sample": [
        ("sample_id", "sample id", "number of the measurement", "integer", ""),
        ("site", "site", "where the water was taken", "text", ""),
        ("zone", "zone", "zone", "text", "zcode of table zone"),
        ("taken", "taken", "day of sampling", "text", "D/M/YY without leading zeros"),
        ("param", "parameter", "what was measured", "text", "code of table param"),
        ("value", "value", "result", "text", "a number; '<' and the limit of detection; n.d.: not detected; empty: sample lost"),
        ("sampler", "sampler", "who took it", "integer", "emp_no of table employee"),
    ],
    "pump_station": [
        ("ps", "station code", "code of the station", "text", ""),
        ("station", "station", "name of the station", "text", ""),
        ("zone", "zone", "zone where it stands", "text", "zcode of table zone"),
        ("pumps", "pumps", "number of pumps", "integer", ""),
        ("kw", "power", "installed power", "text", "with unit"),
        ("built", "built", "year of construction", "integer", ""),
    ],
    "pump_log": [
        ("ps", "station code", "station", "text", "ps of table pump_station"),
        ("day", "day", "day", "text", "YYYY.MM.DD"),
        ("hours", "hours", "hours of operation", "real", ""),
        ("kwh", "energy", "electricity used", "integer", "kilowatt hours"),
        ("m3", "volume", "water pumped", "integer", "cubic metres"),
        ("alarm", "alarm", "alarm of the day", "text", "OVT: overheating\nVIB: vibration\nLOWS: low suction pressure\nPWR: power failure\nNULL or empty: none"),
    ],
    "complaint": [
        ("id", "id", "number of the complaint", "integer", ""),
        ("acct_no", "account number", "who complains", "text", "NULL: not a customer"),
        ("rec_ts", "received", "time of receipt", "integer", "Unix epoch, seconds, UTC"),
        ("channel", "channel", "way of receipt", "text", "TEL: telephone\nWEB: web form\nAPP: mobile app\nDESK: at the counter"),
        ("topic", "topic", "what it is about", "text", "typed by hand, spelling varies"),
        ("solved", "solved", "has it been solved?", "text", "Y or y: yes; N or NULL: no"),
        ("stars", "stars", "how satisfied the customer was with the answer", "integer", "1 to 5; NULL: not rated"),
    ],
}

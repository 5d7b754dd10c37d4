# ruff: noqa: SIM905 - word lists read best unquoted
"""A municipal music school: pupils, guardians, lessons, exams, concerts, hired instruments and payments."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from sqlite3 import Connection

DB_ID = "music_school"
SPLIT = "train"
ENCODINGS = {"rooms": "cp1252", "teachers": "cp1252", "payments": "utf-8-sig"}

SCHEMA = """
CREATE TABLE instruments (code TEXT PRIMARY KEY, label TEXT, family TEXT, max_group INTEGER);
CREATE TABLE teachers (tid INTEGER PRIMARY KEY, first TEXT, last TEXT, main_instr TEXT, contract TEXT, hired TEXT,
  hourly TEXT, email TEXT, left_on TEXT);
CREATE TABLE guardians (gid INTEGER PRIMARY KEY, name TEXT, town TEXT, phone TEXT, pay_m TEXT);
CREATE TABLE students (sid INTEGER PRIMARY KEY, "first name" TEXT, "last name" TEXT, dob TEXT, town TEXT,
  level TEXT, guardian INTEGER, joined INTEGER, stat TEXT, "sibling discount" INTEGER);
CREATE TABLE rooms (room TEXT PRIMARY KEY, floor INTEGER, area TEXT, seats INTEGER, piano TEXT, "sound proof" TEXT);
CREATE TABLE lessons (lesson_id INTEGER PRIMARY KEY, sid INTEGER REFERENCES students (sid), tid INTEGER,
  instr TEXT, day INTEGER, "from" TEXT, mins INTEGER, room TEXT, att TEXT);
CREATE TABLE pieces (piece_id INTEGER PRIMARY KEY, title TEXT, composer TEXT, period TEXT, key_sig TEXT,
  diff INTEGER, dur TEXT, instr TEXT REFERENCES instruments (code));
CREATE TABLE exams (exam_id INTEGER PRIMARY KEY, sid INTEGER, instr TEXT, grade INTEGER, held TEXT, score INTEGER,
  res TEXT, examiner INTEGER);
CREATE TABLE exam_pieces (exam_id INTEGER REFERENCES exams (exam_id), piece_id INTEGER, "order" INTEGER);
CREATE TABLE concerts (concert_id INTEGER PRIMARY KEY, title TEXT, held_on TEXT, venue TEXT, sold INTEGER,
  capacity INTEGER, price TEXT);
CREATE TABLE performances (concert_id INTEGER, sid INTEGER, piece_id INTEGER, slot INTEGER, secs INTEGER,
  encore TEXT);
CREATE TABLE inventory (serial TEXT PRIMARY KEY, instr TEXT, maker TEXT, size TEXT, cond TEXT, bought INTEGER,
  val TEXT);
CREATE TABLE hires (hire_id INTEGER PRIMARY KEY, serial TEXT, sid INTEGER, since TEXT, until TEXT, deposit TEXT);
CREATE TABLE payments (pay_id INTEGER PRIMARY KEY, gid INTEGER, cents INTEGER, paid INTEGER, how TEXT, memo TEXT);
CREATE TABLE waiting (wait_no INTEGER PRIMARY KEY, name TEXT, instr TEXT, asked TEXT, prio INTEGER,
  contacted INTEGER);
CREATE VIEW current_pupils AS SELECT sid, "first name" || ' ' || "last name" AS pupil, level, town FROM students
  WHERE stat = 'A';
"""

# code | label | family | largest group
INSTRUMENTS = """VLN|Violin|STR|4
VLA|Viola|STR|3
VCL|Cello|STR|3
PNO|Piano|KEY|2
ORG|Organ|KEY|1
FLT|Flute|WW|4
CLR|Clarinet|WW|4
SAX|Saxophone|WW|3
TPT|Trumpet|BR|5
TBN|Trombone|BR|4
GTR|Guitar|PLK|6
HRP|Harp|PLK|1
PER|Percussion|PER|6
VOI|Voice|VOC|8
BLK|Балалайка|PLK|4
ERH|二胡 (erhu)|STR|2"""

# first | last | main instrument | contract | hired (month/day/year) | hourly pay | e-mail | left on
TEACHERS = """Leontine|Abara|VLN|FT|09/01/2009|€ 41.50|l.abara@school.example|
Piotr|Zawilski|PNO|FT|02/15/2011|€ 43.00|p.zawilski@school.example|
Maud|Ferrant|PNO|PT|09/01/2016|€ 38.20||
Ιωάννα|Σταυρίδη|VOI|PT|01/10/2018|€ 37.00|i.stavridi@school.example|
Dmitri|Kolosov|BLK|FL|10/03/2019|35,00 €||
Xiu|Lanqing|ERH|FL|03/22/2021|36,50 €|x.lanqing@school.example|
Tobias|Hemmerich|TPT|FT|08/20/2012|€ 40.80|t.hemmerich@school.example|
Oona|Rautio|FLT|PT|09/01/2014|€ 39.10|o.rautio@school.example|2023-06-30
Salvador|Ibarrondo|GTR|FT|09/01/2010|€ 42.00|s.ibarrondo@school.example|
Nkechi|Ezeanu|PER|PT|04/12/2020|€ 36.00||
Brigid|MacTeague|HRP|FL|11/05/2017|44,00 €|b.macteague@school.example|
Anselm|Vogt|VCL|FT|09/01/2008|€ 42.60|a.vogt@school.example|
Yusra|Haddadin|CLR|PT|09/01/2021|€ 36.40|y.haddadin@school.example|
Cosmo|Pellicane|SAX|PT|02/01/2015|€ 38.90|c.pellicane@school.example|2022-12-31
Greta|Lindqvist-Moe|VLA|PT|08/16/2022|€ 35.50||
Ferdinand|Abara|PNO|PT|09/01/2023|€ 34.00|f.abara@school.example|
Wanda|Okoniewska|ORG|FL|01/07/2013|45,00 €|w.okoniewska@school.example|
Jorge|Quintela|GTR|PT|09/05/2022|€ 35.00|j.quintela@school.example|"""

FIRST = """Ada Bruno Celeste Dario Elif Femi Greta Hugo Ines Jonas Kaya Lior Mina Nils Oksana Pavel Quinn Rosa Sami Tala
Umar Vera Wim Xenia Yara Zeno Anouk Bashir Cléo Dunja Emil Freya Gaspard Hana Idris Jette Kofi Lena Milo Noor""".split()
LAST = """Achterberg Belmonte Czerwik Dlamini Eberle Fagioli Gonçalves Haugland Iwasaki Jurić Kerrigan Lomax Mbeki-Ross
Nwosu O'Leary Petrosyan Quist Rozental Szymborek Tanaka Uzun Vasquez Winterbourne Yamasaki Zielinska Ødegård""".split()
NATIVE = [("Ольга", "Мельник"), ("Ярослав", "Гнатюк"), ("美咲", "小林"), ("Νίκος", "Δημάκης"), ("ליאור", "כספי")]
TOWNS = ["St. Mary", "St Mary", "ST MARY", "Wexley", "wexley", "Nether Poole", "Brackwater", "Brackwater ", "Old Tarn"]
TOWNS += ["Wexley", "Nether Poole", "Old Tarn", "Holmfield", "", None]
LEVELS = ["BEG", "BEG", "EL1", "EL1", "EL2", "INT", "INT", "ADV", "DIP", None]
ROOMS = [
    ("001", 0, "120 m²", 90, "grand", "Y"),
    ("002", 0, "18 m²", 3, "", "Y"),
    ("101", 1, "24 m²", 6, "upright", "N"),
    ("102", 1, "22 m²", 5, "Upright", "N"),
    ("103", 1, "16 m²", 3, "none", "N"),
    ("104", 1, "31 m²", 8, "grand", "Y"),
    ("201", 2, "26 m2", 6, "upright", "Y"),
    ("202", 2, "14 m2", 2, "digital", "N"),
    ("203", 2, "15 m2", 2, None, "Y"),
    ("ATTIC", 3, "ca. 40 m²", 12, "none", None),
]

# title | composer | period | key | difficulty 1-10 | duration | instrument; all composers are invented
PIECES = """Minuet for a Small Dog|Aldous Prenn|CLA|G maj|2|2:10|PNO
Sonatina in C|Aldous Prenn|CLA|C maj|3|4:35|PNO
Nocturne of the Ferry|Ilka Varsany|ROM|e min|7|5:50|PNO
Tarantella Storta|Ruggero Bassanini|ROM|a min|8|3:25|PNO
Seven Lanterns|Hoshiko Arai|MOD|none|6|6:15|PNO
The Clock Shop|Maeve Tierney|MOD|D maj|1|1:20|PNO
Prelude and Fugue on a Doorbell|Cornelis van Aerde|BAR|d min|9|7:05|ORG
Chorale "Dawn over the Fen"|Cornelis van Aerde|BAR|F maj|5|3:40|ORG
Allemande|Cornelis van Aerde|BAR|g min|5|3:05|VLN
Allemande|Jehan Corbel|REN|D maj|3|2:00|GTR
Gavotte for Open Strings|Maeve Tierney|MOD|G maj|1|1:35|VLN
Concerto in A, 1st movement|Tommaso Grilli|BAR|A maj|6|5:20|VLN
Gypsy Moth Caprice|Ilka Varsany|ROM|b min|10|4:45|VLN
Lark on a Wire|Peregrine Holt|MOD|E maj|7|3:55|VLN
Elegy|Ilka Varsany|ROM|c min|6|4:30|VLA
Three Bog Songs|Maeve Tierney|MOD|d min|4|6:00|VLA
Suite No. 2: Sarabande|Cornelis van Aerde|BAR|d min|6|4:10|VCL
The Heron|Peregrine Holt|MOD|G maj|4|2:50|VCL
Barcarolle|Ruggero Bassanini|ROM|F maj|5|3:45|VCL
Barcarolle |Ruggero Bassanini|ROM|C maj|3|2:55|FLT
Sonata in e|Tommaso Grilli|BAR|e min|7|8:20|FLT
Kite Weather|Hoshiko Arai|MOD|none|5|3:15|FLT
Shepherd's Answer|Aldous Prenn|CLA|G maj|2|1:50|FLT
Rondo alla Polka|Bohdan Kříž|ROM|B-flat maj|6|4:00|CLR
Smoke Rings|Dexter Allbright|MOD|c min|4|3:30|CLR
First Clarinet Tune|Maeve Tierney|MOD|F maj|1|1:00|CLR
Night Bus Blues|Dexter Allbright|MOD|B-flat maj|5|4:20|SAX
Harbour Cat|Dexter Allbright|MOD|g min|3|2:40|SAX
Fanfare for the Mayor's Goat|Peregrine Holt|MOD|C maj|4|1:30|TPT
Concertino|Bohdan Kříž|ROM|E-flat maj|8|6:40|TPT
Hunting Call|Tommaso Grilli|BAR|D maj|2|1:10|TPT
Slide Rule|Dexter Allbright|MOD|F maj|5|2:35|TBN
Lullaby for a Bear|Bohdan Kříž|ROM|B-flat maj|2|2:20|TBN
Pavane of the Old Bridge|Jehan Corbel|REN|a min|4|3:00|GTR
Milonga del Patio|Ramiro Altuve|MOD|e min|6|3:50|GTR
Estudio 7|Ramiro Altuve|MOD|E maj|5|2:15|GTR
Raindrops on Tin|Ramiro Altuve|MOD|A maj|2|1:45|GTR
Two Swans|Maeve Tierney|MOD|D maj|5|4:05|HRP
Pavane|Jehan Corbel|REN|g min|6|3:35|HRP
Timpani Weather Report|Nadia Obuya|MOD|none|7|3:10|PER
Kitchen Rondo|Nadia Obuya|MOD|none|2|2:00|PER
Snare Etude 12|Nadia Obuya|MOD|none|4|1:25|PER
Sea Glass|Ilka Varsany|ROM|A-flat maj|5|3:20|VOI
Cradle Song|Bohdan Kříž|ROM|D maj|2|2:25|VOI
Aria of the Miller|Tommaso Grilli|BAR|c min|8|5:15|VOI
Степная песня|Гордей Лукьянов|ROM|a min|4|3:30|BLK
Полька|Гордей Лукьянов|ROM|G maj|3|2:05|BLK
雨の橋|Hoshiko Arai|MOD|none|5|4:40|ERH
月光の井戸|Shen Ruoyu|MOD|D maj|7|5:35|ERH
Untitled (photocopy)||||3||PNO"""

# title | day | venue | tickets sold | capacity | ticket price
CONCERTS = """Winter Soirée|15.01.2022|Town Hall|84|120|5.00
Pupils' Hour I|19.03.2022|Room 001|61|90|free
Spring Strings|07.05.2022|St. Mary's Church|143|180|6.00
Summer Open Day|25.06.2022|School yard|210||free
Brass in the Park|09.07.2022|Lidwell Park|175||FREE
Harvest Evening|08.10.2022|town hall|97|120|5.50
Baroque by Candle|26.11.2022|St Mary's Church|166|180|8.00
Advent Singing|17.12.2022|St. Mary's Church|180|180|free
New Year Pianos|14.01.2023|Town Hall|112|120|7.50
Pupils' Hour II|11.02.2023|Room 001|74|90|free
Guitar Night|18.03.2023|The Anchor|58|60|4.00
Spring Strings|06.05.2023|ST. MARY'S CHURCH|171|180|6.50
Steppe and River|20.05.2023|Town Hall|69|120|6.00
Summer Open Day|24.06.2023|School yard|245||free
Late Reeds|14.10.2023|The Anchor|39|60|4.50
Baroque by Candle|25.11.2023|St. Mary's Church|158|180|8.50
Advent Singing|16.12.2023|St. Mary's Church|177|180|free
Gala (cancelled)|30.12.2023|Town Hall||120|12.00"""
MAKERS = ["Brettschneider", "BRETTSCHNEIDER", "Kwan & Tull", "Luthier Moreau", "Ostwind", "Ostwind ", "unknown", ""]


def build(connection: Connection, random: Random) -> None:
    """Create and fill every table of the school; the same `random` gives the same school."""
    connection.executescript(SCHEMA)
    pieces = [(n, *(cell or None for cell in line.split("|"))) for n, line in enumerate(PIECES.splitlines(), 1)]
    guardians = _guardians(random)
    students = _students(random, guardians)
    plays = {s[0]: _instrument(random) for s in students}
    exams, exam_pieces = _exams(random, students, plays, pieces)
    inventory, hires = _inventory(random, students, plays)
    tables = {
        "instruments": [line.split("|") for line in INSTRUMENTS.splitlines()],
        "teachers": [_teacher(n, line) for n, line in enumerate(TEACHERS.splitlines(), 1)],
        "guardians": guardians,
        "students": students,
        "rooms": ROOMS,
        "lessons": _lessons(random, students, plays),
        "pieces": pieces,
        "exams": exams,
        "exam_pieces": exam_pieces,
        "concerts": [(n, *(c or None for c in line.split("|"))) for n, line in enumerate(CONCERTS.splitlines(), 1)],
        "performances": _performances(random, students, plays, pieces),
        "inventory": inventory,
        "hires": hires,
        "payments": _payments(random, guardians),
        "waiting": _waiting(random),
    }
    for table, rows in tables.items():
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def _teacher(number: int, line: str) -> tuple:
    *cells, email, left = line.split("|")
    return (number, *cells, email or None, left or None)


def _guardians(random: Random) -> list[tuple]:
    names = sorted({(random.choice(LAST), random.choice(FIRST)) for _ in range(90)})
    rows = []
    for gid, (last, first) in enumerate(names, 1):
        phone = random.choice([f"0{random.randint(20, 99)} 555 01{random.randint(0, 99):02d}", "", None, "n/a"])
        name = f"{last}, {first}" if random.random() < 0.85 else f"{last.upper()}, {first}"
        rows.append((gid, name, random.choice(TOWNS), phone, random.choice(["DD", "DD", "TR", "CA", "dd", None])))
    return rows


def _students(random: Random, guardians: list) -> list[tuple]:
    rows = []
    for sid in range(1001, 1131):
        guardian = random.choice(guardians)
        adult = random.random() < 0.14
        first, last = random.choice(FIRST), guardian[1].split(",")[0].title()
        if sid % 26 == 5:
            first, last = NATIVE[(sid - 1005) // 26 % len(NATIVE)]
        born = date(random.randint(1958, 1996) if adult else random.randint(2004, 2016), 1, 1)
        born += timedelta(days=random.randint(0, 364))
        dob = random.choice([f"{born:%Y-%m-%d}"] * 9 + [None])
        joined = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(days=random.randint(0, 2900), hours=9)
        town = guardian[2] if random.random() < 0.8 else random.choice(TOWNS)
        status = random.choice("AAAAAAPLL")
        row = (sid, first, last, dob, town, random.choice(LEVELS), None if adult else guardian[0])
        rows.append((*row, int(joined.timestamp()), status, random.choice([0, 0, 0, 10, 20, None])))
    return rows


def _instrument(random: Random) -> str:
    return random.choice(
        "PNO PNO PNO PNO VLN VLN VLN GTR GTR GTR VCL FLT FLT CLR SAX TPT PER VOI VLA HRP BLK ERH TBN".split()
    )


def _teacher_of(random: Random, instrument: str) -> int:
    near = {"TBN": "TPT", "ORG": "PNO"}.get(instrument, instrument)
    return random.choice([n for n, line in enumerate(TEACHERS.splitlines(), 1) if line.split("|")[2] == near])


def _lessons(random: Random, students: list, plays: dict) -> list[tuple]:
    rows, rooms = [], [r[0] for r in ROOMS]
    for student in students:
        teacher, room = _teacher_of(random, plays[student[0]]), random.choice(rooms)
        hour, minutes = random.randint(9, 19), random.choice([20, 30, 30, 45, 60])
        for _ in range(random.randint(5, 14)):
            day = date(2023, 1, 9) + timedelta(days=random.randint(0, 340))
            if day.weekday() == 6:
                continue
            start = f"{hour:02d}:{random.choice(['00', '00', '15', '30', '45'])}"
            where = room if random.random() < 0.8 else random.choice([*rooms, None])
            attended = random.choice(["P"] * 12 + ["A", "X", "L", "p", None])
            rows.append((student[0], teacher, plays[student[0]], int(f"{day:%Y%m%d}"), start, minutes, where, attended))
    rows.sort(key=lambda r: (r[3], r[4], r[0]))
    return [(n, *row) for n, row in enumerate(rows, 1)]


def _exams(random: Random, students: list, plays: dict, pieces: list) -> tuple[list, list]:
    exams, parts = [], []
    for number in range(1, 191):
        sid = random.choice(students)[0]
        day = date(2021, 3, 1) + timedelta(days=random.randint(0, 1000))
        score = random.randint(38, 99) if random.random() < 0.95 else None
        result = None if score is None else "D" if score >= 87 else "M" if score >= 75 else "P" if score >= 60 else "F"
        examiner = random.choice([*range(1, 19), None])
        exams.append((number, sid, plays[sid], random.randint(1, 8), f"{day:%d %b %Y}", score, result, examiner))
        suitable = [p[0] for p in pieces if p[7] == plays[sid]]
        chosen = random.sample(suitable, min(len(suitable), random.randint(1, 3)))
        parts += [(number, piece, place) for place, piece in enumerate(chosen, 1)]
    return exams, parts


def _performances(random: Random, students: list, plays: dict, pieces: list) -> list[tuple]:
    rows = []
    for concert in range(1, len(CONCERTS.splitlines())):
        for slot, student in enumerate(random.sample(students, random.randint(6, 13)), 1):
            piece = random.choice([p for p in pieces if p[7] == plays[student[0]]])
            minutes, seconds = (piece[6] or "2:30").split(":")
            length = int(minutes) * 60 + int(seconds) + random.randint(-25, 40)
            encore = random.choice(["N", "N", "N", "N", "Y", ""])
            rows.append((concert, student[0], piece[0], slot, length if random.random() < 0.93 else None, encore))
    return rows


def _inventory(random: Random, students: list, plays: dict) -> tuple[list, list]:
    codes = "VLN VLN VLN VLA VCL VCL FLT CLR SAX TPT TBN GTR HRP BLK ERH".split()
    stock, hires = [], []
    for number in range(1, 61):
        code, size = random.choice(codes), random.choice(["1/4", "1/2", "3/4", "4/4"])
        value = random.choice(
            [f"{random.randint(15, 64) * 10}", f"{random.randint(11, 72) / 10:.1f}00".replace(".", ",")]
        )
        sized = size if code in ("VLN", "VLA", "VCL", "GTR") else None
        serial = f"{code}-{number:03d}"
        row = (serial, code, random.choice(MAKERS), sized, random.choice("AABBBCD"), random.randint(1996, 2023), value)
        stock.append(row)
    starts, free = sorted(random.randint(0, 1180) for _ in range(95)), dict.fromkeys((i[0] for i in stock), -1)
    for number, start in enumerate(starts, 1):
        item = random.choice([i for i in stock if free[i[0]] < start])
        players = [s[0] for s in students if plays[s[0]] == item[1]]
        end = start + random.randint(30, 700)
        free[item[0]] = end if end < 1240 else 9999
        since, until = (f"{date(2020, 9, 1) + timedelta(days=d):%Y/%m/%d}" for d in (start, end))
        deposit = random.choice(["50", "50.00 EUR", "100", "100 EUR", "150", "waived", None])
        hires.append((number, item[0], random.choice(players), since, until if end < 1240 else "", deposit))
    return stock, hires


def _payments(random: Random, guardians: list) -> list[tuple]:
    rows = []
    for number in range(1, 521):
        moment = datetime(2022, 1, 3, 10, tzinfo=UTC) + timedelta(minutes=random.randint(0, 1_040_000))
        cents = random.choice([4500, 6000, 7250, 9000, 12000, 13550, 18000]) * random.choice(
            [1, 1, 1, 2, -1 if number % 9 == 0 else 1]
        )
        memo = random.choice(["tuition", "tuition", "Tuition ", "hire", "exam fee", "", None])
        how = random.choice(["DD", "DD", "TR", "CA", "card"])
        rows.append((number, random.choice(guardians)[0], cents, int(moment.timestamp()), how, memo))
    return rows


def _waiting(random: Random) -> list[tuple]:
    rows = []
    for number in range(1, 44):
        asked = date(2022, 6, 1) + timedelta(days=random.randint(0, 560))
        name = f"{random.choice(FIRST)} {random.choice(LAST)}"
        code = random.choice("PNO PNO PNO GTR GTR VLN DRUMS VOI HRP SAX FLT".split())
        rows.append(
            (number, name, code, f"{asked:%Y/%m/%d}", random.choice([1, 2, 2, 3, 3, 3]), random.choice([0, 1, None]))
        )
    return rows


DESCRIPTIONS = {
    "instruments": [
        ("code", "instrument code", "three letters of the instrument", "text", ""),
        ("label", "label", "name of the instrument", "text", "in the players' own script for two of them"),
        (
            "family",
            "family",
            "instrument family",
            "text",
            "STR: strings, KEY: keyboard, WW: woodwind, BR: brass, PLK: plucked, PER: percussion, VOC: voice",
        ),
        ("max_group", "largest group", "most pupils that may share a lesson", "integer", ""),
    ],
    "teachers": [
        ("tid", "teacher id", "unique number of the teacher", "integer", ""),
        ("first", "first name", "", "text", ""),
        ("last", "last name", "", "text", ""),
        ("main_instr", "main instrument", "code of the instrument taught most", "text", ""),
        ("contract", "contract", "kind of contract", "text", "FT: full time, PT: part time, FL: freelance"),
        ("hired", "date hired", "", "text", "MM/DD/YYYY"),
        (
            "hourly",
            "hourly pay",
            "gross pay per hour",
            "text",
            "'€ 41.50' for staff, '35,00 €' (decimal comma) for freelancers",
        ),
        ("email", "e-mail", "", "text", ""),
        ("left_on", "left on", "last working day", "text", "YYYY-MM-DD; empty: still teaching"),
    ],
    "guardians": [
        ("gid", "guardian id", "unique number of the person who pays", "integer", ""),
        ("name", "name", "", "text", "last name, first name"),
        ("town", "town", "", "text", "St. Mary is also written St Mary and ST MARY"),
        ("phone", "phone", "", "text", "n/a or empty: unknown"),
        ("pay_m", "payment method", "agreed way to pay", "text", "DD: direct debit (also dd), TR: transfer, CA: cash"),
    ],
    "students": [
        ("sid", "student id", "unique number of the pupil", "integer", ""),
        ("first name", "first name", "", "text", ""),
        ("last name", "last name", "", "text", ""),
        ("dob", "date of birth", "", "text", "YYYY-MM-DD"),
        ("town", "town", "home town", "text", "St. Mary is also written St Mary and ST MARY"),
        (
            "level",
            "level",
            "",
            "text",
            "BEG: beginner, EL1 and EL2: elementary, INT: intermediate, ADV: advanced, DIP: diploma",
        ),
        ("guardian", "guardian", "id of the guardian", "integer", "empty: the pupil is an adult"),
        ("joined", "joined", "moment of enrolment", "integer", "seconds since 1970-01-01 UTC"),
        ("stat", "status", "", "text", "A: active, P: paused, L: left"),
        ("sibling discount", "sibling discount", "in per cent", "integer", ""),
    ],
    "rooms": [
        ("room", "room", "room number", "text", ""),
        ("floor", "floor", "0 is the ground floor", "integer", ""),
        ("area", "floor area", "area with its unit", "text", "in m² or m2"),
        ("seats", "seats", "", "integer", ""),
        ("piano", "piano", "kind of piano in the room", "text", "capitals vary; none or empty: no piano"),
        ("sound proof", "sound proof", "", "text", "Y: yes, N: no"),
    ],
    "lessons": [
        ("lesson_id", "lesson id", "", "integer", ""),
        ("sid", "student id", "", "integer", ""),
        ("tid", "teacher id", "", "integer", ""),
        ("instr", "instrument code", "", "text", ""),
        ("day", "day", "", "integer", "YYYYMMDD"),
        ("from", "start", "starting time", "text", "HH:MM"),
        ("mins", "minutes", "length of the lesson", "integer", ""),
        ("room", "room", "", "text", ""),
        ("att", "attendance", "", "text", "P (or p): present, A: absent, X: excused, L: late"),
    ],
    "pieces": [
        ("piece_id", "piece id", "", "integer", ""),
        ("title", "title", "", "text", "two pieces may share a title"),
        ("composer", "composer", "", "text", ""),
        ("period", "period", "", "text", "REN: renaissance, BAR: baroque, CLA: classical, ROM: romantic, MOD: modern"),
        ("key_sig", "key", "", "text", "maj: major, min: minor, none: no key"),
        ("diff", "difficulty", "1 (easy) to 10 (hard)", "integer", ""),
        ("dur", "duration", "", "text", "minutes:seconds"),
        ("instr", "instrument code", "", "text", ""),
    ],
    "exams": [
        ("exam_id", "exam id", "", "integer", ""),
        ("sid", "student id", "", "integer", ""),
        ("instr", "instrument code", "", "text", ""),
        ("grade", "grade", "exam level from 1 to 8", "integer", ""),
        ("held", "held", "day of the exam", "text", "DD Mon YYYY"),
        ("score", "score", "points of 100", "integer", ""),
        ("res", "result", "", "text", "D: distinction (87 and up), M: merit (75), P: pass (60), F: fail"),
        ("examiner", "examiner", "id of the teacher who examined", "integer", "empty: external examiner"),
    ],
    "concerts": [
        ("concert_id", "concert id", "", "integer", ""),
        ("title", "title", "", "text", ""),
        ("held_on", "held on", "", "text", "DD.MM.YYYY"),
        ("venue", "venue", "", "text", "spelling and capitals vary"),
        ("sold", "tickets sold", "or, when free, people counted", "integer", ""),
        ("capacity", "capacity", "seats", "integer", "empty: open air"),
        ("price", "ticket price", "in EUR", "text", "free or FREE: no charge"),
    ],
    "performances": [
        ("concert_id", "concert id", "", "integer", ""),
        ("sid", "student id", "pupil who played", "integer", ""),
        ("piece_id", "piece id", "", "integer", ""),
        ("slot", "slot", "place in the programme", "integer", ""),
        ("secs", "seconds", "length as played", "integer", ""),
        ("encore", "encore", "", "text", "Y: an encore was given, N: none, empty: not noted"),
    ],
    "inventory": [
        ("serial", "serial number", "of the school's own instrument", "text", ""),
        ("instr", "instrument code", "", "text", ""),
        ("maker", "maker", "", "text", "capitals and trailing blanks vary"),
        ("size", "size", "for strings and guitars", "text", "4/4 is full size"),
        ("cond", "condition", "", "text", "A: as new, B: good, C: worn, D: not playable"),
        ("bought", "year bought", "", "integer", ""),
        ("val", "value", "insured value in EUR", "text", "with thousands commas"),
    ],
    "hires": [
        ("hire_id", "hire id", "", "integer", ""),
        ("serial", "serial number", "instrument hired out", "text", ""),
        ("sid", "student id", "", "integer", ""),
        ("since", "hired since", "", "text", "YYYY/MM/DD"),
        ("until", "returned", "", "text", "YYYY/MM/DD; empty: still out"),
        ("deposit", "deposit", "in EUR", "text", "waived: none asked"),
    ],
    "payments": [
        ("pay_id", "payment id", "", "integer", ""),
        ("gid", "guardian id", "who paid", "integer", ""),
        ("cents", "amount in cents", "", "integer", "100 cents are 1 EUR; negative: refund"),
        ("paid", "paid", "moment of payment", "integer", "seconds since 1970-01-01 UTC"),
        ("how", "how", "way of payment used", "text", "DD: direct debit, TR: transfer, CA: cash, card"),
        ("memo", "memo", "what for", "text", ""),
    ],
    "waiting": [
        ("wait_no", "place number", "number in the waiting list", "integer", ""),
        ("name", "name", "", "text", ""),
        ("instr", "instrument wanted", "instrument code", "text", "DRUMS stands for PER"),
        ("asked", "asked on", "", "text", "YYYY/MM/DD"),
        ("prio", "priority", "", "integer", "1: resident with sibling, 2: resident, 3: other"),
        ("contacted", "contacted", "", "integer", "1: yes, 0: no, empty: unknown"),
    ],
    "current_pupils": [
        ("sid", "student id", "", "integer", ""),
        ("pupil", "pupil", "first and last name of an active pupil", "text", ""),
        ("level", "level", "", "text", ""),
        ("town", "town", "", "text", ""),
    ],
}

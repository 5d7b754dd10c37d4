# ruff: noqa: E501, SIM905 - some lines are data and read best unbroken
"""A city library with branches: titles in many languages, copies, patrons, loans, holds, fines, events and visits."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from sqlite3 import Connection

DB_ID = "city_library"
SPLIT = "train"
ENCODINGS = {"branches": "latin-1", "fines": "utf-8-sig"}
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()

SCHEMA = f"""
CREATE TABLE branches (br TEXT PRIMARY KEY, name TEXT, district TEXT, opened TEXT, "floor space" TEXT, cafe TEXT,
  manager INTEGER);
CREATE TABLE publishers (pub_id INTEGER PRIMARY KEY, name TEXT, city TEXT);
CREATE TABLE authors (author_id INTEGER PRIMARY KEY, surname TEXT, forename TEXT, born INTEGER, ctry TEXT);
CREATE TABLE titles (title_id INTEGER PRIMARY KEY, title TEXT, lang TEXT, year TEXT, dewey TEXT, fmt TEXT,
  extent TEXT, pub_id INTEGER REFERENCES publishers (pub_id), "age from" INTEGER);
CREATE TABLE title_authors (title_id INTEGER, author_id INTEGER, role TEXT, seq INTEGER);
CREATE TABLE items (barcode TEXT PRIMARY KEY, title_id INTEGER REFERENCES titles (title_id), br TEXT, st TEXT,
  acquired TEXT, price TEXT);
CREATE TABLE patrons (card_no INTEGER PRIMARY KEY, name TEXT, cat TEXT, birth TEXT, postcode TEXT, home_br TEXT,
  registered TEXT, expires TEXT, blocked INTEGER, mail TEXT);
CREATE TABLE loans (loan_id INTEGER PRIMARY KEY, barcode TEXT REFERENCES items (barcode), card INTEGER,
  out_ts INTEGER, due TEXT, returned TEXT, renewals INTEGER, desk TEXT);
CREATE TABLE holds (hold_id INTEGER PRIMARY KEY, title_id INTEGER, card INTEGER, placed TEXT, pickup TEXT, st TEXT,
  "rank" INTEGER);
CREATE TABLE fines (fine_id INTEGER PRIMARY KEY, loan_id INTEGER, kind TEXT, cents INTEGER, paid TEXT,
  raised TEXT);
CREATE TABLE staff (staff_id INTEGER PRIMARY KEY, name TEXT, job TEXT, br TEXT, hours REAL, boss INTEGER,
  started TEXT);
CREATE TABLE events (event_id INTEGER PRIMARY KEY, br TEXT, title TEXT, "date" TEXT, "group" TEXT, came TEXT,
  places INTEGER, host INTEGER);
CREATE TABLE gate_counts (br TEXT, year INTEGER, {", ".join(m + " TEXT" for m in MONTHS)});
CREATE VIEW overdue AS SELECT loan_id, barcode, card, due FROM loans WHERE returned IS NULL AND due < '2024-03-01';
"""

# code | name | district | opened | floor space | café | manager's staff id
BRANCHES = """CEN|Central Library|Old Town|04.10.1911|6,200 m2|Y|1
NOR|Northgate|North|12.05.1968|1,150 m2|N|6
HAR|Harbour Street|Docks|1.9.1984|840 m2|N|8
MIL|Millfields|East|23.03.1999|1,480 sqm|Y|10
STM|St. Maur|West|30.11.1976|620 m2|n|12
OAK|Oakhanger|West|17.06.2021|2,050 m2|Y|14
BUS|Mobile Library||02.02.2005|28 m2||16
ANX|Annexe (closed)|Old Town|1955|410 m2|N|"""

# name | city; the same house may stand twice
PUBLISHERS = """Quill & Lantern|London
QUILL & LANTERN|London
Quill and Lantern Ltd|
Fenwright Press|Norwich
Ediciones Almendro|Sevilla
Éditions du Passeur|Lyon
Éditions Du Passeur |Lyon
Verlag Hollerbusch|Leipzig
Издательство Сова|Рига
柳書房|Kyoto
Small Hours Books|Cork
Small Hours|cork
Meridian Audio|London
Nightjar Films|Manchester
NIGHTJAR FILMS|Manchester
City Archive|
Papyrus Kid|Utrecht
دار النخيل|Amman"""

# surname | forename | year of birth | country; all authors are invented
AUTHORS = """Ashcombe|Delphine|1961|GB
Brightwater|Amos|1934|GB
Okereke|Ngozi|1978|NG
Sandoval Prieto|Lucía|1969|ES
Marchetelle|Odile|1952|FR
Holzapfel|Ruprecht|1947|DE
Холмогорова|Таисия|1958|LV
Воронец|Игнат||RU
柳田|千尋|1983|JP
Vandersteen|Joost|1990|NL
Quilligan|Fionn|1975|IE
QUILLIGAN|Fionn||ie
Haddad|Rima|1986|JO
Petronius|M.||
Thistlewood|Agnes|1929|GB
Lindqvist|Ture|1971|SE
Achebe-Stone|Ifeoma|1992|US
Baranek|Zdenka|1966|CZ
Folkestone|Wilbur|1944|US
Teixeira|Benedita|1980|PT
Crumb|Toby|1999|GB
Oyelaran|Kunle|1973|NG
Zabriskie|Mona|1957|us
Anonymous|||"""

# title | language | year | Dewey | format | extent | publisher | age from | authors (number in AUTHORS and role)
TITLES = """The Salt Ledger|eng|2016|823.92|BK|412 p.|1||1aut
The Salt Ledger (audiobook)|eng|2017|823.92|AB|11 h 20 min|13||1aut 22nrt
Der Salzkontor|ger|2018|823.92|BK|440 S.|8||1aut 6trl
Low Tide, High Water|eng|2019|823.92|BK|298 p.|2||1aut
A Ledger of Birds|eng|c1974|598|BK|xii, 220 p.|4||2aut
Marsh Birds of the East Coast|eng|[1981]|598.0942|BK|340 pages|4||2aut 15ill
Bird Song for Absolute Beginners|eng|2003|598.159|CD|74 min|13||2aut
The Yam Festival|eng|2009|823.92|BK|276 p.|1||3aut
Lagos After Rain|eng|2014|823.92|BK|351 p.|3||3aut
Lagos After Rain|eng|2015|823.92|EB|1 file|3||3aut
Cuentos del limonero|spa|1998|863.64|BK|188 p.|5||4aut
El faro y la tormenta|spa|2007|863.64|BK|322 p.|5||4aut
Cooking with Lemons|eng|2011|641.64|BK|160 p.|1||4aut 1trl
Le dernier bac|fre|1989|843.914|BK|204 p.|6||5aut
La passeuse|fre|1996|843.914|BK|231 p.|7||5aut
The Ferrywoman|eng|1999|843.914|BK|240 p.|1||5aut 1trl
Mathematik für Müde|ger|1985|510|BK|512 S.|8||6aut
Kleine Geschichte der Null|ger|c1992|513.5|BK|143 S.|8||6aut
Зимний сад|rus|1994|891.734|BK|256 с.|9||7aut
Сова и фонарь|rus|2001|891.735|BK|48 с.|9|4|7aut 8ill
Рассказы о море|rus|[1979?]|891.734|BK|310 с.|9||8aut
雨の図書館|jpn|2015|895.636|BK|268 p.|10||9aut
猫と郵便局|jpn|2019|895.636|BK|32 p.|10|3|9aut 9ill
The Rainy Library|eng|2018|895.636|BK|272 p.|11||9aut 3trl
Bicycle Repair Without Tears|eng|2020|629.28|BK|176 p.|4||10aut
Bicycle Repair Without Tears (DVD)|eng|2021|629.28|DVD|95 min|14||10aut
De fietsenmaker|dut|2018|839.313|BK|198 p.|17||10aut
A Short Walk to Nowhere|eng|2008|914.15|BK|234 p.|11||11aut
Peat|eng|2012|821.92|BK|64 p.|12||12aut
Peat and Other Poems|eng|2013|821.92|BK|88 p.|11||11aut
حكايات النخلة|ara|2016|892.737|BK|144 ص|18||13aut
Tales of the Date Palm|eng|2019|892.737|BK|150 p.|1|8|13aut 21ill
On Gardens|eng|1903|712|BK|97 p.|16||14aut
Hedgerow Remedies|eng|1968|615.321|BK|205 p.|4||15aut
Hedgerow Remedies, 2nd ed.|eng|1982|615.321|BK|219 p.|4||15aut 2edt
Ljuset över fjärden|swe|2004|839.738|BK|301 s.|11||16aut
Data for Gardeners|eng|2022|005.74|BK|288 p.|1||17aut
SQL by Candlelight|eng|2021|005.756|BK|352 p.|2||17aut 21ill
SQL by Candlelight|eng|2021|005.756|EB|1 file|2||17aut
Divided Houses|eng|2000|891.863|BK|266 p.|11||18aut 11trl
Prairie Telegraph|eng|1979|813.54|BK|389 p.|1||19aut
Prairie Telegraph|eng|1983|813.54|DVD|128 min|15||19aut
Sete marés|por|2013|869.342|BK|210 p.|5||20aut
Pip and the Enormous Puddle|eng|2020|823.92|BK|28 p.|17|3|21aut 21ill
Pip and the Missing Moon|eng|2021|823.92|BK|30 p.|17|3|21aut 21ill
PIP AND THE SECOND-BEST ROBOT|eng|2022|823.92|BK|32 p.|17|5|21aut 17ill
Pip: the Audio Collection|eng|2022|823.92|CD|62 min|13|3|21aut 22nrt
The Drummer's Apprentice|eng|2010|823.92|BK|318 p.|3|12|22aut
The Drummer's Daughter|eng|2013|823.92|BK|335 p.|3|12|22aut
Night Shift at the Zoo|eng|1990|818.54|BK|149 p.|1||23aut
Night Shift at the Zoo|eng|1993|818.54|DVD|101 min|14||23aut
Map of the Old Docks|eng|n.d.|912.42|MAP|1 sheet|16||24aut
Council Minutes 1911-1914|eng|1914|352.042|BK|880 p.|16||
Kestrel Bay Tide Tables|eng|2023|551.464|BK|96 p.|16||
The Quiet Carpenter (magazine)|eng|2023|684.08|MAG|no. 1-12|12||23edt
Chess for Impatient People|eng|2006|794.1|BK|190 p.|3||6aut 1trl
Knots, Bends and Hitches|eng|1957|623.888|BK|124 p.|4||2aut
Wolf Moon Lullabies|eng|2017|782.421|CD|48 min|13|0|20cmp 3nrt
Collected Letters, vol. 1|eng|2002|826.8|BK|604 p.|4||15aut 1edt
Collected Letters, vol. 2|eng|2005|826.8|BK|571 p.|4||15aut 1edt"""

FIRST = """Abel Bianca Cyrus Daria Emeka Fleur Gideon Halima Ivo Jasmin Kenji Lotte Marek Nadia Orla Paolo Renske Silas
Tamsin Uwe Viola Wendell Ximena Yusuf Zofia Arlo Beatriz Casper Dilara Esther Florin Gwen Hamid Ilse Jarek Kim""".split()
LAST = """Abbot Bergström Castellan Dunmore Ekwueme Farrow Goldacre Hussain Ivanova Jankowski Keogh Lund Mistry Novak
Oduya Pemberton Quarshie Rossetti Sørensen Tran Underhill Vance Whitlock Xu Yeo Zamani O'Brien MacNeil de Wit""".split()
LAST = [name for name in LAST if name not in ("de", "Wit")] + ["de Wit"]
NATIVE = ["Анна Белова", "佐々木 健", "Μαρία Κόντου", "ANNA BELOVA", "يوسف حداد"]
INSTITUTIONS = ["Harbour Seamen's Mission", "Millfields Primary School", "Care Home Oakhanger"]

# name | job | branch | hours a week | boss | started
STAFF = """Imogen Castleford|City librarian|CEN|40||2012-04-01
Rafael Montoro|Head of lending|CEN|40|1|2015-09-15
Stella Oyekan|Reference librarian|CEN|36|2|2017-01-09
Henrik Dalby|Cataloguer|CEN|30|1|2009-11-02
Prudence Yap|Children's librarian|CEN|32|2|2019-08-19
Gavin Thorley|Branch manager|NOR|40|1|2014-02-03
Lucia Ferrante|Library assistant|NOR|18.5|6|2021-05-10
Osman Tekin|Branch manager|HAR|38|1|2011-06-20
Bettany Crewe|library assistant|HAR|20|8|2020-10-05
Jolanta Wrona|Branch manager|MIL|40|1|2016-03-14
Desmond Achampong|Library Assistant|MIL|24|10|2018-07-02
Philippa Rudge|Branch manager|STM|30|1|2008-01-28
Kit Lavender|Library assistant|STM|16|12|2022-09-12
Naoko Hirai|Branch manager|OAK|40|1|2020-12-01
Tomas Bílek|Children's librarian|OAK|32|14|2021-04-26
Wilf Arkwright|Driver-librarian|BUS|37|1|2005-02-02
Sunniva Aas|Library assistant|CEN|12|2|2023-06-05
Eamon Prior|Volunteer||4|3|2023-01-16"""

EVENTS = """Story time: Pip and friends|KIDS|14|20~Story Time |KIDS|18|20~Chess evening|ADULT|11|16~CHESS EVENING|ADULT|9|16
Book club: The Salt Ledger|adult|17|18~Author visit: Amos Brightwater|ALL|83|80~Coding for teens|TEEN|7|12
Russian reading circle|ADULT|6|10~Poetry open mic|ALL|31|40~Tax help drop-in|ADULT|about 25|
Lego Saturday|KIDS|40+|40~Local history walk|ALL|22|25~Baby rhymes|kids|12|15~Knitting and novels|ADULT|10|12
Silent reading party|TEEN|19|30~Manga drawing|TEEN|cancelled|14~Repair café: bicycles|ALL|27|30~Lantern parade|ALL||"""


def build(connection: Connection, random: Random) -> None:
    """Create and fill every table of the library; the same `random` gives the same library."""
    connection.executescript(SCHEMA)
    titles, credits = _titles()
    patrons, items = _patrons(random), _items(random, titles)
    loans = _loans(random, items, patrons, {t[0]: t for t in titles})
    tables = {
        "branches": [[c or None for c in line.split("|")] for line in BRANCHES.splitlines()],
        "publishers": [(n, *line.split("|")) for n, line in enumerate(PUBLISHERS.splitlines(), 1)],
        "authors": [(n, *(c or None for c in a.split("|"))) for n, a in enumerate(AUTHORS.splitlines(), 1)],
        "titles": titles,
        "title_authors": credits,
        "items": _with_open_loans(items, loans),
        "patrons": patrons,
        "loans": loans,
        "holds": _holds(random, titles, patrons),
        "fines": _fines(random, loans),
        "staff": [(n, *(c or None for c in line.split("|"))) for n, line in enumerate(STAFF.splitlines(), 1)],
        "events": _events(random),
        "gate_counts": _gate_counts(random),
    }
    for table, rows in tables.items():
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def _titles() -> tuple[list, list]:
    titles, credits = [], []
    for number, line in enumerate(TITLES.splitlines(), 501):
        *cells, publisher, age, makers = line.split("|")
        titles.append((number, *cells, int(publisher), int(age) if age else None))
        for place, maker in enumerate(makers.split(), 1):
            credits.append((number, int(maker[:-3]), maker[-3:], place))
    return titles, credits


def _patrons(random: Random) -> list[tuple]:
    rows = []
    for card in range(20001, 20181):
        born = date(random.randint(1938, 2017), 1, 1) + timedelta(days=random.randint(0, 364))
        age = 2024 - born.year
        kind = "JUV" if age < 14 else "STU" if age < 24 and random.random() < 0.6 else "SEN" if age >= 66 else "ADU"
        name = f"{random.choice(FIRST)} {random.choice(LAST)}"
        name = NATIVE[(card - 20009) // 40] if card % 40 == 9 else name.upper() if random.random() < 0.06 else name
        start = date(max(2009, born.year + 3), 1, 1) + timedelta(days=random.randint(0, 1200))
        start = min(start, date(2024, 2, 1) - timedelta(days=random.randint(0, 700)))
        end = start.replace(day=1, year=random.randint(2023, 2026))
        mail = random.choice([f"{name.split()[0].lower()}{card % 97}@mail.example", None, "", "no email"])
        postcode = random.choice(["KB1 2AA", "KB1 4QT", "kb1 4qt", "KB2 7LD", "KB3 9PW", "KB3 9PW ", "KB5 1XX", None])
        home = random.choice("CEN CEN CEN NOR HAR MIL MIL STM OAK OAK BUS".split())
        birth = f"{born:%d/%m/%Y}" if random.random() < 0.92 else ""
        if card % 60 == 59:
            name, kind, birth = INSTITUTIONS[card // 60 % 3], "INS", ""
        row = (card, name, kind, birth, postcode, home)
        rows.append((*row, f"{start:%Y-%m-%d}", f"{end:%Y-%m}", random.choice([0, 0, 0, 0, 1, None]), mail))
    return rows


def _items(random: Random, titles: list) -> list[tuple]:
    rows, number = [], 0
    for title in titles:
        if title[5] == "EB":
            continue
        for _ in range(random.choice([1, 2, 3, 4, 5, 7]) if title[7] != 16 else 1):
            number += 1
            branch = random.choice("CEN CEN CEN NOR HAR MIL STM OAK OAK BUS".split())
            status = random.choice(["AVL"] * 10 + ["LST", "REP", "WDN"])
            price = random.choice([f"{random.randint(6, 34)}.90", f"{random.randint(6, 34)}.50 EUR", "gift", None])
            year = title[3].strip("c[]?")
            first = max(int(year) if year.isdigit() else 1990, 1990)
            acquired = f"{random.randint(1, 12):02d}/{random.randint(first, 2023)}"
            rows.append((f"3{number * 7919 % 10**6:06d}", title[0], branch, status, acquired, price))
    return rows


def _loans(random: Random, items: list, patrons: list, titles: dict) -> list[tuple]:
    rows = []
    for barcode, title, _, _, acquired, _ in items:
        free = max(date(2022, 1, 3), date(int(acquired[3:]), int(acquired[:2]), 1) + timedelta(days=31))
        for _ in range(random.randint(0, 15)):
            free += timedelta(days=random.randint(1, 110))
            if free > date(2024, 2, 24):
                break
            days = 7 if titles[title][5] in ("DVD", "CD", "MAG") else 21
            renewals = random.choice([0, 0, 0, 1, 1, 2])
            due = free + timedelta(days=days * (1 + renewals))
            back = free + timedelta(days=random.randint(1, days * (1 + renewals) + random.choice([0, 0, 0, 25])))
            out = datetime(free.year, free.month, free.day, random.randint(9, 18), random.randint(0, 59), tzinfo=UTC)
            gone = back > date(2024, 2, 29) or random.random() < 0.015
            desk = random.choice(["self", "self", "SELF", "desk", None])
            known = [p[0] for p in patrons if p[6] <= f"{free:%Y-%m-%d}"]
            row = (barcode, random.choice(known), int(out.timestamp()), f"{due:%Y-%m-%d}")
            rows.append((*row, None if gone else f"{back:%Y-%m-%d}", renewals, desk))
            if gone:
                break
            free = back
    rows.sort(key=lambda r: (r[2], r[0]))
    return [(n, *row) for n, row in enumerate(rows, 700001)]


def _with_open_loans(items: list, loans: list) -> list[tuple]:
    out = {loan[1] for loan in loans if loan[5] is None}
    return [(*i[:3], "OUT" if i[0] in out and i[3] == "AVL" else i[3], *i[4:]) for i in items]


def _holds(random: Random, titles: list, patrons: list) -> list[tuple]:
    rows = []
    for number in range(1, 141):
        placed = date(2023, 3, 1) + timedelta(days=random.randint(0, 360))
        status = random.choice(["F", "F", "F", "W", "W", "C", "E"])
        rank = random.randint(1, 6) if status == "W" else None
        title, card = random.choice(titles[:48])[0], random.choice(patrons)[0]
        pickup = random.choice("CEN CEN NOR HAR MIL STM OAK cen".split())
        rows.append((number, title, card, f"{placed:%d.%m.%y}", pickup, status, rank))
    return rows


def _fines(random: Random, loans: list) -> list[tuple]:
    rows = []
    for loan in loans:
        late = (date.fromisoformat(loan[5]) - date.fromisoformat(loan[4])).days if loan[5] else 0
        if late > 0 and random.random() < 0.9:
            rows.append((loan[0], "OVD", 20 * late, random.choice(["Y", "Y", "N", "W"]), f"{loan[5]}"))
        elif random.random() < 0.015:
            raised = loan[5] or loan[4]
            rows.append(
                (loan[0], random.choice(["LST", "DMG"]), random.choice([800, 1250, 2490]), random.choice("YN"), raised)
            )
    return [(n, *row) for n, row in enumerate(rows, 1)]


def _events(random: Random) -> list[tuple]:
    kinds = [part.split("|") for line in EVENTS.splitlines() for part in line.split("~")]
    rows = []
    for number in range(1, 79):
        name, group, came, places = kinds[number - 1] if number <= len(kinds) else random.choice(kinds)
        day = date(2023, 1, 7) + timedelta(days=random.randint(0, 410))
        if number > len(kinds) and came.isdigit():
            came = str(max(2, int(came) + random.randint(-6, 9)))
        elif number > len(kinds) and came == "cancelled":
            came = str(random.randint(5, 14))
        branch = random.choice("CEN CEN NOR HAR MIL STM OAK OAK".split())
        host = random.choice([n for n, s in enumerate(STAFF.splitlines(), 1) if s.split("|")[2] == branch])
        rows.append(
            (number, branch, name, f"{day.day} {day:%B %Y}", group, came or None, int(places) if places else None, host)
        )
    return rows


def _gate_counts(random: Random) -> list[tuple]:
    sizes, rows = {"CEN": 21000, "NOR": 5200, "HAR": 2900, "MIL": 6100, "STM": 1900, "OAK": 7400, "BUS": 640}, []
    for year in (2021, 2022, 2023):
        for branch, size in sizes.items():
            season = [1.0, 0.95, 1.05, 0.98, 0.9, 0.82, 0.7, 0.66, 1.02, 1.1, 1.08, 0.75]
            counts = [round(size * s * random.uniform(0.85, 1.15) * (1 + 0.06 * (year - 2021))) for s in season]
            months = [
                None if (year == 2021 and n < 4) or random.random() < 0.03 else f"{c:,}" for n, c in enumerate(counts)
            ]
            rows.append((branch, year, *months))
    return rows


DESCRIPTIONS = {
    "branches": [
        ("br", "branch code", "three letters of the branch", "text", ""),
        ("name", "branch name", "", "text", ""),
        ("district", "district", "part of the city", "text", ""),
        ("opened", "opened", "day of opening", "text", "D.M.YYYY, or only the year"),
        ("floor space", "floor space", "with thousands commas and unit", "text", "m2 or sqm"),
        ("cafe", "café", "whether there is a café", "text", "Y: yes, N (also n): no"),
        ("manager", "manager", "staff id of the manager", "integer", ""),
    ],
    "authors": [
        ("author_id", "author id", "", "integer", ""),
        ("surname", "surname", "", "text", "in the author's own script"),
        ("forename", "forename", "", "text", ""),
        ("born", "year of birth", "", "integer", ""),
        (
            "ctry",
            "country",
            "two letters",
            "text",
            "GB: United Kingdom, NG: Nigeria, IE: Ireland, JO: Jordan, LV: Latvia, CZ: Czech Republic; capitals vary",
        ),
    ],
    "titles": [
        ("title_id", "title id", "", "integer", ""),
        ("title", "title", "", "text", ""),
        (
            "lang",
            "language",
            "",
            "text",
            "eng: English, ger: German, spa: Spanish, fre: French, rus: Russian, jpn: Japanese, dut: Dutch, ara: Arabic, swe: Swedish, por: Portuguese",
        ),
        (
            "year",
            "year of publication",
            "as the cataloguer wrote it",
            "text",
            "c1974: copyright year, [1981]: not printed in the book, n.d.: unknown",
        ),
        (
            "dewey",
            "Dewey number",
            "subject number",
            "text",
            "first digit: 0 computing and general, 3 social sciences, 5 science, 6 technology, 7 arts, 8 literature, 9 history and travel",
        ),
        (
            "fmt",
            "format",
            "",
            "text",
            "BK: book, AB: audiobook, CD: music or speech on CD, DVD: film, EB: e-book, MAP: map, MAG: magazine",
        ),
        ("extent", "extent", "pages or playing time", "text", "p., pages, S., s., с. and ص all mean pages"),
        ("pub_id", "publisher id", "", "integer", ""),
        ("age from", "age from", "youngest age it suits", "integer", "empty: adults"),
    ],
    "title_authors": [
        ("title_id", "title id", "", "integer", ""),
        ("author_id", "author id", "", "integer", ""),
        (
            "role",
            "role",
            "",
            "text",
            "aut: author, ill: illustrator, trl: translator, nrt: narrator, edt: editor, cmp: composer",
        ),
        ("seq", "sequence", "place on the title page", "integer", ""),
    ],
    "items": [
        ("barcode", "barcode", "one copy", "text", ""),
        ("title_id", "title id", "", "integer", ""),
        ("br", "branch code", "branch that owns the copy", "text", ""),
        ("st", "status", "", "text", "AVL: on the shelf, OUT: on loan, LST: lost, REP: in repair, WDN: withdrawn"),
        ("acquired", "acquired", "month it was bought", "text", "MM/YYYY"),
        ("price", "price", "in EUR, with or without unit", "text", "gift: donated; empty: unknown"),
    ],
    "patrons": [
        ("card_no", "card number", "", "integer", ""),
        ("name", "name", "first and last name", "text", "capitals vary"),
        ("cat", "category", "", "text", "ADU: adult, JUV: child, STU: student, SEN: senior, INS: institution"),
        ("birth", "date of birth", "", "text", "DD/MM/YYYY; empty: not given"),
        ("postcode", "postcode", "", "text", "capitals and trailing blanks vary"),
        ("home_br", "home branch", "code of the branch joined at", "text", ""),
        ("registered", "registered", "", "text", "YYYY-MM-DD"),
        ("expires", "expires", "last month of membership", "text", "YYYY-MM"),
        ("blocked", "blocked", "", "integer", "1: may not borrow, 0 or empty: may"),
        ("mail", "e-mail", "", "text", "'no email' or empty: none"),
    ],
    "loans": [
        ("loan_id", "loan id", "", "integer", ""),
        ("barcode", "barcode", "copy lent", "text", ""),
        ("card", "card number", "who borrowed", "integer", ""),
        ("out_ts", "lent at", "moment of lending", "integer", "seconds since 1970-01-01 UTC"),
        ("due", "due", "", "text", "YYYY-MM-DD, renewals included"),
        ("returned", "returned", "", "text", "YYYY-MM-DD; empty: not back yet"),
        ("renewals", "renewals", "how often it was renewed", "integer", ""),
        ("desk", "desk", "where it was lent", "text", "self (also SELF): self-service, desk: by staff"),
    ],
    "holds": [
        ("hold_id", "hold id", "", "integer", ""),
        ("title_id", "title id", "title wanted", "integer", ""),
        ("card", "card number", "", "integer", ""),
        ("placed", "placed", "", "text", "DD.MM.YY"),
        ("pickup", "pick-up branch", "", "text", "capitals vary"),
        ("st", "status", "", "text", "W: waiting, F: fulfilled, C: cancelled by the patron, E: expired"),
        ("rank", "rank", "place in the queue", "integer", "only while waiting"),
    ],
    "fines": [
        ("fine_id", "fine id", "", "integer", ""),
        ("loan_id", "loan id", "", "integer", ""),
        ("kind", "kind", "", "text", "OVD: overdue, LST: lost, DMG: damaged"),
        ("cents", "amount in cents", "", "integer", "100 cents are 1 EUR"),
        ("paid", "paid", "", "text", "Y: paid, N: owed, W: waived"),
        ("raised", "raised", "day of the fine", "text", "YYYY-MM-DD"),
    ],
    "staff": [
        ("staff_id", "staff id", "", "integer", ""),
        ("name", "name", "", "text", ""),
        ("job", "job", "", "text", "capitals vary"),
        ("br", "branch code", "", "text", ""),
        ("hours", "weekly hours", "", "real", ""),
        ("boss", "boss", "staff id of the superior", "integer", "empty: the head"),
        ("started", "started", "", "text", "YYYY-MM-DD"),
    ],
    "events": [
        ("event_id", "event id", "", "integer", ""),
        ("br", "branch code", "", "text", ""),
        ("title", "title", "", "text", ""),
        ("date", "date", "", "text", "D Month YYYY, the month in full"),
        ("group", "audience", "", "text", "KIDS, TEEN, ADULT or ALL; capitals vary"),
        ("came", "visitors", "people who came, as noted", "text", "a number, '40+', 'about 25', 'cancelled' or empty"),
        ("places", "places", "seats offered", "integer", "empty: no limit"),
        ("host", "host", "staff id", "integer", ""),
    ],
    "gate_counts": [
        ("br", "branch code", "", "text", ""),
        ("year", "year", "", "integer", ""),
        *(
            (m, m, "visitors through the gate in that month", "text", "with thousands commas; empty: not counted")
            for m in MONTHS
        ),
    ],
    "overdue": [
        ("loan_id", "loan id", "a loan not returned in time on 2024-03-01", "integer", ""),
        ("barcode", "barcode", "", "text", ""),
        ("card", "card number", "", "integer", ""),
        ("due", "due", "", "text", "YYYY-MM-DD"),
    ],
}

# ruff: noqa: E501 - some lines are data and read best unbroken
"""The port of Kestrel Bay: owners, ships, calls at berths, boxes moved, incidents and bills."""

from datetime import UTC, datetime, timedelta
from random import Random
from sqlite3 import Connection

DB_ID = "harbor_logistics"
SPLIT = "dev"

SCHEMA = """
CREATE TABLE owners (owner_id INTEGER PRIMARY KEY, name TEXT, country TEXT, since TEXT, credit TEXT, rating TEXT);
CREATE TABLE vessels (imo INTEGER PRIMARY KEY, name TEXT, flag TEXT, vtype TEXT, gt TEXT, loa_m REAL, built INTEGER,
  class_soc TEXT, owner_id INTEGER REFERENCES owners (owner_id));
CREATE TABLE berths (berth_no TEXT PRIMARY KEY, quay TEXT, depth TEXT, length_m INTEGER, cranes INTEGER, status TEXT);
CREATE TABLE agents (agent_cd TEXT PRIMARY KEY, name TEXT, phone TEXT, active TEXT, "working language" TEXT);
CREATE TABLE pilots (lic TEXT PRIMARY KEY, full_name TEXT, grade TEXT, max_loa REAL, hired TEXT, on_duty TEXT);
CREATE TABLE port_calls (call_id INTEGER PRIMARY KEY, imo INTEGER, berth_no TEXT REFERENCES berths (berth_no),
  agent TEXT, purp TEXT, eta INTEGER, ata INTEGER, atd INTEGER, pilot_in TEXT, pilot_out TEXT, tugs INTEGER,
  draft_in TEXT, "order" INTEGER);
CREATE TABLE containers (cntr_no TEXT PRIMARY KEY, iso_type TEXT, line TEXT, tare_kg INTEGER, mfd TEXT);
CREATE TABLE moves (move_id INTEGER PRIMARY KEY, cntr_no TEXT, call_id INTEGER, dir TEXT, fe TEXT, gross TEXT,
  haz TEXT, temp_c TEXT, moved_at TEXT);
CREATE TABLE tariffs (tar_cd TEXT PRIMARY KEY, "group" TEXT, label TEXT, "unit price" TEXT, unit TEXT,
  valid_from INTEGER);
CREATE TABLE invoices (inv_no TEXT PRIMARY KEY, call_id INTEGER REFERENCES port_calls (call_id), issued TEXT,
  due_days INTEGER, cur TEXT, total REAL, stat TEXT, paid_on TEXT);
CREATE TABLE invoice_lines (inv_no TEXT, line_no INTEGER, tar_cd TEXT, qty REAL, amount REAL);
CREATE TABLE incidents (inc_no TEXT, happened TEXT, call_id INTEGER, cat TEXT, sev INTEGER, injured INTEGER,
  reported_by TEXT, remarks TEXT);
CREATE VIEW turnaround AS SELECT call_id, imo, berth_no, (ata - eta) / 3600.0 AS late_h,
  (atd - ata) / 3600.0 AS alongside_h FROM port_calls WHERE ata IS NOT NULL AND atd IS NOT NULL;
"""

# name | country | customer since | credit limit | rating
OWNERS = """Nordhav Rederi AS|Norway|14.03.1998|2,400,000|A
NORDHAV REDERI A/S|NORWAY|01.09.2016||
Aldermere Shipping plc|United Kingdom|22.11.2001|1,150,000|B
Compañía Naviera Olivar S.A.|Spain|05.05.2009|800,000|B
Σκάφος Ναυτιλιακή|Greece|30.06.2012|950,000|A
Skafos Maritime S.A.|greece|11.02.2019|150,000|C
Балтийский Путь|Latvia|17.08.2010|300,000|C
Hanseat Linien GmbH & Co. KG|Germany|03.01.1995|3,000,000|A
Hanseat Linien GmbH|Germany |19.07.2020|250,000|
Blue Gannet Tankers|Malta|28.02.2007|1,750,000|B
Lotus Ocean Lines|Singapore|09.10.2011|2,100,000|A
青海運株式会社|Japan|25.04.2014|1,300,000|A
Tidewell Coasters|Ireland|12.12.2003|90,000|C
Vanterpool & Sons|Netherlands|07.07.2018|60,000|D
Redpoll Reefers BV|Netherlands|21.01.2006|700,000|B
Grupo Tagus Mar|Portugal|16.06.2013|450,000|B
Armement Kerouan|France|02.04.2000|620,000|
Isbjørn Bulk ApS|Denmark|13.09.2008|880,000|A
Marmara Yıldızı Denizcilik|Turkey|29.05.2017|210,000|C
Cormorant Ferries Ltd|United Kingdom|18.10.1999|1,000,000|A
Cormorant Ferries Limited|united kingdom|06.03.2021|0|D
Pelagia Cruises|Italy|23.08.2015|1,600,000|B
Quillon Gas Carriers|Bermuda|31.01.2020|2,750,000|
State Dredging Agency|Estonia|08.11.2005|N/A|A"""

# name | type; trailing spaces and capitals are as the clerks typed them
VESSELS = """Nordlys Pioneer|CS~NORDLYS CARRIER|CS~Nordlys Express |CS~Fjellvind|BC~Aldermere Rose|GC~ALDERMERE THISTLE|GC
Bay Heron|TK~Bay Curlew |TK~BAY DUNLIN|TK~Olivar Primero|GC~Olivar Segundo|GC~Αργοναύτης|BC~ARGONAFTIS II|BC
Καλυψώ|TK~Северная Звезда|GC~Янтарный берег|GC~Hanse Merkur Stern|CS~Hanse Falke|CS~HANSE HABICHT|CS~Hanse Milan|CS
Gannet Dawn|TK~Gannet Dusk|TK~GANNET NOON |TK~Lotus Grace|CS~Lotus Harmony|CS~LOTUS HARMONY|CS~Lotus Serenity|CS
青潮丸|RO~第八海燕丸|RF~Tidewell Maid|GC~TIDEWELL LASS|GC~Tidewell Piper|GC~Gebroeders Vanterpool|GC~Redpoll Frost|RF
REDPOLL GLACIER|RF~Redpoll Tundra|RF~Tagus Alvorada|BC~Tagus Crepúsculo|BC~Kerouan Bihan|RO~Kerouan Bras|RO
Isbjørn Alfa|BC~Isbjørn Bravo|BC~ISBJORN CHARLIE|BC~Yıldız Ege|GC~YILDIZ KARADENIZ|GC~Cormorant Princess|RO
Cormorant Duchess|RO~CORMORANT EARL |RO~Pelagia Aurora|CR~Pelagia Belcanto|CR~PELAGIA CORALLO|CR~Quillon Ether|LG
Quillon Zephyr|LG~Mudlark|DR~SANDPIPER IV|DR~Halcyon Trader|CS~Halcyon Venture|CS~Oystercatcher|BC~Copper Kestrel|BC
Sable Point|BC~Marrow Sound|TK~St. Brannock|GC~ST BRANNOCK|GC~Saint Brannock II|GC~Iron Magpie|BC~Wren of Tarrow|RO
Amberjack|RF~Polar Quince|RF~Verity Lane|CS~Lantern Hill|CS~Cape Dunmarrow|BC~Storm Petrel|TK~Ondine|CR~Fulmar Bay|GC
Ruddock|GC~Teal Horizon|CS~Garganey|TK~Whimbrel |GC~Corncrake Express|CS~Juno's Wake|CR~O'Rahilly Star|GC"""
# first word of a ship's name -> place of its owner in OWNERS
FLEETS = {"nordlys": 0, "fjellvind": 1, "aldermere": 2, "olivar": 3, "αργοναύτης": 4, "argonaftis": 5, "καλυψώ": 4}
FLEETS |= {"северная": 6, "янтарный": 6, "hanse": 7, "gannet": 9, "lotus": 10, "青潮丸": 11, "第八海燕丸": 11}
FLEETS |= {"tidewell": 12, "gebroeders": 13, "redpoll": 14, "tagus": 15, "kerouan": 16, "isbjørn": 17, "isbjorn": 17}
FLEETS |= {"yıldız": 18, "yildiz": 18, "cormorant": 19, "pelagia": 21, "quillon": 22, "mudlark": 23, "sandpiper": 23}
SHIPLESS = (8, 20)
FLAGS = {"Norway": "NO", "United Kingdom": "GB", "Spain": "ES", "Greece": "GR", "Latvia": "LV", "Germany": "DE"}
OPEN_FLAGS = ["LR", "PA", "MH", "MT", "CY", "BS", "NO", "GB", "", "lr", "PT"]
SIZES = {"CS": (9000, 62000), "BC": (6000, 45000), "TK": (4000, 58000), "RO": (7000, 36000), "GC": (1200, 9000)}
SIZES |= {"RF": (3500, 14000), "CR": (12000, 90000), "LG": (22000, 98000), "DR": (900, 3200)}

# berth | quay | depth | length | cranes | status
BERTHS = """N-01|North Quay|14.5 m|340|4|A
N-02|North Quay|14.5 m|340|4|A
N-03|north quay|13.8 m|310|3|A
N-04|N. Quay|13.8 m|295|2|M
S-01|South Quay|11.2 m|260|2|A
S-02|South Quay|11.0 m|240|1|A
S-03|South Quay |9.6 m|210|1|C
T-01|Tanker Jetty|15.9 m|290|0|A
T-02|Tanker Jetty|12.4 m|230|0|A
R-01|Ferry Terminal|8.5 m|215|0|A
R-02|Ferry Terminal|7.9 m|190|0|A
C-01|Cruise Pier|10.4 m|330|0|A
O-01|Old Harbour|6.2 m|120|1|A
O-02|Old Harbour|5.8 m|95|0|C
B-01|Bulk Terminal|13.1 m|280|2|A
B-02|Bulk Terminal|12.7 ft?|265|2|M"""
BERTHS_OF = {"CS": "N-01 N-02 N-03 N-04", "BC": "B-01 B-02 S-01", "TK": "T-01 T-02", "RO": "R-01 R-02"}
BERTHS_OF |= {"GC": "S-01 S-02 S-03 O-01", "RF": "S-02 S-01 N-03", "CR": "C-01", "LG": "T-01", "DR": "O-01 O-02"}

AGENTS = [
    ("KBS", "Kestrel Bay Shipping Ltd", "+44 20 7946 0101", "Y", "English"),
    ("KB2", "Kestrel Bay Shipping Ltd.", None, "N", "english"),
    ("OMR", "Omaro & Daughters", "+44 20 7946 0145", "Y", "English; Spanish"),
    ("VLN", "Волна Агентство", "+371 6700 0199", "Y", "Russian"),
    ("HSA", "Hanseatic Ship Agency", "+49 30 23125 014", "Y", "German"),
    ("THL", "Thalassa Brokers", "", "Y", "Greek; English"),
    ("PTN", "Pertinax Marine", "+44 20 7946 0170", "N", "English"),
    ("LGH", "Lighthouse Liner Services", "+44 20 7946 0188", "Y", "English; Mandarin"),
]
# licence | name | grade | longest ship | hired (month/day/year) | on duty
PILOTS = """P-104|Ashdown, Merle|I||05/17/2004|Y
P-107|Brannigan, Tove|I||11/02/2008|Y
P-111|Castellane, Iris|II|220|03/29/2013|Y
P-112|Dromgoole, Fenn|II|220|08/08/2013|N
P-115|Eskildsen, Rune|II|220|01/15/2015|Y
P-119|Fairweather, Odette|III|150|06/30/2019|Y
P-120|Gathercole, Sunil|III|150|10/21/2019|
P-123|Hazelrigg, Amara|III|150|02/12/2021|Y
P-124|O'Dowd, Finbar|III|120|09/05/2022|Y"""

LINES = ["HLX", "LOT", "NHV", "hlx", "TLW", "OCN", ""]
ISO_TYPES = ["22G1", "42G1", "45G1", "22R1", "45R1", "22U1", "22T0"]

# code | group | label | unit price | unit | first day of validity
TARIFFS = """DU01|DUES|Port dues, seagoing|0.42|GT|20200101
DU02|DUES|Port dues, coastal|0.19|GT|20200101
DU09|DUES|Waste reception|285.00|call|20210701
TW01|TOWAGE|Tug, per assist|1,450.00|tug|20200101
TW02|TOWAGE|Tug, night surcharge|390.00|tug|20220301
PI01|PILOT|Pilotage inward|1,120.00|call|20200101
PI02|PILOT|Pilotage outward|1,040.00|call|20200101
CG01|CARGO|Container lift, full|96.50|move|20210101
CG02|CARGO|Container lift, empty|58.00|move|20210101
CG03|CARGO|Bulk handling|3.15|t|20200101
CG05|CARGO|Vehicle ramp|12.40|lane m|20220101
ST01|STORE|Stack storage, day 5 on|21.00|TEU day|20210101
ST02|STORE|Reefer plug|64.00|day|20210101
MS01|MISC|Fresh water|4.80|m3|20200101
MS02|MISC|Gangway watchman|38.00|h|20200101
MS07|misc|Crane overtime|410.00|h|20230101"""

# category | severity | injured | remarks
INCIDENTS = """SP|2|0|Hydraulic oil on apron, about 40 L, absorbed
SP|3|0|Diesel sheen during bunkering; boom deployed
CO|2|0|Bow touched fender, paint only
CO|3|1|Stern line parted, gangway fell
FI|4|2|Galley fire, crew evacuated, brigade on site 02:10
ME|1|0|Crane 3 spreader stuck
ME|2|0|Reefer rack tripped, 14 plugs without power for 3 h
IN|2|1|Lasher slipped on wet hatch cover
IN|3|1|Forklift hit pedestrian at gate 2
SE|1|0|Stowaway reported, none found
SE|2|0|Seal broken on container
CO|1|0|Tug contact with quay wall
SP|1|0|Grain dust complaint from Old Harbour residents
ME|3|0|Blackout on departure, anchored in fairway
IN|1|1|Cut hand in mooring
IN|4|3|Gas in hold, three stevedores to hospital
SE|1|0|Drone over Tanker Jetty
FI|2|0|Smouldering coal cargo, cooled"""
REPORTERS = ["VTS", "vts", "Berth master", "BERTH MASTER", "pilot", "Agent", None, ""]


def build(connection: Connection, random: Random) -> None:
    """Create and fill every table of the port; the same `random` gives the same port."""
    connection.executescript(SCHEMA)
    owners = [tuple(line.split("|")) for line in OWNERS.splitlines()]
    ships = _vessels(random, owners)
    calls = _port_calls(random, ships)
    boxes = _containers(random)
    invoices, lines = _invoices(random, calls, ships)
    tables = {
        "owners": [(n, *o[:4], o[4] or None) for n, o in enumerate(owners, 101)],
        "vessels": ships,
        "berths": [line.split("|") for line in BERTHS.splitlines()],
        "agents": AGENTS,
        "pilots": [(a, b, c, d or None, e, f) for a, b, c, d, e, f in (p.split("|") for p in PILOTS.splitlines())],
        "port_calls": calls,
        "containers": boxes,
        "moves": _moves(random, calls, ships, boxes),
        "tariffs": [line.split("|") for line in TARIFFS.splitlines()],
        "invoices": invoices,
        "invoice_lines": lines,
        "incidents": _incidents(random, calls),
    }
    for table, rows in tables.items():
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    _particulars(connection, random, ships)


def _vessels(random: Random, owners: list) -> list[tuple]:
    others = [n for n in range(len(owners)) if n not in SHIPLESS]
    names = [part.rsplit("|", 1) for line in VESSELS.splitlines() for part in line.split("~")]
    ships = []
    for number, (name, kind) in enumerate(names):
        owner = FLEETS.get(name.split()[0].casefold(), random.choice(others))
        low, high = SIZES[kind]
        tonnage = random.randint(low, high)
        home = FLAGS.get(owners[owner][1].strip().title())
        flag = home if home and random.random() < 0.5 else random.choice(OPEN_FLAGS)
        length = round(28 + 0.95 * tonnage**0.5 + random.uniform(-9, 9), 1)
        society = random.choice(["DNV", "LR", "BV", "NK", "DNV ", "", None])
        imo = 9100000 + number * 7919 % 800000 + random.randint(0, 9)
        text = f"{tonnage:,}"
        ships.append((imo, name, flag, kind, text, length, random.randint(1979, 2022), society, 101 + owner))
    return ships


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _port_calls(random: Random, ships: list) -> list[tuple]:
    day, calls, number = datetime(2022, 1, 1, tzinfo=UTC), [], 40001
    agents, left = [random.choice(AGENTS)[0] for _ in range(30)], dict.fromkeys((s[0] for s in ships), 0)
    for offset in range(730):
        for place in range(1, random.choice([0, 1, 1, 1, 2]) + 1):
            eta = day + timedelta(days=offset, minutes=5 * random.randint(0, 287))
            ship = random.choice([s for s in ships if left[s[0]] < _seconds(eta) - 2 * 86400])
            calls.append((number, ship[0], *_call(random, ship, eta, agents[ship[8] - 101], place)))
            left[ship[0]] = calls[-1][7] or left[ship[0]]
            number += 1
    return calls


def _call(random: Random, ship: tuple, eta: datetime, agent: str, place: int) -> tuple:
    kind, berth = ship[3], random.choice(BERTHS_OF[ship[3]].split())
    purpose = random.choice({"CR": "PP", "DR": "RR", "RO": "LDB"}.get(kind, "LLDDDBR" if kind != "LG" else "DDL"))
    draft = f"{random.uniform(4.0, 12.5):.1f} m" if random.random() < 0.9 else None
    if random.random() < 0.06:  # cancelled: never came
        return (berth, agent, purpose, _seconds(eta), None, None, None, None, 0, draft, place)
    late = timedelta(minutes=random.randint(-90, 300) if random.random() < 0.85 else random.randint(300, 2900))
    ata = eta + late
    atd = ata + timedelta(minutes=random.randint(240, 3900))
    able = [p.split("|")[0] for p in PILOTS.splitlines() if not p.split("|")[3] or ship[5] <= int(p.split("|")[3])]
    inward, outward = random.choice(able), random.choice([*able, None])
    tugs = min(4, int(ship[5] // 90) + random.choice([0, 0, 1]))
    return (berth, agent, purpose, _seconds(eta), _seconds(ata), _seconds(atd), inward, outward, tugs, draft, place)


def _containers(random: Random) -> list[tuple]:
    prefixes, boxes = ["HLXU", "LOTU", "NHVU", "OCNU", "TLWU"], []
    for number in range(420):
        kind = random.choice(ISO_TYPES)
        tare = {"2": 2230, "4": 3820}[kind[0]] + random.randint(-90, 250) + (700 if kind[2] == "R" else 0)
        made = f"{random.randint(1, 12):02d}/{random.randint(2003, 2021)}"
        boxes.append((f"{random.choice(prefixes)}{300000 + number * 163:06d}{number % 10}", kind, "", tare, made))
    return [(n, k, random.choice([n[:3], n[:3], *LINES]), t, random.choice([m, m, m, None])) for n, k, _, t, m in boxes]


def _moves(random: Random, calls: list, ships: list, boxes: list) -> list[tuple]:
    kinds, moves = {s[0]: s[3] for s in ships}, []
    for call in calls:
        most = {"CS": 12, "RO": 3, "GC": 2, "RF": 4}.get(kinds[call[1]], 0) if call[6] else 0
        for _ in range(random.randint(most // 3, most)):
            box, full = random.choice(boxes), random.random() < 0.78
            gross = f"{box[3] + random.randint(2500, 24000):,} kg" if full else random.choice(["", None, "0"])
            haz = random.choice([""] * 9 + [None] * 3 + ["3", "8", "2.1", "9"]) if full else ""
            cold = random.choice(["-18", "-18.0", "-20 C", "+4", "2"]) if full and box[1][2] == "R" else None
            when = datetime.fromtimestamp(random.randint(call[6], call[7]), UTC)
            direction = random.choice({"L": ["OUT"], "D": ["IN"]}.get(call[4], ["IN", "OUT"]))
            row = (box[0], call[0], direction, "F" if full else "E", gross, haz, cold, f"{when:%Y-%m-%d %H:%M}")
            moves.append(row)
    return [(n, *row) for n, row in enumerate(moves, 1)]


def _invoices(random: Random, calls: list, ships: list) -> tuple[list, list]:
    prices = {t.split("|")[0]: float(t.split("|")[3].replace(",", "")) for t in TARIFFS.splitlines()}
    by_imo, invoices, lines, serial = {s[0]: s for s in ships}, [], [], {}
    for call in (c for c in calls if c[7] and random.random() < 0.8):
        issued = datetime.fromtimestamp(call[7], UTC) + timedelta(days=random.randint(1, 20))
        serial[issued.year] = serial.get(issued.year, 0) + 1
        number = f"INV-{issued.year}-{serial[issued.year]:04d}"
        items = _items(random, call, by_imo[call[1]])
        amounts = [(code, quantity, round(prices[code] * quantity, 2)) for code, quantity in items]
        lines += [(number, n, *item) for n, item in enumerate(amounts, 1)]
        total = round(sum(a for _, _, a in amounts), 2) + (100 if random.random() < 0.01 else 0)
        days, status = random.choice([14, 30, 30, 45]), random.choice("PPPPPPOOXD")
        paid = (
            f"{issued + timedelta(days=random.randint(3, 70)):%d/%m/%Y}" if status == "P" else random.choice(["", None])
        )
        currency = random.choice(["EUR", "EUR", "EUR", "USD", "eur"])
        invoices.append((number, call[0], f"{issued:%d/%m/%Y}", days, currency, total, status, paid))
    return invoices, lines


def _items(random: Random, call: tuple, ship: tuple) -> list[tuple[str, float]]:
    tonnage = int(ship[4].replace(",", ""))
    items = [("DU01" if tonnage > 5000 else "DU02", float(tonnage)), ("PI01", 1.0)]
    items += [("PI02", 1.0)] if call[9] else []
    items += [("TW01", float(call[10]))] if call[10] else []
    extras = ["DU09", "TW02", "CG01", "CG02", "CG03", "CG05", "ST01", "ST02", "MS01", "MS02", "MS07"]
    for code in sorted(random.sample(extras, random.randint(0, 2))):
        items.append((code, float(random.randint(1, 40) * (30 if code == "CG03" else 1))))
    return items


def _incidents(random: Random, calls: list) -> list[tuple]:
    rows, kinds = [], [line.split("|") for line in INCIDENTS.splitlines()]
    came = [c for c in calls if c[7]]
    picked = sorted(random.sample(came, 46), key=lambda c: c[6])
    for number, call in enumerate(picked, 1):
        category, severity, injured, remarks = kinds[number % len(kinds)] if number <= 18 else random.choice(kinds)
        when = datetime.fromtimestamp(random.randint(call[6], call[7]), UTC)
        linked = call[0] if random.random() < 0.85 else None
        row = (f"{when:%y}/{number:03d}", f"{when:%d %b %Y %H:%M}", linked, category, int(severity), int(injured))
        rows.append((*row, random.choice(REPORTERS), remarks))
    return rows


def _particulars(connection: Connection, random: Random, ships: list) -> None:
    """The wide table: a column per line of PARTICULARS, a row for most ships, many cells empty."""
    columns = ", ".join(f"{name} {kind}" for name, kind, *_ in PARTICULARS)
    connection.execute(f"CREATE TABLE particulars (imo INTEGER PRIMARY KEY, {columns})")
    marks = ", ".join("?" * (len(PARTICULARS) + 1))
    for ship in ships[:-6]:
        values = [_particular(random, ship, rule) for _, _, _, _, rule in PARTICULARS]
        connection.execute(f"INSERT INTO particulars VALUES ({marks})", (ship[0], *values))


def _particular(random: Random, ship: tuple, rule: str) -> object:
    """Read a rule: 'CS RF: 1..9' a number for those types, '0.1*gt' a share of tonnage, 'a|b|c' one of these."""
    types, _, body = rule.rpartition(": ")
    if (types and ship[3] not in types.split()) or (random.random() < 0.05 and body[0] != "!"):
        return None
    body = body.lstrip("!")
    if ".." in body:
        low, high = (float(x) for x in body.split(".."))
        whole = "." not in body.replace("..", "")
        return random.randint(int(low), int(high)) if whole else round(random.uniform(low, high), 2)
    if body.endswith(("*gt", "*loa")):
        share, base = body.split("*")
        size = ship[5] if base == "loa" else int(ship[4].replace(",", ""))
        value = float(share) * size * random.uniform(0.93, 1.07)
        return round(value, 1) if base == "loa" else round(value)
    return random.choice(body.split("|"))


# column, type, name spelled out, what it holds (after a # what its values mean), rule
PARTICULARS = [
    ("mmsi", "TEXT", "Maritime Mobile Service Identity", "radio identity of the ship", "!210000000..677999999"),
    (
        "yard",
        "TEXT",
        "shipyard",
        "yard that built the ship",
        "Gdyna Yards|Oshibe Zosen|Hull & Tarrant|hull & tarrant|Neptunwerk",
    ),
    ("yard_no", "TEXT", "hull number", "number the yard gave the hull", "S-1044|S-2107|S-0993|H.318|h.322|7751"),
    ("hull_mat", "TEXT", "hull material", "#ST: steel, AL: aluminium, HT: high tensile steel", "ST|ST|HT|AL"),
    ("lbp", "REAL", "length between perpendiculars", "in metres", "0.94*loa"),
    ("beam", "REAL", "beam", "greatest breadth in metres", "0.155*loa"),
    ("dpth_mld", "REAL", "moulded depth", "in metres", "0.082*loa"),
    ("drft_s", "REAL", "summer draught", "in metres", "0.05*loa"),
    ("drft_w", "REAL", "winter draught", "in metres", "0.048*loa"),
    ("frbd", "INTEGER", "freeboard", "summer freeboard in millimetres", "900..5200"),
    ("air_drft", "REAL", "air draught", "height above the waterline in metres", "18.5..58.5"),
    ("nt", "INTEGER", "net tonnage", "net tonnage", "0.48*gt"),
    ("dwt", "INTEGER", "deadweight", "deadweight in tonnes", "!1.35*gt"),
    ("displ", "INTEGER", "displacement", "loaded displacement in tonnes", "1.8*gt"),
    ("lightsh", "INTEGER", "lightship weight", "weight of the empty ship in tonnes", "0.45*gt"),
    ("teu_nom", "INTEGER", "nominal TEU", "twenty-foot boxes that fit", "CS GC: 0.09*gt"),
    ("teu_14t", "INTEGER", "TEU at 14 t", "boxes of 14 tonnes that the ship may carry", "CS GC: 0.065*gt"),
    ("rf_plugs", "INTEGER", "reefer plugs", "sockets for refrigerated boxes", "CS RF GC: 10..480"),
    ("holds", "INTEGER", "cargo holds", "number of holds", "CS BC GC RF: 1..9"),
    ("hatches", "INTEGER", "hatches", "number of hatches", "CS BC GC RF: 1..12"),
    ("grain_m3", "INTEGER", "grain capacity", "in cubic metres", "BC GC: 1.7*gt"),
    ("bale_m3", "INTEGER", "bale capacity", "in cubic metres", "BC GC RF: 1.5*gt"),
    ("tank_m3", "INTEGER", "tank capacity", "cargo tanks in cubic metres", "TK LG: 1.6*gt"),
    ("segr", "INTEGER", "segregations", "grades of liquid kept apart", "TK: 2..18"),
    ("lane_m", "INTEGER", "lane metres", "length of vehicle lanes in metres", "RO: 0.08*gt"),
    ("car_cap", "INTEGER", "car capacity", "cars that fit", "RO: 0.04*gt"),
    ("ramp_t", "INTEGER", "ramp limit", "load limit of the ramp in tonnes", "RO: 40..150"),
    ("pax", "INTEGER", "passengers", "passengers that the certificate allows", "RO CR: 12..3100"),
    ("cabins", "INTEGER", "passenger cabins", "number of cabins", "RO CR: 0..1300"),
    ("crew_min", "INTEGER", "minimum safe manning", "smallest crew allowed", "!7..42"),
    ("crew_brt", "INTEGER", "crew berths", "beds for crew", "18..60"),
    ("me_make", "TEXT", "main engine maker", "", "Vulkan-Diesel|VULKAN-DIESEL|Sorrel|Takumi Heavy|Brandt & Vale"),
    ("me_cyc", "TEXT", "engine cycle", "#2S: two-stroke, 4S: four-stroke, DE: diesel-electric", "2S|2S|4S|DE"),
    ("me_kw", "INTEGER", "main engine power", "in kilowatts", "0.42*gt"),
    ("me_rpm", "INTEGER", "main engine speed", "revolutions per minute", "78..750"),
    ("me_cyl", "INTEGER", "cylinders", "number of cylinders", "5..14"),
    ("aux_n", "INTEGER", "auxiliary engines", "how many", "2..5"),
    ("aux_kw", "INTEGER", "auxiliary power", "kilowatts of each auxiliary engine", "320..2400"),
    ("prop_n", "INTEGER", "propellers", "number of propellers", "1|1|1|2"),
    ("prop_ty", "TEXT", "propeller type", "#FP: fixed pitch, CP: controllable pitch, AZ: azimuth", "FP|FP|CP|AZ"),
    ("bow_kw", "INTEGER", "bow thruster", "kilowatts", "400..3000"),
    ("stn_kw", "INTEGER", "stern thruster", "kilowatts", "RO CR DR: 300..2200"),
    ("spd_svc", "REAL", "service speed", "in knots", "!11.5..22.5"),
    ("spd_max", "REAL", "maximum speed", "in knots", "17.5..27.5"),
    (
        "fuel",
        "TEXT",
        "main fuel",
        "#HFO: heavy fuel oil, MGO: marine gas oil, LNG, MEOH: methanol",
        "!HFO|HFO|MGO|MGO|LNG|MEOH",
    ),
    ("fo_cap", "INTEGER", "fuel oil capacity", "in cubic metres", "0.07*gt"),
    ("do_cap", "INTEGER", "diesel oil capacity", "in cubic metres", "0.011*gt"),
    ("fw_cap", "INTEGER", "fresh water capacity", "in cubic metres", "60..900"),
    ("bw_cap", "INTEGER", "ballast capacity", "in cubic metres", "0.4*gt"),
    (
        "bwts",
        "TEXT",
        "ballast water treatment",
        "#UV: ultraviolet, EC: electrochlorination, NO: none fitted",
        "UV|UV|EC|NO|no",
    ),
    ("scrub", "TEXT", "exhaust scrubber", "#O: open loop, C: closed loop, H: hybrid, -: none", "O|C|H|-|-|-"),
    ("eedi", "REAL", "energy efficiency design index", "grams of CO2 per tonne-mile", "4.1..23.9"),
    ("cii", "TEXT", "carbon intensity rating", "#A (best) to E (worst)", "!A|B|C|C|D|E"),
    ("ice_cls", "TEXT", "ice class", "#1AS strongest, then 1A, 1B, 1C; empty: not strengthened", "1AS|1A|1B|1C||||"),
    ("crn_n", "INTEGER", "ship's cranes", "how many", "BC GC RF: 0..5"),
    ("crn_swl", "TEXT", "crane safe load", "safe working load of one crane", "BC GC RF: 30 t|35 t|40t|60 t|36 T"),
    ("winches", "INTEGER", "mooring winches", "how many", "4..14"),
    ("anch_t", "REAL", "anchor weight", "in tonnes", "2.1..14.9"),
    ("chain_mm", "INTEGER", "anchor chain", "diameter in millimetres", "38..114"),
    ("lifebts", "INTEGER", "lifeboats", "how many", "1..22"),
    ("rafts", "INTEGER", "life rafts", "how many", "2..40"),
    ("ais_cls", "TEXT", "AIS class", "", "A|A|A|B"),
    ("ecdis", "TEXT", "electronic charts", "#1: fitted, 0: paper charts only", "1|1|1|0"),
    (
        "last_dd",
        "TEXT",
        "last dry-docking",
        "month and year, MM-YYYY",
        "03-2019|09-2019|05-2020|11-2020|02-2021|06-2022|10-2022",
    ),
    ("p_and_i", "TEXT", "liability insurer", "", "Harbourmen Mutual|Harbourmen Mut.|Skagen Club|Meridian P&I|"),
]
DESCRIPTIONS = {
    "owners": [
        ("owner_id", "owner id", "unique number of the ship owner", "integer", ""),
        ("name", "owner name", "name under which the owner is registered", "text", "one owner may stand here twice"),
        ("country", "country", "country of the owner's seat", "text", "spelling and capitals vary"),
        ("since", "customer since", "day of the first contract", "text", "DD.MM.YYYY"),
        ("credit", "credit limit", "credit limit in EUR", "text", "with thousands commas; N/A or empty: none set"),
        (
            "rating",
            "payment rating",
            "how well the owner pays",
            "text",
            "A: always on time, B: mostly, C: late, D: cash only",
        ),
    ],
    "vessels": [
        ("imo", "IMO number", "unique number of the ship", "integer", ""),
        ("name", "vessel name", "name painted on the hull", "text", ""),
        (
            "flag",
            "flag state",
            "two letters of the flag state",
            "text",
            "LR: Liberia, PA: Panama, MH: Marshall Islands"
            ", MT: Malta, CY: Cyprus, BS: Bahamas, NO: Norway, GB: United Kingdom, PT: Portugal",
        ),
        (
            "vtype",
            "vessel type",
            "what the ship is built to carry",
            "text",
            "CS: container ship, BC: bulk carrier, TK: tanker"
            ", RO: ro-ro or ferry, GC: general cargo, RF: reefer, CR: cruise, LG: gas carrier, DR: dredger",
        ),
        ("gt", "gross tonnage", "gross tonnage", "text", "with thousands commas"),
        ("loa_m", "length over all", "in metres", "real", ""),
        ("built", "year built", "", "integer", ""),
        ("class_soc", "classification society", "", "text", "LR here is a society, not the flag"),
        ("owner_id", "owner id", "the ship's owner", "integer", ""),
    ],
    "berths": [
        ("berth_no", "berth number", "", "text", ""),
        ("quay", "quay", "part of the port", "text", "North Quay is also written north quay and N. Quay"),
        ("depth", "depth alongside", "depth at low water, with its unit", "text", ""),
        ("length_m", "length", "length of the berth in metres", "integer", ""),
        ("cranes", "shore cranes", "number of shore cranes", "integer", ""),
        ("status", "status", "", "text", "A: available, M: under maintenance, C: closed"),
    ],
    "agents": [
        ("agent_cd", "agent code", "three letters of the ship's agent", "text", ""),
        ("name", "agency", "name of the agency", "text", ""),
        ("phone", "telephone", "", "text", ""),
        ("active", "active", "whether the agency still works in the port", "text", "Y: yes, N: no"),
        ("working language", "working language", "languages spoken, separated by ;", "text", ""),
    ],
    "pilots": [
        ("lic", "licence", "licence number of the pilot", "text", ""),
        ("full_name", "full name", "", "text", "last name, first name"),
        ("grade", "grade", "", "text", "I: any ship, II and III: up to max_loa"),
        ("max_loa", "maximum length", "longest ship the pilot may take, in metres", "real", "empty: no limit"),
        ("hired", "hired", "first day at work", "text", "MM/DD/YYYY"),
        ("on_duty", "on duty", "", "text", "Y: yes, N: on leave, empty: unknown"),
    ],
    "port_calls": [
        ("call_id", "call id", "unique number of the visit", "integer", ""),
        ("imo", "IMO number", "the ship", "integer", ""),
        ("berth_no", "berth", "berth assigned", "text", ""),
        ("agent", "agent code", "code of the ship's agent", "text", ""),
        (
            "purp",
            "purpose",
            "why the ship comes",
            "text",
            "L: loading, D: discharging, B: both, R: repair or works, P: passengers",
        ),
        ("eta", "estimated time of arrival", "", "integer", "seconds since 1970-01-01 UTC"),
        ("ata", "actual time of arrival", "", "integer", "seconds since 1970-01-01 UTC; empty: the call was cancelled"),
        ("atd", "actual time of departure", "", "integer", "seconds since 1970-01-01 UTC"),
        ("pilot_in", "inward pilot", "licence of the pilot on arrival", "text", ""),
        ("pilot_out", "outward pilot", "licence of the pilot on departure", "text", "empty: sailed without pilot"),
        ("tugs", "tugs", "tugs used on arrival", "integer", ""),
        ("draft_in", "arrival draught", "draught on arrival with unit", "text", ""),
        ("order", "place in line-up", "place in that day's line-up", "integer", ""),
    ],
    "containers": [
        ("cntr_no", "container number", "", "text", ""),
        (
            "iso_type",
            "ISO type",
            "size and type",
            "text",
            "first sign 2: 20 ft, 4: 40 ft; third G: dry, R: reefer, U: open top, T: tank",
        ),
        (
            "line",
            "shipping line",
            "line that owns the box",
            "text",
            "HLX: Hanseat, LOT: Lotus, NHV: Nordhav, TLW: Tidewell, OCN: Oceanic pool",
        ),
        ("tare_kg", "tare weight", "weight of the empty box in kilograms", "integer", ""),
        ("mfd", "manufactured", "MM/YYYY", "text", ""),
    ],
    "moves": [
        ("move_id", "move id", "", "integer", ""),
        ("cntr_no", "container number", "the box that was lifted", "text", ""),
        ("call_id", "call id", "the ship's visit", "integer", ""),
        ("dir", "direction", "", "text", "IN: from ship to shore, OUT: from shore to ship"),
        ("fe", "full or empty", "", "text", "F: full, E: empty"),
        ("gross", "gross weight", "weighed, with unit", "text", "e.g. 24,310 kg; 0 or empty when not weighed"),
        (
            "haz",
            "dangerous goods class",
            "",
            "text",
            "2.1: flammable gas, 3: flammable liquid, 8: corrosive, 9: other; empty: harmless",
        ),
        ("temp_c", "set temperature", "of a reefer, in degrees Celsius", "text", "as typed, e.g. -18, -20 C, +4"),
        ("moved_at", "moved at", "", "text", "YYYY-MM-DD HH:MM"),
    ],
    "tariffs": [
        ("tar_cd", "tariff code", "", "text", ""),
        ("group", "tariff group", "", "text", ""),
        ("label", "label", "what is charged", "text", ""),
        ("unit price", "unit price", "price per unit in EUR", "text", "with thousands commas"),
        ("unit", "unit", "what the quantity counts", "text", ""),
        ("valid_from", "valid from", "", "integer", "YYYYMMDD"),
    ],
    "invoices": [
        ("inv_no", "invoice number", "", "text", "INV-year-number"),
        ("call_id", "call id", "the visit that is billed", "integer", ""),
        ("issued", "issued", "day of the invoice", "text", "DD/MM/YYYY"),
        ("due_days", "days to pay", "", "integer", ""),
        ("cur", "currency", "", "text", "EUR (also eur) or USD"),
        ("total", "total", "total in the invoice's currency", "real", "should be the sum of the lines"),
        ("stat", "status", "", "text", "P: paid, O: open, D: disputed, X: cancelled"),
        ("paid_on", "paid on", "", "text", "DD/MM/YYYY; empty: not paid"),
    ],
    "incidents": [
        ("inc_no", "incident number", "", "text", "YY/number"),
        ("happened", "happened", "", "text", "DD Mon YYYY HH:MM"),
        ("call_id", "call id", "the visit concerned", "integer", "empty: no ship involved"),
        ("cat", "category", "", "text", "SP: spill, CO: contact, FI: fire, ME: mechanical, IN: injury, SE: security"),
        ("sev", "severity", "", "integer", "1 (minor) to 4 (major)"),
        ("injured", "injured", "people hurt", "integer", ""),
        ("reported_by", "reported by", "", "text", "VTS: vessel traffic service"),
        ("remarks", "remarks", "free text", "text", ""),
    ],
    "turnaround": [
        ("call_id", "call id", "a finished visit", "integer", ""),
        ("imo", "IMO number", "the ship", "integer", ""),
        ("berth_no", "berth", "", "text", ""),
        ("late_h", "hours late", "arrival after the estimate, negative when early", "real", ""),
        ("alongside_h", "hours alongside", "from arrival to departure", "real", ""),
    ],
    "particulars": [
        ("imo", "IMO number", "the ship", "integer", ""),
        *(
            (name, long, text.split("#")[0] or long, kind.lower(), text.partition("#")[2])
            for name, kind, long, text, _ in PARTICULARS
        ),
    ],
}

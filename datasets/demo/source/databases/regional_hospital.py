"""A regional hospital: patients, stays, diagnoses, laboratory, invoices and a survey of 62 columns."""

# One row of data stays on one line, however long.
# ruff: noqa: E501, SIM905
# fmt: off

import random
import sqlite3
from datetime import datetime, timedelta

DB_ID = "regional_hospital"
SPLIT = "dev"

SCHEMA = """
CREATE TABLE patient (
  patient_id INTEGER PRIMARY KEY, mrn TEXT NOT NULL, last_name TEXT, first_name TEXT, sex TEXT, dob TEXT,
  blood TEXT, ins TEXT, town TEXT, phone TEXT, reg_ts INTEGER);
CREATE TABLE ward (
  ward_code TEXT PRIMARY KEY, ward_name TEXT, bldg TEXT, floor INTEGER, beds INTEGER, `Head Nurse` INTEGER);
CREATE TABLE staff (
  staff_id INTEGER PRIMARY KEY, full_name TEXT, role TEXT, spec TEXT, ward TEXT, hired TEXT, salary TEXT,
  active TEXT);
CREATE TABLE admission (
  adm_id INTEGER PRIMARY KEY, patient_id INTEGER, ward_code TEXT, attending INTEGER, adm_dt TEXT, dis_dt TEXT,
  adm_type INTEGER, triage INTEGER, referrer TEXT, outcome TEXT,
  FOREIGN KEY (patient_id) REFERENCES patient (patient_id));
CREATE TABLE icd (code TEXT PRIMARY KEY, title TEXT, `group` TEXT, chronic INTEGER);
CREATE TABLE diagnosis (
  adm_id INTEGER, seq INTEGER, icd_code TEXT, poa TEXT, PRIMARY KEY (adm_id, seq),
  FOREIGN KEY (adm_id) REFERENCES admission (adm_id));
CREATE TABLE lab_test (
  test_code TEXT PRIMARY KEY, test_name TEXT, unit TEXT, ref_low REAL, ref_high REAL, specimen TEXT);
CREATE TABLE lab_result (
  result_id INTEGER PRIMARY KEY, adm_id INTEGER, test TEXT, collected TEXT, value TEXT, flag TEXT);
CREATE TABLE invoice (
  `Invoice No` TEXT PRIMARY KEY, adm_id INTEGER, `Issued On` TEXT, `Total Amount` TEXT, payer TEXT, paid TEXT,
  paid_ts INTEGER);
CREATE VIEW current_inpatients AS
  SELECT a.adm_id, a.ward_code, a.adm_dt, p.mrn, p.last_name, p.first_name
  FROM admission AS a JOIN patient AS p ON p.patient_id = a.patient_id
  WHERE a.dis_dt IS NULL OR a.dis_dt = '';
"""

FIRST_NAMES = {
    "F": "Amina Beatriz Chloé Dorota Emine Fatou Greta Hana Ines Jasmin Katarzyna Lucía Maren Ngozi Olena Priya "
    "Rosa Sofie Tereza Ulla Vesna Wanjiru Yara Zuzanna Edith Mathilde Noor Leila Birgit Ana".split(),
    "M": "Ahmed Bruno Callum Dmitri Emeka Farid Gustav Hugo Igor João Karim Lars Mateo Niklas Oskar Pavel Quentin "
    "Rafael Said Tomás Umut Viktor Walter Yusuf Zoltán Björn Henrik Ivan Jonas Marek".split(),
}
LAST_NAMES = (
    "Adeyemi Bauer Castillo Dąbrowski Eriksen Fernandes Görgün Haddad Ivanova Jensen Kowalczyk Lindqvist Moreau "
    "Nguyen O'Brien Petrov Quist Rossi Szabó Tanaka Ueda Vogel Wójcik Yilmaz Zimmermann Almeida Brandt Costa "
    "Demir El-Sayed Fischer Gruber Horvat Islam Jovanović Keller Laurent Meyer Novak Okafor Park Rahman Santos "
    "Tóth Virtanen Weber Xu Young Zeman MacLeod"
).split()
TOWNS = [
    "Altenbrück", "Eastmere", "Kirchfeld", "Port Avel", "Sandholm", "Vallonia", "Westerwick", "Noorddam",
]
REFERRERS = [
    "St. Mary Clinic", "St Mary Clinic", "ST MARY CLINIC", "Lakeside Practice", "Lakeside practice ",
    "Dr. Hollis & Partners", "Harbour Health Centre", "Harbour Health Ctr", "Self", "self", "Ambulance", "", None,
]
WARDS = [
    ("CARD", "Cardiology", "A", 3, 24), ("CCU", "Coronary Care Unit", "A", 3, 8),
    ("ER", "Emergency Department", "A", 0, 18), ("GER", "Geriatrics", "C", 2, 28),
    ("ICU", "Intensive Care Unit", "A", 1, 12), ("MAT", "Maternity", "B", 2, 20),
    ("MED1", "General Medicine North", "B", 3, 30), ("MED2", "General Medicine South", "B", 4, 30),
    ("NEU", "Neurology", "C", 1, 16), ("ONC", "Oncology", "C", 3, 18), ("ORT", "Orthopaedics", "B", 1, 26),
    ("PED", "Paediatrics", "B", 0, 22), ("SURG", "General Surgery", "A", 2, 32),
    ("REHA", "Rehabilitation (closed 2022)", "C", 0, 0),
]
ICD = [
    ("I21.9", "Acute myocardial infarction, unspecified", "circulatory", 0, "CARD CCU"),
    ("I10", "Essential (primary) hypertension", "circulatory", 1, "CARD MED1 MED2 GER"),
    ("I50.9", "Heart failure, unspecified", "circulatory", 1, "CARD CCU GER"),
    ("I48.9", "Atrial fibrillation and atrial flutter", "circulatory", 1, "CARD MED1"),
    ("I63.9", "Cerebral infarction, unspecified", "circulatory", 0, "NEU ICU"),
    ("G40.9", "Epilepsy, unspecified", "nervous", 1, "NEU PED"),
    ("G43.9", "Migraine, unspecified", "nervous", 1, "NEU ER"),
    ("E11.9", "Type 2 diabetes mellitus without complications", "endocrine", 1, "MED1 MED2 GER"),
    ("E10.1", "Type 1 diabetes mellitus with ketoacidosis", "endocrine", 1, "ICU PED"),
    ("E86", "Volume depletion", "endocrine", 0, "GER ER PED"),
    ("J18.9", "Pneumonia, unspecified organism", "respiratory", 0, "MED1 MED2 ICU PED GER"),
    ("J44.1", "COPD with acute exacerbation", "respiratory", 1, "MED1 MED2"),
    ("J45.9", "Asthma, unspecified", "respiratory", 1, "PED ER"),
    ("K35.8", "Acute appendicitis", "digestive", 0, "SURG PED"),
    ("K80.2", "Calculus of gallbladder without cholecystitis", "digestive", 0, "SURG"),
    ("K52.9", "Noninfective gastroenteritis and colitis", "digestive", 0, "MED2 ER PED"),
    ("S72.0", "Fracture of neck of femur", "injury", 0, "ORT"),
    ("S52.5", "Fracture of lower end of radius", "injury", 0, "ORT ER"),
    ("S06.0", "Concussion", "injury", 0, "ER NEU"),
    ("M17.1", "Primary osteoarthritis of knee", "musculoskeletal", 1, "ORT"),
    ("C34.9", "Malignant neoplasm of bronchus or lung", "neoplasm", 1, "ONC"),
    ("C50.9", "Malignant neoplasm of breast", "neoplasm", 1, "ONC"),
    ("C18.9", "Malignant neoplasm of colon", "neoplasm", 1, "ONC SURG"),
    ("O80", "Single spontaneous delivery", "pregnancy", 0, "MAT"),
    ("O82", "Delivery by caesarean section", "pregnancy", 0, "MAT"),
    ("O14.9", "Pre-eclampsia, unspecified", "pregnancy", 0, "MAT"),
    ("A41.9", "Sepsis, unspecified organism", "infection", 0, "ICU MED1"),
    ("A09", "Infectious gastroenteritis and colitis", "infection", 0, "PED MED2"),
    ("N39.0", "Urinary tract infection, site not specified", "genitourinary", 0, "GER MED1"),
    ("N18.3", "Chronic kidney disease, stage 3", "genitourinary", 1, "GER MED2"),
    ("T78.2", "Anaphylactic shock, unspecified", "injury", 0, "ER"),
    ("Z51.1", "Chemotherapy session for neoplasm", "factors", 0, "ONC"),
]
LAB_TESTS = [
    ("K", "Potassium", "mmol/L", 3.5, 5.1, "S"), ("NA", "Sodium", "mmol/L", 136, 145, "S"),
    ("CREA", "Creatinine", "umol/L", 45, 104, "S"), ("HB", "Haemoglobin", "g/L", 120, 170, "B"),
    ("WBC", "White cell count", "10^9/L", 4.0, 10.5, "B"), ("PLT", "Platelets", "10^9/L", 150, 400, "B"),
    ("CRP", "C-reactive protein", "mg/L", None, 5.0, "S"), ("GLU", "Glucose", "mmol/L", 3.9, 6.1, "P"),
    ("A1C", "Haemoglobin A1c", "%", 4.0, 6.0, "B"), ("TROP", "Troponin T", "ng/L", None, 14, "S"),
    ("LAC", "Lactate", "mmol/L", 0.5, 2.0, "P"), ("UCUL", "Urine culture", None, None, None, "U"),
    ("FERR", "Ferritin", "ug/L", 15, 300, "S"),
]
SURVEY = [
    "How easy was it to find the hospital by car or public transport", "How clear the signs inside were",
    "Waiting time at registration", "Friendliness of the registration desk", "Privacy at registration",
    "Waiting time before a bed was ready", "How well the admission process was explained",
    "Nurses listened carefully", "Nurses explained things in a way that could be understood",
    "Nurses came quickly after the call button was pressed", "Nurses treated the patient with respect",
    "Trust in the nurses", "Enough nurses on duty at night", "Enough nurses on duty by day",
    "Doctors listened carefully", "Doctors explained things in a way that could be understood",
    "Doctors treated the patient with respect", "Trust in the doctors", "Doctors agreed with each other",
    "The patient had a say in decisions about treatment", "Family was involved enough",
    "Risks of the treatment were explained", "Questions before the operation were answered",
    "What the anaesthetist said was clear", "Result of the operation was explained",
    "Pain was controlled well", "Help came quickly when there was pain", "New medicines were explained",
    "Side effects were explained", "Help to reach the bathroom came in time", "Cleanliness of the room",
    "Cleanliness of the bathroom", "Quiet at night", "Temperature of the room", "Comfort of the bed",
    "Taste of the meals", "Choice of meals", "Temperature of the meals", "Diet needs were met",
    "Television and internet", "Visiting hours", "Safety of belongings", "Privacy during examinations",
    "Staff washed their hands", "Name bands were checked", "Physiotherapy", "Social services",
    "Spiritual care", "Interpreter service", "Discharge was planned early enough",
    "Discharge letter was clear", "Medicines at home were explained", "Knew whom to call after discharge",
    "Help at home was arranged", "Would recommend the hospital", "Overall rating of the stay",
]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def build(connection: sqlite3.Connection, random: random.Random) -> None:
    """Make the tables and fill them."""
    questions = ", ".join(f"q{n:02d} INTEGER" for n in range(1, len(SURVEY) + 1))
    connection.executescript(SCHEMA)
    connection.execute(
        f"CREATE TABLE survey (survey_id INTEGER PRIMARY KEY, adm_id INTEGER, rcvd TEXT, mode TEXT, lang TEXT, {questions}, comment TEXT)"
    )
    patients = make_patients(random)
    staff = make_staff(random)
    heads = {
        ward: person[0] for person in reversed(staff) if person[2] == "RN" for ward in [person[4].strip()]
    }
    admissions = make_admissions(random, patients, staff)
    insert(connection, "patient", patients)
    insert(connection, "staff", staff)
    insert(connection, "ward", [(*ward, heads.get(ward[0])) for ward in WARDS])
    insert(connection, "admission", admissions)
    insert(connection, "icd", [row[:4] for row in ICD])
    insert(connection, "diagnosis", make_diagnoses(random, admissions))
    insert(connection, "lab_test", LAB_TESTS)
    insert(connection, "lab_result", make_lab_results(random, admissions))
    insert(connection, "invoice", make_invoices(random, admissions, patients))
    insert(connection, "survey", make_surveys(random, admissions))


def insert(connection: sqlite3.Connection, table: str, rows: list[tuple]) -> None:
    """Insert rows that all have the table's width."""
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def make_patients(random: random.Random) -> list[tuple]:
    """320 patients; dates of birth as DD/MM/YYYY, registration as epoch seconds."""
    rows = []
    for number in range(1, 321):
        sex = random.choice("FFFMMM")
        born = datetime(1931, 1, 1) + timedelta(days=random.randrange(33_500))
        registered = max(datetime(2015, 1, 1), born) + timedelta(
            days=random.randrange(400), minutes=random.randrange(1440)
        )
        last = random.choice(LAST_NAMES)
        rows.append((
            number, f"RH-{10_000 + number * 7:06d}", last.upper() if random.random() < 0.06 else last,
            random.choice(FIRST_NAMES[sex]), random.choice([sex] * 30 + [sex.lower(), "X", ""]),
            f"{born:%d/%m/%Y}", random.choice(["A+", "A+", "A+", "O+", "O+", "O+", "B+", "AB+", "A-", "O-", "B-", "a+", "", None]),
            random.choice(["PUB"] * 6 + ["PRV", "PRV", "SLF", "EU", None]), random.choice([*TOWNS, *TOWNS[:3]]),
            random.choice([None, "", f"0{random.randrange(20, 99)} {random.randrange(100, 999)} {random.randrange(1000, 9999)}"]),
            int((registered - datetime(1970, 1, 1)).total_seconds()),
        ))
    return rows


def make_staff(random: random.Random) -> list[tuple]:
    """78 employees; `ward` names a ward without a declared key and sometimes carries a trailing space."""
    rows = []
    for number in range(1, 79):
        role = random.choice(["RN", "RN", "RN", "RN", "MD", "MD", "MD", "HCA", "PT", "ADM", "LAB"])
        ward = WARDS[number % 13][0]
        spec = {"CARD": "cardiology", "CCU": "cardiology", "SURG": "surgery", "MAT": "obstetrics", "PED": "paediatrics",
                "NEU": "neurology", "ONC": "oncology", "ORT": "orthopaedics"}.get(ward, "internal medicine")
        hired = datetime(1998, 1, 1) + timedelta(days=random.randrange(9400))
        low, high = {"MD": (71, 142), "RN": (38, 58), "HCA": (26, 34)}.get(role, (32, 52))
        name = f"{random.choice(LAST_NAMES)}, {random.choice(FIRST_NAMES[random.choice('FM')])}"
        rows.append((
            900 + number, name, role, spec if role == "MD" else None, ward + random.choice(["", "", "", " "]),
            f"{hired:%d.%m.%Y}", f"EUR {random.randrange(low * 10, high * 10) * 100:,}",
            random.choice(["Y"] * 8 + ["N", "y", ""]),
        ))
    return rows


def make_admissions(random: random.Random, patients: list[tuple], staff: list[tuple]) -> list[tuple]:
    """640 stays in 2022-2024; the last ones have no discharge (NULL or '')."""
    doctors = [person[0] for person in staff if person[2] == "MD"]
    rows = []
    start = datetime(2022, 1, 3, 6)
    for number in range(640):
        start += timedelta(minutes=random.randrange(60, 4600))
        patient = random.choice(patients)
        ward = random.choice([w[0] for w in WARDS[:13]] + ["MED1", "SURG", "ER", "ER"])
        if patient[4] in ("F", "f") and 1978 <= int(patient[5][-4:]) <= 2003 and random.random() < 0.3:
            ward = "MAT"
        ward = suitable_ward(ward, patient)
        stay = timedelta(
            minutes=random.randrange(200, 1500) if ward == "ER" else random.randrange(1100, 19_000)
        )
        kind = 4 if ward == "MAT" else 1 if ward == "ER" else random.choice([1, 1, 2, 2, 2, 3])
        left = f"{start + stay:%Y-%m-%d %H:%M}" if number < 618 else random.choice([None, ""])
        outcome = random.choice(["H"] * 14 + ["T", "T", "AMA", "D"]) if left else None
        rows.append((
            50_001 + number, patient[0], ward, random.choice(doctors) if random.random() < 0.95 else None,
            f"{start:%Y-%m-%d %H:%M}", left, kind, random.choice([1, 2, 2, 3, 3, 3, 4, 5, None]) if kind == 1 else None,
            random.choice(REFERRERS), outcome,
        ))
    return rows


def suitable_ward(ward: str, patient: tuple) -> str:
    """The ward itself, or another one where it does not take patients of this age or sex."""
    born = int(patient[5][-4:])
    if born >= 2006:
        return ward if ward in ("ER", "ICU", "SURG", "ORT") else "PED"
    if ward == "MAT" and (patient[4] not in ("F", "f") or born < 1978):
        return "SURG"
    if ward == "PED" or (ward == "GER" and born > 1960):
        return "MED1" if ward == "PED" else "MED2"
    return ward


def make_diagnoses(random: random.Random, admissions: list[tuple]) -> list[tuple]:
    """One to four diagnoses a stay; the first one suits the ward."""
    rows = []
    for stay in admissions:
        fitting = [row[0] for row in ICD if stay[2] in row[4].split()]
        others = random.sample(
            ["I10", "E11.9", "N18.3", "J44.1", "I48.9", "N39.0", "E86", "J18.9"],
            random.choice([0, 0, 1, 1, 2, 3]),
        )
        first = random.choice(fitting)
        codes = [first, *(code for code in others if code != first)]
        rows += [
            (stay[0], n, code, "Y" if n == 1 else random.choice(["Y", "Y", "N", "U", ""]))
            for n, code in enumerate(codes, 1)
        ]
    return rows


def make_lab_results(random: random.Random, admissions: list[tuple]) -> list[tuple]:
    """1,500 results; the value is text: a number, '<' with a limit, a number with a comma, or a word."""
    rows = []
    while len(rows) < 1500:
        stay, test = random.choice(admissions), random.choice(LAB_TESTS)
        day = datetime.strptime(stay[4], "%Y-%m-%d %H:%M") + timedelta(days=random.choice([0, 0, 0, 1, 2]))
        rows.append((700_000 + len(rows), stay[0], test[0], f"{day:%Y%m%d}", *lab_value(random, test)))
    return rows


def lab_value(random: random.Random, test: tuple) -> tuple[str | None, str | None]:
    """A result as the analyser prints it, and its flag."""
    code, low, high = test[0], test[3] or 0.0, test[4]
    if high is None:
        return random.choice(
            ["no growth", "no growth", "No growth", "E. coli", "K. pneumoniae", "contaminated"]
        ), None
    chance = random.random()
    if chance < 0.03:
        return random.choice(["hemolyzed", "HEMOLYZED", "", None]), None
    if low == 0 and chance < 0.25:
        return ("<0.6" if code == "CRP" else "<3"), "N"
    number = (
        random.uniform(low, high)
        if chance < 0.62
        else high * random.uniform(1.02, 2.4)
        if chance < 0.87
        else low * random.uniform(0.5, 0.98)
    )
    if code == "NA":
        number = random.gauss(139, 5)
    flag = "HH" if number > 2 * high else "H" if number > high else "L" if number < low else "N"
    if code == "FERR" and flag == "HH":
        number *= 2
    return (f"{number:,.0f}" if high > 100 else f"{number:.1f}"), random.choice([flag] * 19 + [None])


def make_invoices(random: random.Random, admissions: list[tuple], patients: list[tuple]) -> list[tuple]:
    """An invoice for most closed stays; the amount is text with a currency and commas, the date like 'Mar 5, 2023'."""
    insurance = {patient[0]: patient[7] for patient in patients}
    rows = []
    for stay in admissions:
        if not stay[5] or random.random() < 0.1:
            continue
        left = datetime.strptime(stay[5], "%Y-%m-%d %H:%M")
        nights = (left.date() - datetime.strptime(stay[4], "%Y-%m-%d %H:%M").date()).days
        issued = left + timedelta(days=random.randrange(2, 30))
        amount = 180 + nights * random.randrange(420, 900) + random.randrange(0, 99_00) / 100
        paid = random.choice(["Y", "Y", "Y", "Y", "N", "P"])
        paid_at = int(
            (issued + timedelta(days=random.randrange(3, 90)) - datetime(1970, 1, 1)).total_seconds()
        )
        payer = insurance[stay[1]] or random.choice(["SLF", None])
        rows.append((
            f"{issued:%Y}/{len(rows) + 1:04d}", stay[0], f"{MONTHS[issued.month - 1]} {issued.day}, {issued.year}",
            f"EUR {amount:,.2f}", payer, paid, paid_at if paid == "Y" else None,
        ))
    return rows


def make_surveys(random: random.Random, admissions: list[tuple]) -> list[tuple]:
    """210 answered surveys; 1 (worst) to 5 (best), 9 = does not apply, NULL = left blank."""
    comments = [None, None, None, "", "Thank you all!", "too noisy", "Food was cold.", "food was cold", "parking is a nightmare",
                "Nurse on night shift was wonderful", "Waited 5 hours in the ER", "merci beaucoup", "n/a", "N/A"]
    closed = [stay for stay in admissions if stay[5] and stay[9] != "D"]
    rows = []
    for number, stay in enumerate(sorted(random.sample(closed, 210)), 1):
        mood = random.choice([2, 3, 4, 4, 5])
        received = datetime.strptime(stay[5], "%Y-%m-%d %H:%M") + timedelta(days=random.randrange(5, 60))
        answers = [
            random.choice([None, 9, *[min(5, max(1, mood + random.choice([-1, 0, 0, 1])))] * 18])
            for _ in SURVEY
        ]
        rows.append((
            number, stay[0], f"{received:%d-%m-%y}", random.choice(["P", "P", "W", "W", "W", "T"]),
            random.choice(["en", "en", "en", "de", "DE", "fr", "tr", ""]), *answers, random.choice(comments),
        ))
    return rows


ENCODINGS = {"ward": "cp1252", "patient": "utf-8-sig"}  # and `icd` has no CSV at all

DESCRIPTIONS = {
    "patient": [
        ("patient_id", "patient id", "internal number of the patient", "integer", ""),
        ("mrn", "medical record number", "number printed on the patient's card", "text", "RH- and six digits"),
        ("last_name", "last name", "family name", "text", "older records are in capitals"),
        ("first_name", "first name", "given name", "text", ""),
        ("sex", "sex", "sex as registered", "text", "F: female\nM: male\nX: other\nempty: not recorded; a few are in lower case"),
        ("dob", "date of birth", "date of birth", "text", "DD/MM/YYYY"),
        ("blood", "blood group", "ABO group and rhesus factor", "text", "e.g. A+, O-; empty or NULL when not tested"),
        ("ins", "insurance", "who pays for the patient", "text", "PUB: public insurance\nPRV: private insurance\nSLF: self-payer\nEU: European health card"),
        ("town", "town", "town of residence", "text", ""),
        ("phone", "phone", "phone number", "text", ""),
        ("reg_ts", "registration time", "when the patient was first registered", "integer", "Unix epoch, seconds, UTC"),
    ],
    "ward": [
        ("ward_code", "ward code", "short code of the ward", "text", "‘ER’ is the emergency department"),
        ("ward_name", "ward name", "full name of the ward", "text", ""),
        ("bldg", "building", "building – A, B or C", "text", "A: main building – B: “new” wing – C: park pavilion"),
        ("floor", "floor", "floor; 0 is the ground floor", "integer", ""),
        ("beds", "beds", "number of staffed beds", "integer", "0 – closed"),
        ("Head Nurse", "head nurse", "the ward’s head nurse", "integer", "staff_id of table staff"),
    ],
    "staff": [
        ("staff_id", "staff id", "number of the employee", "integer", ""),
        ("full_name", "full name", "'Last, First'", "text", ""),
        ("role", "role", "profession", "text", "RN: registered nurse\nMD: physician\nHCA: health care assistant\nPT: physiotherapist\nADM: administration\nLAB: laboratory technician"),
        ("spec", "specialty", "specialty of a physician", "text", "NULL for others"),
        ("ward", "ward", "ward where the person works", "text", "ward_code of table ward; may carry a trailing space"),
        ("hired", "hired", "first day of work", "text", "DD.MM.YYYY"),
        ("salary", "salary", "yearly gross salary", "text", "'EUR ' and a number with commas for thousands"),
        ("active", "active", "still employed?", "text", "Y / N; some y; empty: unknown"),
    ],
    "admission": [
        ("adm_id", "admission id", "number of the stay", "integer", ""),
        ("patient_id", "patient id", "the patient", "integer", ""),
        ("ward_code", "ward code", "ward of the stay", "text", "see table ward"),
        ("attending", "attending physician", "physician responsible for the stay", "integer", "staff_id of table staff"),
        ("adm_dt", "admission time", "when the patient was admitted", "text", "YYYY-MM-DD HH:MM"),
        ("dis_dt", "discharge time", "when the patient left", "text", "YYYY-MM-DD HH:MM; NULL or empty: still in the hospital"),
        ("adm_type", "admission type", "how the stay began", "integer", "1: emergency\n2: elective (planned)\n3: transfer from another hospital\n4: maternity"),
        ("triage", "triage level", "urgency given at the door, emergencies only", "integer", "1: immediate\n2: very urgent\n3: urgent\n4: standard\n5: non-urgent"),
        ("referrer", "referrer", "who sent the patient", "text", "typed by hand: the same practice is spelled in several ways"),
        ("outcome", "outcome", "how the stay ended", "text", "H: discharged home\nT: transferred to another hospital\nAMA: left against medical advice\nD: died\nNULL: still in"),
    ],
    "diagnosis": [
        ("adm_id", "admission id", "the stay", "integer", ""),
        ("seq", "sequence", "position of the diagnosis in the stay", "integer", "1: principal diagnosis; 2 and more: secondary"),
        ("icd_code", "icd code", "ICD-10 code", "text", "code of table icd"),
        ("poa", "present on admission", "was it there when the patient came?", "text", "Y: yes\nN: no (acquired in hospital)\nU or empty: unknown"),
    ],
    "lab_test": [
        ("test_code", "test code", "short code of the test", "text", ""),
        ("test_name", "test name", "name of the test", "text", ""),
        ("unit", "unit", "unit of the result", "text", ""),
        ("ref_low", "reference low", "lower limit of the normal range", "real", ""),
        ("ref_high", "reference high", "upper limit of the normal range", "real", ""),
        ("specimen", "specimen", "what is analysed", "text", "S: serum\nB: whole blood\nP: plasma\nU: urine"),
    ],
    "lab_result": [
        ("result_id", "result id", "number of the result", "integer", ""),
        ("adm_id", "admission id", "stay during which the sample was taken", "integer", ""),
        ("test", "test", "which test", "text", "test_code of table lab_test"),
        ("collected", "collected", "day on which the sample was taken", "text", "YYYYMMDD"),
        ("value", "value", "result as printed by the analyser", "text", "a number (commas for thousands), '<' and a limit, or a word such as hemolyzed (sample unusable)"),
        ("flag", "flag", "comparison with the normal range", "text", "L: low, N: normal, H: high, HH: critically high, NULL: not judged"),
    ],
    "invoice": [
        ("Invoice No", "invoice number", "year and running number", "text", "YYYY/NNNN"),
        ("adm_id", "admission id", "the stay that is charged", "integer", ""),
        ("Issued On", "issue date", "day on the invoice", "text", "e.g. Mar 5, 2023"),
        ("Total Amount", "total amount", "sum of the invoice", "text", "'EUR ' and a number with commas for thousands"),
        ("payer", "payer", "who pays", "text", "codes as in patient.ins"),
        ("paid", "paid", "has it been paid?", "text", "Y: paid in full\nP: paid in part\nN: open"),
        ("paid_ts", "paid at", "time of the full payment", "integer", "Unix epoch, seconds, UTC"),
    ],
    "survey": [
        ("survey_id", "survey id", "number of the questionnaire", "integer", ""),
        ("adm_id", "admission id", "the stay that is rated", "integer", ""),
        ("rcvd", "received", "day on which the answer came", "text", "DD-MM-YY"),
        ("mode", "mode", "how the patient answered", "text", "P: paper\nW: web\nT: telephone"),
        ("lang", "language", "language of the questionnaire", "text", "ISO 639-1 code"),
        *[(f"q{n:02d}", f"question {n}", text, "integer", "1 (worst) to 5 (best); 9: does not apply; NULL: left blank") for n, text in enumerate(SURVEY, 1)],
        ("comment", "comment", "free text of the patient", "text", ""),
    ],
}

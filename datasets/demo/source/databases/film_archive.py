"""A film archive: films and people under names in three scripts, prints in vaults, screenings, loans, restorations."""

# One row of data stays on one line, however long.
# ruff: noqa: E501
# fmt: off

import random
import sqlite3
from datetime import datetime, timedelta

DB_ID = "film_archive"
SPLIT = "dev"

SCHEMA = """
CREATE TABLE country (cc TEXT PRIMARY KEY, name TEXT, dissolved INTEGER);
CREATE TABLE film (
  film_id INTEGER PRIMARY KEY, title TEXT NOT NULL, title_latin TEXT, title_en TEXT, year TEXT, cc TEXT, lang TEXT,
  runtime TEXT, colour TEXT, sound TEXT, genre TEXT, `cast` TEXT);
CREATE TABLE person (
  person_id INTEGER PRIMARY KEY, name TEXT, name_latin TEXT, born TEXT, died TEXT, nat TEXT);
CREATE TABLE credit (film_id INTEGER, person_id INTEGER, role TEXT, billing INTEGER, `character name` TEXT);
CREATE TABLE vault (vault_id TEXT PRIMARY KEY, name TEXT, temp_c REAL, rh INTEGER, shelves INTEGER);
CREATE TABLE donor (donor_id INTEGER PRIMARY KEY, donor TEXT, kind TEXT, city TEXT);
CREATE TABLE print (
  print_id TEXT PRIMARY KEY, film_id INTEGER, gauge TEXT, base TEXT, elem TEXT, reels INTEGER, length TEXT,
  cond TEXT, shelf TEXT, donor INTEGER, acq_ts INTEGER, FOREIGN KEY (film_id) REFERENCES film (film_id));
CREATE TABLE screening (
  scr_id INTEGER PRIMARY KEY, print_id TEXT, `date` TEXT, `time` TEXT, venue TEXT, tickets INTEGER, price TEXT,
  FOREIGN KEY (print_id) REFERENCES print (print_id));
CREATE TABLE loan (
  loan_id INTEGER PRIMARY KEY, print_id TEXT, borrower TEXT, cc TEXT, out_date TEXT, due_date TEXT,
  back_date TEXT, fee TEXT);
CREATE TABLE restoration (
  project TEXT PRIMARY KEY, film_id INTEGER, `start` TEXT, `end` TEXT, lab TEXT, cost TEXT, status TEXT);
CREATE VIEW nitrate_prints AS
  SELECT p.print_id, f.title, f.year, p.cond, p.shelf FROM print AS p JOIN film AS f ON f.film_id = p.film_id
  WHERE p.base = 'N';
"""

COUNTRIES = [
    ("SU", "Soviet Union", 1991), ("JP", "Japan", None), ("FR", "France", None), ("DE", "Germany", None),
    ("GB", "United Kingdom", None), ("US", "United States", None), ("IT", "Italy", None), ("YU", "Yugoslavia", 1992),
    ("BG", "Bulgaria", None), ("CS", "Czechoslovakia", 1992), ("SE", "Sweden", None), ("BR", "Brazil", None),
    ("RU", "Russia", None), ("UA", "Ukraine", None),
]
# title | Latin transcription | English title, one line a film
CYRILLIC = """Ночной трамвай|Nochnoy tramvay|The Night Tram
Белый пароход|Bely parokhod|The White Steamer
Дорога в степь|Doroga v step|Road to the Steppe
Письмо из Одессы|Pismo iz Odessy|A Letter from Odessa
Последний снег|Posledniy sneg|The Last Snow
Хлеб и звёзды|Khleb i zvyozdy|Bread and Stars
Мост через Волгу|Most cherez Volgu|The Bridge over the Volga
Тихая гавань|Tikhaya gavan|Quiet Harbour
Сестра машиниста|Sestra mashinista|The Engine Driver's Sister
Соловьиная роща|Solovinaya roshcha|Nightingale Grove
Часовщик|Chasovshchik|The Watchmaker
Осенний вальс|Osenniy vals|Autumn Waltz
Ключи от города|Klyuchi ot goroda|Keys to the City
Лётчик Громов|Lyotchik Gromov|Gromov the Pilot
Степная песня|Stepnaya pesnya|Song of the Steppe
Дом на окраине|Dom na okraine|The House on the Outskirts
Красная мельница|Krasnaya melnitsa|The Red Mill
Зимний поезд|Zimniy poyezd|Winter Train
Голубь мира|Golub mira|
Апрельский дождь|Aprelskiy dozhd|April Rain
Кузница|Kuznitsa|The Smithy
Рыбаки Севера|Rybaki Severa|Fishermen of the North
Учительница танцев|Uchitelnitsa tantsev|The Dance Teacher
Фонарь|Fonar|The Lantern
Шахтёры|Shakhtyory|The Miners
Эхо в горах|Ekho v gorakh|Echo in the Mountains
Юность Анны|Yunost Anny|Anna's Youth
Яблоневый сад|Yablonevy sad|The Apple Orchard
Мелница край реката|Melnitsa kray rekata|The Mill by the River
Пътят към морето|Patyat kam moreto|The Way to the Sea
Двоје на мосту|Dvoje na mostu|Two on the Bridge
Зимско писмо|Zimsko pismo|Winter Letter"""
JAPANESE = """夜の灯台|Yoru no tōdai|The Lighthouse at Night
雨の駅|Ame no eki|Station in the Rain
桜の下で|Sakura no shita de|Under the Cherry Trees
白い橋|Shiroi hashi|The White Bridge
父の手紙|Chichi no tegami|Father's Letter
東京の朝|Tōkyō no asa|Tokyo Morning
秋の風|Aki no kaze|Autumn Wind
港町物語|Minatomachi monogatari|Tale of a Harbour Town
最後の雪|Saigo no yuki|The Last Snow
月と猫|Tsuki to neko|The Moon and the Cat
鉄道員の娘|Tetsudōin no musume|The Railwayman's Daughter
川の流れ|Kawa no nagare|The Flow of the River
静かな家|Shizuka na ie|The Quiet House
侍の影|Samurai no kage|Shadow of the Samurai
踊り子の冬|Odoriko no fuyu|The Dancer's Winter
金魚|Kingyo|Goldfish
遠い太鼓|Tōi taiko|Distant Drums
母の庭|Haha no niwa|Mother's Garden
ガラスの海|Garasu no umi|Sea of Glass
銀座カフェー|Ginza kafē|Café Ginza
赤い傘|Akai kasa|The Red Umbrella
竹の歌|Take no uta|Song of the Bamboo
星祭り|Hoshimatsuri|
写真屋さん|Shashin-ya san|The Photographer
南の島から|Minami no shima kara|From a Southern Island
時計台|Tokeidai|The Clock Tower"""
LATIN = """Le Dernier Tramway|The Last Tram|FR
La Maison du quai|The House on the Quay|FR
Les Lumières de Brest|The Lights of Brest|FR
Un été à Sète|A Summer in Sète|FR
L'Horloger|The Watchmaker|FR
La Fille du phare|The Lighthouse Girl|FR
Der Nachtportier von Lübeck|The Night Porter of Lübeck|DE
Schatten über dem Hafen|Shadows over the Harbour|DE
Das gläserne Haus|The Glass House|DE
Straße ohne Namen|Street without a Name|DE
Die Müllerin|The Miller's Wife|DE
Mondfahrt 1930|Voyage to the Moon 1930|DE
The Silent Ferry|The Silent Ferry|GB
Murder at Pier Nine|Murder at Pier Nine|GB
A Kettle for Mrs. Doyle|A Kettle for Mrs. Doyle|GB
Fog Signals|Fog Signals|GB
The Lamplighter|The Lamplighter|GB
Harvest Home|Harvest Home|GB
Two Tickets to Omaha|Two Tickets to Omaha|US
The Paper Boy|The Paper Boy|US
Prairie Wireless|Prairie Wireless|US
Dance, Sally, Dance!|Dance, Sally, Dance!|US
The Third Elevator|The Third Elevator|US
Goodnight, Chicago|Goodnight, Chicago|US
Il treno di mezzanotte|The Midnight Train|IT
La ragazza con l'ombrello|The Girl with the Umbrella|IT
Pane e vento|Bread and Wind|IT
Le scale di Trieste|The Stairs of Trieste|IT
Most preko Drine, zima|A Bridge over the Drina, Winter|YU
Kuća na obali|The House on the Shore|YU
Noční vlak|The Night Train|CS
Hodinářova dcera|The Watchmaker's Daughter|CS
Skleněné město|City of Glass|CS
Vinterbrevet|The Winter Letter|SE
Fyrvaktaren|The Lighthouse Keeper|SE
Den tysta ön|The Silent Island|SE
A Ponte de Areia|The Bridge of Sand|BR
Carnaval na Chuva|Carnival in the Rain|BR
O Relojoeiro|The Watchmaker|BR"""
# name | Latin transcription | nationality
PEOPLE = """Анна Ветрова|Anna Vetrova|SU
Борис Ланской|Boris Lanskoy|SU
Виктор Зарецкий|Viktor Zaretsky|SU
Галина Орешкина|Galina Oreshkina|SU
Дмитрий Соколовский|Dmitry Sokolovsky|SU
Елена Макеева|Yelena Makeyeva|SU
Игорь Чернов|Igor Chernov|SU
Ксения Полянская|Kseniya Polyanskaya|SU
Лев Гринберг|Lev Grinberg|SU
Мария Туманова|Mariya Tumanova|SU
Николай Барсуков|Nikolay Barsukov|SU
Ольга Шумская|Olga Shumskaya|SU
Павел Яровой|Pavel Yarovoy|SU
Стоян Димов|Stoyan Dimov|BG
Милица Петровић|Milica Petrović|YU
田村 春子|Tamura Haruko|JP
石井 健一|Ishii Ken'ichi|JP
藤本 明|Fujimoto Akira|JP
中川 雪江|Nakagawa Yukie|JP
大野 三郎|Ōno Saburō|JP
森下 千代|Morishita Chiyo|JP
高木 誠|Takagi Makoto|JP
小松 綾|Komatsu Aya|JP
西村 五郎|Nishimura Gorō|JP
原田 文|Harada Fumi|JP
吉岡 清|Yoshioka Kiyoshi|JP
松井 菊|Matsui Kiku|JP
Étienne Garance||FR
Lucienne Morel||FR
Paul Delorme||FR
Gisèle Aubry||FR
Heinrich Vossler||DE
Käthe Brandner||DE
Otto Lindauer||DE
Margarete Ruhland||DE
Arthur Penhale||GB
Winifred Oakes||GB
Cecil Thornbury||GB
Dorothy Marsh||GB
Frank Calloway||US
Mabel Hastings||US
Leroy Whitcomb||US
June Ferrell||US
Aldo Santini||IT
Elsa Marchetti||IT
Rino Bellandi||IT
Dragan Vuković||YU
Jarmila Horáková||CS
Václav Brož||CS
Ingrid Sandell||SE
Nils Åkerman||SE
Iracema Duarte||BR
Otávio Pimenta||BR"""
LANGUAGES = {"SU": "ru", "JP": "ja", "FR": "fr", "DE": "de", "GB": "en", "US": "en", "IT": "it", "YU": "sh", "BG": "bg", "CS": "cs", "SE": "sv", "BR": "pt"}
GENRES = ["drama", "drama", "Drama", "comedy", "comedy", "Comedy ", "documentary", "crime", "musical", "animation", "newsreel", None]
VAULTS = [("N1", "Nitrate bunker", -2.0, 30, 120), ("C1", "Cold store", 4.0, 35, 400), ("C2", "Cold store annex", 6.5, 38, 260), ("G1", "General stacks", 16.0, 45, 900), ("Q1", "Quarantine", 12.0, 40, 24)]
DONORS = [
    ("Cinema Aurora", "CIN", "Lyon"), ("Cinéma Aurora", "CIN", "Lyon"), ("CINEMA AURORA ", "CIN", "Lyon"), ("Estate of P. Delorme", "PRI", "Paris"),
    ("松竹館", "CIN", "大阪"), ("日の出座", "CIN", "京都"), ("Кинотеатр «Прогресс»", "CIN", "Одесса"), ("Киноклуб «Луч»", "CLB", "Київ"),
    ("National Library", "INS", "London"), ("Nat. Library", "INS", "London"), ("Sandell family", "PRI", "Göteborg"), ("Filmklub Praha", "CLB", "Praha"),
    ("State Railways", "INS", "Roma"), ("Anonymous", "PRI", None), ("anonymous", "PRI", ""), ("TV Channel 4 Archive", "INS", "São Paulo"),
]
VENUES = ["Main Hall", "Main hall", "Studio 2", "Studio 2 ", "Open-air Courtyard", "Café Cinema"]
BORROWERS = [("Cinemateca do Sul", "BR"), ("Kyoto Film Museum", "JP"), ("Filmhaus Köln", "DE"), ("Cinémathèque de l'Ouest", "FR"), ("Harbour Arts Centre", "GB"), ("Prairie Film Society", "US"), ("Кіноцентр «Дніпро»", "UA"), ("Festival del Lido", "IT")]
LABS = ["Lumen Lab", "LUMEN LAB", "Haghe Digital", "Studio Ōtani", "in-house"]
CHARACTERS = ["the conductor", "Mother", "Sergei", "Old fisherman", "O-Haru", "the detective", "Nurse Lind", "Katya", "The Watchmaker", "Marcel", "Young Aki", "Colonel", "Narrator (voice)", None, ""]


def build(connection: sqlite3.Connection, random: random.Random) -> None:
    """Make the tables and fill them."""
    connection.executescript(SCHEMA)
    films, people = make_films(random), make_people(random)
    credits = make_credits(random, films, people)
    names = {(film, role): person for film, person, role, *_ in reversed(credits) if role == "ACT"}
    latin = {person[0]: person[2] or person[1] for person in people}
    films = [(*film, latin[names[film[0], "ACT"]] + " et al." if (film[0], "ACT") in names else None) for film in films]
    prints = make_prints(random, films)
    insert(connection, "country", COUNTRIES)
    insert(connection, "film", films)
    insert(connection, "person", people)
    insert(connection, "credit", credits)
    insert(connection, "vault", VAULTS)
    insert(connection, "donor", [(n, *donor) for n, donor in enumerate(DONORS, 1)])
    insert(connection, "print", prints)
    insert(connection, "screening", make_screenings(random, prints))
    insert(connection, "loan", make_loans(random, prints))
    insert(connection, "restoration", make_restorations(random, films))


def insert(connection: sqlite3.Connection, table: str, rows: list[tuple]) -> None:
    """Insert rows that all have the table's width."""
    connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def list_titles() -> list[tuple[str, str | None, str | None, str]]:
    """(title, Latin transcription, English title, country) of every film."""
    titles = []
    for number, line in enumerate(CYRILLIC.splitlines()):
        country = "SU" if number < 28 else "BG" if number < 30 else "YU"
        title, latin, english = line.split("|")
        titles.append((title, latin, english or None, country))
    for line in JAPANESE.splitlines():
        title, latin, english = line.split("|")
        titles.append((title, latin, english, "JP"))
    for line in LATIN.splitlines():
        title, english, country = line.split("|")
        titles.append((title, None, english if english != title else "", country))
    return titles


def make_films(random: random.Random) -> list[tuple]:
    """One row a title; years and running times are text ('c. 1928', '94 min')."""
    titles = list_titles()
    random.shuffle(titles)
    rows = []
    for number, (title, latin, english, country) in enumerate(titles, 1):
        year = random.randrange(1912, 1975)
        silent = year < 1929 or (year < 1934 and random.random() < 0.4)
        minutes = random.choice([9, 12, 18, *range(58, 148)])
        rows.append((
            100 + number, title, latin, english, random.choice([f"{year}"] * 8 + [f"c. {year}", f"{year}?"]), country,
            LANGUAGES[country] if not silent else random.choice([LANGUAGES[country], "zxx"]),
            random.choice([f"{minutes} min"] * 5 + [f"{minutes}", f"{minutes} min ", "" if number % 2 else None]),
            ("COL" if random.random() < 0.6 else "BW") if year > 1950 else random.choice(["BW", "BW", "bw", "TNT"] if silent else ["BW", "BW", "bw"]),
            "M" if silent else "S", random.choice(GENRES),
        ))
    return rows


def make_people(random: random.Random) -> list[tuple]:
    """Birth and death as YYYY-MM-DD, only a year, or unknown."""
    rows = []
    for number, line in enumerate(PEOPLE.splitlines(), 1):
        name, latin, country = line.split("|")
        year = random.randrange(1866, 1916)
        day = datetime(year, 1, 1) + timedelta(days=random.randrange(365))
        dead = year + random.randrange(41, 92)
        born = random.choice([f"{day:%Y-%m-%d}"] * 4 + [f"{year}", None])
        rows.append((number, name, latin or None, born, random.choice([f"{dead}"] * 3 + ["", None]), country))
    return rows


def make_credits(random: random.Random, films: list[tuple], people: list[tuple]) -> list[tuple]:
    """One director a film, mostly a camera operator and a writer, and up to four billed actors."""
    kin = {"BG": "SU", "YU": "SU"}
    rows = []
    for film in films:
        group = kin.get(film[5], film[5])
        local = [p[0] for p in people if kin.get(p[5], p[5]) == group]
        crew = random.sample(local, min(len(local), 2)) + random.sample([p[0] for p in people if p[0] not in local], 4)
        rows.append((film[0], crew[0], "DIR", None, None))
        rows.append((film[0], random.choice(crew[:2]), "SCR", None, None))
        if random.random() < 0.8:
            rows.append((film[0], random.choice(crew[2:4]), "CAM", None, None))
        if film[9] == "S":
            rows.append((film[0], crew[3], "MUS", None, None))
        actors = random.sample(local + crew[4:], min(len(local), random.choice([0, 1, 2, 3, 4])))
        rows += [(film[0], actor, "ACT", n, random.choice(CHARACTERS)) for n, actor in enumerate(actors, 1)]
    return rows


def make_prints(random: random.Random, films: list[tuple]) -> list[tuple]:
    """About 260 prints; length is text in metres, acquisition is epoch seconds, shelf starts with the vault."""
    rows = []
    for film in films:
        year = int("".join(c for c in film[4] if c.isdigit()))
        for _ in range(random.choice([0, 1, 2, 2, 3, 4, 5])):
            base = random.choice(["N", "N", "A", "P"] if year < 1951 else ["A", "A", "P"])
            gauge = "35" if base == "N" else random.choice(["35", "35", "35", "16", "16", "8S", "9.5"])
            vault = "N1" if base == "N" else random.choice(["C1", "C1", "C2", "G1", "G1", "Q1"])
            metres = random.randrange(1400, 3600) if gauge == "35" else random.randrange(120, 1300)
            acquired = datetime(1948, 5, 1) + timedelta(days=random.randrange(27_000), minutes=random.randrange(1440))
            rows.append((
                f"{gauge.replace('.', '')}-{len(rows) + 1:04d}", film[0], gauge, base, random.choice(["ON", "DN", "DP", "PP", "PP", "PP"]),
                1 + metres // 600, random.choice([f"{metres:,} m"] * 5 + [f"{metres}", None]), random.choice("AABBBCCDE") if random.random() < 0.95 else "",
                f"{vault}-{random.randrange(1, 40):02d}/{random.randrange(1, 9)}", random.choice([None, *range(1, 17)]),
                int((acquired - datetime(1970, 1, 1)).total_seconds()),
            ))
    return rows


def make_screenings(random: random.Random, prints: list[tuple]) -> list[tuple]:
    """420 screenings of projection prints; the date is DD.MM.YYYY, the time 19h30, the price text with its currency."""
    shown = [p[0] for p in prints if p[4] == "PP" and p[3] != "N"]
    rows, day = [], datetime(2019, 1, 4)
    for number in range(1, 421):
        day += timedelta(days=random.choice([1, 2, 3, 7]))
        if datetime(2020, 3, 15) < day < datetime(2020, 9, 1):
            day = datetime(2020, 9, 3)
        venue = random.choice(VENUES)
        rows.append((
            number, random.choice(shown), f"{day:%d.%m.%Y}", random.choice(["14h00", "17h15", "19h30", "19h30", "21h45", ""]), venue,
            random.choice([None, *[random.randrange(6, 280)] * 20]), random.choice(["€8.50", "€8.50", "€11.00", "€5", "free", "Free", "8,50 €", ""]),
        ))
    return rows


def make_loans(random: random.Random, prints: list[tuple]) -> list[tuple]:
    """150 loans; back_date is NULL or '' while the print is away."""
    rows, day = [], datetime(2015, 2, 2)
    for number in range(1, 151):
        day += timedelta(days=random.randrange(3, 38))
        borrower, country = random.choice(BORROWERS)
        due = day + timedelta(days=random.choice([14, 21, 30, 60]))
        back = due + timedelta(days=random.choice([-9, -4, -2, 0, 0, 1, 3, 12, 40]))
        returned = f"{back:%Y-%m-%d}" if number < 141 else random.choice([None, ""])
        rows.append((number, random.choice(prints)[0], borrower, country, f"{day:%Y-%m-%d}", f"{due:%Y-%m-%d}", returned, random.choice(["EUR 150", "EUR 300", "EUR 1,200", "USD 450", "waived", None])))
    return rows


def make_restorations(random: random.Random, films: list[tuple]) -> list[tuple]:
    """34 restoration projects, months as YYYY-MM."""
    rows = []
    for number, film in enumerate(random.sample(films, 34), 1):
        start = 2004 * 12 + random.randrange(230)
        months = random.randrange(4, 40)
        end = start + months
        status = random.choice(["F", "F", "F", "F", "H", "C"]) if end < 2023 * 12 else "A"
        rows.append((
            f"RST-{number:03d}", film[0], f"{start // 12}-{start % 12 + 1:02d}", f"{end // 12}-{end % 12 + 1:02d}" if status == "F" else None,
            random.choice(LABS), f"€ {months * random.randrange(1800, 7200):,}", status,
        ))
    return rows


ENCODINGS = {"print": "utf-8-sig", "loan": "cp1252"}  # and `country` and the view have no CSV

DESCRIPTIONS = {
    "film": [
        ("film_id", "film id", "number of the film", "integer", ""),
        ("title", "title", "original title in the original script", "text", "Cyrillic, Japanese or Latin letters"),
        ("title_latin", "transcribed title", "original title in Latin letters", "text", "NULL when the original is in Latin letters"),
        ("title_en", "English title", "English title", "text", "empty when the original title is English; NULL or empty when there is none"),
        ("year", "year", "year of the first showing", "text", "'c. 1928': about 1928; '1951?': not certain"),
        ("cc", "country code", "producing country", "text", "code of table country"),
        ("lang", "language", "language of dialogue or intertitles", "text", "ISO 639-1 code; zxx: no words at all"),
        ("runtime", "running time", "running time in minutes", "text", "with or without 'min'; may be empty"),
        ("colour", "colour", "kind of image", "text", "BW: black and white (some bw)\nTNT: tinted\nCOL: colour"),
        ("sound", "sound", "sound or silent", "text", "S: sound film\nM: mute, that is a silent film"),
        ("genre", "genre", "genre", "text", "not normalised: drama and Drama are the same"),
        ("cast", "cast", "first billed actor, for the label of the can", "text", ""),
    ],
    "person": [
        ("person_id", "person id", "number of the person", "integer", ""),
        ("name", "name", "name in its own script", "text", "family name first for Japanese names"),
        ("name_latin", "transcribed name", "name in Latin letters", "text", "NULL when the name is in Latin letters"),
        ("born", "born", "date of birth", "text", "YYYY-MM-DD or only the year"),
        ("died", "died", "year of death", "text", "empty or NULL: alive or unknown"),
        ("nat", "nationality", "nationality", "text", "cc of table country"),
    ],
    "credit": [
        ("film_id", "film id", "the film", "integer", ""),
        ("person_id", "person id", "the person", "integer", ""),
        ("role", "role", "what the person did", "text", "DIR: director\nSCR: screenwriter\nCAM: cinematographer\nMUS: composer\nACT: actor"),
        ("billing", "billing", "position of an actor in the credits", "integer", "1: first billed; NULL for the others"),
        ("character name", "character name", "the part that an actor plays", "text", ""),
    ],
    "vault": [
        ("vault_id", "vault id", "code of the vault", "text", "first part of print.shelf"),
        ("name", "name", "name of the vault", "text", ""),
        ("temp_c", "temperature", "temperature", "real", "degrees Celsius"),
        ("rh", "relative humidity", "relative humidity", "integer", "percent"),
        ("shelves", "shelves", "number of shelves", "integer", ""),
    ],
    "donor": [
        ("donor_id", "donor id", "number of the donor", "integer", ""),
        ("donor", "donor", "name of the donor", "text", "typed by hand, the same donor may stand there more than once"),
        ("kind", "kind", "kind of donor", "text", "CIN: cinema\nPRI: private person\nCLB: film club\nINS: institution"),
        ("city", "city", "city in its own script", "text", ""),
    ],
    "print": [
        ("print_id", "print id", "gauge and running number", "text", ""),
        ("film_id", "film id", "the film", "integer", ""),
        ("gauge", "gauge", "width of the film in millimetres", "text", "35, 16, 9.5; 8S: Super 8"),
        ("base", "base", "material", "text", "N: nitrate (burns!)\nA: acetate (safety film)\nP: polyester"),
        ("elem", "element", "kind of element", "text", "ON: original negative\nDN: duplicate negative\nDP: duplicate positive\nPP: projection print"),
        ("reels", "reels", "number of reels", "integer", ""),
        ("length", "length", "length in metres", "text", "e.g. 1,834 m; some without unit"),
        ("cond", "condition", "condition at the last inspection", "text", "A: like new\nB: good\nC: worn\nD: damaged\nE: decomposing\nempty: not inspected"),
        ("shelf", "shelf", "where it lies", "text", "vault_id, a hyphen, rack/level"),
        ("donor", "donor", "who gave it", "integer", "donor_id of table donor; NULL: bought"),
        ("acq_ts", "acquired", "time of acquisition", "integer", "Unix epoch, seconds; negative before 1970"),
    ],
    "screening": [
        ("scr_id", "screening id", "number of the screening", "integer", ""),
        ("print_id", "print id", "the print that was shown", "text", ""),
        ("date", "date", "day", "text", "DD.MM.YYYY"),
        ("time", "time", "beginning", "text", "e.g. 19h30"),
        ("venue", "venue", "where", "text", "spelling varies"),
        ("tickets", "tickets", "number of tickets", "integer", "NULL: not counted"),
        ("price", "price", "price of a ticket", "text", "with currency sign; free: no charge"),
    ],
    "loan": [
        ("loan_id", "loan id", "number of the loan", "integer", ""),
        ("print_id", "print id", "the print that is lent", "text", "see table ‘print’"),
        ("borrower", "borrower", "institution that borrows", "text", ""),
        ("cc", "country code", "country of the borrower", "text", "code of table ‘country’"),
        ("out_date", "out date", "day on which the print left", "text", "YYYY-MM-DD"),
        ("due_date", "due date", "day on which it should be back", "text", "YYYY-MM-DD"),
        ("back_date", "back date", "day on which it came back", "text", "YYYY-MM-DD; NULL or empty – still away"),
        ("fee", "fee", "fee for the loan", "text", "currency and amount (€ as EUR); ‘waived’: none"),
    ],
    "restoration": [
        ("project", "project", "project code", "text", ""),
        ("film_id", "film id", "the film", "integer", ""),
        ("start", "start", "first month", "text", "YYYY-MM"),
        ("end", "end", "last month", "text", "YYYY-MM; NULL when not finished"),
        ("lab", "laboratory", "who does the work", "text", "Lumen Lab is also written in capitals"),
        ("cost", "cost", "cost", "text", "'€ ' and a number with commas for thousands"),
        ("status", "status", "state of the project", "text", "A: active\nF: finished\nH: on hold\nC: cancelled"),
    ],
}

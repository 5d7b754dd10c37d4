"""What everyday words ask for without naming it: 'how old' an age, 'where' a place."""

# Each row: words or two-word phrases of a question, and the words of column names that they point at.
# General English only; nothing here is taken from one database.
CUES: tuple[tuple[str, str], ...] = (
    ("who whom whose person called named", "name first last surname forename fullname full title"),
    ("full_name", "first last forename surname name"),
    ("when date day month", "date day month time year created updated birthday"),
    ("year yearly annual decade century", "year date season"),
    ("recent latest earliest newest first_time last_time since ago", "date year time"),
    ("long duration lasting last minute hour", "duration length time minute hour"),
    ("where place located location situate live reside hometown from", "location city country state address place"),
    ("where place located venue held", "county region venue hometown district area"),
    ("old oldest older young youngest younger age aged elder", "age birth birthday year dob"),
    ("tall taller height short shortest", "height"),
    ("heavy heaviest heavier weigh lightest lighter", "weight"),
    ("fast fastest slow slowest quick", "speed time horsepower acceleration"),
    ("cost price expensive cheap cheapest pay money spend dollar charge worth", "cost price amount fee payment spend"),
    ("earn salary income paid earning profit revenue", "salary wage income earning amount revenue profit"),
    ("gender sex male female man woman boy girl lady gentleman", "gender sex male"),
    ("phone telephone call contact reach", "phone telephone contact"),
    ("email mail contact", "email mail"),
    ("big large biggest largest small smallest size", "size area population capacity"),
    ("popular rating rate best worst rank ranked top", "rating rank score popularity position vote"),
    ("nationality citizen nation country american french british german", "nationality country nation citizenship"),
    ("language speak spoken", "language"),
    ("kind sort category type", "type category kind class"),
    ("website homepage link web", "url website link homepage"),
    ("title titled entitled", "title name"),
    ("identifier identification number", "id code number"),
    ("abbreviation abbreviated acronym", "code abbreviation short abbrev"),
    ("zip postal postcode", "zip postal postcode code"),
    ("open opened opening founded established built release released launch", "open opened year date release"),
    ("status approved active closed complete completed", "status state approved active"),
    ("percentage percent ratio proportion share", "percent percentage ratio rate"),
)


def cued_words(words: set[str]) -> set[str]:
    """The column-name words that a question's words (lower case, pairs joined by _) point at."""
    return {target for cues, targets in CUES if words & set(cues.split()) for target in targets.split()}

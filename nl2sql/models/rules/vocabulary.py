"""Words by what they are, as data: openers, boundaries, words that name nothing, numbers, months, synonyms."""

from types import MappingProxyType

_OPENERS = """
    list show give find state name tell provide indicate return display what which who whose where when how
    identify mention calculate get count write describe specify please compute determine enumerate whom report
    retrieve select print present point also include is was are were did does do in
"""
OPENERS = frozenset(_OPENERS.split())


# After these the question stops naming what it wants and starts saying of which rows it wants it.
BOUNDARIES = frozenset(
    {
        "who",
        "whom",
        "whose",
        "that",
        "which",
        "where",
        "when",
        "with",
        "without",
        "having",
        "has",
        "have",
        "had",
        "did",
        "does",
        "do",
        "can",
        "is",
        "are",
        "was",
        "were",
        "above",
        "below",
        "over",
        "under",
        "between",
        "after",
        "before",
        "during",
        "since",
        "among",
        "made",
        "used",
        "except",
        "but",
        "not",
        "never",
        "belong",
        "belongs",
        "if",
        "whereas",
        "while",
        "in which",
    }
)


_PREFIXES = """
    among of for in within from based with between on at under by during after before given when if out per as
    considering since until to regarding excluding besides
"""
PREFIXES = frozenset(_PREFIXES.split())


_STOPWORDS = """
    a an the of in on at by for to from with and or is are was were be been do does did has have had that which
    who whom whose what where when how many much list show give find all any some every each me please there
    their them they its it this these those as his her he she i you we us our not no than then too very can
    could will would should may also only just about into out up down over under more most less least number
    total average names name id ids value values among between both either neither other another same such per
    so but if while how's what's tell state provide indicate return display identify mention calculate get count
    write describe specify first last year month day date time new old top year's high low good one two three
    four five six seven eight nine ten type kind s t use used using make made part
"""
STOPWORDS = frozenset(_STOPWORDS.split())


# Words that name no column even where a column is called so.
_FUNCTION_WORDS = """
    a an the of in on at by for to from with and or is are was were be been do does did has have had that which
    who whom whose what where when how many much all any some every each me please there their them they its it
    this these those as his her he she i you we us our not no than then too very can could will would should may
    also only just about into out up down over under more most less least both either neither other another same
    such per so but if while give show find among between using used use make made part tell return get high low
    good
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())


NUMBER_WORDS = MappingProxyType(
    {
        "one": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
        "eleven": 11,
        "twelve": 12,
        "fifteen": 15,
        "twenty": 20,
        "thirty": 30,
        "forty": 40,
        "fifty": 50,
        "sixty": 60,
        "seventy": 70,
        "eighty": 80,
        "ninety": 90,
        "hundred": 100,
        "thousand": 1000,
        "million": 1_000_000,
        "once": 1,
        "twice": 2,
    }
)


_MONTHS = "january february march april may june july august september october november december"
MONTHS = MappingProxyType({name: place + 1 for place, name in enumerate(_MONTHS.split())})


# What people call a column that is called something else.
SYNONYMS = MappingProxyType(
    {
        "gender": ("sex",),
        "sex": ("gender",),
        "nation": ("country", "nationality"),
        "nationality": ("country", "citizenship"),
        "country": ("nation", "nationality"),
        "title": ("name",),
        "name": ("title",),
        "location": ("place", "address", "city"),
        "place": ("location", "city", "venue"),
        "salary": ("earning", "pay", "wage", "income"),
        "earning": ("salary", "income", "money"),
        "cost": ("price", "amount"),
        "price": ("cost",),
        "town": ("city", "hometown"),
        "hometown": ("city", "town"),
        "phone number": ("phone", "telephone"),
        "email address": ("email",),
        "kind": ("type", "category"),
        "type": ("category", "kind"),
        "category": ("type",),
        "language": ("lang",),
        "description": ("detail", "content", "desc"),
        "detail": ("description", "other detail"),
        "manufacturer": ("maker",),
        "maker": ("manufacturer",),
        "film": ("movie",),
        "movie": ("film",),
        "rank": ("ranking", "position"),
        "position": ("rank", "job"),
        "job": ("position", "occupation", "title"),
        "employee": ("worker", "staff"),
        "worker": ("employee", "staff"),
        "staff": ("employee",),
        "company": ("firm", "organization"),
        "shop": ("store",),
        "store": ("shop",),
        "member": ("person",),
        "identifier": ("id",),
        "surname": ("last name",),
        "forename": ("first name",),
        "family name": ("last name",),
        "birthday": ("birth date", "date of birth"),
        "birth date": ("birthday", "date of birth"),
        "date of birth": ("birthday", "birth date", "dob"),
        "birthplace": ("birth place",),
        "colour": ("color",),
        "color": ("colour",),
        "organisation": ("organization",),
        "version": ("make",),
        "duration": ("length", "runtime"),
        "length": ("duration",),
        "size": ("area",),
        "website": ("url", "web site"),
        "owner": ("proprietor",),
    }
)

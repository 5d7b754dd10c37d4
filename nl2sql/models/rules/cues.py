"""The phrases that give a question its shape, as data. Keys are lower-case words separated by single spaces."""

from types import MappingProxyType
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">="]

AGGREGATES = MappingProxyType(
    {
        "average": "AVG",
        "mean": "AVG",
        "avg": "AVG",
        "averaged": "AVG",
        "total": "SUM",
        "sum": "SUM",
        "combined": "SUM",
        "maximum": "MAX",
        "max": "MAX",
        "minimum": "MIN",
        "min": "MIN",
    }
)

# "most" and "highest" are aggregates of a column ("the highest salary") or pick a row ("with the highest salary").
SUPERLATIVES = MappingProxyType(
    {
        "most": "DESC",
        "highest": "DESC",
        "largest": "DESC",
        "greatest": "DESC",
        "biggest": "DESC",
        "maximum": "DESC",
        "max": "DESC",
        "top": "DESC",
        "best": "DESC",
        "longest": "DESC",
        "heaviest": "DESC",
        "tallest": "DESC",
        "oldest": "DESC",
        "latest": "DESC",
        "newest": "DESC",
        "most recent": "DESC",
        "most recently": "DESC",
        "richest": "DESC",
        "fastest": "DESC",
        "strongest": "DESC",
        "most expensive": "DESC",
        "priciest": "DESC",
        "last": "DESC",
        "least": "ASC",
        "lowest": "ASC",
        "smallest": "ASC",
        "fewest": "ASC",
        "minimum": "ASC",
        "min": "ASC",
        "shortest": "ASC",
        "lightest": "ASC",
        "youngest": "ASC",
        "earliest": "ASC",
        "cheapest": "ASC",
        "least expensive": "ASC",
        "worst": "ASC",
        "slowest": "ASC",
        "weakest": "ASC",
        "first": "ASC",
    }
)
FREQUENCY = frozenset({"most common", "most popular", "most frequent", "most frequently", "most commonly", "most often",
                       "commonest", "most commmon", "most widely"})
RARITY = frozenset({"least common", "least popular", "least frequent", "rarest"})

# Words in a column's name that an adjective speaks of, the surest first.
ADJECTIVES = MappingProxyType(
    {
        "oldest": ("age", "birth", "year", "date"),
        "older": ("age", "birth", "year"),
        "old": ("age",),
        "aged": ("age",),
        "youngest": ("age", "birth", "year"),
        "younger": ("age", "birth", "year"),
        "heaviest": ("weight", "mass"),
        "heavier": ("weight", "mass"),
        "lightest": ("weight", "mass"),
        "lighter": ("weight", "mass"),
        "weigh": ("weight", "mass"),
        "weighs": ("weight", "mass"),
        "weighing": ("weight", "mass"),
        "weighed": ("weight", "mass"),
        "tallest": ("height",),
        "taller": ("height",),
        "shorter": ("height", "length", "duration"),
        "shortest": ("height", "length", "duration", "time"),
        "longest": ("length", "duration", "runtime", "time"),
        "longer": ("length", "duration", "runtime", "time"),
        "largest": ("size", "area", "population", "capacity", "amount"),
        "larger": ("size", "area", "population", "capacity", "amount"),
        "biggest": ("size", "area", "population", "capacity", "amount"),
        "bigger": ("size", "area", "population", "capacity", "amount"),
        "smallest": ("size", "area", "population", "capacity", "amount"),
        "smaller": ("size", "area", "population", "capacity", "amount"),
        "most expensive": ("price", "cost", "amount"),
        "least expensive": ("price", "cost", "amount"),
        "expensive": ("price", "cost", "amount"),
        "priciest": ("price", "cost", "amount"),
        "cheapest": ("price", "cost", "amount"),
        "cheaper": ("price", "cost", "amount"),
        "earliest": ("date", "year", "time", "day"),
        "latest": ("date", "year", "time", "day"),
        "newest": ("date", "year", "time"),
        "most recent": ("date", "year", "time"),
        "most recently": ("date", "year", "time"),
        "first": ("date", "year", "time"),
        "last": ("date", "year", "time"),
        "earlier": ("date", "year", "time"),
        "later": ("date", "year", "time"),
        "before": ("date", "year", "time"),
        "after": ("date", "year", "time"),
        "since": ("date", "year", "time"),
        "fastest": ("speed", "lap time", "time"),
        "faster": ("speed", "time"),
        "richest": ("salary", "income", "earnings", "money"),
    }
)
# An adjective that turns the other way round on a column of dates: the youngest has the latest birthday.
FLIPPED_BY_DATES = frozenset({"youngest", "younger", "oldest", "older"})

COMPARISONS: MappingProxyType[str, Operator] = MappingProxyType(
    {
        "more than": ">",
        "greater than": ">",
        "larger than": ">",
        "bigger than": ">",
        "higher than": ">",
        "older than": ">",
        "heavier than": ">",
        "taller than": ">",
        "longer than": ">",
        "later than": ">",
        "faster than": ">",
        "better than": ">",
        "older": ">",
        "over": ">",
        "above": ">",
        "exceeding": ">",
        "exceeds": ">",
        "exceed": ">",
        "exceeded": ">",
        "after": ">",
        "less than": "<",
        "fewer than": "<",
        "lower than": "<",
        "smaller than": "<",
        "younger than": "<",
        "lighter than": "<",
        "shorter than": "<",
        "earlier than": "<",
        "cheaper than": "<",
        "below": "<",
        "under": "<",
        "before": "<",
        "prior to": "<",
        "at least": ">=",
        "no less than": ">=",
        "not less than": ">=",
        "no fewer than": ">=",
        "a minimum of": ">=",
        "since": ">=",
        "from": ">=",
        "at most": "<=",
        "no more than": "<=",
        "not more than": "<=",
        "a maximum of": "<=",
        "up to": "<=",
        "exactly": "=",
        "equal to": "=",
        "equals": "=",
        "not equal to": "!=",
        "other than": "!=",
    }
)
COMPARATIVES = frozenset({"more", "greater", "larger", "bigger", "higher", "longer", "heavier", "older", "taller",
                          "less", "fewer", "lower", "smaller", "younger", "lighter", "shorter"})
AFTER_NUMBER: MappingProxyType[str, Operator] = MappingProxyType(
    {
        "or more": ">=",
        "and more": ">=",
        "or above": ">=",
        "and above": ">=",
        "or over": ">=",
        "and over": ">=",
        "or older": ">=",
        "and older": ">=",
        "or higher": ">=",
        "or greater": ">=",
        "or after": ">=",
        "and after": ">=",
        "or later": ">=",
        "or less": "<=",
        "and below": "<=",
        "or below": "<=",
        "or under": "<=",
        "and under": "<=",
        "or fewer": "<=",
        "or younger": "<=",
        "or before": "<=",
        "or earlier": "<=",
    }
)

COUNTING = frozenset({"how many", "number of", "the number of", "total number of", "the total number of", "count of",
                      "total count of", "count the number of", "count", "numbers of", "the count of",
                      "quantity of", "how many different"})
EACH = frozenset({"each", "every", "per", "for each", "for every", "in each", "of each", "by each", "from each",
                  "for all the different", "for different", "each of the", "grouped by", "group by", "respective"})
ORDERING = frozenset({"ordered by", "sorted by", "order by", "sort by", "in order of", "ordered in", "sorted in",
                      "in ascending order", "in descending order", "in alphabetical order", "in ascending alphabetical order",
                      "in the order of", "in increasing order", "in decreasing order", "in the ascending order",
                      "in the descending order", "ranked by", "listed by", "in lexicographical order", "in reverse order",
                      "in ascending order of", "in descending order of", "descending order", "ascending order",
                      "in reverse alphabetical order", "alphabetically", "lexicographically", "arranged by"})
DESCENDING = frozenset({"descending", "decreasing", "desc", "reverse", "down", "most", "largest", "highest", "oldest"})
DISTINCT = frozenset({"different", "distinct", "unique", "distinctive", "various"})
NEGATIONS = frozenset({"not", "no", "without", "never", "except", "excluding", "don't", "doesn't", "didn't", "isn't",
                       "aren't", "wasn't", "weren't", "haven't", "hasn't", "hadn't", "nor", "neither", "cannot", "can't",
                       "other than", "lack", "lacks", "lacking", "apart from", "besides"})

OPENERS = frozenset({"list", "show", "give", "find", "state", "name", "tell", "provide", "indicate", "return", "display",
                     "what", "which", "who", "whose", "where", "when", "how", "identify", "mention", "calculate", "get",
                     "count", "write", "describe", "specify", "please", "compute", "determine", "enumerate", "whom",
                     "report", "retrieve", "select", "print", "present", "point", "also", "include", "is", "was", "are",
                     "were", "did", "does", "do", "in"})
# After these the question stops naming what it wants and starts saying of which rows it wants it.
BOUNDARIES = frozenset({"who", "whom", "whose", "that", "which", "where", "when", "with", "without", "having", "has",
                        "have", "had", "did", "does", "do", "can", "is", "are", "was", "were", "above", "below", "over",
                        "under", "between", "after", "before", "during", "since", "among", "made", "used", "except",
                        "when", "but", "not", "never", "belong", "belongs", "if", "whereas", "while", "in which"})
PREFIXES = frozenset({"among", "of", "for", "in", "within", "from", "based", "with", "between", "on", "at", "under",
                      "by", "during", "after", "before", "given", "when", "if", "out", "per", "as", "considering",
                      "since", "until", "to", "regarding", "excluding", "besides"})

STOPWORDS = frozenset(
    """a an the of in on at by for to from with and or is are was were be been do does did has have had that which who whom
    whose what where when how many much list show give find all any some every each me please there their them they its
    it this these those as his her he she i you we us our not no than then too very can could will would should may
    also only just about into out up down over under more most less least number total average names name id ids
    value values among between both either neither other another same such per so but if while how's what's
    tell state provide indicate return display identify mention calculate get count write describe specify first last
    year month day date time new old top year's high low good one two three four five six seven eight nine ten
    type kind s t use used using make made part""".split()
)
# Words that name no column even where a column is called so.
FUNCTION_WORDS = frozenset(
    """a an the of in on at by for to from with and or is are was were be been do does did has have had that which who whom
    whose what where when how many much all any some every each me please there their them they its it this these those as
    his her he she i you we us our not no than then too very can could will would should may also only just about into
    out up down over under more most less least both either neither other another same such per so but if while give show
    find among between using used use make made part tell return get high low good""".split()
)
NUMBER_WORDS = MappingProxyType(
    {
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
        "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
        "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000, "million": 1_000_000,
        "once": 1, "twice": 2,
    }
)
MONTHS = MappingProxyType(
    {name: i + 1 for i, name in enumerate(
        "january february march april may june july august september october november december".split())}
)

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
WH_COLUMNS = MappingProxyType(
    {
        "when": ("date", "year", "time", "day"),
        "where": ("location", "place", "city", "hometown", "address", "country"),
        "how old": ("age",),
        "how heavy": ("weight",),
        "how tall": ("height",),
        "how long": ("duration", "length", "time"),
        "how expensive": ("price", "cost"),
    }
)
ASKS_RATIO = frozenset({"percentage", "percent", "ratio", "rate", "proportion", "difference", "average", "times", "share",
                        "more", "less", "total", "sum", "change", "%", "mean", "number", "many", "much", "avg", "average"})

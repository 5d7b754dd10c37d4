"""Other ways in which a database may write a word of a question: codes of a few letters, countries, nationalities."""

# Only what holds in any database. A variant counts only where a column holds exactly that value.
_CODES = """
female: f, woman, women, girl | male: m, man, men, boy | woman: f, female | women: f, female | man: m, male
men: m, male | girl: f, female | girls: f, female | boy: m, male | boys: m, male | yes: y, true, t | no: n, false
true: t, yes, y | false: f, no, n
"""
_COUNTRIES = """
united states: usa, us, u.s.a., united states of america, america | usa: united states, us, united states of america
america: usa, us, united states | us: usa, united states | united kingdom: uk, great britain, england
uk: united kingdom, great britain | britain: uk, united kingdom, great britain | holland: netherlands
uae: united arab emirates | south korea: korea, republic of korea | american: usa, us, united states
british: uk, united kingdom, great britain, england | english: england, uk | french: france | german: germany
dutch: netherlands | spanish: spain | italian: italy | chinese: china | japanese: japan | korean: korea, south korea
russian: russia | indian: india | canadian: canada | mexican: mexico | brazilian: brazil | australian: australia
austrian: austria | swiss: switzerland | swedish: sweden | norwegian: norway | danish: denmark | finnish: finland
polish: poland | portuguese: portugal | greek: greece | turkish: turkey | irish: ireland | scottish: scotland
welsh: wales | belgian: belgium | czech: czech republic, czechia | hungarian: hungary | romanian: romania
ukrainian: ukraine | egyptian: egypt | argentinian: argentina | argentine: argentina | chilean: chile
colombian: colombia | thai: thailand | vietnamese: vietnam | indonesian: indonesia | israeli: israel
european: europe | asian: asia | african: africa
"""


def _parsed(table: str) -> dict[str, tuple[str, ...]]:
    entries = (entry.split(":") for line in table.strip().splitlines() for entry in line.split("|"))
    return {word.strip(): tuple(v.strip() for v in variants.split(",")) for word, variants in entries}


VARIANTS = _parsed(_CODES) | _parsed(_COUNTRIES)


def variants(text: str) -> tuple[str, ...]:
    """What else may stand for a text, () for most."""
    return VARIANTS.get(text.casefold(), ())

"""Words about passwords: how strong one is, and what makes it weak (for the codes of `services`, password rules)."""

from portal.lib.wording import N_

STRENGTHS = (
    N_("Very weak"),
    N_("Weak"),
    N_("Fair"),
    N_("Good"),
    N_("Strong"),
)
HINTS = {
    "common": N_("Many people use this password; it is the first to be tried."),
    "almost_common": N_("This is close to a password that many people use."),
    "word": N_("A single word is easy to guess."),
    "name": N_("Names are easy to guess."),
    "keyboard": N_("Neighbours on the keyboard are easy to guess."),
    "repeat": N_("Repetitions are easy to guess."),
    "sequence": N_("Sequences such as abc or 6543 are easy to guess."),
    "date": N_("Dates and years are easy to guess."),
    "more_words": N_("Add another word or two; uncommon ones are better."),
}

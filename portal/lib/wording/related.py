"""Words for how tickets stand to one another, as the reader of one of them sees the other."""

from portal.lib.wording import N_

# What the other ticket is to this one: read from this one, and read from the other.
OUTWARD = {
    "related": N_("Linked"),
    "incident_of": N_("The problem behind it"),
    "split_from": N_("Split off from this one"),
    "merged_into": N_("Goes on there"),
    "follows_up": N_("Earlier ticket"),
}
INWARD = {
    "related": N_("Linked"),
    "incident_of": N_("Same problem"),
    "split_from": N_("Split off"),
    "merged_into": N_("Taken in here"),
    "follows_up": N_("Follow-up"),
}
SAME_CATEGORY = N_("Same category")

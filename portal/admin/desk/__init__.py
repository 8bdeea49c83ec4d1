"""Settings of the desk: own statuses, macros; and how satisfied customers are."""

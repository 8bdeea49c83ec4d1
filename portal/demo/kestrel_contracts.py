"""What Kestrel and Acme have agreed on, and what waits for Ana."""

AGREEMENT_TITLE = "Managed IT services agreement"
AGREEMENT = """\
## 1. Subject

Kestrel IT runs and maintains the network, the servers and the workplaces of Acme Manufacturing at its sites in Lyon \
and Villeurbanne. The list of equipment in annex A is part of this agreement; either side may have it corrected in \
writing.

## 2. Service hours and response

1. The service desk is there Monday to Friday from 8:00 to 18:00, Lyon time, except on public holidays in France.
2. A fault that stops production is answered **within 30 minutes** and worked on without a break until it is solved.
3. Other faults are answered within four working hours and solved within three working days.

## 3. Duties of the customer

- Acme names two people who may order changes, and tells Kestrel when they change.
- Acme gives access to server rooms at any time for urgent faults.
- Passwords of administrators stay with Kestrel and are handed over at the end of the agreement.

## 4. Fees

The monthly fee is EUR 4,850.00 before VAT, due 30 days after the date of the invoice. Work outside of the service \
hours that was not caused by Kestrel is charged at EUR 105.00 an hour.

## 5. Confidentiality and data

Each side keeps secret what it learns about the other. Personal data is processed by the separate agreement on data \
processing, which forms part of this one.

## 6. Term

The agreement runs for two years and is then extended by one year at a time, unless one side gives notice in writing \
three months before its end.
"""
ADDENDUM_TITLE = "Addendum 2: on-call service for the Villeurbanne plant"
ADDENDUM = """\
This addendum is part of the **Managed IT services agreement** between Kestrel IT and Acme Manufacturing.

## 1. What is added

1. From the first shift after signature, Kestrel keeps an engineer on call for the plant in Villeurbanne, every night \
from 18:00 to 8:00 and around the clock on weekends and holidays.
2. A call about a stopped production line is answered within *20 minutes*; an engineer is on site within 90 minutes.
3. Spare parts for both line controllers are kept on site, in the cabinet of the server room.

## 2. What it costs

- EUR 1,240.00 a month before VAT for the on-call service.
- EUR 148.00 for each hour worked during it, the first hour of each call being included.

## 3. What stays

Everything else in the agreement stays as it is. This addendum can be ended by either side with one month's notice to \
the end of a quarter.
"""

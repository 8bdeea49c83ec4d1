"""Kestrel IT's tickets about invoices, orders, wishes for the portal, and two outage drills."""

from portal.demo.addresses import ANA, BEN, BILL, CHLOE, DORA, MILO, PAUL, SAM
from portal.demo.content import SYSTEM, DemoMessage, DemoTicket, note

ORDER_TICKETS: tuple[DemoTicket, ...] = (
    DemoTicket(
        key="headsets-initech", number=1044, company="initech", requester=MILO,
        subject="Order: two headsets for the front desk",
        category="general", priority="low", status="in_progress", assignee=SAM,
        created_minutes_ago=199, first_response_minutes_ago=174, clock="within", tags=("order", "headset"),
        messages=(
            DemoMessage(MILO, 199, "Please order two more headsets for the front desk, with the long arm for the "
                        "microphone."),
            DemoMessage(SAM, 174, "The long arm comes on the Evolve 65 and on its successor, which also works with "
                        "the mobile phone. Which one may it be?"),
            DemoMessage(MILO, 128, "Same model as in May please, then the spare ear cushions fit."),
            note(SAM, 120, "The May price was a mistake in our favour, margin 41%. Bill wants list price this time. "
                 "Not something to explain to Milo."),
        ),
    ),
    DemoTicket(
        key="wrong-order-0398", number=1037, company="acme", requester=ANA,
        subject="Invoice INV-2026-0398 shows the wrong order",
        category="billing", priority="normal", status="open", assignee=BILL,
        created_minutes_ago=297, first_response_minutes_ago=271, clock="within", tags=("invoice",),
        messages=(
            DemoMessage(ANA, 297, "INV-2026-0398 carries the order number of last year. Our accounting cannot book "
                        "it like that, although it is paid already."),
            DemoMessage(BILL, 271, "You are right, Ana, the old order was still in the contract. What is the number "
                        "it should show?"),
            DemoMessage(ANA, 236, "Should be PO 4500-2291, the same as on the invoice of October. Please send a "
                        "corrected PDF, the amount stays."),
        ),
    ),
    DemoTicket(
        key="recycling-monitors", number=1029, company="acme", requester=BEN,
        subject="Recycling of nine old monitors",
        category="general", priority="low", status="in_progress", assignee=SAM,
        created_minutes_ago=1700, first_response_minutes_ago=1610, clock="within", tags=("pick-up",),
        messages=(
            DemoMessage(BEN, 1700, "We have nine old monitors to give away for recycling. Do you collect them, and "
                        "do we get a certificate for the environmental audit?"),
            DemoMessage(SAM, 1610, "We do, and you do. The next round through Lyon is on Monday; where do they stand?"),
            DemoMessage(BEN, 1530, "They stand in the Lyon store room, on the pallet behind the door. The key is at "
                        "reception."),
        ),
    ),
    DemoTicket(
        key="ten-seats-apprentices", number=1025, company="acme", requester=ANA,
        subject="Ten more seats for the apprentices",
        category="billing", priority="normal", status="awaiting_payment", assignee=BILL,
        created_minutes_ago=2740, first_response_minutes_ago=2690, clock="paused", tags=("contract", "order"),
        messages=(
            DemoMessage(ANA, 2740, "Ten apprentices join us in January, so we need 48 seats instead of 38, for six "
                        "months. What does it cost, and can you invoice it in advance? It is still in this year’s "
                        "budget."),
            DemoMessage(BILL, 2690, "Ten seats at €62.00 for six months are €3,720.00 plus VAT. In advance is fine: "
                        "you get the invoice today, and we order the laptops on the day it is paid."),
            DemoMessage(ANA, 2610, "Agreed, please use PO 4500-2305."),
            DemoMessage(BILL, 2570, "Invoice sent with that order number. Nothing more to do for you than to pay it, "
                        "the laptops are reserved until the end of the month."),
            note(BILL, 2560, "Acme is overdue on October, INV-2026-0412. Ada’s decision: no hardware on account "
                 "until that is in. Do not put the two together in front of Ana, it would sound like a threat."),
        ),
    ),
    DemoTicket(
        key="cost-centres-report", number=1023, company="globex", requester=CHLOE,
        subject="Monthly report with our own cost centres",
        category="feature_request", priority="low", status="waiting_customer", assignee=DORA,
        created_minutes_ago=2830, first_response_minutes_ago=2640, clock="paused", tags=("reporting",),
        messages=(
            DemoMessage(CHLOE, 2830, "Every month I copy your ticket report into a table and add the cost centre by "
                        "hand. Could the portal keep it for each of our people?"),
            DemoMessage(DORA, 2640, "It can: a field “Cost centre” on the ticket that is filled in from the person. "
                        "I have a draft ready. Could you send me the list of people and cost centres, so that I can "
                        "try it with real ones?"),
        ),
    ),
    DemoTicket(
        key="warranty-munich", number=1021, company="globex", requester=CHLOE,
        subject="Extended warranty for the Munich server",
        category="billing", priority="normal", status="awaiting_payment", assignee=BILL,
        created_minutes_ago=4200, first_response_minutes_ago=4130, clock="paused", tags=("warranty", "invoice"),
        messages=(
            DemoMessage(CHLOE, 4200, "The warranty of SRV-MUC-01 ends in four weeks. We would like two more years "
                        "with a four-hour part service."),
            DemoMessage(BILL, 4130, "Two years with parts within four hours are €1,180.00 plus VAT. The maker wants "
                        "it paid before the old warranty ends, otherwise it costs an inspection on top."),
            DemoMessage(CHLOE, 2900, "That is fine for us. Please invoice it to the Munich office."),
            DemoMessage(BILL, 2860, "On its way to Munich. The warranty is booked on the day the payment arrives, "
                        "and you get the certificate here."),
            note(BILL, 2855, "Our purchase price is €790. Globex pays two weeks late on average; if the maker’s date "
                 "slips, we advance it and say nothing."),
        ),
    ),
    DemoTicket(
        key="warehouse-phones", number=1019, company="acme", requester=ANA,
        subject="Two phones for the warehouse, with charging docks",
        category="general", priority="low", status="in_progress", assignee=SAM,
        created_minutes_ago=4310, first_response_minutes_ago=4250, clock="within", tags=("order", "telephony"),
        messages=(
            DemoMessage(ANA, 4310, "The warehouse needs two cordless phones that survive a fall on concrete, with "
                        "docks for charging."),
            DemoMessage(SAM, 4250, "The R700H survives two metres and can be heard beside a fork-lift. Two of them "
                        "with docks are €612.00 plus VAT. Shall I order?"),
            DemoMessage(ANA, 4190, "Yes please, cost centre 4100."),
            DemoMessage(SAM, 4120, "Ordered. Delivery is announced for Wednesday next week; we set them up and bring "
                        "them to the warehouse ready for use."),
        ),
    ),
    DemoTicket(
        key="drill-globex-grenoble", number=1017, company="globex", requester=CHLOE,
        subject="Outage drill: core switch Grenoble",
        category="drill", priority="urgent", status="closed", assignee=SAM,
        created_minutes_ago=9950, first_response_minutes_ago=9948, resolved_minutes_ago=9945,
        closed_minutes_ago=9940, clock="breached", escalated_level=1, tags=("drill",),
        messages=(
            DemoMessage(CHLOE, 9950, "This is our drill of the quarter: please behave as if the core switch in "
                        "Grenoble were down. We do not announce it beforehand."),
            note(SYSTEM, 9949, "First answer is late. Escalated to Mia Lindqvist."),
            DemoMessage(SAM, 9948, "Drill confirmed. In earnest we would now switch Grenoble over to the 5G line and "
                        "call your house technician."),
            DemoMessage(SAM, 9945, "End of the drill. The answer took longer than promised, the escalation reached "
                        "the team lead as it should."),
        ),
    ),
    DemoTicket(
        key="drill-acme-lyon", number=1016, company="acme", requester=BEN,
        subject="Outage drill: internet line Lyon",
        category="drill", priority="urgent", status="closed", assignee=SAM,
        created_minutes_ago=10010, first_response_minutes_ago=10010, resolved_minutes_ago=10009,
        closed_minutes_ago=10005, clock="met", rating=5, tags=("drill",),
        messages=(
            DemoMessage(BEN, 10010, "Drill as agreed with Mia: internet line Lyon is “down”."),
            DemoMessage(SAM, 10010, "Drill confirmed, I have it. In earnest the second line would have taken over by "
                        "now."),
            DemoMessage(SAM, 10009, "End of the drill: answered and solved within the promise. Thank you for "
                        "practising with us."),
        ),
    ),
    DemoTicket(
        key="vat-number-0377", number=1006, company="globex", requester=CHLOE,
        subject="VAT number is missing on invoice INV-2026-0377",
        category="billing", priority="normal", status="closed", assignee=BILL,
        created_minutes_ago=24560, first_response_minutes_ago=24440, resolved_minutes_ago=24390,
        closed_minutes_ago=22950, clock="met", rating=5, tags=("invoice",),
        messages=(
            DemoMessage(CHLOE, 24560, "Our VAT number is missing on INV-2026-0377, the tax office will not accept it "
                        "like that."),
            DemoMessage(BILL, 24440, "It was lost when your address was changed. I am putting it back and issue the "
                        "invoice again."),
            DemoMessage(BILL, 24390, "The corrected invoice is in the portal and in your mail, with the same number, "
                        "amount and due date."),
        ),
    ),
    DemoTicket(
        key="two-approvers", number=1004, company="acme", requester=ANA,
        subject="Quotes above €5,000 signed by two people",
        category="feature_request", priority="low", status="cancelled", assignee=DORA,
        created_minutes_ago=31760, first_response_minutes_ago=31500, closed_minutes_ago=30200, clock="met",
        tags=("quotes",),
        messages=(
            DemoMessage(ANA, 31760, "Could the portal ask for a second signature when a quote is above €5,000? Our "
                        "auditors like four eyes."),
            DemoMessage(DORA, 31500, "It could, Ana. Would the second person always be the same, or anybody of a "
                        "group?"),
            DemoMessage(ANA, 30220, "Our bank has solved it for us: every payment above €5,000 needs two people now. "
                        "I am withdrawing the wish, thank you for asking the right question."),
        ),
    ),
    DemoTicket(
        key="maintenance-calendar", number=1000, company="acme", requester=ANA,
        subject="Planned maintenance in our own calendar",
        category="feature_request", priority="low", status="closed", assignee=DORA,
        created_minutes_ago=47600, first_response_minutes_ago=47330, resolved_minutes_ago=44720,
        closed_minutes_ago=43280, clock="met", rating=5, rating_comment="A small thing that saves me a call a week.",
        tags=("calendar",),
        messages=(
            DemoMessage(ANA, 47600, "I learn about maintenance from the status page, but production plans from a "
                        "calendar. Can the two meet?"),
            DemoMessage(DORA, 47330, "Yes: a calendar address that your Outlook follows by itself. I will try it "
                        "with our own calendar first."),
            note(DORA, 47320, "First version leaks the windows of all customers. Blocked until it filters by "
                 "company; if anyone asks, it is “being tested”."),
            DemoMessage(DORA, 44720, "Here it is, under Services: “Follow in my calendar”. It shows only what "
                        "touches Acme, and changes by itself when we move a window."),
        ),
    ),
    DemoTicket(
        key="second-line-grenoble", number=991, company="globex", requester=PAUL,
        subject="Second internet line for Grenoble",
        category="general", priority="normal", status="cancelled", assignee=SAM,
        created_minutes_ago=62050, first_response_minutes_ago=61930, closed_minutes_ago=60560, clock="met",
        tags=("line", "order"),
        messages=(
            DemoMessage(PAUL, 62050, "After the outage of the carrier we think about a second line. What would it "
                        "cost, from another provider and by another way into the building?"),
            DemoMessage(SAM, 61930, "€189.00 a month for 300/300 with its own entry from the north side, €950.00 "
                        "once for the digging. A quote with both is in the portal."),
            DemoMessage(PAUL, 60580, "Management prefers to wait for the move. I am cancelling this, we come back in "
                        "spring."),
            note(SAM, 60570, "They are talking to a competitor about the move, Chloe let it slip. Mia knows. Nothing "
                 "of this in a reply."),
        ),
    ),
    DemoTicket(
        key="statement-third-quarter", number=950, company="acme", requester=ANA,
        subject="Statement of the third quarter for our auditors",
        category="billing", priority="normal", status="closed", assignee=BILL,
        created_minutes_ago=118160, first_response_minutes_ago=118060, resolved_minutes_ago=117980,
        closed_minutes_ago=116600, clock="met", rating=5, tags=("statement",),
        messages=(
            DemoMessage(ANA, 118160, "Our auditors ask for a statement of July to September with all payments and "
                        "the open balance at the end."),
            DemoMessage(BILL, 118060, "You can make it yourself under Statements at any time; I have just done it "
                        "for you as PDF and as a table."),
            DemoMessage(BILL, 117980, "Both files are in your documents. The balance at the end of the quarter was "
                        "€0.00."),
        ),
    ),
)

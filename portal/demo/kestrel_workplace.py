"""Kestrel IT's tickets about laptops, printers, meeting rooms and the programs on the desk."""

from portal.demo.addresses import ANA, BEN, CHLOE, JONAS, LENA, MIA, MILO, PAUL, SAM, YUSUF
from portal.demo.content import SYSTEM, DemoMessage, DemoTicket, note

WORKPLACE_TICKETS: tuple[DemoTicket, ...] = (
    DemoTicket(
        key="laptop-dock-initech", number=1054, company="initech", requester=MILO,
        subject="Laptop does not wake from sleep in the dock",
        category="technical", priority="urgent", status="open",
        created_minutes_ago=12, clock="near", tags=("laptop", "dock"),
        messages=(
            DemoMessage(MILO, 12, "Model is a 5540, dock WD22TB4. After lunch it stays black, the power lamp is "
                        "white and steady, the fan runs. It is the machine of our payroll: the run has to be "
                        "released within the next three hours and nobody else has the signature card."),
        ),
    ),
    DemoTicket(
        key="scanner-empty-mails", number=1051, company="globex", requester=CHLOE,
        subject="Scanner sends empty mails to accounting",
        category="technical", priority="urgent", status="open",
        created_minutes_ago=68, clock="breached", escalated_level=1, tags=("scanner", "mail"),
        messages=(
            DemoMessage(CHLOE, 68, "The scanner in accounting sends mails without the PDF. The invoices of this "
                        "month have to be with our auditor today, and the paper originals are already boxed."),
            note(SYSTEM, 53, "First answer is late. Escalated to Mia Lindqvist."),
            note(MIA, 50, "Nobody from Workplace is at a desk, half of the team is in the Hooli hand-over. This is "
                 "our planning, not Globex’s problem, so no excuses in the reply. I take it if Sam is not free in "
                 "ten minutes."),
            DemoMessage(CHLOE, 9, "Since the relay change last night it happens with every scan, on both devices. Is "
                        "anybody looking at this?"),
        ),
    ),
    DemoTicket(
        key="monitor-front-desk", number=1050, company="globex", requester=PAUL,
        subject="Second monitor for the front desk in Grenoble",
        category="general", priority="low", status="open",
        created_minutes_ago=80, clock="within", tags=("monitor",),
        messages=(
            DemoMessage(PAUL, 80, "The front desk would like a second monitor for the visitor list. There should be "
                        "two 24-inch ones in the store room, could somebody check whether they fit the dock and "
                        "bring one down on the next visit?"),
        ),
    ),
    DemoTicket(
        key="label-printer-globex", number=1049, company="globex", requester=PAUL,
        subject="Label printer at goods-in prints blank labels",
        category="technical", priority="normal", status="in_progress", assignee=JONAS,
        created_minutes_ago=95, first_response_minutes_ago=71, clock="within", tags=("printer", "warehouse"),
        messages=(
            DemoMessage(PAUL, 95, "The Zebra at goods-in feeds labels but they stay white. A new roll is in, and we "
                        "have cleaned the head as in your instructions."),
            DemoMessage(JONAS, 71, "Thank you for cleaning it first. White labels after a new roll are mostly the "
                        "wrong material: is there a black ribbon in the printer, or are the labels the "
                        "heat-sensitive kind?"),
            DemoMessage(PAUL, 58, "No ribbon. The box says “TT”, the old one said “DT”."),
            DemoMessage(JONAS, 49, "That is it: TT labels need a ribbon. You will find two boxes of DT labels in "
                        "cabinet 4. I am having the supplier change your standing order and keep the ticket open "
                        "until the next delivery is right."),
        ),
    ),
    DemoTicket(
        key="printer-pin-level-2", number=1036, company="acme", requester=BEN,
        subject="Printer on level 2 asks for a PIN again",
        category="technical", priority="low", status="open",
        created_minutes_ago=300, clock="within", tags=("printer",),
        messages=(
            DemoMessage(BEN, 300, "It did the same in August: the printer on level 2 asks for a PIN although "
                        "everybody has a badge. We walk to level 1 for now, so this can wait until somebody is in "
                        "the building."),
        ),
    ),
    DemoTicket(
        key="teams-room-level-3", number=1035, company="acme", requester=ANA,
        subject="Teams room on level 3 shows a black screen",
        category="technical", priority="urgent", status="in_progress", assignee=MIA,
        created_minutes_ago=318, first_response_minutes_ago=309, clock="breached", escalated_level=1,
        tags=("meeting-room", "vendor"),
        messages=(
            DemoMessage(ANA, 318, "Both screens in the Teams room on level 3 are black. The tablet on the table "
                        "works and says that we are in the meeting. The supervisory board meets there this afternoon "
                        "with two members on video."),
            DemoMessage(SAM, 309, "Ana, I can see the codec from here and am restarting it now. Please leave the "
                        "screens switched on."),
            DemoMessage(ANA, 268, "Screens came on for a minute, then black again."),
            note(SAM, 241, "Codec firmware 11.3 fails the HDCP handshake with exactly this screen. We rolled 11.3 "
                 "out without a test room. Internal post-mortem, not for Acme’s eyes."),
            note(SYSTEM, 78, "Solution is late. Escalated to Mia Lindqvist."),
            DemoMessage(MIA, 71, "Ana, I have taken this over, and we have missed the time we promised you. Jonas is "
                        "bringing a spare codec and is with you in half an hour. If you would rather not wait: the "
                        "room on level 1 is checked and free, I have reserved it for you."),
            DemoMessage(MIA, 4, "Rebooted the codec with the older firmware: the picture has been steady for twenty "
                        "minutes. Jonas stays in the building until your meeting is over."),
        ),
    ),
    DemoTicket(
        key="share-folder-supplier", number=1032, company="hooli", requester=YUSUF,
        subject="How do I share a folder with a supplier?",
        category="general", priority="low", status="open",
        created_minutes_ago=340, clock="within", tags=("how-to",),
        messages=(
            DemoMessage(YUSUF, 340, "I would like to give a supplier access to one folder with drawings for four "
                        "weeks, reading only. They do not have an account with us. What is the right way?"),
        ),
    ),
    DemoTicket(
        key="blue-screen-globex", number=1022, company="globex", requester=PAUL,
        subject="Blue screen when I close the lid, LAT-GRE-118",
        category="technical", priority="high", status="waiting_customer", assignee=SAM,
        created_minutes_ago=2890, first_response_minutes_ago=2862, clock="paused", tags=("laptop",),
        messages=(
            DemoMessage(PAUL, 2890, "Three times since yesterday: I close the lid, take the laptop to a meeting, "
                        "open it, blue screen `DRIVER_POWER_STATE_FAILURE (0x9F)`. Unsaved work is gone each time."),
            DemoMessage(SAM, 2862, "That is the network driver of the last update, Paul. Until it is replaced, "
                        "please put the laptop to sleep from the start menu instead of closing the lid; that avoids "
                        "it."),
            DemoMessage(PAUL, 2790, "OK, that works."),
            DemoMessage(SAM, 1500, "The corrected driver is ready for you. It needs ten minutes and a restart: "
                        "please click “Install” in the company portal when it suits you, and tell me whether closing "
                        "the lid is safe again."),
            note(SAM, 1496, "Nineteen machines at Globex have the same driver. Roll-out is held back on purpose "
                 "until Paul’s has been quiet for two days; do not announce it."),
        ),
    ),
    DemoTicket(
        key="scanner-qr-versand", number=1014, company="acme", requester=LENA,
        subject="Scanner im Versand erkennt keine QR-Codes",
        category="technical", priority="normal", status="closed", assignee=SAM,
        created_minutes_ago=11690, first_response_minutes_ago=11610, resolved_minutes_ago=11420,
        closed_minutes_ago=9980, clock="met", rating=4, tags=("scanner", "warehouse"),
        messages=(
            DemoMessage(LENA, 11690, "Die drei neuen Handscanner im Versand lesen Strichcodes, aber keine QR-Codes. "
                        "Die alten konnten beides. Gibt es dafür eine Einstellung?"),
            DemoMessage(SAM, 11610, "Ja, 2D-Codes sind ab Werk ausgeschaltet. In Ihren Dokumenten liegt "
                        "„Scanner-Einstellung.pdf“ mit einem Code: einmal scannen, kurz warten, dreimal "
                        "Piepen heißt fertig."),
            DemoMessage(LENA, 11450, "Hat bei allen dreien funktioniert."),
            DemoMessage(SAM, 11420, "Sehr gut. Ich habe die Einstellung für künftige Geräte hinterlegt."),
        ),
    ),
    DemoTicket(
        key="cad-restarts", number=1008, company="globex", requester=CHLOE,
        subject="CAD workstation restarts under load",
        category="technical", priority="high", status="closed", assignee=JONAS,
        created_minutes_ago=20260, first_response_minutes_ago=20225, resolved_minutes_ago=19960,
        closed_minutes_ago=18600, clock="met", rating=4, rating_comment="Solved the same day.", tags=("workstation",),
        messages=(
            DemoMessage(CHLOE, 20260, "WS-GRE-09 restarts by itself whenever the designer renders. No blue screen, "
                        "just off and on again."),
            DemoMessage(JONAS, 20225, "Off and on without an error points to power or heat. I am reading the sensors "
                        "while it renders: may I have the machine for a quarter of an hour?"),
            DemoMessage(CHLOE, 20190, "Take it, he is at lunch."),
            DemoMessage(JONAS, 19960, "The power supply sagged under load. I have put in one from our store and let "
                        "it render for two hours without a restart. The part is under warranty, there is nothing to "
                        "pay."),
        ),
    ),
    DemoTicket(
        key="excel-order-sheet", number=1002, company="acme", requester=BEN,
        subject="Excel freezes when the order sheet opens",
        category="technical", priority="normal", status="closed", assignee=JONAS,
        created_minutes_ago=40380, first_response_minutes_ago=40290, resolved_minutes_ago=38980,
        closed_minutes_ago=37540, clock="met", rating=5, tags=("office",),
        messages=(
            DemoMessage(BEN, 40380, "Opening `Orders 2026.xlsx` takes four minutes and Excel does not react "
                        "meanwhile. The file has only 3 MB."),
            DemoMessage(JONAS, 40290, "May I look into a copy? Small files that open slowly often carry thousands of "
                        "invisible formats or links to old files."),
            DemoMessage(BEN, 40240, "Of course, go ahead."),
            DemoMessage(JONAS, 38980, "It had 61,000 unused styles and 14 links to a server that no longer exists. "
                        "The cleaned copy opens in three seconds. The original lies beside it, untouched."),
        ),
    ),
    DemoTicket(
        key="headset-quiet", number=995, company="globex", requester=PAUL,
        subject="Microphone of my headset is too quiet",
        category="technical", priority="low", status="cancelled", assignee=SAM,
        created_minutes_ago=57740, first_response_minutes_ago=57600, closed_minutes_ago=57520, clock="met",
        tags=("headset",),
        messages=(
            DemoMessage(PAUL, 57740, "Colleagues hear me only when I shout. The headset is four months old."),
            DemoMessage(SAM, 57600, "Hello Paul, is the arm with the microphone turned to the mouth until it clicks? "
                        "Before the click it is muted in hardware."),
            DemoMessage(PAUL, 57530, "It clicks indeed. Please forget that I asked, I am cancelling this."),
        ),
    ),
    DemoTicket(
        key="projector-training", number=974, company="acme", requester=ANA,
        subject="Projector in the training room flickers",
        category="technical", priority="low", status="closed", assignee=JONAS,
        created_minutes_ago=86520, first_response_minutes_ago=86400, resolved_minutes_ago=84960,
        closed_minutes_ago=83520, clock="met", rating=4, tags=("meeting-room",),
        messages=(
            DemoMessage(ANA, 86520, "The projector flickers about every thirty seconds, with each laptop we have "
                        "tried."),
            DemoMessage(JONAS, 86400, "Then it is the cable in the wall or the projector itself. I bring both a "
                        "cable and a tester tomorrow morning, before the course begins."),
            DemoMessage(JONAS, 84960, "The 15-metre cable was too long for the resolution. There is an optical one "
                        "in the wall now, and no flicker in an hour of video."),
        ),
    ),
)

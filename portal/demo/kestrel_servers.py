"""Kestrel IT's tickets about servers, shares, backups and certificates."""

from portal.demo.addresses import ANA, BEN, CHLOE, EDITH, JONAS, MIA, PAUL, SAM
from portal.demo.content import SYSTEM, DemoMessage, DemoTicket, note

SERVER_TICKETS: tuple[DemoTicket, ...] = (
    DemoTicket(
        key="old-drawings", number=1047, company="acme", requester=BEN,
        subject="Cannot open last year’s drawings",
        category="technical", priority="normal", status="open", assignee=SAM,
        created_minutes_ago=120, clock="within", tags=("file-server",),
        messages=(
            DemoMessage(BEN, 120, "Path is too long, maybe after the move to the new share? "
                        "`L:\\Engineering\\Archive\\2025\\Customer projects\\…` opens up to the project folder, then "
                        "the viewer says “file not found” although I can see it in the list."),
            note(SAM, 96, "Counted one: 271 characters with the new server name. Long paths are off in their policy "
                 "because of the CAD viewer from 2019. Never mention that we knew this in the migration plan, risk "
                 "14, until Mia has spoken to Ana."),
        ),
    ),
    DemoTicket(
        key="milling-cell-share", number=1045, company="acme", requester=BEN,
        subject="Milling cell 3 cannot reach the program share",
        category="technical", priority="urgent", status="in_progress", assignee=JONAS,
        created_minutes_ago=195, first_response_minutes_ago=187, clock="near", tags=("production", "file-server"),
        messages=(
            DemoMessage(BEN, 195, "The control of milling cell 3 shows `E-4107 network path not found` and the "
                        "operator cannot load the next program. Cells 1 and 2 work. The cell stands still, the order "
                        "has to leave tonight."),
            DemoMessage(JONAS, 187, "On it, Ben. Can the operator load the program from a USB stick for the running "
                        "order? I have put the current one in your documents so that the cell is not idle meanwhile."),
            DemoMessage(BEN, 176, "Yes, that works for this order. The next one needs probing data from the share, "
                        "so the stick only buys us the afternoon."),
            note(JONAS, 150, "The control only speaks SMB1 and our hardening of SRV-LYO-FILE02 switched it off last "
                 "night. Strictly between us: the exception list was on my desk and I forgot cell 3."),
            DemoMessage(JONAS, 62, "I have found it: last night’s hardening closed an old protocol that only this "
                        "control uses. I am building a small isolated share for it and will ask for a two-minute "
                        "test soon."),
        ),
    ),
    DemoTicket(
        key="shop-certificate", number=1040, company="vandelay", requester=EDITH,
        subject="Certificate of the shop ends on Sunday",
        category="technical", priority="high", status="in_progress", assignee=JONAS,
        created_minutes_ago=284, first_response_minutes_ago=251, clock="within", tags=("certificate", "change"),
        messages=(
            DemoMessage(EDITH, 284, "I got a warning that the certificate of shop.vandelay.example ends on Sunday at "
                        "23:59. Last year you renewed it for us, is that planned?"),
            DemoMessage(JONAS, 251, "It is planned, Edith, and it will be the last time by hand: from now on it "
                        "renews itself every 60 days."),
            DemoMessage(JONAS, 178, "Renewal needs a DNS record that only your registrar can set. I have sent your "
                        "marketing agency the exact line, it takes effect within an hour."),
            note(JONAS, 176, "The agency still has the registrar login of an employee who left. Raise it with "
                 "Vandelay after the renewal, not before, and not in writing."),
        ),
    ),
    DemoTicket(
        key="munich-search", number=1033, company="globex", requester=CHLOE,
        subject="Slow file search on the Munich server",
        category="technical", priority="low", status="in_progress", assignee=JONAS,
        created_minutes_ago=332, first_response_minutes_ago=301, clock="within", tags=("file-server",),
        messages=(
            DemoMessage(CHLOE, 332, "Searching for a file name in the project share takes more than a minute in "
                        "Munich, in Grenoble it is instant. Not dramatic, but people have started to keep copies on "
                        "the desktop."),
            DemoMessage(JONAS, 301, "The search index on SRV-MUC-01 stopped growing three weeks ago, so each search "
                        "walks through 1.9 million files. I have started to rebuild it; you can work normally."),
            DemoMessage(JONAS, 122, "Index rebuild is at 64%. I check again this afternoon."),
        ),
    ),
    DemoTicket(
        key="backup-report-october", number=1030, company="acme", requester=BEN,
        subject="Backup report for October is missing two servers",
        category="technical", priority="normal", status="in_progress", assignee=JONAS,
        created_minutes_ago=1640, first_response_minutes_ago=1570, clock="within", tags=("backup", "vendor"),
        messages=(
            DemoMessage(BEN, 1640, "The monthly backup report lists 9 servers, we have 11. SRV-LYO-CAD01 and "
                        "SRV-MUC-ERP are not in it. Are they not backed up, or just not in the list?"),
            DemoMessage(JONAS, 1570, "Both are backed up: the last restore points are from tonight and I have opened "
                        "a file out of each to be sure. The report is wrong, not the backup."),
            note(JONAS, 1550, "Report module skips machines renamed after the licence was counted. Vendor case "
                 "00418873. For us only: check the four other customers with renamed servers before anyone asks."),
            DemoMessage(JONAS, 1470, "It is a fault in the report of the backup software, the vendor has confirmed "
                        "it and works on a correction. I send you the October report with all eleven servers as soon "
                        "as it is in."),
        ),
    ),
    DemoTicket(
        key="intranet-certificate", number=1024, company="acme", requester=BEN,
        subject="Certificate warning on intranet.acme.example",
        category="technical", priority="normal", status="in_progress", assignee=MIA,
        created_minutes_ago=2780, first_response_minutes_ago=2735, clock="within", tags=("certificate", "change"),
        messages=(
            DemoMessage(BEN, 2780, "Since today Edge shows “Your connection isn’t private” with "
                        "`NET::ERR_CERT_AUTHORITY_INVALID` on intranet.acme.example. You can click through it, but I "
                        "do not want people to learn that."),
            DemoMessage(MIA, 2735, "Quite right, please do not click through. The page is genuine: the certificate "
                        "was issued by your old internal authority, which the new laptops no longer trust."),
            DemoMessage(BEN, 2700, "When can it be replaced? The travel expenses run over that page."),
            DemoMessage(MIA, 2660, "Saturday at 22:00, in the change window we agreed, with about five minutes of "
                        "downtime. Until then the link in the portal leads to the same page under a name that has a "
                        "valid certificate."),
            note(MIA, 2650, "Their old CA’s private key lies unprotected on the print server. We take it offline in "
                 "the same window. Not a word of this in the public thread."),
        ),
    ),
    DemoTicket(
        key="erp-export", number=1020, company="globex", requester=CHLOE,
        subject="Nightly ERP export stops at 03:10",
        category="technical", priority="high", status="resolved", assignee=JONAS,
        created_minutes_ago=4270, first_response_minutes_ago=4238, resolved_minutes_ago=4010,
        clock="met", tags=("erp",),
        messages=(
            DemoMessage(CHLOE, 4270, "For the third night the export to the shop has stopped at 03:10 with "
                        "`ORA-01652: unable to extend temp segment`. Stock in the shop is from Sunday."),
            DemoMessage(JONAS, 4238, "Good morning Chloe. The temporary tablespace on DB-GRE-02 is full at exactly "
                        "that time because a new statistics job runs in parallel. I am running the export now by "
                        "hand so that the shop is current within the half hour."),
            DemoMessage(CHLOE, 4150, "Stock is right again, thank you. And tonight?"),
            DemoMessage(JONAS, 4010, "The statistics job now starts at 05:00, and the tablespace may grow by another "
                        "8 GB. I have set an alarm at 80% so that we know before you do."),
        ),
    ),
    DemoTicket(
        key="sql-reboot", number=1013, company="globex", requester=CHLOE,
        subject="SQL server asks for a restart since the last patches",
        category="technical", priority="normal", status="closed", assignee=SAM,
        created_minutes_ago=13020, first_response_minutes_ago=12900, resolved_minutes_ago=11440,
        closed_minutes_ago=10000, clock="met", rating=4, tags=("patching", "change"),
        messages=(
            DemoMessage(CHLOE, 13020, "There is a yellow flag on SQL-GRE-01: “restart required”. Is it safe to leave "
                        "it?"),
            DemoMessage(SAM, 12900, "For a few days, yes. I suggest tonight at 21:30: three minutes without the ERP. "
                        "May I?"),
            DemoMessage(CHLOE, 12850, "Yes, nobody works then."),
            DemoMessage(SAM, 11440, "Restarted at 21:31, back at 21:33, all services checked."),
        ),
    ),
    DemoTicket(
        key="disk-full-lyon", number=1010, company="acme", requester=BEN,
        subject="Disk almost full on SRV-LYO-FILE02",
        category="technical", priority="urgent", status="closed", assignee=SAM,
        created_minutes_ago=15960, first_response_minutes_ago=15952, resolved_minutes_ago=15850,
        closed_minutes_ago=14420, clock="met", rating=5, rating_comment="Faster than I could refill my coffee.",
        tags=("file-server",),
        messages=(
            DemoMessage(BEN, 15960, "Nobody can save in the engineering share: “There is not enough space on the "
                        "disk”."),
            DemoMessage(SAM, 15952, "I see it: 0.4 GB left of 4 TB. I am adding 500 GB right now, you do not need to "
                        "delete anything."),
            note(SAM, 15930, "1.1 TB of it is one person’s holiday videos under \\Engineering\\Temp\\pm. HR matter, "
                 "Acme’s management decides. Names stay out of the ticket."),
            DemoMessage(SAM, 15850, "Saving works again. The share has grown by 520 GB in eleven days, I have sent "
                        "Ana a list of the largest folders so that you can decide what may go to the archive."),
        ),
    ),
    DemoTicket(
        key="restore-tender", number=1003, company="globex", requester=PAUL,
        subject="Restore a folder that was deleted last week",
        category="technical", priority="high", status="closed", assignee=JONAS,
        created_minutes_ago=36050, first_response_minutes_ago=36020, resolved_minutes_ago=35900,
        closed_minutes_ago=34460, clock="met", rating=5, rating_comment="Everything was there, even the drafts.",
        tags=("backup",),
        messages=(
            DemoMessage(PAUL, 36050, "The folder “Tender Isère” has gone from the sales share, probably dragged "
                        "somewhere by mistake. The tender is due the day after tomorrow."),
            DemoMessage(JONAS, 36020, "It was deleted, not moved. I am restoring the state of the evening before "
                        "into “Tender Isère (restored)”, so that nothing of today is overwritten."),
            note(JONAS, 36010, "Audit log names the user who deleted it. We do not hand that to Globex without a "
                 "written request from their works council."),
            DemoMessage(JONAS, 35900, "All 214 files are back, with the permissions they had."),
        ),
    ),
    DemoTicket(
        key="power-cut-lyon", number=998, company="acme", requester=ANA,
        subject="Power cut in Lyon: the servers did not come back",
        category="technical", priority="urgent", status="closed", assignee=MIA,
        created_minutes_ago=51900, first_response_minutes_ago=51893, resolved_minutes_ago=51555,
        closed_minutes_ago=50110, clock="breached", escalated_level=1, rating=4,
        rating_comment="Longer than promised, but we always knew what was going on.", tags=("outage",),
        messages=(
            DemoMessage(ANA, 51900, "We had a power cut of about ten minutes. Light and machines are back, but "
                        "nothing of IT: no telephone, no ERP, no file server."),
            DemoMessage(SAM, 51893, "We see all of Lyon as down, Ana. Jonas is in the car with a spare switch, I am "
                        "on the phone with your house technician."),
            DemoMessage(SAM, 51790, "Telephone and internet are back. The storage is still checking its disks; that "
                        "cannot be hurried without risk to your data."),
            note(SYSTEM, 51660, "Solution is late. Escalated to Mia Lindqvist."),
            note(MIA, 51640, "UPS batteries were due in March, the quote has been on Acme’s desk since. Tell nobody "
                 "at Acme “we told you so”, it goes into the review with Ana."),
            DemoMessage(MIA, 51555, "Everything runs again, file server and ERP included, and no data was lost. You "
                        "will get a report with the timeline and what we propose for the batteries."),
        ),
    ),
)

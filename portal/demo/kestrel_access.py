"""Kestrel IT's tickets about accounts, groups, mailboxes and security."""

from portal.demo.addresses import ANA, BEN, CHLOE, DANA, JONAS, MIA, PAUL, SAM
from portal.demo.content import DemoMessage, DemoTicket, note

ACCESS_TICKETS: tuple[DemoTicket, ...] = (
    DemoTicket(
        key="works-council-group", number=1053, company="globex", requester=CHLOE,
        subject="Please add Petra to the works council group",
        category="general", priority="normal", status="open",
        created_minutes_ago=48, clock="within", tags=("groups",),
        messages=(
            DemoMessage(CHLOE, 48, "Approval from HR is attached to the employee file: Petra Novak was elected and "
                        "needs the works council mailbox, calendar and share. Please do not add anybody else to the "
                        "mail, the list of members is confidential until Monday."),
        ),
    ),
    DemoTicket(
        key="new-phone-sign-in", number=1052, company="globex", requester=PAUL,
        subject="New phone: sign-in approval does not arrive",
        category="technical", priority="high", status="in_progress", assignee=SAM,
        created_minutes_ago=55, first_response_minutes_ago=36, clock="within", tags=("two-factor",),
        messages=(
            DemoMessage(PAUL, 55, "I have a new phone since this morning and wiped the old one. Now every sign-in "
                        "waits for an approval that never comes. I can still read mail on the laptop because I am "
                        "signed in there."),
            DemoMessage(SAM, 36, "Do not sign out on the laptop, Paul. I call you on the number in your employee "
                        "file, you tell me the word I read out to Chloe, and then I give you a one-time code for the "
                        "new phone."),
            note(SAM, 33, "Identity check by call-back only, through Chloe. No codes by mail or chat, whatever he or "
                 "anybody writes here. The word of the day is in vault entry GLX-71."),
        ),
    ),
    DemoTicket(
        key="board-calendar", number=1043, company="globex", requester=CHLOE,
        subject="Calendar of the board is visible to everyone",
        category="technical", priority="urgent", status="in_progress", assignee=MIA,
        created_minutes_ago=207, first_response_minutes_ago=198, clock="near", tags=("security", "calendar"),
        messages=(
            DemoMessage(CHLOE, 207, "Found by chance this morning: every employee can open the calendar of the board "
                        "with titles and attendees, among them a meeting about closing a site. Please treat this as "
                        "urgent."),
            DemoMessage(MIA, 198, "I have closed it, Chloe: since two minutes ago only the board and its assistants "
                        "see more than free or busy. I am now finding out since when it was open and who has looked."),
            note(MIA, 160, "Default permission was set to Reviewer by our own onboarding script in September. Legal "
                 "wants to see the answer before it goes out. Until then nothing about the cause to Globex, not even "
                 "by phone."),
            DemoMessage(CHLOE, 131, "Thank you for the speed. Our data protection officer needs the list of people "
                        "today, he has 72 hours from this morning."),
            DemoMessage(MIA, 64, "You will have it in writing this afternoon: the period, the accounts that opened "
                        "it, and what they could see."),
        ),
    ),
    DemoTicket(
        key="new-starter-december", number=1039, company="acme", requester=ANA,
        subject="New starter on 1 December: laptop and accounts",
        category="general", priority="normal", status="waiting_customer", assignee=SAM,
        created_minutes_ago=290, first_response_minutes_ago=262, clock="paused", tags=("onboarding",),
        messages=(
            DemoMessage(ANA, 290, "Julie Marchetti starts in purchasing on 1 December. She needs a laptop, a "
                        "telephone extension and the same access as Marc, except for the contract share."),
            DemoMessage(SAM, 262, "Happily. Accounts and extension are prepared and become active on the morning of "
                        "the first.\n\n"
                        "Which laptop may I order? The 14-inch is lighter and in stock; the 16-inch has a number pad "
                        "and takes eight days. Both are in your price list."),
        ),
    ),
    DemoTicket(
        key="mailbox-logistics", number=1038, company="hooli", requester=DANA,
        subject="Rename the team mailbox to Logistics",
        category="general", priority="low", status="in_progress", assignee=SAM,
        created_minutes_ago=294, first_response_minutes_ago=266, clock="within", tags=("mailbox",),
        messages=(
            DemoMessage(DANA, 294, "The team “Shipping” is called “Logistics” from next month. Can the mailbox "
                        "follow?"),
            DemoMessage(SAM, 266, "It can. Shall mail to the old address still arrive, and for how long?"),
            DemoMessage(DANA, 187, "Keep the old address as a second one, for a year please. Half of the carriers "
                        "will never update it."),
        ),
    ),
    DemoTicket(
        key="finance-share-auditors", number=1031, company="acme", requester=ANA,
        subject="Access to the finance share for the auditors",
        category="general", priority="normal", status="in_progress", assignee=JONAS,
        created_minutes_ago=1560, first_response_minutes_ago=1500, clock="within", tags=("groups", "audit"),
        messages=(
            DemoMessage(ANA, 1560, "Two auditors need the folder “Year end 2026” from next week. Their names and "
                        "addresses are in the attached engagement letter."),
            DemoMessage(JONAS, 1500, "I create two guest accounts with two-factor sign-in. Read and write, or "
                        "reading only? And until when?"),
            DemoMessage(ANA, 1440, "Read only until 15 December, please, and no downloads if that is possible."),
            note(JONAS, 1425, "One of the two auditors also works for Globex’s auditor. Separate guest accounts, no "
                 "shared group, and Acme does not need to know why."),
            DemoMessage(JONAS, 1400, "Both is possible. I set it up today and send you the two names to confirm "
                        "before the invitations go out."),
        ),
    ),
    DemoTicket(
        key="reception-mailbox", number=1028, company="acme", requester=ANA,
        subject="Shared mailbox for the Lyon reception",
        category="general", priority="normal", status="resolved", assignee=SAM,
        created_minutes_ago=1800, first_response_minutes_ago=1745, resolved_minutes_ago=1350,
        clock="met", tags=("mailbox",),
        messages=(
            DemoMessage(ANA, 1800, "Reception in Lyon has three people in turns and one private mailbox with the "
                        "password on a note. Could we have a proper shared one, reception.lyon@acme.example?"),
            DemoMessage(SAM, 1745, "With pleasure, and thank you for telling us about the note. Who is in the team, "
                        "and may all three send in the name of reception?"),
            DemoMessage(ANA, 1700, "Inès, Karim and Sophie, and yes."),
            DemoMessage(SAM, 1350, "The mailbox is in the Outlook of all three, the old one forwards to it, and its "
                        "password is changed. I call Inès tomorrow to hear whether all is well."),
        ),
    ),
    DemoTicket(
        key="access-review-leavers", number=1027, company="acme", requester=BEN,
        subject="Quarterly access review: list of leavers",
        category="general", priority="low", status="in_progress", assignee=SAM,
        created_minutes_ago=1990, first_response_minutes_ago=1760, clock="within", tags=("audit", "groups"),
        messages=(
            DemoMessage(BEN, 1990, "For the ISO audit I need the list of accounts of people who left since July, "
                        "with the day each one was closed."),
            DemoMessage(SAM, 1760, "The list has 14 people. For twelve the account was closed on the last day. For "
                        "two I am still reading the log, so that you get dates you can defend."),
            note(SAM, 1755, "Two accounts stayed open for 9 and 16 days because nobody at Acme told us. Word it "
                 "neutrally. Ben’s own manager was the one who forgot, so this stays among us."),
        ),
    ),
    DemoTicket(
        key="parcel-phishing", number=1026, company="globex", requester=CHLOE,
        subject="Suspicious mail about a parcel: three people clicked",
        category="technical", priority="urgent", status="resolved", assignee=MIA,
        created_minutes_ago=2700, first_response_minutes_ago=2694, resolved_minutes_ago=2560, clock="met",
        tags=("security", "phishing"),
        messages=(
            DemoMessage(CHLOE, 2700, "About forty colleagues got a mail “Your parcel is waiting”. Three have "
                        "clicked, one of them has typed her password."),
            DemoMessage(MIA, 2694, "All three are signed out everywhere and their passwords are reset. Please tell "
                        "them to expect a call from us, and not to feel bad about it: reporting it was exactly right."),
            DemoMessage(MIA, 2640, "The mail is removed from all 43 mailboxes and the sender is blocked. The stolen "
                        "password was tried once, from abroad, and stopped by the second factor."),
            note(MIA, 2630, "The account that typed the password belongs to their CFO. Chloe knows, nobody else at "
                 "Globex does. Keep the name out of every report."),
            DemoMessage(MIA, 2560, "No rule, no forwarding and no new device was left behind on any of the accounts. "
                        "The report for your data protection officer is among your documents."),
        ),
    ),
    DemoTicket(
        key="tender-sharing", number=1018, company="globex", requester=PAUL,
        subject="External sharing is blocked for the tender folder",
        category="technical", priority="normal", status="resolved", assignee=SAM,
        created_minutes_ago=5800, first_response_minutes_ago=5715, resolved_minutes_ago=5560,
        clock="met", tags=("sharing",),
        messages=(
            DemoMessage(PAUL, 5800, "I cannot invite our partner to “Tender Drôme”: “Your organisation’s policies do "
                        "not allow this”. Last month it worked."),
            DemoMessage(SAM, 5715, "The folder was moved under “Legal”, where sharing outside is switched off on "
                        "purpose. May I move it back under “Sales”, links stay valid?"),
            DemoMessage(PAUL, 5660, "Yes please, that was us tidying up."),
            DemoMessage(SAM, 5560, "Moved. I have sent the invitation to your partner in your name, and she has "
                        "opened it."),
        ),
    ),
    DemoTicket(
        key="leaver-perrin", number=1011, company="acme", requester=ANA,
        subject="Leaver: please close the accounts of J. Perrin",
        category="general", priority="normal", status="closed", assignee=JONAS,
        created_minutes_ago=15850, first_response_minutes_ago=15780, resolved_minutes_ago=14410,
        closed_minutes_ago=12970, clock="met", rating=5, rating_comment="Discreet and complete.", tags=("offboarding",),
        messages=(
            DemoMessage(ANA, 15850, "Jean Perrin leaves us tomorrow at noon. Please close everything then, forward "
                        "his mail to Ben for three months and keep his files."),
            note(JONAS, 15800, "HR phoned: dismissal, he does not know yet. Nothing may appear in the portal feed of "
                 "his team before noon tomorrow."),
            DemoMessage(JONAS, 15780, "Understood, it is set for tomorrow 12:00 to the minute. Badge and phone are "
                        "included."),
            DemoMessage(JONAS, 14410, "Done at 12:00: sign-in closed, sessions ended, mail goes to Ben, files are in "
                        "the archive under his name. The laptop is back and locked away."),
        ),
    ),
    DemoTicket(
        key="locked-out", number=1007, company="acme", requester=BEN,
        subject="Locked out after changing my password",
        category="technical", priority="high", status="closed", assignee=SAM,
        created_minutes_ago=21680, first_response_minutes_ago=21664, resolved_minutes_ago=21630,
        closed_minutes_ago=20220, clock="met", rating=5, tags=("password",),
        messages=(
            DemoMessage(BEN, 21680, "I changed my password as asked, and since then I am locked out every few "
                        "minutes, though I type it correctly."),
            DemoMessage(SAM, 21664, "Something still knows the old one and keeps trying. Do you have a second "
                        "device, an old phone or a tablet in the workshop?"),
            DemoMessage(BEN, 21648, "The tablet at the test bench! It shows my calendar."),
            DemoMessage(SAM, 21630, "That was it. I have signed it out; you are unlocked, and it has been quiet "
                        "since."),
        ),
    ),
    DemoTicket(
        key="two-factor-plan", number=1001, company="globex", requester=CHLOE,
        subject="Two-factor sign-in for everybody: plan and dates",
        category="general", priority="low", status="closed", assignee=MIA,
        created_minutes_ago=44700, first_response_minutes_ago=44460, resolved_minutes_ago=41890,
        closed_minutes_ago=40450, clock="met", rating=5,
        rating_comment="The plan survived contact with our factory floor.", tags=("two-factor", "security"),
        messages=(
            DemoMessage(CHLOE, 44700, "Our insurer wants two-factor sign-in for all 160 people by the end of the "
                        "year. Half of them stand at machines and may not carry a phone. What do you propose?"),
            DemoMessage(MIA, 44460, "Phones for the offices, small keys on the badge cord for the floor, and for the "
                        "test field codes on paper in a sealed envelope. Four groups, one a week, the works council "
                        "first."),
            DemoMessage(CHLOE, 43200, "The works council agrees, if nobody has to use a private phone."),
            DemoMessage(MIA, 41890, "Nobody has to. The plan with dates and the text for your people is in your "
                        "documents, 70 keys are ordered."),
        ),
    ),
    DemoTicket(
        key="merger-duplicates", number=962, company="globex", requester=PAUL,
        subject="Duplicate accounts after the import from Munich",
        category="technical", priority="normal", status="closed", assignee=JONAS,
        created_minutes_ago=100880, first_response_minutes_ago=100790, resolved_minutes_ago=99420,
        closed_minutes_ago=97980, clock="met", rating=4, tags=("accounts",),
        messages=(
            DemoMessage(PAUL, 100880, "Eleven colleagues appear twice in the address book since the Munich accounts "
                        "were imported. Mail goes to either of the two at random."),
            DemoMessage(JONAS, 100790, "I see them. They differ only in the accent of the name. I join each pair "
                        "tonight, so that mail of both ends up in one mailbox and nothing is lost."),
            DemoMessage(JONAS, 99420, "All eleven are joined. I have compared the number of mails before and after: "
                        "nothing is missing."),
        ),
    ),
)

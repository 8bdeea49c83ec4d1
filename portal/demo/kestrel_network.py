"""Kestrel IT's tickets about lines, VPN, firewalls, Wi-Fi and telephones."""

from portal.demo.addresses import ANA, BEN, CHLOE, DANA, EDITH, JONAS, LENA, MIA, MILO, PAUL, SAM
from portal.demo.content import SYSTEM, DemoMessage, DemoTicket, note

NETWORK_TICKETS: tuple[DemoTicket, ...] = (
    DemoTicket(
        key="queue-music-hooli", number=1048, company="hooli", requester=DANA,
        subject="Phone system: queue music is missing",
        category="technical", priority="high", status="in_progress", assignee=JONAS,
        created_minutes_ago=105, first_response_minutes_ago=88, clock="within", tags=("telephony",),
        messages=(
            DemoMessage(DANA, 105, "Since this morning our queue on +34 93 000 00 20 plays nothing. People think the "
                        "line is dead and hang up, we have lost about fifteen calls."),
            DemoMessage(JONAS, 88, "Hello Dana, I hear it too. The queue itself works, calls are answered in order; "
                        "only the announcement and the music are silent. I am looking at the media server now."),
            note(JONAS, 84, "MOH file on PBX-BCN-01 is 0 bytes since our own clean-up job ran. That one is on us, "
                 "and it must not reach Hooli before Mia has checked the other five PBXs."),
            DemoMessage(DANA, 60, "Callers hear silence for about forty seconds, then the agent. If it helps: the "
                        "night announcement does play."),
        ),
    ),
    DemoTicket(
        key="sftp-carrier-globex", number=1046, company="globex", requester=CHLOE,
        subject="Grenoble firewall: please open SFTP for the carrier",
        category="technical", priority="normal", status="waiting_customer", assignee=SAM,
        created_minutes_ago=150, first_response_minutes_ago=131, clock="paused", tags=("firewall", "change"),
        messages=(
            DemoMessage(CHLOE, 150, "Our carrier moves from mail to SFTP for delivery notes. Can you open port 22 "
                        "towards EDI-GRE-01 for them? They would like to test this week."),
            DemoMessage(SAM, 131, "Gladly, Chloe. Two things before I open it:\n\n"
                        "- the fixed addresses the carrier connects from, so that the port is not open to everyone\n"
                        "- whether they can use a key instead of a password\n\n"
                        "With both I can have it in place within the hour. The clock waits for you meanwhile."),
            note(SAM, 130, "Do not open this any-to-any, whoever asks. EDI-GRE-01 still runs the old OpenSSH and "
                 "Globex has not signed for the upgrade."),
        ),
    ),
    DemoTicket(
        key="vpn-lyon", number=1042, company="acme", requester=BEN,
        subject="VPN drops every few minutes since Monday’s update",
        category="technical", priority="high", status="in_progress", assignee=SAM,
        created_minutes_ago=272, first_response_minutes_ago=234, clock="within", tags=("firmware", "vpn"),
        messages=(
            DemoMessage(BEN, 272, "Since the update on Monday evening the VPN disconnects every 5 to 10 minutes for "
                        "everyone in Lyon. It reconnects by itself, but calls drop and file copies fail. Munich is "
                        "fine.\n\n"
                        "I attached the client log of my machine."),
            note(SAM, 256, "Phase 2 lifetime on FW-LYO-01 is 480 s, ours is 3,600 s. The firmware reset it. @Mia can "
                 "I take the spare from the lab for a test?"),
            note(SYSTEM, 255, "Automation “Gold: faster triage” set priority to High and assigned Network."),
            DemoMessage(SAM, 234, "Thank you Ben, the log helps. The tunnel renegotiates exactly every 480 seconds, "
                        "which points to a key lifetime that no longer matches between the Lyon firewall and our "
                        "gateway since Monday’s firmware.\n\n"
                        "We are testing the corrected setting on the spare firewall now. You do not need to do "
                        "anything."),
            DemoMessage(ANA, 28, "Thanks. We have a customer call at 16:00 from Lyon, could it be stable by then?"),
            note(MIA, 18, "Yes, the spare is booked for you until 18:00. Ask Ana for a slot before you switch, they "
                 "sell by phone."),
        ),
    ),
    DemoTicket(
        key="voucher-printer-vandelay", number=1041, company="vandelay", requester=EDITH,
        subject="Guest Wi-Fi voucher printer offline",
        category="technical", priority="normal", status="open",
        created_minutes_ago=278, first_response_minutes_ago=262, clock="within", tags=("wifi", "printer"),
        messages=(
            DemoMessage(EDITH, 278, "The little printer at reception that prints the Wi-Fi vouchers says “No host”. "
                        "We have restarted it twice."),
            DemoMessage(SAM, 262, "Hello Edith, “No host” means it has lost its own network, not the guests’. Is the "
                        "lamp beside the cable lit, and which colour?"),
            DemoMessage(EDITH, 140, "Reception has 40 visitors tomorrow, so this would be good to have today. The "
                        "lamp is orange and blinks slowly, it used to be green."),
        ),
    ),
    DemoTicket(
        key="graz-line-initech", number=1034, company="initech", requester=MILO,
        subject="New site in Graz: line order and dates",
        category="general", priority="low", status="in_progress", assignee=MIA,
        created_minutes_ago=324, first_response_minutes_ago=296, clock="within", tags=("site", "order"),
        messages=(
            DemoMessage(MILO, 324, "We have signed the lease in Graz, Conrad-von-Hötzendorf-Straße, second floor, "
                        "twelve people to begin with. When can we have a line there, and who talks to the landlord?"),
            DemoMessage(MIA, 296, "Congratulations on the new rooms, Milo. I have ordered 500/500 on fibre with a 5G "
                        "router as the bridge until it is live. The landlord only has to unlock the riser, I write "
                        "to him today."),
            DemoMessage(MILO, 214, "Provider says 14 working days in the mail I got. Does that include the cabling "
                        "on our floor?"),
            note(MIA, 205, "The provider’s real average in Graz is 31 working days. Plan the 5G bridge for six weeks "
                 "and do not quote the 14 days to Initech in writing."),
        ),
    ),
    DemoTicket(
        key="telefone-muenchen", number=1015, company="acme", requester=LENA,
        subject="Telefone in München klingeln doppelt",
        category="technical", priority="normal", status="closed", assignee=JONAS,
        created_minutes_ago=11560, first_response_minutes_ago=11490, resolved_minutes_ago=11300,
        closed_minutes_ago=10160, clock="met", rating=5, rating_comment="Schnell und freundlich, danke!",
        tags=("telephony",),
        messages=(
            DemoMessage(LENA, 11560, "Seit heute früh klingelt jeder Anruf in München zweimal: erst am Tischtelefon, "
                        "nach dem Abheben dann noch einmal am Rechner. Das betrifft alle acht Plätze."),
            DemoMessage(JONAS, 11490, "Guten Tag Lena, die Rufgruppe wurde gestern um die Rechner erweitert, "
                        "allerdings nacheinander statt gleichzeitig. Ich stelle das gerade um."),
            DemoMessage(JONAS, 11300, "Umgestellt und mit zwei Testanrufen geprüft. Nach dem Abheben bleibt es jetzt "
                        "still."),
        ),
    ),
    DemoTicket(
        key="guest-wifi-fair", number=1012, company="acme", requester=ANA,
        subject="Guest Wi-Fi for the open day",
        category="general", priority="low", status="closed", assignee=SAM,
        created_minutes_ago=14480, first_response_minutes_ago=14390, resolved_minutes_ago=14100,
        closed_minutes_ago=12900, clock="met", rating=5, tags=("wifi",),
        messages=(
            DemoMessage(ANA, 14480, "We expect about 120 visitors for the open day. Can guests use one password for "
                        "the day instead of vouchers?"),
            DemoMessage(SAM, 14390, "Yes. I have prepared a network “Acme open day” that is up from 07:00 to 20:00 "
                        "on the day and reaches the internet only. The password is in your documents, ready to print."),
            DemoMessage(ANA, 14210, "Perfect. Could you limit the speed so that our own tills are not affected?"),
            DemoMessage(SAM, 14100, "Done: 10 Mbit/s a guest, and the tills go first in any case."),
        ),
    ),
    DemoTicket(
        key="video-freeze-globex", number=1009, company="globex", requester=CHLOE,
        subject="Video calls freeze between Grenoble and Munich",
        category="technical", priority="normal", status="in_progress", assignee=MIA,
        created_minutes_ago=17450, first_response_minutes_ago=17390, clock="breached", escalated_level=2,
        tags=("line", "vendor"),
        messages=(
            DemoMessage(CHLOE, 17450, "Every afternoon our calls with Munich freeze for ten to twenty seconds, then "
                        "the picture jumps. Sound mostly survives. Calls within Grenoble are fine."),
            DemoMessage(SAM, 17390, "Thank you Chloe. I have set up a measurement every minute between the two "
                        "sites, so that we see loss and delay at the moment it happens."),
            DemoMessage(SAM, 15840, "The measurement is clear: 4 to 7% loss, always at the carrier’s hand-over in "
                        "Geneva, never on your line or in your building. I have opened a fault with the carrier."),
            DemoMessage(CHLOE, 10120, "Any news? We held the board meeting by telephone yesterday."),
            note(MIA, 10090, "We missed the promise on this one by days. The carrier account manager admitted off "
                 "the record that the Geneva port is oversold. Credit for Globex is approved up to €400, wait until "
                 "they ask."),
            DemoMessage(MIA, 10060, "Chloe, I have taken this over from Sam. We have missed our own promise here and "
                        "I am sorry. Until the carrier has moved you to another port, your calls go through our data "
                        "centre in Lyon from tonight."),
            DemoMessage(CHLOE, 4180, "Much better since then, one short freeze in three days. Please tell us when "
                        "the carrier is done."),
        ),
    ),
    DemoTicket(
        key="wifi-vercors", number=1005, company="globex", requester=PAUL,
        subject="Le Wi-Fi de la salle Vercors coupe pendant les visios",
        category="technical", priority="normal", status="closed", assignee=SAM,
        created_minutes_ago=28820, first_response_minutes_ago=28700, resolved_minutes_ago=27320,
        closed_minutes_ago=25900, clock="met", rating=5, rating_comment="Réglé du premier coup, merci Sam.",
        tags=("wifi",),
        messages=(
            DemoMessage(PAUL, 28820, "Bonjour, dans la salle Vercors le Wi-Fi coupe dès que nous sommes plus de six "
                        "en visio. À côté, en salle Chartreuse, tout va bien."),
            DemoMessage(SAM, 28700, "Bonjour Paul, la borne AP-GRE-07 utilise le même canal que sa voisine et se "
                        "replie sur 2,4 GHz quand la salle est pleine. Je change le canal ce soir après 19 h."),
            DemoMessage(SAM, 27320, "C’est fait. Test ce matin avec douze appareils : aucune coupure pendant une "
                        "heure."),
        ),
    ),
    DemoTicket(
        key="aisle-seven-wifi", number=987, company="acme", requester=BEN,
        subject="Warehouse scanners lose Wi-Fi in aisle 7",
        category="technical", priority="urgent", status="closed", assignee=JONAS,
        created_minutes_ago=67700, first_response_minutes_ago=67648, resolved_minutes_ago=67510,
        closed_minutes_ago=66100, clock="breached", escalated_level=1, rating=3,
        rating_comment="Fix was good, but nobody answered for almost an hour.", tags=("wifi", "warehouse"),
        messages=(
            DemoMessage(BEN, 67700, "All six scanners drop out in aisle 7 and the pickers walk back to book by hand. "
                        "Two trucks are waiting at the ramp."),
            note(SYSTEM, 67685, "First answer is late. Escalated to Mia Lindqvist."),
            DemoMessage(JONAS, 67648, "Ben, I am sorry for the wait. AP-LYO-19 above aisle 7 has been without power "
                        "since the electrician’s visit; I am on my way with an injector."),
            note(MIA, 67630, "On-call phone was on mute for 37 minutes. Credit of 2% is due under C-2025-014 §6. Do "
                 "not discuss the phone with Acme, I speak to Ana myself."),
            DemoMessage(JONAS, 67510, "The access point is back and has its own supply now. All six scanners have "
                        "booked in aisle 7 without a break for half an hour."),
            DemoMessage(MIA, 67480, "We promised an answer within 15 minutes and needed 52. The credit for it is on "
                        "your next invoice, Ana and Ben."),
        ),
    ),
    DemoTicket(
        key="vpn-graz", number=911, company="vandelay", requester=EDITH,
        subject="Tunnel to Graz drops every eight minutes",
        category="technical", priority="high", status="closed", assignee=SAM,
        created_minutes_ago=170000, first_response_minutes_ago=169965, resolved_minutes_ago=169710,
        closed_minutes_ago=168300, clock="met", rating=5, tags=("vpn", "firmware"),
        messages=(
            DemoMessage(EDITH, 170000, "Since the night the connection to headquarters breaks off every few minutes "
                        "and comes back by itself."),
            DemoMessage(SAM, 169965, "Hello Edith, the new firmware on FW-GRZ-01 has put the key lifetime back to "
                        "480 seconds. I am setting both sides to 3,600."),
            note(SAM, 169940, "Firmware 7.4 resets phase 2 lifetimes. The vendor calls it expected behaviour. "
                 "Knowledge base draft “Phase 2 lifetimes after firmware 7.4” is for staff eyes only until they "
                 "publish."),
            DemoMessage(SAM, 169710, "Stable for four hours and counting. I am closing the change and keep an eye on "
                        "it."),
        ),
    ),
)

"""The two demo tenants with their companies and people."""

from portal.demo import addresses as at
from portal.demo.content import DemoCompany, DemoPerson, DemoTenant
from portal.demo.kestrel_tickets import KESTREL_TICKETS
from portal.demo.nova_tickets import NOVA_TICKETS

_PARIS = "Europe/Paris"
_RIYADH = "Asia/Riyadh"

_KESTREL_COMPANIES = (
    DemoCompany(key="acme", name="Acme Manufacturing", customer_number="10014", city="Lyon", country="FR",
                phone="+33465710140"),
    DemoCompany(key="globex", name="Globex", customer_number="10022", city="Grenoble", country="FR",
                phone="+33465710220"),
    DemoCompany(key="initech", name="Initech", customer_number="10031", city="Vienna", country="AT",
                phone="+4315550310"),
    DemoCompany(key="hooli", name="Hooli", customer_number="10035", city="Barcelona", country="ES",
                phone="+34930000020"),
    DemoCompany(key="vandelay", name="Vandelay", customer_number="10042", city="Graz", country="AT",
                phone="+43316555042"),
)

_KESTREL_CUSTOMERS = (
    DemoPerson(key="ana", email=at.ANA, name="Ana Moreau", phone="+33639980014", company="acme",
               role="customer.admin", locale="en", timezone=_PARIS, title="Head of operations"),
    DemoPerson(key="ben", email=at.BEN, name="Ben Keller", phone="+33639980015", company="acme",
               role="customer", locale="en", timezone=_PARIS, title="IT coordinator"),
    DemoPerson(key="lena", email=at.LENA, name="Lena Vogt", phone="+491713920011", company="acme",
               role="customer", locale="de", timezone="Europe/Berlin", title="Leiterin Versand, München"),
    DemoPerson(key="chloe", email=at.CHLOE, name="Chloe Laurent", phone="+33639980022", company="globex",
               role="customer.admin", locale="fr", timezone=_PARIS, title="Directrice administrative"),
    DemoPerson(key="paul", email=at.PAUL, name="Paul Girard", phone="+33639980023", company="globex",
               role="customer", locale="fr", timezone=_PARIS, title="Responsable des ventes"),
    DemoPerson(key="milo", email=at.MILO, name="Milo Brandt", company="initech",
               role="customer.admin", locale="de", timezone="Europe/Vienna", title="Büroleiter"),
    DemoPerson(key="dana", email=at.DANA, name="Dana Ruiz", company="hooli",
               role="customer.admin", locale="es", timezone="Europe/Madrid", title="Jefa de atención al cliente"),
    DemoPerson(key="yusuf", email=at.YUSUF, name="Yusuf Nasser", company="hooli",
               role="customer", locale="ar", timezone="Europe/Madrid", title="مسؤول المشتريات"),
    DemoPerson(key="edith", email=at.EDITH, name="Edith Kramer", company="vandelay",
               role="customer.admin", locale="en", timezone="Europe/Vienna", title="Office manager"),
)

_KESTREL_STAFF = (
    DemoPerson(key="sam", email=at.SAM, name="Sam Okafor", phone="+33639980001", role="agent", locale="en",
               timezone=_PARIS, title="Support engineer, Network"),
    DemoPerson(key="jonas", email=at.JONAS, name="Jonas Thiel", phone="+33639980006", role="agent", locale="en",
               timezone=_PARIS, title="Support engineer, Workplace"),
    DemoPerson(key="mia", email=at.MIA, name="Mia Lindqvist", phone="+33639980002", role="manager", locale="en",
               timezone=_PARIS, title="Team lead, Support"),
    DemoPerson(key="bill", email=at.BILL, name="Bill Hartmann", phone="+33639980003", role="billing", locale="en",
               timezone=_PARIS, title="Billing"),
    DemoPerson(key="dora", email=at.DORA, name="Dora Vance", phone="+33639980004", role="designer", locale="en",
               timezone=_PARIS, title="Service designer"),
    DemoPerson(key="ada", email=at.ADA, name="Ada Brandt", phone="+33639980005", role="tenant_admin", locale="en",
               timezone=_PARIS, title="Managing director"),
)

DEMO = DemoTenant(
    key="demo",
    name="Kestrel IT",
    slug="demo",
    locale="en",
    locales=("en", "es", "fr", "de", "ar"),
    timezone=_PARIS,
    number_prefix="TCK",
    support_email="help@kestrel.example",
    support_phone="+33 4 72 55 01 84",
    welcome_message={
        "en": "Tickets, quotes, invoices and projects of your company in one place, each with its next step and the "
              "time of it.",
        "es": "Tickets, presupuestos, facturas y proyectos de su empresa en un solo lugar, cada uno con su próximo "
              "paso y su hora.",
        "fr": "Tickets, devis, factures et projets de votre entreprise réunis au même endroit, chacun avec sa "
              "prochaine étape et son heure.",
        "de": "Tickets, Angebote, Rechnungen und Projekte Ihres Unternehmens an einem Ort, jeweils mit dem nächsten "
              "Schritt und seiner Uhrzeit.",
        "ar": "تذاكر شركتكم وعروض أسعارها وفواتيرها ومشاريعها في مكان واحد، ومع كل منها الخطوة التالية وموعدها.",
    },
    mark_letter="K",
    accent="#3B82F6",
    hosts=("127.0.0.1", "localhost", "demo.localhost"),
    companies=_KESTREL_COMPANIES,
    people=_KESTREL_CUSTOMERS + _KESTREL_STAFF,
    tickets=KESTREL_TICKETS,
    registration_open=True,
)

NOVA = DemoTenant(
    key="nova",
    name="نوفا للتقنية",
    slug="nova",
    locale="ar",
    locales=("ar", "en"),
    timezone=_RIYADH,
    number_prefix="TCK",
    support_email="help@nova.example",
    support_phone="+966 11 555 0187",
    welcome_message={
        "ar": "كل طلب من طلباتكم في مكان واحد، ومعه ما سيحدث بعد ذلك ومتى.",
        "en": "Everything you have asked us for in one place, with what happens next and when.",
    },
    mark_letter="ن",
    accent="#7C3AED",
    hosts=("nova.localhost",),
    companies=(
        DemoCompany(key="ofuq", name="شركة الأفق للتجارة", customer_number="20011", city="جدة", country="SA",
                    phone="+966125550110"),
    ),
    people=(
        DemoPerson(key="nia", email=at.NIA, name="Nia Karim", phone="+966550000011", company="ofuq",
                   role="customer.admin", locale="ar", timezone=_RIYADH, title="مديرة العمليات"),
        DemoPerson(key="basil", email=at.BASIL, name="باسل كريم", phone="+966550000012", company="ofuq",
                   role="customer", locale="ar", timezone=_RIYADH, title="منسق تقنية المعلومات"),
        DemoPerson(key="layla", email=at.LAYLA, name="ليلى حدّاد", phone="+966550000002", role="agent",
                   locale="ar", timezone=_RIYADH, title="مهندسة دعم"),
        DemoPerson(key="noor", email=at.NOOR, name="Noor Haddad", phone="+966550000001", role="tenant_admin",
                   locale="ar", timezone=_RIYADH, title="المديرة العامة"),
    ),
    tickets=NOVA_TICKETS,
)

TENANTS: tuple[DemoTenant, ...] = (DEMO, NOVA)

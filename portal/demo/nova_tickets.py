"""All tickets of Nova, oldest first, in Arabic."""

from portal.demo.addresses import BASIL, LAYLA, NIA, NOOR
from portal.demo.content import SYSTEM, DemoMessage, DemoTicket, note

NOVA_TICKETS: tuple[DemoTicket, ...] = (
    DemoTicket(
        key="second-screen", number=2076, company="ofuq", requester=BASIL,
        subject="طلب شاشة ثانية لمكتب المحاسبة",
        category="general", priority="low", status="cancelled", assignee=LAYLA,
        created_minutes_ago=20300, first_response_minutes_ago=20150, closed_minutes_ago=18800, clock="met",
        tags=("order",),
        messages=(
            DemoMessage(BASIL, 20300, "نحتاج إلى شاشة ثانية مقاس 24 بوصة لمكتب المحاسبة. هل هي متوفرة لديكم؟"),
            DemoMessage(LAYLA, 20150, "متوفرة يا باسل، والسعر 640 ريالًا شاملًا التركيب. هل أجهّز عرض السعر؟"),
            DemoMessage(BASIL, 18820, "وجدنا شاشة في المستودع، فلا حاجة إلى الطلب. سألغي التذكرة، وشكرًا لكم."),
        ),
    ),
    DemoTicket(
        key="restore-contracts", number=2079, company="ofuq", requester=NIA,
        subject="استعادة مجلد العقود بعد حذفه بالخطأ",
        category="technical", priority="high", status="closed", assignee=LAYLA,
        created_minutes_ago=14500, first_response_minutes_ago=14475, resolved_minutes_ago=14360,
        closed_minutes_ago=12900, clock="met", rating=5, rating_comment="سرعة ممتازة، عاد كل شيء كما كان.",
        tags=("backup",),
        messages=(
            DemoMessage(NIA, 14500, "حُذف مجلد «عقود 2026» من المشاركة بالخطأ هذا الصباح، ونحتاجه لاجتماع الغد."),
            DemoMessage(LAYLA, 14475, "لا تقلقي يا نيا، لدينا نسخة من مساء أمس. أستعيدها الآن في مجلد مستقل حتى لا "
                        "يُستبدل أي ملف جديد."),
            note(LAYLA, 14470, "سجل التدقيق يُظهر من حذف المجلد. للاستخدام الداخلي فقط: لا نذكر الاسم للعميل إلا "
                 "بطلب مكتوب."),
            DemoMessage(LAYLA, 14360, "عادت الملفات كلها وعددها 86 ملفًا بصلاحياتها السابقة. نتمنى لكم اجتماعًا "
                        "موفقًا."),
        ),
    ),
    DemoTicket(
        key="slow-erp-reports", number=2081, company="ofuq", requester=NIA,
        subject="تقارير نظام المبيعات بطيئة في نهاية الشهر",
        category="technical", priority="normal", status="closed", assignee=LAYLA,
        created_minutes_ago=11580, first_response_minutes_ago=11480, resolved_minutes_ago=11300,
        closed_minutes_ago=9900, clock="met", rating=4, tags=("erp",),
        messages=(
            DemoMessage(NIA, 11580, "يستغرق تقرير المبيعات الشهري نحو عشرين دقيقة، وكان يظهر خلال دقيقة واحدة."),
            DemoMessage(LAYLA, 11480, "السبب أن إحصاءات قاعدة البيانات قديمة منذ الترقية. أحدّثها الآن ولن يتأثر "
                        "عملكم."),
            DemoMessage(LAYLA, 11300, "صار التقرير يظهر خلال 40 ثانية، وستُحدَّث الإحصاءات تلقائيًا كل ليلة."),
        ),
    ),
    DemoTicket(
        key="new-employee-mail", number=2083, company="ofuq", requester=NIA,
        subject="حساب بريد لموظفة جديدة في قسم المشتريات",
        category="general", priority="normal", status="resolved", assignee=LAYLA,
        created_minutes_ago=4290, first_response_minutes_ago=4230, resolved_minutes_ago=4090, clock="met",
        tags=("onboarding",),
        messages=(
            DemoMessage(NIA, 4290, "تنضم إلينا ريم السالم في قسم المشتريات، ونرجو إنشاء حساب بريد لها بصلاحيات القسم "
                        "نفسها."),
            DemoMessage(LAYLA, 4230, "أهلًا بها. هل تحتاج إلى صلاحية اعتماد الطلبات، أم إلى الاطلاع عليها فقط؟"),
            DemoMessage(NIA, 4180, "الاطلاع فقط في الأشهر الثلاثة الأولى."),
            DemoMessage(LAYLA, 4090, "الحساب جاهز، وأرسلت رابط التفعيل إلى جوالها. تُطلب خطوة التحقق الثانية عند أول "
                        "دخول."),
        ),
    ),
    DemoTicket(
        key="backup-space", number=2084, company="ofuq", requester=NIA,
        subject="زيادة مساحة النسخ الاحتياطي",
        category="billing", priority="normal", status="awaiting_payment", assignee=NOOR,
        created_minutes_ago=2880, first_response_minutes_ago=2800, clock="paused", tags=("backup", "invoice"),
        messages=(
            DemoMessage(NIA, 2880, "وصلنا تنبيه بأن مساحة النسخ الاحتياطي امتلأت بنسبة 92٪. نودّ إضافة 1 تيرابايت."),
            DemoMessage(NOOR, 2800, "الإضافة بـ 180 ريالًا شهريًا، وتُفعَّل في يوم السداد. أرسلت لكم الفاتورة الآن."),
            note(NOOR, 2795, "داخلي ولا يُشارك مع العميل: المساحة محجوزة لهم من أمس حتى لا يتوقف النسخ لو تأخر "
                 "السداد."),
        ),
    ),
    DemoTicket(
        key="pos-offline", number=2085, company="ofuq", requester=BASIL,
        subject="نقاط البيع في فرع جدة لا تقبل البطاقات",
        category="technical", priority="urgent", status="in_progress", assignee=NOOR,
        created_minutes_ago=330, first_response_minutes_ago=322, clock="breached", escalated_level=1, tags=("pos",),
        messages=(
            DemoMessage(BASIL, 330, "توقفت أجهزة نقاط البيع الثلاثة في فرع جدة عن قبول البطاقات، والزبائن يدفعون "
                        "نقدًا أو يغادرون."),
            DemoMessage(LAYLA, 322, "وصلنا بلاغك يا باسل. الأجهزة متصلة بالشبكة لكن مزوّد الدفع يرفض الاتصال، وأنا "
                        "معه على الخط الآن."),
            note(SYSTEM, 90, "تأخر الحل عن الموعد المتفق عليه. صُعِّدت التذكرة إلى نور حداد."),
            note(NOOR, 84, "انتهت شهادة البوابة لدينا نحن لا لدى المزوّد. هذا خطأ منا، فلا يُذكر للعميل قبل أن أتصل "
                 "بهم بنفسي."),
            DemoMessage(NOOR, 52, "باسل، توليت التذكرة بنفسي، ونعتذر لأننا تجاوزنا الموعد. جهازان من الثلاثة يعملان "
                        "الآن، والثالث خلال ساعة."),
        ),
    ),
    DemoTicket(
        key="meeting-room-booking", number=2086, company="ofuq", requester=NIA,
        subject="حجز قاعة الاجتماعات من التقويم",
        category="feature_request", priority="low", status="waiting_customer", assignee=LAYLA,
        created_minutes_ago=305, first_response_minutes_ago=280, clock="paused", tags=("calendar",),
        messages=(
            DemoMessage(NIA, 305, "هل يمكن حجز قاعة الاجتماعات الكبرى مباشرة من التقويم بدلًا من الاتصال بالاستقبال؟"),
            DemoMessage(LAYLA, 280, "نعم، يمكن ذلك. من يحق له الحجز: جميع الموظفين أم مديرو الأقسام فقط؟ وهل تودّون "
                        "حدًّا أقصى لمدة الحجز؟"),
        ),
    ),
    DemoTicket(
        key="vpn-jeddah", number=2087, company="ofuq", requester=BASIL,
        subject="انقطاع اتصال VPN كل بضع دقائق منذ تحديث يوم الاثنين",
        category="technical", priority="high", status="in_progress", assignee=LAYLA,
        created_minutes_ago=272, first_response_minutes_ago=234, clock="within", tags=("vpn", "firmware"),
        messages=(
            DemoMessage(BASIL, 272, "منذ تحديث مساء الاثنين ينقطع اتصال VPN كل 5 إلى 10 دقائق لدى جميع الموظفين في "
                        "فرع جدة. يعود الاتصال تلقائيًا، لكن المكالمات تنقطع ويتوقف نسخ الملفات. فرع الرياض يعمل "
                        "بصورة طبيعية.\n\n"
                        "أرفقت سجل البرنامج من جهازي."),
            note(LAYLA, 256, "مدة المرحلة الثانية على FW-JED-01 هي 480 ثانية وعندنا 3600. أعادها التحديث. هذه ملاحظة "
                 "داخلية لا تُرسل إلى الأفق."),
            DemoMessage(LAYLA, 234, "شكرًا يا باسل، السجل مفيد جدًا. يُعاد التفاوض على النفق كل 480 ثانية بالضبط، "
                        "وهذا يدل على اختلاف في مدة صلاحية المفتاح بين جدار الحماية في جدة وبوابتنا منذ تحديث يوم "
                        "الاثنين.\n\n"
                        "نختبر الآن الإعداد المصحَّح على جهاز احتياطي. لا يلزمكم فعل أي شيء."),
            DemoMessage(NIA, 28, "شكرًا. لدينا مكالمة مع عميل في الساعة 16:00 من جدة، هل يمكن أن يستقر الاتصال قبلها؟"),
        ),
    ),
    DemoTicket(
        key="warehouse-camera", number=2088, company="ofuq", requester=NIA,
        subject="كاميرات المستودع متوقفة عن التسجيل",
        category="technical", priority="urgent", status="in_progress", assignee=LAYLA,
        created_minutes_ago=199, first_response_minutes_ago=190, clock="near", tags=("camera",),
        messages=(
            DemoMessage(NIA, 199, "لا يوجد أي تسجيل من كاميرات المستودع منذ الليلة الماضية، وشركة التأمين تشترط "
                        "التسجيل المتواصل."),
            DemoMessage(LAYLA, 190, "قرص جهاز التسجيل ممتلئ لأن الحذف التلقائي توقف. البث المباشر سليم، وأعمل على "
                        "تحرير المساحة الآن."),
            DemoMessage(LAYLA, 70, "عاد التسجيل في ست كاميرات من ثمانٍ، وأتابع الاثنتين الباقيتين."),
        ),
    ),
    DemoTicket(
        key="e-invoice-question", number=2089, company="ofuq", requester=NIA,
        subject="استفسار عن رقم أمر الشراء في الفاتورة",
        category="billing", priority="normal", status="open",
        created_minutes_ago=35, clock="within", tags=("invoice",),
        messages=(
            DemoMessage(NIA, 35, "نحتاج إلى ظهور رقم أمر الشراء في كل فاتورة ابتداءً من هذا الشهر. هل نرسله إليكم مع "
                        "كل طلب أم يُحفظ في العقد؟"),
        ),
    ),
)

"""Which amounts can be charged: Stripe's currencies, its smallest amounts, and where a last digit must be 0."""

from stripe_standin.errors import ApiError, ParameterError

_NAMES = (
    "aed all amd ang aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad chf clp cny cop crc cve "
    "czk djf dkk dop dzd egp etb eur fjd gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes "
    "kgs khr kmf krw kwd kyd kzt lak lbp lkr mad mdl mga mkd mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd "
    "omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sll sos srd szl thb tjs tnd top try "
    "ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw"
)
_WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
CURRENCIES = frozenset(_NAMES.split())
NO_DECIMALS = frozenset(_WHOLE.split())
SMALLEST = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
LARGEST = 99_999_999


def check_amount(amount: int, currency: str, param: str = "amount") -> str:
    """The currency in Stripe's spelling; raises where nobody can be charged that much or that little."""
    name = currency.lower()
    if name not in CURRENCIES:
        raise ParameterError(f"Invalid currency: {currency}", None, "currency")
    if amount < 1:
        raise ParameterError(
            "Invalid positive integer: must be greater than or equal to 1", "parameter_invalid_integer", param
        )
    if amount < SMALLEST.get(name, 50):
        raise ApiError(400, "Amount must be at least the smallest charge.", code="amount_too_small", param=param)
    if amount > LARGEST:
        raise ApiError(400, "Amount must be no more than 99999999.", code="amount_too_large", param=param)
    if name in THREE_DECIMALS and amount % 10:
        raise ApiError(400, f"Amounts in {name.upper()} must be evenly divisible by 10.", param=param)
    return name


def shown(amount: int, currency: str) -> str:
    """`EUR 12.30`."""
    digits = 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    return f"{currency.upper()} {amount / 10**digits:,.{digits}f}"

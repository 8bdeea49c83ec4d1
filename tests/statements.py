"""Statements of a bank as tests need them: CAMT.053 in every version, and tables of text."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import uuid4

IBAN = "DE02120300000000202051"
PAYER = "FR1420041010050500013M02606"


def entry(amount: str = "120.00", **more: Any) -> str:
    """An `Ntry`; what it says can be changed by name, `details` replaces all of its transfers."""
    say = {
        "currency": "EUR",
        "side": "CRDT",
        "status": "<Sts>BOOK</Sts>",
        "day": date.today().isoformat(),
        "reference": uuid4().hex[:16],
        "name": "Acme SAS",
        "iban": PAYER,
        "text": "thank you",
        "structured": "",
        "reversal": "",
        "details": None,
    } | more
    ref = f"<AcctSvcrRef>{say['reference']}</AcctSvcrRef>" if say["reference"] else ""
    details = say["details"] if say["details"] is not None else detail(**say)
    return (
        f'<Ntry><Amt Ccy="{say["currency"]}">{amount}</Amt><CdtDbtInd>{say["side"]}</CdtDbtInd>{say["reversal"]}'
        f"{say['status']}<BookgDt><Dt>{say['day']}</Dt></BookgDt>{ref}<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def detail(name: str = "Acme SAS", iban: str = PAYER, text: str = "", structured: str = "", **more: Any) -> str:
    """A `TxDtls`; `amount` where it is one of a batch."""
    amount = f'<Amt Ccy="EUR">{more["amount"]}</Amt>' if "amount" in more else ""
    strd = f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>" if structured else ""
    return (
        f"<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{amount}<RltdPties><Dbtr><Nm>{name}</Nm></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf><Ustrd>{text}</Ustrd>{strd}</RmtInf></TxDtls>"
    )


def camt(*entries: str, version: str = "02", account: str = IBAN, head: str = "") -> bytes:
    """A statement with these entries."""
    body = "".join(entries)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId>'
        f"</GrpHdr><Stmt><Id>1</Id><Acct><Id><IBAN>{account}</IBAN></Id></Acct>{body}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def table(rows: Sequence[Sequence[str]], delimiter: str = ";") -> bytes:
    """A CSV with a header as German banks write it."""
    head = ["Buchungstag", "Betrag", "Währung", "Auftraggeber", "IBAN", "Verwendungszweck", "Referenz"]
    return "\r\n".join(delimiter.join(row) for row in [head, *rows]).encode()

"""CAMT.053, the bank's statement as XML (ISO 20022, BankToCustomerStatement, versions 001.02 to 001.08).

Files come from outside: no document type, no entities, nothing is fetched, and sizes are bounded before and while
they are read.
"""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from portal.lib.bank_entries import FIRST_YEAR, LAST_YEAR, MOST_ENTRIES, BankEntry, Entries, StatementRefused, tidy
from portal.lib.money import EXPONENTS, LARGEST

LARGEST_FILE = 5 * 1024 * 1024
_NAMESPACE = re.compile(r"\{(urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.0[2-8])\}Document")
_FORBIDDEN = (b"<!doctype", b"<!entity")
# As XML Schema writes decimals; Python would take more.
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,5})?")
_BOOKED = "BOOK"


def looks_like_xml(content: bytes) -> bool:
    """Whether a file is XML rather than a table of text."""
    return content.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def read_camt(content: bytes) -> Entries:
    """The booked credits of all statements in the file. Raises StatementRefused."""
    root, name = _parse(content)
    entries, passed = [], 0
    statements = root.findall(f"{{{name}}}BkToCstmrStmt/{{{name}}}Stmt")
    if not statements:
        raise StatementRefused("statement_unknown")
    for statement in statements:
        account = _account(_Node(statement, name))
        for node in statement.iterfind(f"{{{name}}}Ntry"):
            found = list(_read_entry(_Node(node, name), account))
            entries += found
            passed += not found
            if len(entries) + passed > MOST_ENTRIES:
                raise StatementRefused("statement_too_long")
    return Entries(entries, passed)


def _parse(content: bytes) -> tuple[Any, str]:
    if len(content) > LARGEST_FILE:
        raise StatementRefused("statement_too_large")
    # Without the zero bytes of UTF-16 and UTF-32 the words are found in any encoding that a statement has.
    if any(word in content.replace(b"\0", b"").lower() for word in _FORBIDDEN):
        raise StatementRefused("statement_has_dtd")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise StatementRefused("statement_unreadable") from error
    if root.getroottree().docinfo.doctype:
        raise StatementRefused("statement_has_dtd")
    named = _NAMESPACE.fullmatch(str(root.tag))
    if named is None:
        raise StatementRefused("statement_unknown")
    return root, named[1]


class _Node:
    """An element whose children are asked for by their names without the namespace."""

    def __init__(self, element: Any, name: str) -> None:
        self.element = element
        self.name = name

    def text(self, *paths: str) -> str:
        """The first text that one of the paths has."""
        for path in paths:
            found = self.element.findtext(self._path(path))
            if found and found.strip():
                return str(found)
        return ""

    def texts(self, path: str) -> list[str]:
        return [str(one.text) for one in self.element.iterfind(self._path(path)) if one.text]

    def first(self, path: str) -> "_Node | None":
        found = self.element.find(self._path(path))
        return None if found is None else _Node(found, self.name)

    def all(self, path: str) -> list["_Node"]:
        return [_Node(one, self.name) for one in self.element.iterfind(self._path(path))]

    def attribute(self, name: str) -> str:
        return str(self.element.get(name, ""))

    def _path(self, path: str) -> str:
        return "/".join(f"{{{self.name}}}{part}" for part in path.split("/"))


def _account(statement: _Node) -> str:
    found = statement.text("Acct/Id/IBAN", "Acct/Id/Othr/Id").replace(" ", "").upper()
    if not found:
        raise StatementRefused("statement_without_account")
    return found


def _read_entry(node: _Node, account: str) -> Iterator[BankEntry]:
    """The credits of an entry: one, or those of a batch; none for debits, reversals and what is not booked yet."""
    booked = node.text("Sts/Cd", "Sts") == _BOOKED
    reversal = node.text("RvslInd").strip().lower() in ("true", "1")
    if not booked or reversal or node.text("CdtDbtInd") != "CRDT":
        return
    amount, currency = _amount(node.first("Amt"))
    if not amount:
        return
    day = _day(node.text("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"))
    reference = node.text("AcctSvcrRef")
    details = node.all("NtryDtls/TxDtls")
    parts = _batch(details, amount, currency)
    if parts is None:
        yield _entry(account, day, amount, currency, reference, details, node)
        return
    for position, (detail, part) in enumerate(zip(details, parts, strict=True)):
        own = detail.text("Refs/AcctSvcrRef", "Refs/TxId")
        named = own or (f"{reference}/{position}" if reference else "")
        yield _entry(account, day, part, currency, named, [detail], node)


def _batch(details: list[_Node], amount: int, currency: str) -> list[int] | None:
    """The amounts of a batch where they are all there and add up to the entry; None where it is one transfer."""
    if len(details) < 2:
        return None
    parts = []
    for detail in details:
        found = detail.first("Amt") or detail.first("AmtDtls/TxAmt/Amt")
        if found is None or detail.text("CdtDbtInd") not in ("", "CRDT"):
            return None
        part, unit = _amount(found)
        if unit != currency:
            return None
        parts.append(part)
    return parts if sum(parts) == amount and min(parts) > 0 else None


def _entry(
    account: str, day: date, amount: int, currency: str, reference: str, details: list[_Node], node: _Node
) -> BankEntry:
    words = [word for detail in details for word in detail.texts("RmtInf/Ustrd")]
    structured = [word for one in details for word in one.texts("RmtInf/Strd/CdtrRefInf/Ref")]
    numbers = [word for one in details for word in one.texts("RmtInf/Strd/RfrdDocInf/Nb")]
    first = details[0] if details else node
    end_to_end = first.text("Refs/EndToEndId")
    if end_to_end and end_to_end.upper() != "NOTPROVIDED":
        words.append(end_to_end)
    return tidy(
        BankEntry(
            account=account,
            booked_on=day,
            amount=amount,
            currency=currency,
            payer_name=first.text("RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm", "RltdPties/UltmtDbtr/Nm"),
            payer_account=first.text("RltdPties/DbtrAcct/Id/IBAN", "RltdPties/DbtrAcct/Id/Othr/Id")
            .replace(" ", "")
            .upper(),
            remittance=" ".join([*words, *numbers]) or node.text("AddtlNtryInf"),
            reference=" ".join(structured),
            bank_reference=reference,
        )
    )


def _amount(node: _Node | None) -> tuple[int, str]:
    """Minor units and currency of an amount, whose schema has a point and at most five decimals."""
    if node is None:
        raise StatementRefused("statement_amount_invalid")
    currency = node.attribute("Ccy").strip().upper()
    text = str(node.element.text or "").strip()
    if currency not in EXPONENTS or not _DECIMAL.fullmatch(text):
        raise StatementRefused("statement_amount_invalid")
    minor = Decimal(text).scaleb(EXPONENTS[currency])
    if minor != minor.to_integral_value() or not 0 <= minor <= LARGEST:
        raise StatementRefused("statement_amount_invalid")
    return int(minor), currency


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise StatementRefused("statement_day_invalid") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise StatementRefused("statement_day_invalid")
    return found

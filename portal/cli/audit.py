"""`portal audit …`: is the trail as it was written?"""

import click
from flask.cli import AppGroup
from sqlalchemy import Engine

from portal.cli.surroundings import find_tenants, owner, settings
from portal.models import Tenant
from portal.models.session import TenantSession
from portal.services.audit.anchors import AnchorFolder, UnreadableAnchors
from portal.services.audit.chain import Head
from portal.services.audit.verifying import ChainReport, Finding, verify_chain

audit = AppGroup("audit", help="The audit trail and its chain of hashes.")


@audit.command("verify")
@click.option("--tenant", "slug", metavar="SLUG", help="This tenant only.")
def verify(slug: str | None) -> None:
    """Recompute the chains; name every row that was changed, deleted or put in, and end with 1 where there is one."""
    # Before the chains are read: the sealer may go on in the meantime, a head never runs ahead of its chain.
    try:
        folder = AnchorFolder(settings().audit_dir)
        witnesses = [*folder.read_heads().values(), *(anchor.head for anchor in folder.read_anchors())]
    except UnreadableAnchors as error:
        raise click.ClickException(f"Not written by the sealer: {error}") from error
    engine = owner()
    reports = [(tenant, _report(engine, tenant, witnesses)) for tenant in find_tenants(engine, slug)]
    for tenant, report in reports:
        for finding in report.findings:
            click.echo(f"{tenant.slug}: {describe(finding)}")
        click.echo(
            f"{tenant.slug}: {report.sealed} sealed, {report.waiting} waiting, "
            f"witnessed up to position {report.witnessed}, {len(report.findings)} findings"
        )
    if not all(report.is_clean for _, report in reports):
        raise SystemExit(1)


def describe(finding: Finding) -> str:
    """The row in words: where it stands, which one it is, what was done to it."""
    words = []
    if finding.position:
        until = f"–{finding.last}" if finding.last not in (None, finding.position) else ""
        words.append(f"position {finding.position}{until}")
    if finding.entry_id:
        words.append(f"entry {finding.entry_id}")
    if finding.seq:
        words.append(f"seq {finding.seq}")
    return f"{', '.join(words)}: {finding.what}"


def _report(engine: Engine, tenant: Tenant, witnesses: list[Head]) -> ChainReport:
    # One snapshot for all that is compared, while others go on writing.
    with (
        engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection,
        TenantSession(connection) as session,
    ):
        session.use_tenant(tenant.id)
        with session.begin():
            return verify_chain(session, [head for head in witnesses if head.tenant_id == tenant.id])

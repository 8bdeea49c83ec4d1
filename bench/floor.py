"""The floor: what a bare Flask application needs for the same kind of page, on the same database.

`portal`: signed cookie, the user's row, a count of open tickets, a list of 25: 3 queries, about 14 KB.
`post`: the user's row, INSERT, COMMIT, 302. No tenancy, no rules, no translations: the cost of the stack alone.
"""

import os
from uuid import uuid4

from flask import Flask, redirect, request, session
from sqlalchemy import ColumnElement, and_, create_engine, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

PAGE = """<!doctype html><html lang="en"><head><title>Tickets</title></head><body><nav>{% for n in range(30) %}
<a class="nav-item nav-item-{{ n }}" href="/section/{{ n }}"><span class="icon icon-{{ n }}"></span>Section {{ n }}</a>
{% endfor %}</nav><h1>Tickets of {{ user.email }}</h1><p>{{ open }} open</p><table><tbody>{% for t in tickets %}
<tr id="row-{{ t.id }}"><td class="cell number"><a href="/tickets/{{ t.id }}">{{ t.ticket_number }}</a></td>
<td class="cell subject"><a class="title" href="/tickets/{{ t.id }}">{{ t.subject }}</a><span>{{ t.category }}</span></td>
<td class="cell status"><span class="badge badge-{{ t.status }}">{{ t.status }}</span></td>
<td class="cell priority"><span class="badge badge-{{ t.priority }}">{{ t.priority }}</span></td>
<td class="cell time"><time datetime="{{ t.updated_at.isoformat() }}">{{ t.updated_at.isoformat() }}</time></td></tr>
{% endfor %}</tbody></table></body></html>"""


class Base(DeclarativeBase):
    pass


class Ticket(Base):
    __tablename__ = "portal_tickets"
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    ticket_number: Mapped[str]
    subject: Mapped[str]
    category: Mapped[str]
    status: Mapped[str]
    priority: Mapped[str]
    updated_at: Mapped[str]
    trashed_at: Mapped[str | None]


def create_floor(url: str, email: str) -> Flask:
    """The floor's application; `url` belongs to a superuser, so that no policy of ours slows it."""
    app = Flask("floor")
    app.secret_key = "floor"
    engine = create_engine(url, pool_size=20)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS floor_posts (id uuid PRIMARY KEY, body text NOT NULL)"))

    template = app.jinja_env.from_string(PAGE)

    @app.get("/login")
    def login() -> str:
        session["email"] = email
        return "ok"

    def user(db: Session) -> object:
        return db.execute(
            text("SELECT p.email, p.company_id FROM people p WHERE p.email = :e"),
            {"e": session["email"]},
        ).one()

    def own(me: object) -> ColumnElement[bool]:
        # The indexes leave out what lies in the trash; without the second half the floor would read the table.
        return and_(Ticket.customer_id == me.company_id, Ticket.trashed_at.is_(None))

    @app.get("/portal")
    def portal() -> str:
        with Session(engine) as db:
            me = user(db)
            count = db.scalar(
                select(func.count())
                .select_from(Ticket)
                .where(own(me), Ticket.status.in_(["open", "in_progress", "waiting_customer"]))
            )
            tickets = db.scalars(select(Ticket).where(own(me)).order_by(Ticket.updated_at.desc()).limit(25)).all()
            return template.render(user=me, open=count, tickets=tickets)

    @app.post("/post")
    def post() -> object:
        with Session(engine) as db:
            user(db)
            db.execute(
                text("INSERT INTO floor_posts (id, body) VALUES (:i, :b)"),
                {"i": uuid4(), "b": request.form["message"]},
            )
            db.commit()
        return redirect("/portal")

    return app


def app() -> Flask:
    """For gunicorn: `bench.floor:app()`."""
    return create_floor(os.environ["FLOOR_DATABASE_URL"], os.environ["FLOOR_EMAIL"])

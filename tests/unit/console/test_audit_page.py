import ast
from pathlib import Path

from listener.console import names
from listener.store.accounts import By
from tests.console_room import ConsoleRoom

ROOT = Path(__file__).parents[3]


def test_the_audit_log_is_said_in_the_visitors_language(room: ConsoleRoom) -> None:
    admin, other = room.client("admin", language="fr"), room.account("viewer")
    room.store.accounts.change(other, By("tests", "cli"), room.clock.now(), timezone="Europe/Paris", must_change=True)
    for action, data in (
        ("classification corrected", {"complaint": False, "urgency": 2, "topic": "delivery"}),
        ("source tried out", {"state": "quota"}),
        ("silence ended", {"sessions": 1}),
    ):
        room.store.audit.note(
            actor="Bo", origin="console", action=action, object="silence 7", now=room.clock.now(), data=data
        )
    page = admin.get("/audit").text
    for english in (
        "account changed", "classification corrected", "source tried out", "silence ended", "must_change", "timezone",
        "false", "medium urgency", "delivery", "quota is used", "sessions ended", ">cli<", ">console<",
        ">admin<", "all countries",
    ):  # fmt: skip
        assert english not in page.split("<tbody>")[1], english
    assert "Europe/Paris" in page


def test_everything_that_is_audited_has_its_words() -> None:
    calls = [
        node
        for folder in ("console", "store")
        for file in (ROOT / "listener" / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    known, told = set(), set()
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        actions = [one.value for one in call.args[:2] if isinstance(one, ast.Constant)]
        if name in ("note", "_note") and actions:
            known |= {*actions}
            told |= {one.arg for one in call.keywords if one.arg}
    assert len(known) > 12
    assert known <= names.ACTIONS.keys()
    assert told - {"country"} <= names.TOLD.keys()


def test_a_change_of_the_configuration_leads_to_where_it_stands(room: ConsoleRoom) -> None:
    number, now = room.office.keeper.keep().id, room.clock.now()
    for action, subject, data in (
        ("configuration changed", str(number), {"before": None}),
        ("settings changed", "FR", {"version": number}),
        ("silence added", "silence 1", {}),
    ):
        room.store.audit.note(actor="Bo", origin="console", action=action, object=subject, now=now, data=data)
    admin = room.client("admin")
    page = admin.get("/audit").text
    assert f'<a href="/settings/{number}">Version {number}</a>' in page
    assert f'<a href="/settings/{number}">What changed</a>' in page
    assert 'href="/audit?object=silence+1"' in page
    assert admin.get(f"/settings/{number}").status_code == 200

import threading
from datetime import UTC, datetime, timedelta

import pytest

from listener.store import Store
from listener.store.accounts import By, GoneActorError, LastAdminError, Limit, NewAccount

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
BY = By("ops", "cli")
IDLE = timedelta(hours=2)
SPAN = timedelta(minutes=15)


def add(store: Store, name: str = "ana", **more: object) -> int:
    values = {"full_name": "Ana", "role": "viewer", "password": "hash", **more}
    made = store.accounts.add(NewAccount(name, **values), BY, NOW)  # type: ignore[arg-type]
    assert made is not None
    return made


def test_an_account_is_read_as_it_was_made(store: Store) -> None:
    number = add(store, "Ana", countries=("JP", "FR", "JP"), subject="s", slack="U1", must_change=True)
    account = store.accounts.account(number)
    assert account is not None
    assert (account.name, account.countries, account.must_change) == ("ana", ("FR", "JP"), True)
    assert store.accounts.named("ANA") == store.accounts.of_subject("s") == account
    assert store.accounts.all() == [account]
    assert "hash" not in repr(account)


def test_names_and_subjects_are_one_persons(store: Store) -> None:
    add(store, "ana", subject="s")
    assert store.accounts.add(NewAccount("ANA", "Other", "admin"), BY, NOW) is None
    assert store.accounts.add(NewAccount("ben", "Other", "admin", subject="s"), BY, NOW) is None
    assert len(store.audit.page()) == 1


def test_who_can_sign_in(store: Store) -> None:
    assert not store.accounts.is_anybody_there()
    first = add(store, "ana", password=None, subject="s")
    assert store.accounts.is_anybody_there()
    assert not store.accounts.is_anybody_there(with_password=True)
    second = add(store, "ben")
    assert store.accounts.is_anybody_there(with_password=True)
    for number in (first, second):
        store.accounts.change(number, BY, NOW, disabled_at=NOW)
    assert not store.accounts.is_anybody_there()


def test_a_change_tells_what_was_and_what_is_but_no_hash(store: Store) -> None:
    number = add(store)
    assert store.accounts.change(number, BY, NOW, password="other", countries=("FR",), role="viewer", disabled_at=NOW)
    assert not store.accounts.change(number, BY, NOW, password="other", countries=("FR",))
    assert not store.accounts.change(999, BY, NOW, role="admin")
    told = {"password": "changed", "countries": {"was": "all", "is": ["FR"]}, "disabled": True}
    assert store.audit.page(limit=1)[0].data == told
    assert len(store.audit.page()) == 2


def test_two_who_disable_each_other_leave_one(store: Store) -> None:
    numbers = [add(store, name, role="admin") for name in ("ana", "ben")]
    begin, refused = threading.Barrier(2), list[Exception]()

    def disable(own: int, other: int) -> None:
        begin.wait()
        try:
            store.accounts.change(other, By("x", "console", own), NOW, disabled_at=NOW)
        except (GoneActorError, LastAdminError) as error:
            refused.append(error)

    threads = [threading.Thread(target=disable, args=pair) for pair in (numbers, numbers[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert sum(one.disabled_at is None for one in store.accounts.all()) == 1


@pytest.mark.parametrize("values", [{"disabled_at": NOW}, {"role": "viewer"}, {"countries": ("FR",)}])
def test_the_last_admin_of_all_countries_stays_one(store: Store, values: dict[str, object]) -> None:
    last = add(store, "ana", role="admin")
    add(store, "ben", role="admin", countries=("FR",))
    add(store, "dan", role="admin", password=None)
    add(store, "eve", role="admin", password=None, subject="s")
    before = store.accounts.account(last)
    with pytest.raises(LastAdminError, match="ana is the last admin of all countries who can sign in"):
        store.accounts.change(last, BY, NOW, **values)
    assert store.accounts.account(last) == before
    assert store.accounts.change(last, BY, NOW, has_provider=True, **values), "eve signs in at the provider"


def test_what_the_identity_provider_says_of_the_last_admin_holds(store: Store) -> None:
    last = add(store, "ana", role="admin")
    assert store.accounts.change(last, BY, NOW, keeps_admin=False, role="viewer")


@pytest.mark.parametrize("values", [{"disabled_at": NOW}, {"role": "viewer"}, {"countries": ("FR",)}])
def test_who_may_not_any_more_changes_nobody(store: Store, values: dict[str, object]) -> None:
    actor, other = add(store, "ana", role="admin"), add(store, "ben", role="admin")
    store.accounts.change(actor, BY, NOW, **values)
    by = By("Ana", "console", actor)
    with pytest.raises(GoneActorError):
        store.accounts.change(other, by, NOW, full_name="X")
    with pytest.raises(GoneActorError):
        store.accounts.add(NewAccount("eve", "Eve", "admin"), by, NOW)
    assert [one.full_name for one in store.accounts.all()] == ["Ana", "Ana"]


def test_everybody_changes_their_own_until_they_are_disabled(store: Store) -> None:
    own = add(store, "ana")
    assert store.accounts.change(own, By("Ana", "console", own), NOW, password="other")
    store.accounts.change(own, BY, NOW, disabled_at=NOW)
    with pytest.raises(GoneActorError):
        store.accounts.change(own, By("Ana", "console", own), NOW, password="third")


def test_a_session_is_found_until_it_ends(store: Store) -> None:
    number = add(store)
    store.accounts.open_session("t" * 64, number, NOW, NOW + timedelta(hours=12), BY)
    found = store.accounts.session("t" * 64, NOW + timedelta(minutes=30), IDLE)
    assert found is not None
    assert found[0].signed_in_at == NOW
    assert store.accounts.session("t" * 64, NOW + timedelta(minutes=149), IDLE), "it was used half an hour in"
    assert store.accounts.session("t" * 64, NOW + timedelta(minutes=270), IDLE) is None
    assert store.accounts.session("x" * 64, NOW, IDLE) is None
    store.accounts.end_session("t" * 64)
    assert store.accounts.session("t" * 64, NOW + timedelta(minutes=149), IDLE) is None


def test_sessions_that_ended_are_dropped_at_the_next_sign_in(store: Store) -> None:
    number = add(store)
    store.accounts.open_session("a" * 64, number, NOW, NOW + timedelta(hours=1), BY)
    later = NOW + timedelta(hours=2)
    assert store.accounts.count_sessions(number, later) == 0
    store.accounts.open_session("b" * 64, number, later, later + timedelta(hours=1), BY)
    assert store.accounts.end_sessions(number, BY, later) == 1


def test_tries_are_counted_by_each_key_and_forgotten_in_time(store: Store) -> None:
    limits = (Limit("name:ana", 3), Limit("address:1", 5))
    for minute in range(3):
        assert store.accounts.begin_try(limits, NOW + timedelta(minutes=minute), SPAN) is None
    assert store.accounts.begin_try(limits, NOW + timedelta(minutes=4), SPAN) == NOW + SPAN
    other = (Limit("name:ben", 3), Limit("address:1", 5))
    assert store.accounts.begin_try(other, NOW + timedelta(minutes=5), SPAN) is None
    assert store.accounts.begin_try(other, NOW + timedelta(minutes=6), SPAN) is None
    assert store.accounts.begin_try(other, NOW + timedelta(minutes=7), SPAN) == NOW + SPAN
    assert store.accounts.begin_try(limits, NOW + SPAN, SPAN) is None


def test_a_try_that_succeeded_is_taken_back(store: Store) -> None:
    limits = (Limit("name:ana", 2), Limit("address:1", 2))
    for second in range(20):
        now = NOW + timedelta(seconds=second)
        assert store.accounts.begin_try(limits, now, SPAN) is None
        store.accounts.forgive(limits, now)


def test_tries_made_at_once_count_each(store: Store) -> None:
    limits = (Limit("name:ana", 5),)
    let_in: list[bool] = []

    def attempt() -> None:
        let_in.append(store.accounts.begin_try(limits, NOW, SPAN) is None)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_in) == 12
    assert sum(let_in) == 5


def test_a_press_is_the_first_one_once(store: Store) -> None:
    assert [store.accounts.is_first_press("console:1:x", NOW) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("hostile", ["\0", "\ud800", "x" * 500, "'; DROP TABLE accounts; --"])
def test_hostile_names_do_no_harm(store: Store, hostile: str) -> None:
    store.accounts.note_failure(hostile, hostile, NOW)
    assert store.accounts.named(hostile) is None
    assert store.accounts.begin_try((Limit(f"name:{hostile}", 1),), NOW, SPAN) is None

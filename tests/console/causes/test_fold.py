"""Messages folded to their cause."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriage.console.causes.fold import HOLE, LONGEST, NO_MESSAGE, TELLING, fold


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (None, NO_MESSAGE),
        ("", NO_MESSAGE),
        (" \n ", NO_MESSAGE),
        ("gateway timeout", "gateway timeout"),
        ("card 4242 expired", "card <*> expired"),
        ("HTTP 503 from psp: reset by 10.0.3.17:8443 after 30000 ms", "HTTP 503 from psp: reset by <*> after <*>"),
        ("SMTP 421 too many connections", "SMTP 421 too many connections"),
        ("status=503 for order 17", "status=503 for order <*>"),
        ("ORA-00060: deadlock in session 1234", "ORA-00060: deadlock in session <*>"),
        ("Cannot find external task with id 5f1c1a1e-8821-11f0-aaaa-0242ac110002: externalTask is null",
         "Cannot find external task with id <*>: externalTask is null"),
        ("no token deadbeefcafe00", "no token <*>"),
        ("at 0x7ffde3 in worker-7", "at <*> in worker-<*>"),
        ("Order 'A 1' doesn't exist: can't ship", "Order <*> doesn't exist: can't ship"),
        ('Variable "due date" is missing', "Variable <*> is missing"),
        ("calling https://psp.example/v2/charge?order=991 failed", "calling <*> failed"),
        ("timed out after 1.5s, 3h12m and 10 seconds", "timed out after <*> and <*>"),
        ("at 2026-03-01T09:15:00.000+0100 disk 93% full", "at <*> disk <*> full"),
        ("bad ids 1, 2, 3", "bad ids <*>"),
        ("SHA256 of utf8 text", "SHA256 of utf8 text"),
        ("line one\n\tat line 17", "line one at line <*>"),
    ],
)  # fmt: skip
def test_causes(message: str | None, cause: str) -> None:
    assert fold(message) == cause


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.uuids(), st.uuids())
def test_what_varies_makes_no_other_cause(one: int, two: int, id: object, other: object) -> None:
    message = "psp answered {} for order {} after {} ms"
    assert fold(message.format(one, id, one)) == fold(message.format(two, other, two))


@settings(deadline=None)
@given(st.text(max_size=900))
def test_folding_never_fails_and_is_stable(text: str) -> None:
    cause = fold(text)
    assert "\n" not in cause
    assert fold(cause) == cause or HOLE in cause


@pytest.mark.parametrize(
    "hostile", ["'" * 10**6, "1" * 10**6, "1.:" * 10**5, "a" * 10**6, '"a ' * 10**5, "x://" * 10**5, "f0" * 10**5]
)
def test_a_hostile_message_is_cut_before_it_is_looked_at(hostile: str) -> None:
    assert fold(hostile) == fold(hostile[:LONGEST])
    assert len(fold(hostile)) <= TELLING


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "HTTP 503 from psp.example: upstream connect error (request 8f31, 111)",
            "HTTP 503 from psp.example: upstream connect error (request e1a656ca-4d2f, 99)",
        ),
        ('carrier "A" rejected (code E256)', 'carrier "B" rejected (code E7015)'),
        ("SMTP 421 mx3.mail.example busy", "SMTP 421 mx14.mail.example busy"),
    ],
)
def test_ids_and_codes_of_one_cause_fold_to_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)

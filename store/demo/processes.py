"""The processes of the demo world, edition by edition, and the releases that deployed them."""

from dataclasses import dataclass

from retriage.store.demo.plot import BAD_RELEASE

DAY = 86_400_000
"""Milliseconds of a day."""


@dataclass(frozen=True)
class Activity:
    """An external service task. ``error_code`` is caught by a boundary event that leads to ``handler`` and back."""

    id: str
    name: str
    topic: str
    priority: int = 0
    error_code: str | None = None
    handler: "Activity | None" = None


@dataclass(frozen=True)
class Process:
    """One edition of a process: steps one after the other, the activities of a step at the same time."""

    key: str
    name: str
    prefix: str
    tag: str | None
    steps: tuple[tuple[Activity, ...], ...]

    @property
    def places(self) -> tuple[tuple[int, Activity], ...]:
        """Every activity with the number of its step."""
        return tuple((number, activity) for number, step in enumerate(self.steps) for activity in step)


@dataclass(frozen=True)
class Release:
    """A deployment: its age in milliseconds and the editions in it."""

    name: str
    age: int
    processes: tuple[Process, ...]
    tenant_id: str | None = None


def _order(edition: int, tag: str) -> Process:
    charge = Activity("ChargeCard", "Charge card", "charge-card", priority=20 if edition > 1 else 0)
    if edition > 2:
        ask = Activity("AskForCard", "Ask for another card", "send-mail")
        charge = Activity("ChargeCard", "Charge card", "charge-card", 50, "CARD_EXPIRED", ask)
    reserve = Activity("ReserveStock", "Reserve stock", "reserve-stock")
    invoice = Activity("CreateInvoice", "Create invoice", "create-invoice")
    ship = Activity("ShipParcel", "Ship parcel", "ship-parcel", priority=10)
    middle = ((reserve,), (invoice,)) if edition == 1 else ((reserve, invoice),)
    return Process("order", "Order", "ord", tag, ((charge,), *middle, (ship,)))


def _shipping(edition: int, tag: str | None) -> Process:
    book = Activity("BookCarrier", "Book carrier", "book-carrier", priority=0 if edition == 1 else 10)
    ship = Activity("HandOverParcel", "Hand over parcel", "ship-parcel")
    track = Activity("SendTracking", "Send tracking mail", "send-mail")
    return Process("shipping", "Shipping", "shp", tag, ((book,), (ship,), (track,)))


def _invoicing(edition: int, tag: str) -> Process:
    create = Activity("CreateInvoice", "Create invoice", "create-invoice", priority=5)
    archive = Activity("ArchiveInvoice", "Archive invoice", "archive-document")
    send = Activity("SendInvoice", "Send invoice", "send-mail")
    rest = ((archive,), (send,)) if edition == 1 else ((archive, send),)
    return Process("invoicing", "Invoicing", "inv", tag, ((create,), *rest))


def _kyc(edition: int, tag: str) -> Process:
    screen = Activity("ScreenCustomer", "Screen customer", "screen-customer", priority=40)
    fraud = Activity("CheckFraud", "Check for fraud", "fraud-check", priority=40)
    account = Activity("OpenAccount", "Open account", "open-account", priority=30)
    checks = ((screen,), (fraud,)) if edition == 1 else ((screen, fraud),)
    return Process("kyc", "Know your customer", "kyc", tag, (*checks, (account,)))


def _subscription(edition: int, tag: str) -> Process:
    charge = Activity("ChargeRenewal", "Charge renewal", "charge-card", priority=0 if edition == 1 else 30)
    receipt = Activity("SendReceipt", "Send receipt", "send-mail")
    journal = Activity("SyncLedger", "Write to the old journal", "legacy-sync")
    rest = ((receipt,), (journal,)) if edition < 3 else ((receipt, journal),)
    return Process("subscription", "Subscription renewal", "sub", tag, ((charge,), *rest))


def _notification(edition: int, tag: str | None) -> Process:
    mail = Activity("SendMail", "Send mail", "send-mail")
    text = Activity("SendText", "Send text message", "send-sms")
    record = Activity("RecordDelivery", "Record delivery", "legacy-sync")
    middle = () if edition == 1 else ((text,),)
    return Process("notification", "Notification", "msg", tag, ((mail,), *middle, (record,)))


RELEASES: tuple[Release, ...] = (
    Release(
        "shop 1.0",
        41 * DAY,
        (_order(1, "1.0"), _shipping(1, None), _kyc(1, "1.0"), _subscription(1, "1.0"), _notification(1, None)),
    ),
    Release("billing 1.0", 40 * DAY, (_invoicing(1, "1.0"),)),
    Release("shop nordic 1.0", 33 * DAY, (_order(1, "1.0-nordic"), _subscription(1, "1.0-nordic")), "nordic"),
    Release("shop iberia 1.0", 33 * DAY, (_order(1, "1.0-iberia"),), "iberia"),
    Release("shop 1.1", 17 * DAY, (_order(2, "1.1"), _kyc(2, "1.1"), _subscription(2, "1.1"))),
    Release("shop benelux 1.1", 12 * DAY, (_order(2, "1.1-benelux"),), "benelux"),
    Release("billing 2.0", 9 * DAY, (_invoicing(2, "2.0"), _notification(2, "2.0"), _shipping(2, "2.0"))),
    Release("shop nordic 1.2", 6 * DAY, (_order(3, "1.2-nordic"), _subscription(3, "1.2-nordic")), "nordic"),
    Release("shop 1.2", 5 * DAY // 2, (_order(3, "1.2"), _subscription(3, "1.2"))),
    Release("shop iberia 1.2", 2 * DAY, (_order(3, "1.2-iberia"),), "iberia"),
    Release("billing 2.1", int(BAD_RELEASE * 1000), (_invoicing(2, "2.1"),)),
)
"""All deployments, oldest first."""

WEIGHTS: dict[tuple[str, str | None], float] = {
    ("order", None): 34,
    ("subscription", None): 16,
    ("invoicing", None): 14,
    ("notification", None): 10,
    ("kyc", None): 8,
    ("shipping", None): 8,
    ("order", "nordic"): 4,
    ("order", "iberia"): 3,
    ("order", "benelux"): 2,
    ("subscription", "nordic"): 1,
}
"""How much of the traffic each process has, by key and tenant."""

PREFIXES: dict[str, str] = {process.key: process.prefix for release in RELEASES for process in release.processes}
"""What business keys begin with, by process key."""

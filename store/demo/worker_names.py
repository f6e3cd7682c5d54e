"""The names of the simulated workers, by topic."""

WORKERS: dict[str, tuple[str, ...]] = {
    "charge-card": ("payments-1", "payments-2", "payments-3", "payments-4"),
    "reserve-stock": ("stock-1", "stock-2"),
    "create-invoice": ("billing-1", "billing-2"),
    "archive-document": ("billing-1", "billing-2"),
    "ship-parcel": ("logistics-1", "logistics-2"),
    "book-carrier": ("logistics-1", "logistics-2"),
    "send-mail": ("mailer-1", "mailer-2", "mailer-3"),
    "send-sms": ("mailer-1", "mailer-2"),
    "screen-customer": ("screening-1", "screening-2"),
    "fraud-check": ("screening-1", "screening-2"),
    "open-account": ("accounts-1",),
    "legacy-sync": ("legacy-bridge",),
}
"""Workers of each topic. A worker may serve several topics."""

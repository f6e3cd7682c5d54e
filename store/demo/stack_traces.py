"""Stack traces: what workers send as error details. Each begins with the message that it belongs to, and comes from the
code that would send that message."""

from random import Random

_PODS = tuple(f"payments-{0x5A1F0 + 977 * number:05x}" for number in range(7))


def provider(random: Random, message: str) -> str:
    """Of the payment worker: the provider's gateway answered 503."""
    return (
        f"example.payments.ProviderException: {message}\n"
        f"\tat example.payments.ProviderClient.charge(ProviderClient.java:{140 + int(random.random() * 20)})\n"
        "\tat example.payments.ChargeCard.execute(ChargeCard.java:57)\n"
        "\tat example.worker.TaskLoop.run(TaskLoop.java:88)\n"
        "Caused by: example.http.UnexpectedStatus: 503 Service Unavailable\n"
        "\tat example.http.Client.send(Client.java:211)\n"
        "\t... 3 more\n"
        f"pod {_PODS[int(random.random() * len(_PODS))]}\n"
    )


def null_address(random: Random, message: str) -> str:
    """Of the billing worker: a customer without an address."""
    line = 60 + int(random.random() * 4)
    return (
        f"java.lang.{message}\n"
        f"\tat example.billing.TaxRules.of(TaxRules.java:{line})\n"
        "\tat example.billing.InvoiceWorker.create(InvoiceWorker.java:114)\n"
        "\tat example.billing.InvoiceWorker.execute(InvoiceWorker.java:41)\n"
        "\tat example.worker.TaskLoop.run(TaskLoop.java:88)\n"
    )


def negative_amount(random: Random, message: str) -> str:
    """Of the billing worker: it checks the amount of an invoice."""
    return (
        f"java.lang.IllegalArgumentException: {message}\n"
        f"\tat example.billing.Amounts.check(Amounts.java:{30 + int(random.random() * 4)})\n"
        "\tat example.billing.InvoiceWorker.create(InvoiceWorker.java:97)\n"
        "\tat example.billing.InvoiceWorker.execute(InvoiceWorker.java:41)\n"
        "\tat example.worker.TaskLoop.run(TaskLoop.java:88)\n"
    )


def invoice_schema(random: Random, message: str) -> str:
    """Of the archive worker: a document that is not valid."""
    return (
        f"example.archive.SchemaViolation: {message}\n"
        f"\tat example.archive.InvoiceSchema.check(InvoiceSchema.java:{70 + int(random.random() * 30)})\n"
        "\tat example.archive.ArchiveDocument.execute(ArchiveDocument.java:33)\n"
        "\tat example.worker.TaskLoop.run(TaskLoop.java:88)\n"
    )


def deadlock(random: Random, message: str) -> str:
    """Of the stock worker: its database gave up."""
    page, item = int(random.random() * 4000), int(random.random() * 90)
    return (
        "Traceback (most recent call last):\n"
        '  File "/app/stock/worker.py", line 58, in handle\n'
        '    await connection.execute(RESERVE, {"sku": task.sku})\n'
        f"psycopg.errors.DeadlockDetected: {message}\n"
        f'CONTEXT:  while locking tuple ({page},{item}) in relation "stock_item"\n'
        f"SQL statement \"UPDATE stock_item SET reserved = reserved + 1 WHERE sku = 'sku-{random.getrandbits(18)}'\"\n"
    )


def mail_server(random: Random, message: str) -> str:
    """Of the mailer: the server takes no more connections."""
    return (
        f"Error: {message}\n"
        f"    at SMTPConnection._formatError (/srv/mail/connection.js:{700 + int(random.random() * 100)}:19)\n"
        f"    at SMTPConnection._actionGreeting (/srv/mail/connection.js:{500 + int(random.random() * 100)}:11)\n"
        "    at TLSSocket.emit (node:events:519:28)\n"
    )


def screening(random: Random, message: str) -> str:
    """Of the screening worker: no answer in time."""
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/screening/worker.py", line {40 + int(random.random() * 50)}, in handle\n'
        "    answer = await client.get(url, timeout=30)\n"
        f'  File "/app/screening/client.py", line {20 + int(random.random() * 40)}, in get\n'
        "    raise ScreeningTimeout(url) from error\n"
        f"screening.client.ScreeningTimeout: {message}\n"
    )


def hostile(random: Random, message: str) -> str:
    """A trace that tries to speak to the terminal."""
    line = int(random.random() * 900)
    return f"{message}\n\x1b[1;1H\x1b[41m at [bold]nowhere[/bold]:{line}\x1b[0m\n\u202e.kcats eht fo dne\n"

"""Stack traces: what workers send as error details."""

from random import Random


def java(random: Random, message: str) -> str:
    """A trace of a Java worker."""
    line = random.randrange(30, 400)
    return (
        f"java.lang.IllegalStateException: {message}\n"
        f"\tat example.billing.InvoiceWorker.address(InvoiceWorker.java:{line})\n"
        f"\tat example.billing.InvoiceWorker.execute(InvoiceWorker.java:{line - 19})\n"
        f"\tat example.worker.TaskLoop.lambda$run$0(TaskLoop.java:88)\n"
        f"\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)\n"
        f"\tat java.base/java.lang.Thread.run(Thread.java:1583)\n"
    )


def http(random: Random, message: str) -> str:
    """A trace of a Java worker whose remote side answered badly."""
    pod = f"payments-{random.getrandbits(20):05x}"
    return (
        f"example.payments.ProviderException: {message}\n"
        f"\tat example.payments.ProviderClient.charge(ProviderClient.java:{random.randrange(140, 160)})\n"
        f"\tat example.payments.ChargeCard.execute(ChargeCard.java:57)\n"
        f"\tat java.base/java.lang.Thread.run(Thread.java:1583)\n"
        f"Caused by: java.net.ConnectException: Connection refused: "
        f"psp.example/203.0.113.{random.randrange(2, 40)}:443\n"
        f"\t... 3 more\n"
        f"pod {pod}, attempt took {random.randrange(80, 2600)} ms\n"
    )


def database(random: Random, message: str) -> str:
    """A trace of a worker whose database gave up."""
    return (
        f"psycopg.errors.DeadlockDetected: {message}\n"
        f"DETAIL:  while locking tuple ({random.randrange(4000)},{random.randrange(90)}) in relation stock_item\n"
        f"CONTEXT:  SQL statement UPDATE stock_item SET reserved = reserved + 1 "
        f"WHERE sku = 'sku-{random.getrandbits(18)}'\n"
    )


def node(random: Random, message: str) -> str:
    """A trace of a JavaScript worker."""
    return (
        f"Error: {message}\n"
        f"    at SMTPConnection._formatError (/srv/mail/connection.js:{random.randrange(700, 800)}:19)\n"
        f"    at SMTPConnection._onData (/srv/mail/connection.js:{random.randrange(500, 600)}:11)\n"
        f"    at TLSSocket.emit (node:events:519:28)\n"
    )


def python(random: Random, message: str) -> str:
    """A trace of a Python worker."""
    return (
        "Traceback (most recent call last):\n"
        f'  File "/app/screening/worker.py", line {random.randrange(40, 90)}, in handle\n'
        "    answer = await client.get(url, timeout=30)\n"
        f'  File "/app/screening/client.py", line {random.randrange(20, 60)}, in get\n'
        "    raise ScreeningTimeout(url) from error\n"
        f"screening.client.ScreeningTimeout: {message}\n"
    )


def hostile(random: Random, message: str) -> str:
    """A trace that tries to speak to the terminal."""
    line = random.randrange(900)
    return f"{message}\n\x1b[1;1H\x1b[41m at [bold]nowhere[/bold]:{line}\x1b[0m\n\u202e.kcats eht fo dne\n"

"""The plot: what happens on the night of the demo world, and when. Ages count back from the moment it was made for.

- Two hours ago the payment provider went away (``causes.OUTAGE``). It is still away when the world is opened: what is
  retried fails again, and new tasks join it. It comes back about two minutes later, when one has just looked
  round; nobody tells so but the workers, whose tasks begin to succeed.
- Five hours ago the release *billing 2.1* was deployed. Since then invoices of customers without an address fail, and
  no retry helps them (``causes.MISSING_ADDRESS``).
- Four hours ago an import of credit notes began to write amounts with a minus sign. The billing worker refuses them,
  and no retry helps before the variable ``amount`` of the instance is right (``causes.NEGATIVE_AMOUNT``).
- The mail server refuses mails now and then; *mara.lind* is on it already, with a batch that is at work.
- *j.ortiz* retried a list of tasks an hour and a half ago, some of which were done by then: their jobs have no retries
  left, and his batch never ends.
- *s.keller* has suspended a batch on deadlocks half way, and has a colleague to ask first.
- Last night's batch of the shift before has ended.
- All else is what lies around in any engine: expired cards, addresses, a few old tasks that nobody misses.
"""

from random import Random

from retriage.store.demo.ages import HOUR

OUTAGE_BEGAN = 2 * HOUR
"""Seconds before the world's moment."""

BAD_RELEASE = 5 * HOUR
"""Age in seconds of the release whose invoices fail."""

IMPORT_BEGAN = 4 * HOUR
"""Seconds before the world's moment when the import of negative amounts began."""

_RECOVERY = (100.0, 150.0)


def recovery(seed: int) -> float:
    """Seconds after the world is opened when the payment provider comes back; the same for a seed."""
    return Random(f"recovery {seed}").uniform(*_RECOVERY)

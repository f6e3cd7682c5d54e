"""For which launches the fields of one that was not sent are there again."""

from retriage.console.reading.selection import Composed, Everything, Marked
from retriage.console.session.memory import UnsentLaunch
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery

FAILED = Everything(ExternalTaskQuery(no_retries_left=True), said="retries:0")


def test_for_some_of_the_same_tasks_and_for_no_others() -> None:
    kept = UnsentLaunch(Marked(frozenset("abc"), "HTTP 503"), 3, "PSP back")
    assert kept.meant_for(Marked(frozenset("cd")))
    assert not kept.meant_for(Marked(frozenset("d"), "HTTP 503"))
    assert not kept.meant_for(FAILED)


def test_for_the_same_query_and_for_no_other() -> None:
    kept = UnsentLaunch(FAILED, 3, "PSP back")
    assert kept.meant_for(Everything(ExternalTaskQuery(no_retries_left=True), said="retries:0"))
    assert not kept.meant_for(Everything(ExternalTaskQuery(no_retries_left=True), frozenset("a"), "retries:0"))
    assert not kept.meant_for(Everything(ExternalTaskQuery(topic_name="pay")))
    composed = Composed(SetExternalTaskRetries(retries=1, process_instance_ids=["p"]))
    assert UnsentLaunch(composed, 3, "").meant_for(composed)
    assert not kept.meant_for(composed)

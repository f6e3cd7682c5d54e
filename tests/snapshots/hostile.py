"""Texts of workers that mean harm, or do it without meaning to."""

from retriage.console.engine.identity import CAMUNDA, Identity
from retriage.store.contract.records import ExternalTask, Incident, VariableValue
from tests.snapshots.night import Night

LONG = "A message of one megabyte. " + "é0123456789" * 90_000
TEXTS = (
    "\x1b[2J\x1b[31mcleared and red\x1b[0m \x1b]0;owned\x07 title \x1b]8;;file:///\x1b\\link\x1b]8;;\x1b\\ \x9b31m C1",
    "[red]x[/red] [bold]markup[/] [@click=app.exit]quit[/] [/nothing open] $ink-failed",
    "overridden \u202egnp.exe\u202c isolated \u2066left\u2069 \u200fmark",
    "zero\u200bwidth\u200djoined\u2060word\ufeff soft\u00adhyphen tag\U000e0041",
    LONG,
    "tab\tnew\nline\r\nreturn\rback\x08bell\x07null\x00del\x7f vertical\x0bform\x0c nel\x85 ls\u2028 ps\u2029 end",
    "pile Z" + "\u0301\u0323\u0334" * 12 + "algo and e\u0301 and flag \U0001f1e9\U0001f1ea",
    "wide 支付失敗：信用卡已過期 ｆｕｌｌ 💥 👩‍👩‍👧 end",
    "עברית بالعربية mixed with latin 123",
    "",
    "   ",
    "\ud800 lone surrogate, private \ue000, not a character \uffff",
    "back\\slash \"quotes\" 'single' <b>tags</b> &amp; ]]> <!-- -->",
)
NAMES = (
    "\x1b[31mtopic", "[b]topic[/b]", "\u202ecipot", "to\u200bpic", "t" * 300, "to\tp\nic", "Z\u0301\u0323\u0334\u0301",
    "主題", "נושא", "", " ", "\ue000", "<topic>&amp;",
)  # fmt: skip


class Hostile(Night):
    """Every text that somebody else writes is one of these."""

    def __init__(self) -> None:
        super().__init__(len(TEXTS))

    def made(self, index: int) -> ExternalTask:
        name = NAMES[index]
        return super().made(index).model_copy(update={
            "retries": 0,
            "suspended": False,
            "lock_expiration_time": None,
            "error_message": TEXTS[index],
            "topic_name": name,
            "business_key": name,
            "activity_id": name,
            "worker_id": name,
            "tenant_id": name,
            "process_definition_key": name,
            "process_definition_id": f"{name}:3:{name}",
        })  # fmt: skip

    async def identity(self) -> Identity:
        await self._wait()
        return Identity(CAMUNDA, "7.24.0 \x1b[31m", "[red]x[/red]\u202eeman", "")

    async def error_details(self, id: str) -> str | None:
        await self._wait()
        return "\n".join(text if text is not LONG else LONG[:3000] for text in TEXTS)

    def _failed(self) -> list[Incident]:
        return [one.model_copy(update={"annotation": one.activity_id}) for one in super()._failed()]

    async def variables(self, instance_id: str) -> dict[str, VariableValue]:
        return {name: VariableValue(type="String", value=text) for name, text in zip(NAMES, TEXTS, strict=True)}

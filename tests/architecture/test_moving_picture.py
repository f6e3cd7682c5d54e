"""The README's moving picture: lines that stay are written once, and who asks for no motion sees the last moment."""

from xml.etree import ElementTree

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from screenshots.moving import moment, moving_picture


def test_a_line_that_stays_is_written_once_and_one_that_changes_for_each_time() -> None:
    still = Strip([Segment("still & <here>", Style(color="red", bold=True))])
    moments = [moment(1.0, [still, Strip([Segment(text)])], "#ffffff") for text in ("one", "two", "two", "three")]
    text = moving_picture(moments, "a night")
    svg = ElementTree.fromstring(text)
    letters = ["".join(node.itertext()) for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(letters) == sorted(["a night", "still & <here>", "one", "two", "three"])
    assert "0.00%{visibility:hidden}25.00%{visibility:visible}75.00%{visibility:hidden}" in text
    assert text.count("visibility:visible;animation") == 1, "at rest the last moment is seen"
    assert "prefers-reduced-motion" in text


def test_the_ground_of_a_line_is_one_however_many_looks_stand_on_it() -> None:
    on = [Segment("a", Style(color="red", bgcolor="blue")), Segment("b", Style(color="green", bgcolor="blue"))]
    text = moving_picture([moment(1.0, [Strip(on)], "#ffffff")], "a night")
    assert text.count('width="16" height="17"') == 1

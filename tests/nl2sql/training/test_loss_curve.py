"""Losses as one line and as a picture."""

import xml.etree.ElementTree as ET

from nl2sql.training.loss_curve import BLOCKS, loss_curve_svg, sparkline


def test_a_line_falls_as_the_loss_does():
    line = sparkline([8.0 - n / 16 for n in range(128)], 40)
    assert len(line) == 40
    assert line[0] == BLOCKS[-1]
    assert line[-1] == BLOCKS[0]
    assert list(line) == sorted(line, key=BLOCKS.index, reverse=True)
    assert sparkline([]) == ""
    assert sparkline([0.0]) == BLOCKS[0]


def test_the_picture_is_well_formed_and_inside_its_frame():
    losses = [{"step": n, "loss": 5.0 / n} for n in range(1, 9)]
    curve = [{"step": 0, "valid": 6.0}, *losses, {"step": 8, "valid": 1.0}]
    root = ET.fromstring(loss_curve_svg({"curve": curve, "best_step": 8, "best_valid_loss": 1.0}))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    circles = [e for e in root.iter() if e.tag.endswith("circle")]
    assert len(circles) == 8 + 2 + 1  # trained, judged, the best
    assert all(0 <= float(c.attrib["cx"]) <= width and 0 <= float(c.attrib["cy"]) <= height for c in circles)
    assert "validation loss, the best at step 8" in "".join(root.itertext())

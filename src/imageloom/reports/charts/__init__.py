"""Charts as SVG text from plain numbers; nothing here reads a file or needs a package.

Colours and fonts come from the page's style sheet by class name, so that one chart serves light,
dark and print.
"""

from imageloom.reports.charts.dots import Dot, DotAxis, dot_chart
from imageloom.reports.charts.heat_map import MOST_CLASSES, dot_map, heat_map
from imageloom.reports.charts.lines import Mark, Series, line_chart
from imageloom.reports.charts.markup import Markup, element, escape, join
from imageloom.reports.charts.precision_recall import OperatingPoint, precision_recall_chart
from imageloom.reports.charts.reliability import ReliabilityBin, reliability_diagram

__all__ = [
    "MOST_CLASSES",
    "Dot",
    "DotAxis",
    "Mark",
    "Markup",
    "OperatingPoint",
    "ReliabilityBin",
    "Series",
    "dot_chart",
    "dot_map",
    "element",
    "escape",
    "heat_map",
    "join",
    "line_chart",
    "precision_recall_chart",
    "reliability_diagram",
]

"""Reports that people enjoy reading: one self-contained HTML file each."""

from imageloom.scoring.report.write import (
    write_comparison_report,
    write_evaluation_report,
    write_run_report,
)

__all__ = ["write_comparison_report", "write_evaluation_report", "write_run_report"]

"""Reports: a run folder as one HTML page."""

from qloom.reports.html import write_report
from qloom.reports.record import RunRecord, read_run

__all__ = ["RunRecord", "read_run", "write_report"]
